#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Is what zoneadm install makes what Debian's own tools make? The same packages, made into archives
# from this host's files, are installed by mmdebstrap, and the two trees compared.

bats_require_minimum_version 1.5.0
load helper

setup_file() {
	zone_configure ours
	zoneadm -z ours install --offline >&2 || [ $? -eq 1 ]
}

teardown_file() {
	zones_reset
}

@test "a fresh zone is what mmdebstrap makes of the same packages" {
	require_program mmdebstrap
	require_program dpkg-scanpackages
	mkdir "$POOL/reference"
	run --separate-stderr "$FZ_TOP/tools/compare-root" --keep "$POOL/reference" "$POOL/ours/root"
	assert_output ""
	assert_status 0
}

@test "a difference is found" {
	require_program mmdebstrap
	[ -e "$POOL/reference/reference/etc/debian_version" ] || skip "no reference was made"
	cp -p "$POOL/ours/root/etc/debian_version" "$FZ_WORK/debian_version"
	echo changed >"$POOL/ours/root/etc/debian_version"
	run --separate-stderr "$FZ_TOP/tools/compare-root" --keep "$POOL/reference" "$POOL/ours/root"
	assert_status 1
	assert_output -p "differs: /etc/debian_version: zone: -rw-r--r-- root:root"
	cp -p "$FZ_WORK/debian_version" "$POOL/ours/root/etc/debian_version"
	rm -rf --one-file-system "$POOL/reference"
}

# Commands in the zone that does not run; their output and "status N" lines are in $output.
in_ours() {
	run "$ADDED/scratch_run" ref-ours "$POOL/ours/root" "$@"
	rm -rf /run/zones/ref-ours
}

@test "the database is what dpkg and apt want" {
	echo changed >"$POOL/ours/root/etc/issue"
	in_ours 'dpkg --audit' 'apt-get -qq check' 'dpkg --verify'
	assert_output "status 0
status 0
??5?????? c /etc/issue
status 0"
}

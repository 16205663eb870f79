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

@test "an edited configuration file comes from the archive in apt's cache" {
	local tree=$FZ_WORK/login version
	version=$(dpkg-query -W -f '${Version}' login)
	mkdir -p "$tree/DEBIAN" "$tree/etc" "$FZ_WORK/archives"
	printf 'Package: login\nVersion: 1\nArchitecture: all\nMaintainer: m <m@x>\nDescription: d\n' \
		>"$tree/DEBIAN/control"
	cp -p /etc/login.defs "$tree/etc/login.defs"
	dpkg-deb --root-owner-group -b "$tree" \
		"$FZ_WORK/archives/login_${version//:/%3a}_$(dpkg --print-architecture).deb" >&2
	(cat /etc/login.defs && echo "# password of the host") >"$FZ_WORK/edited"
	mount --bind "$FZ_WORK/edited" /etc/login.defs
	mount --bind "$FZ_WORK/archives" /var/cache/apt/archives
	zone_configure cached
	zoneadm -z cached install --offline --no-cache -p systemd-sysv -x 'package=*'
	umount /etc/login.defs /var/cache/apt/archives
	cmp "$POOL/cached/root/etc/login.defs" "$tree/etc/login.defs"
}

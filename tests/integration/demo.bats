#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# pool: none
#
# ./demo as a person on a fresh host types it: no file system here can clone (all is tmpfs).
bats_require_minimum_version 1.5.0
load helper

setup_file() {
	export DEMO_BUILD=$FZ_WORK/demo
	link_make up0 10.98.0.1/24
	ip route add default via 10.98.0.2 dev up0
	host_baseline
}

demo() {
	"$FZ_TOP/demo" "$@"
}

@test "there is nothing to clean before" {
	run demo --clean
	assert_status 0
	assert_output "demo: nothing to clean"
}

@test "who is not root goes on through sudo, wherever and however it was called" {
	require_program setpriv
	at=$(mktemp -d /tmp/flashzone-sudo.XXXXXX)
	mkdir -p "$at/a tree/tools" "$at/bin"
	cp "$FZ_TOP"/{demo,check,install} "$at/a tree"
	cp "$FZ_TOP/tools/packages.bash" "$at/a tree/tools"
	printf '#!/bin/sh\nprintf "<%%s>" "$@"; echo\n' >"$at/bin/sudo"
	chmod -R a+rX "$at"
	chmod +x "$at/bin/sudo"
	user() {
		(cd "$at" && PATH=$at/bin:$PATH setpriv --reuid=65534 --clear-groups "$@")
	}
	run user "a tree/demo" --clean
	assert_output "demo: needs root, going on through sudo
<--><$at/a tree/demo><--clean>"
	run user bash -c 'cd "a tree" && bash check --fuzz-seconds 1 lint'
	assert_output -p "<--><$at/a tree/check><--fuzz-seconds><1><lint>"
	run user "a tree/install" --uninstall --destdir "of mine"
	assert_output -p "<--><$at/a tree/install><--uninstall><--destdir><$at/of mine>"
	rm -r "$at"
}

@test "a zone of somebody else with the same name stops it before anything is made" {
	zone_configure zone2
	run --separate-stderr demo
	assert_status 1
	assert_stderr "demo: a zone 'zone2' exists that the demo did not make; nothing was changed"
	[ ! -e /var/lib/zones/demo.made ]
	zonecfg -z zone2 delete -F
	rm /etc/zones/index
}

@test "the whole story" {
	run demo
	assert_status 0
	assert_output -p "a btrfs in the sparse file /var/lib/zones/pool.btrfs"
	assert_output -p "Zone <zone1> is initialized."
	assert_output -p "Instead of copying, a btrfs clone has been created for this zone."
	for name in zone1 zone2 zone3; do
		assert_output -p "Hello from $name, set up for Roslin."
		[ "$(zone_state "$name")" = running ]
	done
	refute_output degraded
}

@test "it may be run again" {
	run demo --sparse-root
	assert_status 0
	assert_output -p "removing zone 'zone1' of an earlier run"
	assert_output -p "Hello from zone3, set up for Roslin."
	run zlogin zone3 test -w /usr
	assert_status 1
}

@test "another zone in the pool survives, and the pool with it" {
	zone_configure other
	zone_root_tiny other
	run --separate-stderr demo --clean
	assert_status 1
	assert_stderr "demo: the pool at '/zones' is kept: other zones than the demo's are in it"
	[ "$(zone_state other)" = installed ]
	zoneadm -z other uninstall -F
	zonecfg -z other delete -F
}

@test "--clean takes everything away" {
	run demo --clean
	assert_status 0
	assert_output -p "everything that the demo made is gone"
	[ ! -e /var/lib/zones/pool.btrfs ]
	[ ! -e "$DEMO_BUILD" ]
	run find /etc/zones /var/lib/zones -mindepth 1
	assert_output ""
	assert_clean
}

#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# zoneadm list, in all its forms. Programs and people have parsed this for twenty years: every blank
# counts.
bats_require_minimum_version 1.5.0
load helper

setup() {
	zone_configure b
	zone_configure a
	zone_configure half
	zone_root_tiny a
	zone_mark half incomplete
}

teardown() {
	zones_reset
	assert_clean
}

uuid_of() {
	awk -F: -v name="$1" '$1 == name { print $4 }' /etc/zones/index
}

@test "plain: what runs; -i: what is installed too; -c: all, in the order of the index" {
	[ "$(zoneadm list)" = global ]
	[ "$(zoneadm list -i)" = "global
a" ]
	[ "$(zoneadm list -c)" = "global
b
a
half" ]
	[ "$(zoneadm list -ci)" = "$(zoneadm list -c)" ]
	[ "$(zoneadm list -cn)" = "b
a
half" ]
}

@test "-v: the table of the first article, with its trailing blanks" {
	run zoneadm list -cv
	assert_status 0
	assert_output "  ID NAME             STATUS         PATH                           BRAND     
   0 global           running        /                              native    
   - b                configured     /zones/b                       native    
   - a                installed      /zones/a                       native    
   - half             incomplete     /zones/half                    native    "
}

@test "-v: long values push the rest to the right and lose nothing" {
	name=a-zone-with-a-very-long-name-as-they-are-made-by-programs-0001
	zonecfg -z $name "create -b; set zonepath=$POOL/$name; commit"
	run zoneadm -z $name list -v
	assert_output "  ID NAME             STATUS         PATH                           BRAND     
   - $name configured     /zones/$name native    "
}

@test "-p: seven fields" {
	run zoneadm list -cp
	assert_status 0
	assert_output "0:global:running:/::native:shared
-:b:configured:/zones/b::native:shared
-:a:installed:/zones/a:$(uuid_of a):native:shared
-:half:incomplete:/zones/half:$(uuid_of half):native:shared"
	zonecfg -z b set ip-type=exclusive
	[ "$(zoneadm -z b list -p)" = "-:b:configured:/zones/b::native:excl" ]
}

@test "-p: a colon in the zonepath has a backslash in front" {
	zonecfg -z colon 'create -b; set zonepath="/zones/c:d:e"; commit'
	[ "$(zoneadm -z colon list -p)" = '-:colon:configured:/zones/c\:d\:e::native:shared' ]
}

@test "a running zone has an ID and comes before those without" {
	zoneadm -z a boot
	run zoneadm list -cp
	plain=$(zoneadm list)
	quiet=$(zoneadm list -n)
	id=$(zoneadm -z a list -p | cut -d: -f1)
	zoneadm -z a halt
	[ "$id" -gt 0 ]
	assert_output "0:global:running:/::native:shared
$id:a:running:/zones/a:$(uuid_of a):native:shared
-:b:configured:/zones/b::native:shared
-:half:incomplete:/zones/half:$(uuid_of half):native:shared"
	[ "$plain" = "global
a" ]
	[ "$quiet" = a ]
}

@test "-z and -u choose one zone, in any state" {
	[ "$(zoneadm -z b list)" = b ]
	[ "$(zoneadm -z global list -p)" = "0:global:running:/::native:shared" ]
	[ "$(zoneadm -u "$(uuid_of a)" list)" = a ]
	[ "$(zoneadm -u "$(uuid_of a | tr a-f A-F)" -z b list)" = a ]
	[ "$(zoneadm -u 00000000-0000-0000-0000-000000000000 -z b list)" = b ]
	[ "$(zoneadm -u '' -z b list)" = b ]
	run --separate-stderr zoneadm -z nosuch list -v
	assert_status 1
	assert_output ""
	assert_stderr "zoneadm: nosuch: No such zone configured"
	run --separate-stderr zoneadm -u 00000000-0000-0000-0000-000000000000 list
	assert_status 1
	assert_stderr "zoneadm: no zone has the UUID '00000000-0000-0000-0000-000000000000'"
	run --separate-stderr zoneadm -u nonsense -z b list
	assert_status 1
	assert_stderr "zoneadm: 'nonsense' is not a UUID"
}

@test "options that exclude each other are wrong usage" {
	for arguments in "list -pv" "list -x" "list more" "-z b list -c" "-z b list -i"; do
		# shellcheck disable=SC2086 # they are words
		run --separate-stderr zoneadm $arguments
		assert_status 2
		assert_output ""
		assert_stderr -p "usage: zoneadm list [-cinpv]"
	done
	run --separate-stderr zoneadm list -?
	assert_status 0
	assert_output -p "usage: zoneadm list [-cinpv]"
}

@test "anybody may list; who may not see what runs is told what the index says" {
	zoneadm -z a boot
	chmod 700 /run/zones
	run --separate-stderr setpriv --reuid 65534 --regid 65534 --clear-groups zoneadm list -cp
	zoneadm -z a halt
	assert_status 0
	assert_stderr ""
	assert_output "0:global:running:/::native:shared
-:b:configured:/zones/b::native:shared
-:a:installed:/zones/a:$(uuid_of a):native:shared
-:half:incomplete:/zones/half:$(uuid_of half):native:shared"
}

@test "one broken zone hides no other" {
	echo "<zone" >/etc/zones/b.xml
	mkdir -p /run/zones/half
	echo rubbish >/run/zones/half/state
	run --separate-stderr zoneadm list -cp
	rm /run/zones/half/state
	zonecfg -z b delete -F
	assert_status 0
	assert_stderr ""
	assert_output "0:global:running:/::native:shared
-:a:installed:/zones/a:$(uuid_of a):native:shared
-:half:incomplete:/zones/half:$(uuid_of half):native:shared"
}

@test "without any configuration there is the global zone" {
	mkdir -p "$FZ_WORK/empty"
	run --separate-stderr zoneadm -R "$FZ_WORK/empty" list -cv
	assert_status 0
	assert_output "  ID NAME             STATUS         PATH                           BRAND     
   0 global           running        /                              native    "
}

@test "-R lists the zones of another root, none of which runs" {
	zoneadm -z a boot
	mkdir -p "$FZ_WORK/other/etc"
	cp -r /etc/zones "$FZ_WORK/other/etc/"
	run zoneadm -R "$FZ_WORK/other" list -cp
	zoneadm -z a halt
	assert_output -p "-:a:installed:/zones/a:"
	run --separate-stderr zoneadm -R "$FZ_WORK/other" -z a halt
	assert_status 2
	assert_stderr "zoneadm: halt: -R is only for list and mark"
	zoneadm -R "$FZ_WORK/other" -z a mark incomplete
	zoneadm -R "$FZ_WORK/other" list -cp | grep -q "^-:a:incomplete:"
	[ "$(zone_state a)" = installed ]
}

@test "a full disk below standard output is told" {
	run --separate-stderr bash -c 'zoneadm list -cv >/dev/full'
	assert_status 1
	assert_stderr "zoneadm: write to standard output: No space left on device"
}

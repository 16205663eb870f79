#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# pool-size: 2G
#
# How configuration management drives zoneadm: the command lines of Ansible's solaris_zone, Puppet's
# zone and Salt's zoneadm, and the fields that they take out of the answers. What these type into
# zonecfg is the golden test zonecfg/clients.

bats_require_minimum_version 1.5.0
load helper

setup() {
	zone_configure z
}

teardown() {
	zones_reset
	assert_clean
}

# All three split lines of list -p at the colons, and one wants at least seven fields of each.
field() { # NUMBER ZONE
	zoneadm -z "$2" list -p | cut -d: -f"$1"
}

@test "ansible: absent, present, running, stopped and absent again" {
	run -1 zoneadm -z nosuch list
	run -0 zoneadm -z z list
	[ "$(field 3 z)" = configured ]
	zone_root_tiny z
	[ "$(field 3 z)" = installed ]
	run -0 zoneadm -z z boot
	[ "$(field 3 z)" = running ]
	run -0 zoneadm -z z halt
	[ "$(field 3 z)" = installed ]
	run -0 zoneadm -z z uninstall -F
	[ "$(field 3 z)" = configured ]
	run -0 zonecfg -z z delete -F
	run -1 zoneadm -z z list -p
}

@test "puppet: every line of list -cp has the fields that it names" {
	zone_root_tiny z
	run -0 zoneadm list -cp
	assert_output -e $'^0:global:running:/:[^:\n]*:native:shared\n-:z:installed:/zones/z:[0-9a-f-]{36}:native:shared$'
	run -0 zoneadm -z z ready
	[ "$(field 3 z)" = ready ]
	run -0 zoneadm -z z boot
	[ "$(field 1 z)" -ge 1 ]
	run -0 zoneadm -z z halt
	zonecfg -z z set ip-type=exclusive
	[ "$(field 7 z)" = excl ]
	zone_configure y
	run -0 zoneadm -z y clone z
	run -0 zoneadm -z y uninstall -F
}

@test "salt: zones by UUID, boot options behind --" {
	zone_root_tiny z
	uuid=$(field 5 z)
	[ "${#uuid}" = 36 ]
	run -0 zoneadm -z z verify
	run -0 zoneadm -u "$uuid" boot -- -m verbose -s
	[ "$(field 3 z)" = running ]
	run -0 zoneadm -u "$uuid" reboot -- -s
	[ "$(field 3 z)" = running ]
	run -0 zoneadm -u "$uuid" halt
	run -0 zoneadm -u "$uuid" uninstall -F
}

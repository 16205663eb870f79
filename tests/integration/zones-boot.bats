#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# What zones.service runs when the host starts and stops.
bats_require_minimum_version 1.5.0
load helper

teardown() {
	zones_reset
	rm -f /var/log/zones/*
	assert_clean
}

zone() { # NAME AUTOBOOT
	zone_configure "$1" "set autoboot=$2" && zone_root_busybox "$1" || return 1
	ln -s ../bin/busybox "$POOL/$1/root/sbin/poweroff"
}

@test "start boots the installed zones that are to be booted, and no others" {
	zone web true
	zone db true
	zone manual false
	zone_configure plan "set autoboot=true"
	run zones-boot start
	assert_status 0
	assert_output ""
	[ "$(zone_state web)" = running ]
	[ "$(zone_state db)" = running ]
	[ "$(zone_state manual)" = installed ]
	[ "$(zone_state plan)" = configured ]
	run zones-boot start
	assert_status 0
}

@test "one zone that is broken keeps no other from booting" {
	zone web true
	zone broken true
	zone odd true
	rm "$POOL/broken/root/sbin/init"
	cp /etc/zones/odd.xml "$FZ_WORK/odd.xml"
	echo "<zone" >/etc/zones/odd.xml
	run zones-boot start
	cp "$FZ_WORK/odd.xml" /etc/zones/odd.xml
	assert_status 1
	assert_output -p "zone 'broken': "
	assert_output -p "zones-boot: zone 'odd': "
	[ "$(zone_state web)" = running ]
}

@test "stop shuts every zone down cleanly, however it was booted" {
	zone web true
	zone manual false
	zone ready false
	zoneadm -z web boot
	zoneadm -z manual boot
	zoneadm -z ready ready
	run zones-boot stop
	assert_status 0
	assert_output ""
	for name in web manual ready; do
		[ "$(zone_state "$name")" = installed ]
	done
}

@test "stop halts what does not end in time" {
	zone web true
	zone deaf true
	rm "$POOL/deaf/root/sbin/init"
	printf '#!/bin/sh\nwhile :; do sleep 1000; done\n' >"$POOL/deaf/root/sbin/init"
	chmod 755 "$POOL/deaf/root/sbin/init"
	zones-boot start
	run timeout 20 zones-boot -t 1 stop
	assert_status 0
	assert_output -p "zone 'deaf': the zone has not shut down within 1 seconds"
	[ "$(zone_state deaf)" = installed ]
	[ "$(zone_state web)" = installed ]
}

@test "with no zones at all there is nothing to do" {
	zones-boot start
	zones-boot stop
	run zones-boot
	assert_status 2
	run zones-boot restart
	assert_status 2
}

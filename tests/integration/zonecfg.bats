#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# pool-size: 2G
#
# What zonecfg does on a real host: beside running zones, other sessions, full disks and kills.
# What it says and writes otherwise is compared by tests/golden/zonecfg.

bats_require_minimum_version 1.5.0
load helper

setup() {
	zone_configure z
	zone_root_tiny z
}

teardown() {
	zones_reset
}

@test "a running zone is neither deleted, renamed nor overwritten" {
	zoneadm -z z boot
	run zonecfg -z z delete -F
	assert_status 1
	assert_output "z: delete: not possible while the zone is running; halt it first"
	run zonecfg -z z set zonename=y
	assert_status 1
	assert_output -p "z: zonename: cannot change while the zone is running; halt it first"
	run zonecfg -z z create -F
	assert_status 1
	assert_output -p "z: create: the zone is running; uninstall it first"
	[ "$(zone_state z)" = running ]
}

@test "a running zone's configuration changes for its next boot" {
	zoneadm -z z boot
	zonecfg -z z set bootargs=x
	run zonecfg -z z info bootargs
	assert_output "bootargs: x"
	[ "$(zone_state z)" = running ]
}

@test "a session does not overwrite what another one has saved meanwhile" {
	mkfifo "$FZ_WORK/session"
	zonecfg -z z <"$FZ_WORK/session" >"$FZ_WORK/out" 2>&1 &
	exec 8>"$FZ_WORK/session"
	printf 'set pool=first\ninfo pool\n' >&8
	wait_for 5 grep -q first "$FZ_WORK/out"
	zonecfg -z z set pool=second
	exec 8>&-
	rc=0
	wait $! || rc=$?
	[ "$rc" -eq 1 ]
	run cat "$FZ_WORK/out"
	assert_output -p "the saved configuration has been changed by another session"
	run zonecfg -z z info pool
	assert_output "pool: second"
}

@test "two sessions that create the same zone do not both succeed" {
	mkfifo "$FZ_WORK/session2"
	zonecfg -z new <"$FZ_WORK/session2" >"$FZ_WORK/out2" 2>&1 &
	exec 8>"$FZ_WORK/session2"
	printf 'create -b\nset zonepath=/zones/one\ninfo zonepath\n' >&8
	wait_for 5 grep -q zones/one "$FZ_WORK/out2"
	zonecfg -z new 'create -b; set zonepath=/zones/two'
	exec 8>&-
	rc=0
	wait $! || rc=$?
	[ "$rc" -eq 1 ]
	run cat "$FZ_WORK/out2"
	assert_output -p "zone 'new' has been created by another session meanwhile"
	run zonecfg -z new info zonepath
	assert_output "zonepath: /zones/two"
}

@test "a zone that is installed meanwhile keeps its zonepath" {
	zonecfg -z new 'create -b; set zonepath=/zones/new'
	mkfifo "$FZ_WORK/session3"
	zonecfg -z new <"$FZ_WORK/session3" >"$FZ_WORK/out3" 2>&1 &
	exec 8>"$FZ_WORK/session3"
	printf 'set zonepath=/zones/other\ninfo zonepath\n' >&8
	wait_for 5 grep -q zones/other "$FZ_WORK/out3"
	zone_mark new installed
	exec 8>&-
	rc=0
	wait $! || rc=$?
	[ "$rc" -eq 1 ]
	run cat "$FZ_WORK/out3"
	assert_output -p "zonepath: cannot change: the zone has been installed"
	zone_mark new configured
}

@test "commit waits for the command that holds the zone's lock" {
	mkdir -p /run/zones/z
	# An open file description lock, as commands take it.
	python3 - <<-'END' 3>"$FZ_WORK/locked" &
		import fcntl, os, struct, time
		fd = os.open("/run/zones/z/lock", os.O_RDWR | os.O_CREAT, 0o600)
		fcntl.fcntl(fd, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
		os.write(3, b"x")
		time.sleep(1)
	END
	wait_for 5 test -s "$FZ_WORK/locked"
	begin=$(date +%s%N)
	zonecfg -z z set pool=p
	[ $((($(date +%s%N) - begin) / 1000000)) -ge 500 ]
	wait
}

@test "a full disk leaves the old configuration" {
	before=$(cat /etc/zones/z.xml /etc/zones/index)
	mount -o remount,size=64k /etc/zones
	cat /dev/zero >/etc/zones/filler 2>/dev/null || true
	run zonecfg -z z set pool=p
	rm /etc/zones/filler
	mount -o remount,size=50% /etc/zones
	assert_status 1
	assert_output -p "No space left on device"
	assert_output -p "z: the configuration has not been saved"
	[ "$(cat /etc/zones/z.xml /etc/zones/index)" = "$before" ]
	run ls /etc/zones
	assert_output "index
z.xml"
}

@test "a kill at any moment leaves the old or the new configuration" {
	for i in $(seq 60); do
		zonecfg -z z "clear pool; set pool=p$i; commit; set zonename=y$i; commit; set zonename=z" &
		pid=$!
		sleep "0.00$((i % 6))$((i % 10))"
		kill -KILL $pid 2>/dev/null || true
		wait $pid 2>/dev/null || true
		name=$(awk -F: '$2 == "installed" && $1 != "global" { print $1 }' /etc/zones/index)
		[ "$(wc -w <<<"$name")" -eq 1 ]
		zonecfg -z "$name" verify
		[ "$name" != z ] || continue
		# The old document is the last that goes.
		[ ! -e /etc/zones/z.xml ] || zonecfg -z z delete -F
		zonecfg -z "$name" set zonename=z
	done
	rm -f /etc/zones/y*.xml
}

@test "a zone cannot configure zones" {
	run unshare -m sh -c 'mount -t tmpfs tmpfs /run && mkdir /run/host &&
		echo zones >/run/host/container-manager && zonecfg -z z info'
	assert_status 1
	assert_output "zonecfg: zones can be configured only from the global zone, and this is a zone"
}

#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Every side effect of boot and halt fails once, and the daemon is killed once just before each. Then
# halt and boot work, and nothing is left. Needs a build with -Dfault_injection=true in $FAULT_BUILD.
bats_require_minimum_version 1.5.0
load helper

setup_file() {
	link_make eth7 192.0.2.1/24
	mkdir "$FZ_WORK/export"
}

setup() {
	[ -x "${FAULT_BUILD:-}/cmd/zoneadmd" ] || skip "needs a build with fault injection in FAULT_BUILD"
	PATH=$FAULT_BUILD/cmd:$PATH
	zone_configure web "add fs; set dir=/data; set special=$FZ_WORK/export; set type=lofs; end" \
		"add net; set physical=eth7; set address=192.0.2.17/24; end"
	zone_root_tiny web
}

teardown() {
	zones_reset
	assert_clean
}

# The zone is as it was, whatever happened.
must_recover() { # WHAT
	zoneadm -z web halt >"$FZ_WORK/halt.out" 2>&1 || fail "$1: halt: $(cat "$FZ_WORK/halt.out")"
	[ "$(zone_state web)" = installed ] || fail "$1: the zone is $(zone_state web)"
	wait_for 2 assert_clean 2>"$FZ_WORK/left" || fail "$1: $(cat "$FZ_WORK/left")"
	zoneadm -z web boot >"$FZ_WORK/boot.out" 2>&1 || fail "$1: boot: $(cat "$FZ_WORK/boot.out")"
	[ "$(zone_state web)" = running ] || fail "$1: the zone is $(zone_state web)"
	zoneadm -z web halt || fail "$1: halt after boot"
	wait_for 2 assert_clean 2>"$FZ_WORK/left" || fail "$1: $(cat "$FZ_WORK/left")"
}

sweep() { # SUFFIX COMMAND...
	local suffix=$1 n status
	shift
	for ((n = 1; n < 400; n++)); do
		ZONES_FAULT_DAEMON=$n$suffix "$@" >"$FZ_WORK/out" 2>&1
		status=$?
		if [ "$status" -eq 0 ]; then
			zoneadm -z web halt
			[ "$n" -gt "$at_least" ] || fail "only $n side effects: is anything injected?"
			echo "# $n side effects" >&3
			return 0
		fi
		[ "$status" -eq 1 ] || fail "$n$suffix: exit status $status: $(cat "$FZ_WORK/out")"
		[ -s "$FZ_WORK/out" ] || fail "$n$suffix: no message"
		must_recover "$n$suffix ($(head -n 1 "$FZ_WORK/out"))"
	done
	fail "no end after $n side effects"
}

# One daemon for both, so that its count goes on.
boot_and_halt() {
	zoneadm -z web boot && zoneadm -z web halt
}

@test "a boot in which any side effect fails" {
	at_least=5
	sweep "" zoneadm -z web boot
}

@test "a boot in which the daemon is killed anywhere" {
	at_least=5
	sweep :kill zoneadm -z web boot
}

@test "a halt in which any side effect fails" {
	at_least=5
	sweep "" boot_and_halt
}

@test "a halt in which the daemon is killed anywhere" {
	at_least=5
	sweep :kill boot_and_halt
}

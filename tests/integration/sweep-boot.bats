#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Every side effect of boot and halt fails once, and the daemon is killed once just before each. Then
# halt and boot work, and nothing is left. Needs a build with -Dfault_injection=true in $FAULT_BUILD.
bats_require_minimum_version 1.5.0
load helper

setup_file() {
	mkdir "$FZ_WORK/export"
}

setup() {
	[ -x "${FAULT_BUILD:-}/cmd/zoneadmd" ] || skip "needs a build with fault injection in FAULT_BUILD"
	PATH=$FAULT_BUILD/cmd:$PATH
	zone_configure web "add fs; set dir=/data; set special=$FZ_WORK/export; set type=lofs; end"
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
	must_be_clean "$1"
	zoneadm -z web boot >"$FZ_WORK/boot.out" 2>&1 || fail "$1: boot: $(cat "$FZ_WORK/boot.out")"
	[ "$(zone_state web)" = running ] || fail "$1: the zone is $(zone_state web)"
	zoneadm -z web halt || fail "$1: halt after boot"
	must_be_clean "$1"
}

must_be_clean() { # WHAT
	wait_for 2 assert_clean 2>"$FZ_WORK/left" || fail "$1: $(tail -n 3 "$FZ_WORK/left")"
}

# What one boot makes for all later ones is made again each time, or the count would not be the same.
forget() {
	find /run/zones -maxdepth 1 -type f ! -name '*lock' -delete
}

# How many side effects the daemon has in COMMAND.
side_effects() { # COMMAND...
	forget
	ZONES_DEBUG=fault ZONES_FAULT_DAEMON=0 "$@" 2>"$FZ_WORK/effects"
	grep -c '^fault' "$FZ_WORK/effects"
	zoneadm -z web halt 2>/dev/null
}

# A side effect may be one that can be done without: then the command succeeds.
sweep() { # SUFFIX COMMAND...
	local suffix=$1 n total status failed=0
	shift
	total=$(side_effects "$@")
	[ "$total" -ge 10 ] || fail "only $total side effects: is anything injected?"
	for ((n = 1; n <= total; n++)); do
		status=0
		forget
		ZONES_FAULT_DAEMON=$n$suffix "$@" >"$FZ_WORK/out" 2>&1 || status=$?
		case $status in
		# The next command may then be the one that meets the failure.
		0) zoneadm -z web halt >"$FZ_WORK/out" 2>&1 || failed=$((failed + 1)) ;;
		1)
			failed=$((failed + 1))
			[ -s "$FZ_WORK/out" ] || fail "$n$suffix: no message"
			;;
		*) fail "$n$suffix: exit status $status: $(cat "$FZ_WORK/out")" ;;
		esac
		must_recover "$n$suffix ($(head -n 1 "$FZ_WORK/out"))"
	done
	echo "# $failed of $total stop it" >&3
	[ "$failed" -gt $((total / 2)) ]
}

# One daemon for both, so that its count goes on.
boot_and_halt() {
	zoneadm -z web boot && zoneadm -z web halt
}

@test "a boot in which any side effect fails" {
	sweep "" zoneadm -z web boot
}

@test "a boot in which the daemon is killed anywhere" {
	sweep :kill zoneadm -z web boot
}

@test "the same with the host's ids" {
	zonecfg -z web "set idmap=shared"
	sweep "" zoneadm -z web boot
	sweep :kill zoneadm -z web boot
}

@test "a halt in which any side effect fails" {
	sweep "" boot_and_halt
}

@test "a halt in which the daemon is killed anywhere" {
	sweep :kill boot_and_halt
}

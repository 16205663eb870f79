#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Every side effect of clone and uninstall fails once, and is once the last that the process does.
# $FAULT_BUILD is a build with -Dfault_injection=true.
bats_require_minimum_version 1.5.0
load helper

setup_file() {
	if [ -z "${FAULT_BUILD:-}" ]; then
		export FAULT_BUILD=$FZ_WORK/build-fault
		[ -x "$FAULT_BUILD/cmd/zoneadm" ] ||
			{ meson setup "$FAULT_BUILD" "$FZ_TOP" -Dfault_injection=true &&
				ninja -C "$FAULT_BUILD" cmd/zoneadm; } >"$FZ_WORK/build-fault.log"
	fi
}

setup() {
	zone_configure src
	zone_root_tiny src
	mkdir -p "$POOL"/src/root/etc/ssh "$POOL"/src/root/var/log
	touch "$POOL/src/root/etc/ssh/ssh_host_rsa_key"
	echo log >"$POOL/src/root/var/log/syslog"
	btrfs -q subvolume create "$POOL/src/root/sub"
	zone_configure dst
}

teardown() {
	zones_reset
	assert_clean
}

try() { # N[:kill] ARGUMENT...
	# The shell says what was killed; in braces, it says so to the file as well.
	{ ZONES_FAULT=$1 "$FAULT_BUILD/cmd/zoneadm" "${@:2}"; } >"$FZ_WORK/out" 2>&1
}

# After a failure: what the state says is so, and the way back to configured is open.
check_failed() { # STATUS FAULT
	local state
	if [[ $2 == *:kill ]]; then
		[ "$1" -eq 137 ] || fail "fault $2: exit status $1"
	else
		[ "$1" -eq 1 ] || fail "fault $2: exit status $1"
		[ "$(grep -c "^zoneadm: " "$FZ_WORK/out")" -eq 1 ] ||
			fail "fault $2: not one line:" "$(cat "$FZ_WORK/out")"
		grep -q "No space left on device" "$FZ_WORK/out" ||
			fail "fault $2: no cause:" "$(cat "$FZ_WORK/out")"
	fi
	state=$(zone_state dst)
	# Who is still there takes back what was made.
	[[ $2 == *:kill ]] || [ "$state" = configured ] || fail "fault $2: state $state"
	case $state in
	configured) [ ! -e "$POOL/dst/root" ] || fail "fault $2: configured, but it has a root" ;;
	incomplete) ;;
	*) fail "fault $2: state $state" ;;
	esac
	[ "$state" = configured ] || zoneadm -z dst uninstall -F
	[ "$(zone_state dst)" = configured ] || fail "fault $2: not configured after uninstall"
	[ ! -e "$POOL/dst" ] || rmdir "$POOL/dst" || fail "fault $2: the zonepath is not empty"
}

sweep_clone() { # SUFFIX ARGUMENT...
	local suffix=$1 n=0 status
	shift
	while :; do
		status=0
		n=$((n + 1))
		try "$n$suffix" -z dst clone "$@" src || status=$?
		[ "$status" -ne 0 ] || break
		check_failed "$status" "$n$suffix"
	done
	[ "$n" -gt 10 ] || fail "only $n side effects: is this a build with fault injection?"
	[ "$(zone_state dst)" = installed ]
	[ ! -e "$POOL/dst/root/etc/ssh/ssh_host_rsa_key" ]
	[ "$(zone_state src)" = installed ]
	[ -e "$POOL/src/root/etc/ssh/ssh_host_rsa_key" ]
}

@test "each side effect of a snapshot clone fails" {
	sweep_clone ""
}

@test "each side effect of a snapshot clone is the last" {
	sweep_clone :kill
}

@test "each side effect of a copying clone fails" {
	sweep_clone "" -m copy
}

@test "each side effect of a copying clone is the last" {
	sweep_clone :kill -m copy
}

sweep_uninstall() { # SUFFIX
	local n=0 status expected=1
	[ -z "$1" ] || expected=137
	while :; do
		[ "$(zone_state dst)" != configured ] || zoneadm -z dst clone src >/dev/null
		status=0
		n=$((n + 1))
		try "$n$1" -z dst uninstall -F || status=$?
		[ "$status" -ne 0 ] || break
		[ "$status" -eq "$expected" ] || fail "fault $n$1: exit status $status"
		case $(zone_state dst) in
		installed) [ -e "$POOL/dst/root/sbin/init" ] || fail "fault $n$1: installed without a root" ;;
		incomplete | configured) ;;
		*) fail "fault $n$1: state $(zone_state dst)" ;;
		esac
		[ "$(zone_state dst)" = configured ] || zoneadm -z dst uninstall -F
		[ ! -e "$POOL/dst" ] || fail "fault $n$1: the zonepath is left"
	done
	[ "$n" -gt 3 ]
	[ "$(zone_state dst)" = configured ]
	[ ! -e "$POOL/dst" ]
}

@test "each side effect of uninstall fails" {
	sweep_uninstall ""
}

@test "each side effect of uninstall is the last" {
	sweep_uninstall :kill
}

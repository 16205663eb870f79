#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# zoneadm install with a failure, or a kill, at one side effect after the other. After each the zone
# is configured or incomplete (installed if nothing was left to do), nothing of it runs or is
# mounted, and uninstall returns it to configured.
#
# $FAULT_BUILD is a build with -Dfault_injection=true. The short form fails the first of each kind of
# side effect and kills at one in the middle; SWEEP=full takes every one for both.

bats_require_minimum_version 1.5.0
load helper

setup_file() {
	[ -x "${FAULT_BUILD:-}/cmd/zoneadm" ] || skip "needs FAULT_BUILD, a build with -Dfault_injection=true"
	export PATH=$FAULT_BUILD/cmd:$PATH
	zone_configure z1
	zone_configure z2
	# Without a failure, for the lists of side effects: "number kind" a line.
	effects long --no-cache
	[ "$(wc -l <"$FZ_WORK/long")" -gt 10 ]
	zoneadm -z z1 install --offline
	zoneadm -z z1 uninstall -F
	effects cached
}

effects() { # LIST [OPTION...]
	local list=$1
	shift
	ZONES_DEBUG=fault ZONES_FAULT=0 zoneadm -z z1 install --offline "$@" 2>"$FZ_WORK/log"
	sed -n 's/^fault: \([0-9]*\) \(.*\)/\1 \2/p' "$FZ_WORK/log" >"$FZ_WORK/$list"
	zoneadm -z z1 uninstall -F
}

points() { # LIST first|middle|all
	if [ "${SWEEP:-}" = full ] || [ "$2" = all ]; then
		cut -d' ' -f1 "$FZ_WORK/$1" | sort -nu
		return
	fi
	awk -v which="$2" '{ n = $1; $1 = ""; list[$0] = list[$0] " " n }
	     END { for (kind in list) {
	             count = split(list[kind], at, " ")
	             print which == "first" ? at[1] : at[int((count + 1) / 2)] } }' \
		"$FZ_WORK/$1" | sort -nu
}

# What must hold whatever happened.
check_after() { # POINT STATUS
	local state
	state=$(zone_state z1)
	case $state in
	configured | incomplete) [ "$2" -ne 0 ] || fail "$1: succeeded, and the zone is $state" ;;
	installed) ;;
	*) fail "$1: the zone is $state" ;;
	esac
	rm -rf /run/zones/z1 # of a killed program: the range of ids that it had
	assert_clean || fail "after $1"
	if [ "$state" = configured ]; then
		[ ! -e "$POOL/z1/root" ] || fail "$1: configured, and there is $POOL/z1/root"
	else
		zoneadm -z z1 uninstall -F || fail "$1: uninstall"
	fi
	[ "$(zone_state z1)" = configured ] || fail "$1: not configured after uninstall"
	[ ! -e "$POOL/z1" ] || fail "$1: $POOL/z1 stays"
	[ "$(zone_state z2)" = configured ] || fail "$1: the other zone changed"
}

sweep() { # LIST SUFFIX first|middle|all [OPTION...]
	local list=$1 suffix=$2 which=$3 point status message
	shift 3
	for point in $(points "$list" "$which"); do
		status=0
		ZONES_FAULT=$point$suffix zoneadm -z z1 install --offline "$@" >"$FZ_WORK/out" 2>&1 || status=$?
		check_after "$point$suffix" "$status"
		[ "$suffix" = "" ] || continue
		# A failure is told, in a line with the zone's name.
		if [ "$status" -ne 0 ]; then
			message=$(grep -c "^zoneadm: zone 'z1': " "$FZ_WORK/out")
			[ "$message" -ge 1 ] || fail "$point: said only: $(cat "$FZ_WORK/out")"
		fi
	done
}

@test "a side effect that fails leaves a zone that can be uninstalled" {
	sweep long "" first --no-cache
}

@test "a kill leaves a zone that can be uninstalled" {
	sweep long ":kill" middle --no-cache
}

@test "the same for a zone that is made from a kept root" {
	sweep cached "" all
	sweep cached ":kill" all
}

@test "after all of that, install works" {
	zoneadm -z z1 install --offline
	[ "$(zone_state z1)" = installed ]
	assert_clean
}

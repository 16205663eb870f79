#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# boot, ready, halt, reboot, shutdown, with roots that hold one static program or busybox.
bats_require_minimum_version 1.5.0
load helper

teardown() {
	zones_reset
	rm -f /var/log/zones/*
	assert_clean
}

# ---- helpers ----------------------------------------------------------------------------------

zone() { # NAME [LINE...]
	zone_configure "$@" && zone_root_tiny "$1"
}

# A zone whose init is a shell script.
zone_with_init() { # NAME SCRIPT [LINE...]
	local name=$1 script=$2
	shift 2
	zone_configure "$name" "$@" && zone_root_busybox "$name" || return 1
	rm "$POOL/$name/root/sbin/init"
	printf '#!/bin/sh\n%s\n' "$script" >"$POOL/$name/root/sbin/init"
	chmod 755 "$POOL/$name/root/sbin/init"
	ln -s ../bin/busybox "$POOL/$name/root/sbin/poweroff"
	ln -s ../bin/busybox "$POOL/$name/root/sbin/reboot"
}

# A zone that can be asked to end.
zone_with_poweroff() { # NAME
	zone_configure "$1" && zone_root_busybox "$1" || return 1
	ln -s ../bin/busybox "$POOL/$1/root/sbin/poweroff"
	ln -s ../bin/busybox "$POOL/$1/root/sbin/reboot"
}

zone_id() {
	zoneadm -z "$1" list -p | cut -d: -f1
}

zone_is() { # NAME STATE
	[ "$(zone_state "$1")" = "$2" ]
}

lines() { # FILE N
	[ "$(wc -l <"$1")" -eq "$2" ]
}

# A boot is done with the exec of init: what comes next could come before init's line.
ran_times() { # ZONE N
	[ -e "$POOL/$1/root/init.ran" ] && lines "$POOL/$1/root/init.ran" "$2"
}

init_pid() {
	sed -n 's/^init_pid=//p' "/run/zones/$1/state"
}

is_in_state() {
	[ "$(zone_state "$1")" = "$2" ]
}

refused() { # MESSAGE ARGUMENT...
	local message=$1
	shift
	run --separate-stderr zoneadm "$@"
	assert_status 1
	assert_output ""
	assert_stderr "$message"
}

# ---- boot and halt ----------------------------------------------------------------------------

@test "boot starts init, and halt leaves nothing" {
	zone web
	run --separate-stderr zoneadm -z web boot
	assert_status 0
	assert_output ""
	assert_stderr ""
	[ "$(zone_state web)" = running ]
	[ -e "/proc/$(init_pid web)" ]
	wait_for 5 ran_times web 1
	run --separate-stderr zoneadm -z web halt
	assert_status 0
	assert_output ""
	assert_stderr ""
	[ "$(zone_state web)" = installed ]
	assert_clean
	[ "$(cat "$POOL/web/root/init.ran")" = /sbin/init ]
}

@test "what is so already is a note, not a failure" {
	zone web
	run --separate-stderr zoneadm -z web halt
	assert_status 0
	assert_stderr "zone 'web': already halted"
	zoneadm -z web boot
	run --separate-stderr zoneadm -z web boot
	assert_status 0
	assert_stderr "zone 'web': already booted"
	zoneadm -z web ready
	run --separate-stderr zoneadm -z web ready
	assert_status 0
	assert_stderr "zone 'web': already ready"
}

@test "checks come in their order, each with its message" {
	zone_configure web
	refused "zoneadm: boot: no zone specified; name it with -z" boot
	refused "zoneadm: nosuch: No such zone configured" -z nosuch boot
	refused "zoneadm: zone 'web': boot: the zone must be installed first" -z web boot
	refused "zoneadm: zone 'web': ready: the zone must be installed first" -z web ready
	refused "zoneadm: zone 'web': halt: the zone must be installed first" -z web halt
	refused "zoneadm: zone 'web': reboot: the zone is not running" -z web reboot
	zone_root_tiny web
	refused "zoneadm: zone 'web': reboot: the zone is not running" -z web reboot
	refused "zoneadm: zone 'web': shutdown: the zone is not running" -z web shutdown
	zone_mark web incomplete
	refused "zoneadm: zone 'web': boot: the zone is incomplete; uninstall it first" -z web boot
	zone_mark web installed
}

@test "wrong usage is exit 2 and wins over everything else" {
	for words in "boot -x" "halt now" "halt -f" "ready x" "reboot -x" "shutdown -t 0" "shutdown -t x" \
		"shutdown -s" "shutdown -- -s"; do
		# shellcheck disable=SC2086 # words
		run zoneadm -z nosuch $words
		[ "$status" -eq 2 ] || fail "$words: exit status $status: $output"
	done
	run zoneadm -z nosuch boot "-?"
	assert_status 0
	assert_output -p "usage: zoneadm -z zone boot"
}

@test "the platform alone: ready, then boot; running, then ready" {
	zone web
	zoneadm -z web ready
	[ "$(zone_state web)" = ready ]
	[ ! -e "$POOL/web/root/init.ran" ]
	zoneadm -z web boot
	[ "$(zone_state web)" = running ]
	wait_for 5 ran_times web 1
	zoneadm -z web ready
	[ "$(zone_state web)" = ready ]
	ran_times web 1
	zoneadm -z web halt
	[ "$(zone_state web)" = installed ]
}

@test "a dry run prints the plan and does nothing" {
	zone web
	zonecfg -z web 'add device; set match=/dev/none-such; end'
	run --separate-stderr zoneadm -z web boot -n
	assert_status 0
	assert_output -p "$POOL/web/root"
	assert_stderr "zoneadm: zone 'web': warning: device /dev/none-such: matches no device of this host"
	[ "$(zone_state web)" = installed ]
	assert_clean
}

@test "reboot gives a new zone ID" {
	zone web
	zoneadm -z web boot
	local id
	id=$(zone_id web)
	wait_for 5 ran_times web 1
	zoneadm -z web reboot
	[ "$(zone_state web)" = running ]
	[ "$(zone_id web)" -gt "$id" ]
	wait_for 5 ran_times web 2
}

@test "a hundred boots and halts are all alike" {
	zone web
	for i in {1..100}; do
		zoneadm -z web boot
		wait_for 10 ran_times web "$i"
		zoneadm -z web halt
	done
}

@test "zones boot side by side" {
	for i in 1 2 3 4 5 6; do
		zone "web$i"
	done
	for i in 1 2 3 4 5 6; do
		zoneadm -z "web$i" boot &
	done
	wait
	for i in 1 2 3 4 5 6; do
		[ "$(zone_state "web$i")" = running ]
	done
	run bash -c 'zoneadm list -p | cut -d: -f1 | sort | uniq -d'
	assert_output ""
}

@test "two commands for one zone take turns" {
	zone web
	for _ in {1..10}; do
		zoneadm -z web boot &
		zoneadm -z web halt 2>"$FZ_WORK/halt.err" &
		zoneadm -z web boot 2>"$FZ_WORK/boot.err" &
		wait
	done
	zoneadm -z web halt
	[ "$(zone_state web)" = installed ]
}

@test "what verify says is said once, and before the zone boots" {
	local warning="zoneadm: zone 'web': warning: net: is stored; the zone has only its loopback interface"
	zone web "add net; set physical=lo; set address=10.0.0.2/24; end"
	run --separate-stderr zoneadm -z web boot
	assert_status 0
	assert_stderr "$warning"
	zoneadm -z web halt
	run --separate-stderr zoneadm -z web ready
	assert_status 0
	assert_stderr "$warning"
	zoneadm -z web halt
	zonecfg -z web "add fs; set dir=/data; set special=/nowhere; set type=lofs; end"
	run --separate-stderr zoneadm -z web boot
	assert_status 1
	assert_stderr "$warning
zoneadm: zone 'web': fs /data: special '/nowhere': No such file or directory
zoneadm: zone 'web': boot: zone failed to verify"
	[ "$(grep -c "Zone booting up" /var/log/zones/web.console)" -eq 1 ]
	[ "$(zone_state web)" = installed ]
}

# ---- boot arguments ---------------------------------------------------------------------------

@test "boot arguments: the command's, else the property's; never kept" {
	zone web 'set bootargs="-p property"'
	zoneadm -z web boot
	wait_for 5 ran_times web 1
	zoneadm -z web reboot -- -c command line
	wait_for 5 ran_times web 2
	zoneadm -z web reboot
	wait_for 5 ran_times web 3
	zoneadm -z web halt
	zoneadm -z web boot -- -x
	wait_for 5 ran_times web 4
	run cat "$POOL/web/root/init.ran"
	assert_output -e "^/sbin/init -p( property)?
/sbin/init -c( command line)?
/sbin/init -p( property)?
/sbin/init -x\$"
}

@test "boot -s is the boot argument -s" {
	zone web
	zoneadm -z web boot -s
	wait_for 5 ran_times web 1
	run cat "$POOL/web/root/init.ran"
	assert_output -e "^/sbin/init .*(-s|rescue)"
	run cat /var/log/zones/web.console
	assert_output -p "[NOTICE: Zone booting up with arguments: -s]"
}

@test "boot arguments that cannot be passed are refused" {
	zone web
	refused "zoneadm: zone 'web': boot: boot arguments are longer than 256 bytes" \
		-z web boot -- "$(printf 'x%.0s' {1..257})"
	refused "zoneadm: zone 'web': boot: control character in boot arguments" \
		-z web boot -- $'a\nb'
	[ "$(zone_state web)" = installed ]
}

# ---- failures ---------------------------------------------------------------------------------

@test "an init that is not there or no program fails the boot and leaves nothing" {
	zone web
	rm "$POOL/web/root/sbin/init"
	run --separate-stderr zoneadm -z web boot
	assert_status 1
	assert_stderr -p "/sbin/init"
	[ "$(zone_state web)" = installed ]
	assert_clean
	printf 'no program\n' >"$POOL/web/root/sbin/init"
	chmod 755 "$POOL/web/root/sbin/init"
	run --separate-stderr zoneadm -z web boot
	assert_status 1
	assert_stderr -p "zone 'web': "
	assert_stderr -p "/sbin/init"
	[ "$(zone_state web)" = installed ]
	assert_clean
	run cat /var/log/zones/web.console
	assert_output -p "[NOTICE: Zone boot failed]"
}

@test "all problems are told, then that the zone failed to verify" {
	zone web "add fs; set dir=/data; set special=/nonexistent/a; set type=lofs; end" \
		"add fs; set dir=/data2; set special=/nonexistent/b; set type=lofs; end"
	run --separate-stderr zoneadm -z web boot
	assert_status 1
	assert_stderr -p "/nonexistent/a"
	assert_stderr -p "/nonexistent/b"
	assert_stderr -e "zoneadm: zone 'web': boot: zone failed to verify\$"
	[ "$(zone_state web)" = installed ]
}

@test "a reboot that cannot work does not take the zone down" {
	mkdir "$FZ_WORK/data"
	zone web "add fs; set dir=/data; set special=$FZ_WORK/data; set type=lofs; end"
	zoneadm -z web boot
	rmdir "$FZ_WORK/data"
	run --separate-stderr zoneadm -z web reboot
	assert_status 1
	assert_stderr -e "zoneadm: zone 'web': reboot: zone failed to verify\$"
	[ "$(zone_state web)" = running ]
}

# ---- the zone's own end -----------------------------------------------------------------------

@test "a zone that powers itself off is installed" {
	zone web
	zoneadm -z web boot
	kill -s SIGRTMIN+4 "$(init_pid web)"
	wait_for 5 is_in_state web installed
	wait_for 5 assert_clean
}

@test "a zone that reboots itself gets a new ID, and its own boot arguments" {
	zone web 'set bootargs="-p"'
	zoneadm -z web boot -- -x
	local id
	id=$(zone_id web)
	kill -s SIGRTMIN+5 "$(init_pid web)"
	has_new_id() { is_in_state web running && [ "$(zone_id web)" -gt "$id" ]; }
	wait_for 5 has_new_id
	# Running is what executes its init; that has yet to write.
	ran_with_its_own() { [ "$(tail -n 1 "$POOL/web/root/init.ran")" = "/sbin/init -p" ]; }
	wait_for 5 ran_with_its_own
	run cat /var/log/zones/web.console
	assert_output -p "[NOTICE: Zone rebooting]"
}

@test "an init that is killed halts its zone" {
	zone web
	zoneadm -z web boot
	kill -KILL "$(init_pid web)"
	wait_for 5 is_in_state web installed
	wait_for 5 assert_clean
	run cat /var/log/zones/web.console
	assert_output -p "[NOTICE: Zone halted]"
}

@test "an init that only reboots is left halted" {
	zone_with_init web 'busybox reboot -f'
	run zoneadm -z web boot
	wait_for 20 grep -q -F "[NOTICE: Zone reboots too often; left halted]" /var/log/zones/web.console
	[ "$(zone_state web)" = installed ]
	[ "$(grep -c -F "[NOTICE: Zone booting up]" /var/log/zones/web.console)" -eq 9 ]
}

# ---- halt always ends -------------------------------------------------------------------------

@test "halt ends processes that ignore every signal" {
	zone_with_init web 'trap "" 1 2 3 13 14 15
		for i in 1 2 3 4 5 6 7 8; do sh -c "trap \"\" 1 2 3 14 15; while :; do sleep 1000; done" & done
		while :; do sleep 1000; done'
	zoneadm -z web boot
	run timeout 10 zoneadm -z web halt
	assert_status 0
	[ "$(zone_state web)" = installed ]
	assert_clean
}

@test "halt ends a fork bomb" {
	zone_with_init web 'bomb() { bomb & bomb & }; bomb; while :; do sleep 1000; done' \
		'set max-processes=400'
	zoneadm -z web boot
	sleep 0.5
	run timeout 20 zoneadm -z web halt
	assert_status 0
	[ "$(zone_state web)" = installed ]
	assert_clean
}

@test "halt ends a zone whose cgroup is frozen" {
	zone_with_init web 'while :; do sleep 1000; done'
	zoneadm -z web boot
	local cgroup
	cgroup=$(sed -n 's/^cgroup2=//p' /run/zones/web/state)/$(sed -n 's/^cgroup=//p' /run/zones/web/state)
	echo 1 >"$cgroup/cgroup.freeze"
	run timeout 10 zoneadm -z web halt
	assert_status 0
	[ "$(zone_state web)" = installed ]
	assert_clean
}

@test "halt ends stopped and traced processes" {
	zone_with_init web 'sleep 1000 & kill -STOP $!; while :; do sleep 1000; done'
	zoneadm -z web boot
	run timeout 10 zoneadm -z web halt
	assert_status 0
	assert_clean
}

@test "the last zone to halt waits for one that boots before it removes what they have in common" {
	local cgroup
	zone web
	zoneadm -z web boot
	cgroup=$(sed -n 's/^cgroup2=//p' /run/zones/web/state)/$(sed -n 's/^cgroup=//p' /run/zones/web/state)
	# The place of one that boots: it has this lock while it makes its cgroup.
	exec 7<>/run/zones/.lock
	flock 7
	zoneadm -z web halt 3>&- 7>&- &
	wait_for 5 [ ! -d "$cgroup" ]
	sleep 0.2
	[ -d "${cgroup%/*}" ]
	exec 7>&-
	wait $!
	assert_clean
}

@test "a zone that boots while the last one halts keeps what they have in common" {
	local name loops=()
	for name in a b c; do
		zone "$name"
	done
	for name in a b c; do
		for _ in {1..30}; do
			zoneadm -z "$name" boot && zoneadm -z "$name" halt || exit 1
		done 3>&- &
		loops+=($!)
	done
	for name in "${loops[@]}"; do
		wait "$name"
	done
	assert_clean
}

@test "halt removes the zone's cgroups, whatever they are called and however deep" {
	# shellcheck disable=SC2016 # for the zone's shell
	zone_with_init web 'cd /sys/fs/cgroup && mkdir -p .hidden/..x/... && mkdir "a b" ./-n ..data
		i=0; while mkdir d 2>/dev/null; do cd d; mkdir .e f$i; i=$((i + 1)); done
		echo "$i deep" >/tmp/done; while :; do sleep 1000; done'
	zoneadm -z web boot
	wait_for 5 [ -s "$POOL/web/root/tmp/done" ]
	run cat "$POOL/web/root/tmp/done"
	assert_output -e '^6[0-9] deep'
	run timeout 10 zoneadm -z web halt
	assert_status 0
	assert_clean
}

@test "a zone that does not end keeps its ids to itself" {
	local freezer=/sys/fs/cgroup/freezer/cold
	[ -d /sys/fs/cgroup/freezer ] || skip "needs a freezer that keeps a process from its end (cgroup v1)"
	zone web
	zoneadm -z web boot
	mkdir "$freezer"
	init_pid web >"$freezer/cgroup.procs"
	echo FROZEN >"$freezer/freezer.state"
	run --separate-stderr zoneadm -z web halt
	echo THAWED >"$freezer/freezer.state"
	wait_for 5 rmdir "$freezer"
	assert_status 1
	assert_stderr -p "do not end; they wait for a device"
	[ -s /run/zones/web/idmap ]
	zoneadm -z web halt
	[ ! -e /run/zones/web/idmap ]
	assert_clean
}

@test "a zone is halted while somebody makes cgroups in it" {
	local cgroup maker
	zone web
	zoneadm -z web boot
	cgroup=$(sed -n 's/^cgroup2=//p' /run/zones/web/state)/$(sed -n 's/^cgroup=//p' /run/zones/web/state)
	python3 -c '
import os, sys, time
while True:
    try:
        os.mkdir(sys.argv[1])
    except OSError:
        pass
    time.sleep(0.0005)
' "$cgroup/zlogin" 3>&- &
	maker=$!
	for _ in 1 2 3 4 5; do
		zoneadm -z web halt && zoneadm -z web boot || break
	done
	kill "$maker"
	[ "$(zone_state web)" = running ]
	[ "$(grep -c 'Zone halted' /var/log/zones/web.console)" -eq 5 ]
}

@test "threads: a default that the host can bear, and a limit for all zones" {
	local least pids
	least=$(sort -n /proc/sys/kernel/threads-max /proc/sys/kernel/pid_max | head -n 1)
	zone web
	zoneadm -z web boot
	pids=$(find /sys/fs/cgroup -path '*/zones*/web/pids.max' | head -n 1)
	[ -n "$pids" ] || skip "this host has no pids controller"
	[ "$(cat "$pids")" -eq $((least / 4 < 16384 ? least / 4 : 16384)) ]
	[ "$(cat "${pids%/web/*}/pids.max")" -eq $((least - least / 4)) ]
	zoneadm -z web halt
	zonecfg -z web 'set max-lwps=9223372036854775807'
	zoneadm -z web boot
	[ "$(cat "$pids")" -eq 4194304 ]
}

@test "mounts and network of the zone are gone after halt" {
	mkdir -p "$FZ_WORK/export"
	link_make eth7 192.0.2.1/24
	zone web "add fs; set dir=/data; set special=$FZ_WORK/export; set type=lofs; end" \
		"add net; set physical=eth7; set address=192.0.2.17/24; end"
	zoneadm -z web boot
	zoneadm -z web reboot
	zoneadm -z web halt
	ip link delete eth7
	assert_clean
}

# ---- shutdown ---------------------------------------------------------------------------------

@test "shutdown waits until the zone has ended cleanly" {
	zone_with_poweroff web
	zoneadm -z web boot
	run --separate-stderr zoneadm -z web shutdown
	assert_status 0
	assert_stderr ""
	[ "$(zone_state web)" = installed ]
	assert_clean
}

@test "shutdown -r boots again, with the arguments given" {
	zone_with_poweroff web
	zoneadm -z web boot
	local id
	id=$(zone_id web)
	wait_for 5 ran_times web 1
	zoneadm -z web shutdown -r -- -v
	[ "$(zone_state web)" = running ]
	[ "$(zone_id web)" -gt "$id" ]
	wait_for 5 ran_times web 2
	run tail -n 1 "$POOL/web/root/init.ran"
	assert_output "/sbin/init -v"
}

@test "a shutdown that takes too long fails and kills nothing" {
	zone_with_init web 'while :; do sleep 1000; done'
	zoneadm -z web boot
	run --separate-stderr zoneadm -z web shutdown -t 1
	assert_status 1
	assert_stderr -e "^zone 'web': the zone has not shut down within 1 seconds and is still running"
	[ "$(zone_state web)" = running ]
}

@test "a halt does not wait for a shutdown" {
	zone_with_init web 'while :; do sleep 1000; done'
	zoneadm -z web boot
	zoneadm -z web shutdown 2>"$FZ_WORK/shutdown.err" &
	local shutdown=$!
	sleep 0.3
	run timeout 5 zoneadm -z web halt
	assert_status 0
	run wait "$shutdown"
	assert_status 1
	run cat "$FZ_WORK/shutdown.err"
	assert_output "zone 'web': the zone was halted before it had shut down"
}

@test "a halt gets in, however many wait for a shutdown" {
	zone_with_init web 'while :; do sleep 1000; done'
	zoneadm -z web boot
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		zoneadm -z web shutdown 2>>"$FZ_WORK/many.err" &
	done
	wait_for 10 lines "$FZ_WORK/many.err" 8
	run timeout 5 zoneadm -z web halt
	assert_status 0
	wait
	[ "$(grep -c "zone 'web': 12 commands wait for the zone to shut down already; halt it, or wait with them" "$FZ_WORK/many.err")" -eq 8 ]
	[ "$(grep -c "zone 'web': the zone was halted before it had shut down" "$FZ_WORK/many.err")" -eq 12 ]
}

# While a zone reboots by itself it looks halted: who removes its files then removes those of a zone
# that runs a moment later.
@test "a zone on its way to a reboot is not uninstalled, and does reboot" {
	zone web
	zoneadm -z web boot
	daemon=$(sed -n 's/^daemon_pid=//p' /run/zones/web/state)
	kill -STOP "$daemon"
	kill -"$(($(kill -l RTMIN) + 5))" "$(init_pid web)"
	wait_for 5 zone_is web installed
	zoneadm -z web uninstall -F >"$FZ_WORK/out" 2>&1 &
	pid=$!
	sleep 0.3
	kill -CONT "$daemon"
	status=0
	wait "$pid" || status=$?
	assert_status 1
	run cat "$FZ_WORK/out"
	assert_output "zoneadm: zone 'web': uninstall: cannot uninstall while the zone is shutting_down"
	wait_for 5 zone_is web running
	wait_for 5 ran_times web 2
}

# ---- what the zone gets -----------------------------------------------------------------------

@test "nothing of the caller reaches the daemon or init" {
	zone web
	(
		cd "$FZ_WORK" && exec 7</etc/passwd && export FZ_SECRET=1 && umask 077 && trap '' TERM &&
			ulimit -S -n 99 -f 100 -t 1000 -v 4000000 -s 4096 &&
			nice -n 5 zoneadm -z web boot
	)
	local pid
	pid=$(init_pid web)
	wait_for 5 test -s "$POOL/web/root/init.ran" # init has a file open until then
	sleep 0.1
	run ls "/proc/$pid/fd"
	assert_output "0
1
2"
	run tr "\\0" "\\n" <"/proc/$pid/environ"
	refute_output FZ_SECRET
	[ "$(cat "/proc/$pid/oom_score_adj")" = 0 ]
	run grep -E '^Sig(Blk|Ign):' "/proc/$pid/status"
	assert_output "SigBlk:	0000000000000000
SigIgn:	0000000000000000"
	run awk '/^Max (cpu|file size|stack|open|address)/ { print $4 }' \
		"/proc/$pid/limits"
	assert_output "unlimited
unlimited
8388608
1024
unlimited"
	# Where the host lets its root have a better place at all.
	if nice -n -1 true 2>/dev/null; then
		[ "$(awk '{ print $19 }' "/proc/$pid/stat")" = 0 ]
	fi
	pid=$(pgrep -x zoneadmd)
	run ls -l "/proc/$pid/fd"
	refute_output /etc/passwd
	run tr "\\0" "\\n" <"/proc/$pid/environ"
	refute_output FZ_SECRET
	[ "$(readlink "/proc/$pid/cwd")" = / ]
	# Where the host lets its root protect a process at all.
	if (echo -500 >/proc/self/oom_score_adj) 2>/dev/null; then
		[ "$(cat "/proc/$pid/oom_score_adj")" = -500 ]
	fi
}

@test "the console is logged whether somebody watches or not" {
	zone_with_init web 'exec >/dev/console 2>&1; echo hello from the zone; while :; do sleep 1000; done'
	zoneadm -z web boot
	wait_for 5 grep -q "hello from the zone" /var/log/zones/web.console
	zoneadm -z web halt
	run cat /var/log/zones/web.console
	assert_output -p "[NOTICE: Zone booting up]"
	assert_output -p "[NOTICE: Zone halted]"
	[ "$(stat -c %a /var/log/zones/web.console)" = 600 ]
}

@test "a zone that floods its console is not stopped by it, nor is the disk filled" {
	zone_with_init web 'exec >/dev/console 2>&1
		dd if=/dev/zero bs=65536 count=64 2>/dev/null | tr "\\0" x; echo; echo done; touch /flooded
		while :; do sleep 1000; done'
	zoneadm -z web boot
	wait_for 20 test -e "$POOL/web/root/flooded"
	zoneadm -z web halt
	[ "$(du -cb /var/log/zones/web.console* | tail -n 1 | cut -f1)" -lt 2300000 ]
}

# ---- a whole system ---------------------------------------------------------------------------

@test "a Debian with systemd boots, reboots from inside, and shuts down" {
	zone_configure deb
	zone_root_debian deb
	zoneadm -z deb boot
	wait_for 60 grep -q -a -i "login:\|Startup finished\|Reached target.*Multi-User" /var/log/zones/deb.console
	local id
	id=$(zone_id deb)
	kill -s SIGRTMIN+5 "$(init_pid deb)"
	has_new_id() { is_in_state deb running && [ "$(zone_id deb)" -gt "$id" ]; }
	wait_for 60 has_new_id
	wait_for 60 grep -q -a -i "login:\|Reached target.*Multi-User" /var/log/zones/deb.console
	run zoneadm -z deb shutdown
	assert_status 0
	[ "$(zone_state deb)" = installed ]
}

# At its beginning systemd neither catches nor blocks the signal that asks it to end: it is lost.
@test "a Debian that has just been booted shuts down when it is asked" {
	zone_configure deb
	zone_root_debian deb
	for _ in 1 2 3; do
		zoneadm -z deb boot
		run timeout 60 zoneadm -z deb shutdown
		assert_status 0
		[ "$(zone_state deb)" = installed ]
	done
	zoneadm -z deb boot
	zoneadm -z deb shutdown -r
	[ "$(zone_state deb)" = running ]
}

#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Throw-away namespaces, in which the scripts of packages run: what they see, what they cannot do,
# and that nothing of them stays.

bats_require_minimum_version 1.5.0
load helper

setup() {
	ROOT=$POOL/s/root
	SOURCE=$BATS_TEST_TMPDIR/stand-in
	mkdir -p "$POOL/s" "$ROOT"/{usr,etc,var,dev,proc,run,tmp}
	for dir in bin sbin lib lib64; do
		ln -s "usr/$dir" "$ROOT/$dir"
	done
	printf '#!/bin/sh\necho stand-in "$@"\n' >"$SOURCE"
	chmod 755 "$SOURCE"
}

teardown() {
	rm -rf "$POOL/s"
	assert_clean
}

# A root whose /usr is the host's: a shell and tools without copying.
scratch() {
	run "$ADDED/scratch_run" -i /usr "$@"
}

@test "root in it is root of nothing but the zone's ids" {
	scratch s "$ROOT" 'cat /proc/self/uid_map' 'touch /etc/mine; stat -c %u /etc/mine'
	assert_status 0
	[[ ${lines[0]} =~ ^\ +0\ +[0-9]+\ +65536$ ]]
	[ "$(awk '{ print $2 }' <<<"${lines[0]}")" -ge 524288 ]
	[ "${lines[2]}" = 0 ]
	[ "$(stat -c %u "$ROOT/etc/mine")" = 0 ]
}

@test "nothing of the caller reaches a program: environment, descriptors, processes, names" {
	# shellcheck disable=SC2016 # for the shell inside
	SECRET=host scratch s "$ROOT" 'env | sort | tr "\n" " "; echo' \
		'ls /proc/self/fd | tr "\n" " "; echo' 'ps -e -o pid= | wc -l' 'hostname' \
		'cat /proc/1/environ' 'ls /proc/1/fd /proc/1/root' 'cat /proc/self/cgroup | cut -d: -f3 | sort -u' \
		'cat /proc/keys' 9<"$SOURCE"
	assert_status 0
	[ "${lines[0]}" = "HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin PWD=/ " ]
	[ "${lines[2]}" = "0 1 2 3 " ] # 3 is ls's own
	[ "${lines[4]}" = 4 ] # process 1, the shell, ps, wc
	[ "${lines[6]}" = localhost ]
	assert_output -p "/proc/1/environ: Permission denied"
	assert_output -p "'/proc/1/fd': Permission denied"
	refute_output SECRET
	[[ $output == *$'\n/\n'* ]]
}

@test "low limits of the caller are in no way: sudo leaves none for core dumps" {
	# Where core dumps go to a program, a container cannot run scripts below such a limit.
	exec 8</var/tmp
	flock -s 8
	run bash -c 'ulimit -c 0; ulimit -u 2000; exec "$@"' limited "$ADDED/scratch_run" -i /usr s "$ROOT" \
		"grep -e core -e processes /proc/self/limits"
	flock -u 8
	assert_status 0
	# Not every container has the right to raise them.
	[[ $output =~ Max\ core\ file\ size\ +[01]\ +[01]\  ]] || fail "$output"
	[[ $output =~ Max\ processes\ +(2000|4096)\ +(2000|4096)\  ]] || fail "$output"
}

@test "there is no network but lo" {
	scratch s "$ROOT" 'ls /sys/class/net' 'cat /proc/net/dev | wc -l' 'ping -c1 -W1 127.0.0.1 >/dev/null 2>&1; cat /proc/net/route | wc -l'
	assert_output -p "cannot access '/sys/class/net'"
	[ "${lines[2]}" = 3 ] # two lines of title and lo
	[ "${lines[4]}" = 1 ]
}

# Statuses alone, of commands that must fail.
all_fail() {
	local line n=0
	for line in "${lines[@]}"; do
		case $line in
		"status 0") fail "command $((n + 1)) succeeded:" "$output" || return 1 ;;
		"status "*) n=$((n + 1)) ;;
		esac
	done
	[ "$n" -eq "$1" ] || fail "$n commands ran, not $1:" "$output"
}

@test "it cannot mount, make devices, change the host's settings or leave its root" {
	scratch -x 101:/usr/sbin/policy-rc.d s "$ROOT" 'mount -t tmpfs none /tmp' \
		'mknod /tmp/null c 1 3' 'umount /usr/sbin/policy-rc.d' 'chroot /proc/1/root ls /' \
		'echo b >/proc/sysrq-trigger' 'echo 1 >/proc/sys/kernel/panic' 'unshare -U -m true' \
		'hostname other'
	all_fail 8
}

# Out of the root directory, which alone would keep it from making one.
namespace='import ctypes, os, tempfile
os.chroot(tempfile.mkdtemp())
for _ in range(9):
    os.chdir("..")
os.chroot(".")
print(os.listdir("/"))
raise SystemExit(ctypes.CDLL(None).unshare(0x10000000) != 0)'

@test "it makes no user namespaces, in which it would own the caller's cgroup" {
	local kind
	for kind in "" -s; do
		scratch ${kind:+"$kind"} s "$ROOT" "python3 -c '$namespace'"
		[ "${lines[0]}" = "['root']" ]
		all_fail 1
	done
	# The control: outside it can be left, and one be made.
	TMPDIR=$BATS_TEST_TMPDIR run unshare --user --map-root-user python3 -c "$namespace"
	assert_status 0
}

@test "it has no keyrings: those of root would be its own with shared ids" {
	local keyring='import ctypes
raise SystemExit(ctypes.CDLL(None).syscall(250, 0, -4, 1) < 0)'
	scratch -s s "$ROOT" "python3 -c '$keyring'"
	all_fail 1
	python3 -c "$keyring"
}

@test "with ids shared with the host it cannot do these either" {
	run "$ADDED/scratch_run" -i /usr -x 101:/usr/sbin/policy-rc.d -s s "$ROOT" \
		'mount -t tmpfs none /tmp' 'mknod /tmp/null c 1 3' 'umount /usr/sbin/policy-rc.d' \
		'chroot /proc/1/root ls /' 'echo b >/proc/sysrq-trigger' \
		'echo 1 >/proc/sys/kernel/panic' 'cat /proc/1/environ >/dev/null' 'hostname other'
	all_fail 8
	run "$ADDED/scratch_run" -i /usr -s s "$ROOT" 'touch /etc/mine' 'readlink /proc/self/fd/1' \
		'chmod 600 /dev/null' 'no-such-program' 'cat /proc/self/uid_map' 'readlink /proc/self/exe'
	[ "${lines[0]}" = "status 0" ]
	# What it writes goes through a pipe: a file of the host would be its own.
	[[ ${lines[1]} == pipe:* ]]
	[ "${lines[4]}" = "status 1" ] || fail "$output"
	[ "$(stat -c %a /dev/null)" = 666 ]
	assert_output -e "status 127.* 0 +0 +65536.*/usr/bin/readlink"
}

@test "ischroot says yes and systemctl finds no manager" {
	scratch s "$ROOT" 'ischroot' 'test -d /run/systemd/system || test -d /sys/class'
	[ "$output" = $'status 0\nstatus 1\ndiscarded 0' ]
}

@test "binds cover their targets, and the covered programs stay within reach" {
	scratch -b "$SOURCE:/usr/bin/env" -x 101:/usr/sbin/policy-rc.d s "$ROOT" 'env a b' \
		'/run/zones-covered/env echo real' '/usr/sbin/policy-rc.d' 'chown 0:0 /usr/bin/env && chmod 755 /usr/bin/env && echo x >/usr/bin/env'
	[ "${lines[0]}" = "stand-in a b" ]
	[ "${lines[2]}" = real ]
	[ "${lines[4]}" = "status 101" ]
	[ "${lines[5]}" = "status 0" ]
	# A copy was covered with: the original is as it was.
	[ "$(cat "$SOURCE")" = $'#!/bin/sh\necho stand-in "$@"' ]
}

@test "a target that was missing in the root is missing again afterwards" {
	run "$ADDED/scratch_run" -i /usr -x 7:/opt/new/program s "$ROOT" /opt/new/program
	[ "${lines[0]}" = "status 7" ]
	[ ! -e "$ROOT/opt/new/program" ]
}

@test "what is written below an inherited directory is thrown away and counted" {
	scratch s "$ROOT" 'echo x >/usr/share/new; mkdir -p /usr/share/a/b; echo y >/usr/share/a/b/c' \
		'cat /usr/share/new; touch /usr/bin/env; rm /usr/bin/perl; ls /usr/bin/perl'
	[ "${lines[1]}" = x ]
	assert_output -p "discarded 2"
	assert_output -p "/usr/share/a/b/c"
	[ ! -e /usr/share/new ] && [ -e /usr/bin/perl ]
}

@test "a program's daemons end with it" {
	scratch s "$ROOT" 'setsid sleep 1000 & sleep 1001 &' 'ps -e -o comm= | grep -c sleep'
	[ "${lines[0]}" = "status 0" ]
	[ "${lines[1]}" = 0 ]
}

@test "a time-out kills a program and everything it started" {
	scratch -t 300 s "$ROOT" 'setsid sleep 1234 & sleep 1234' 'echo never'
	assert_output -p "error 13: '/bin/sh' was stopped after"
	refute_output never
	run ! pgrep -f 'sleep 1234'
}

@test "a signal ends it cleanly" {
	"$ADDED/scratch_run" -i /usr s "$ROOT" 'sleep 1235' >"$FZ_WORK/out" &
	pid=$!
	wait_for 5 pgrep -f 'sleep 1235'
	kill -TERM "$pid"
	wait "$pid"
	grep -q "^error 14: interrupted while '/bin/sh' ran" "$FZ_WORK/out"
	run ! pgrep -f 'sleep 1235'
}

@test "it dies with its caller" {
	"$ADDED/scratch_run" -i /usr s "$ROOT" 'setsid sleep 1236 & sleep 1236' &
	pid=$!
	wait_for 5 pgrep -f 'sleep 1236'
	kill -KILL "$pid"
	wait "$pid" || :
	gone() { ! pgrep -f 'sleep 1236'; }
	wait_for 5 gone
	rm -rf /run/zones/s # the range of ids that it had
}

@test "sync calls return at once" {
	# Outside, this device cannot be synced.
	run -1 sync -d /dev/null
	scratch s "$ROOT" 'sync -d /dev/null' 'sync -f /dev/null && sync'
	[ "$output" = $'status 0\nstatus 0\ndiscarded 0' ]
}

@test "a link in the root leads nowhere outside it" {
	rm -r "$ROOT/tmp" && ln -s "$BATS_TEST_TMPDIR" "$ROOT/tmp"
	scratch s "$ROOT" 'true'
	assert_output "error 9: namespaces for scripts: open '/tmp' in the zone: Too many levels of symbolic links"
	[ -z "$(find "$BATS_TEST_TMPDIR" -name 'stand-in' -prune -o -mindepth 1 -print)" ]
}

@test "failures name what failed" {
	run -1 "$ADDED/scratch_run" s "$POOL/nosuch"
	assert_output "error 9: namespaces for scripts: open '$POOL/nosuch': No such file or directory"
	run -1 "$ADDED/scratch_run" -i /nosuch s "$ROOT"
	assert_output -p "inherited directory '/nosuch': No such file or directory"
	run "$ADDED/scratch_run" s "$ROOT" true
	assert_output -p "error 3: run '/bin/sh': No such file or directory"
}

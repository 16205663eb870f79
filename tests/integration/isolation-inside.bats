#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# What works in a zone although its ids are its own (file capabilities, access control lists), whose
# account its keyrings and its memory are on, and what a zone gets hold of on a process that comes
# in.
#
# What is between single quotes here is for the zone's shell.
# shellcheck disable=SC2016
bats_require_minimum_version 1.5.0
load helper

tools=$BUILD/tests/integration/isolation

setup() {
	[ -x "$tools/xattr" ] || skip "a build with sanitizers has no static programs"
}

teardown() {
	host_settings_back
	zones_reset
	rm -f /var/log/zones/*
	assert_clean
}

zone() { # LINE...
	zone_configure web "$@" && zone_root_busybox web || return 1
	root=$POOL/web/root
	cp "$tools/catch" "$tools/xattr" "$root/bin/"
	zoneadm -z web boot
}

base() {
	sed -n 's/^id_base=//p' /run/zones/web/state
}

@test "a file capability works in the zone, and its holder is nobody outside" {
	zone
	zlogin web 'cp /bin/busybox /bin/busybox-caps; touch /tmp/file; chmod 755 /bin/busybox-caps; chmod 777 /tmp'
	run zlogin -l user web '/bin/busybox-caps chown 1000 /tmp/file'
	assert_status 1
	assert_output -p "Operation not permitted"
	# Version 2, effective: CAP_CHOWN.
	zlogin web 'xattr /bin/busybox-caps security.capability 0100000201000000000000000000000000000000'
	run zlogin -l user web '/bin/busybox-caps chown 1000 /tmp/file && stat -c %u /tmp/file'
	assert_output 1000
	# It is of the zone's ids alone that it may make owners.
	run zlogin -l user web '/bin/busybox-caps chown 70000 /tmp/file'
	assert_output -p "Invalid argument"
	# On the disk it is what it says; users of the host do not get there.
	[ "$(stat -c %u "$root/tmp/file")" -eq 1000 ]
	run -126 setpriv --reuid=65534 --clear-groups sh -c "$root/bin/busybox-caps chown 65534 $root/tmp/file"
	assert_output -p "Permission denied"
}

@test "an access control list works in the zone, and is stored as it was given" {
	local acl
	# user::rw- user:1000:r-- group::--- mask::r-- other::---
	acl=0200000001000600ffffffff02000400e803000004000000ffffffff10000400ffffffff20000000ffffffff
	zone
	zlogin web "echo secret >/tmp/file; chmod 600 /tmp/file; cp /etc/passwd /tmp/p
		echo other:x:1001:1001::/tmp:/bin/sh >>/etc/passwd"
	run zlogin -l user web cat /tmp/file
	assert_output -p "Permission denied"
	zlogin web "xattr /tmp/file system.posix_acl_access $acl"
	run zlogin -l user web cat /tmp/file
	assert_output secret
	run zlogin -l other web cat /tmp/file
	assert_output -p "Permission denied"
	run zlogin web xattr /tmp/file system.posix_acl_access
	assert_output "$acl"
	run "$tools/xattr" "$root/tmp/file" system.posix_acl_access
	assert_output "$acl"
}

# ---- accounts ---------------------------------------------------------------------------------

# Keyrings "_ses" that belong to an id, as that id sees them.
session_keyrings() { # ID
	setpriv --reuid="$1" --clear-groups cat /proc/keys | grep -c "keyring *_ses" || true
}

keys_of() { # ID: how many count against its quota
	awk -v id="$1:" '$1 == id { split($4, n, "/"); print n[1]; seen = 1 } END { if (!seen) print 0 }' /proc/key-users
}

@test "each session in a zone has a keyring of its own, on the zone's account" {
	local id
	[ -r /proc/keys ] || skip "this kernel has no keyrings"
	zone
	id=$(base)
	[ "$(session_keyrings "$id")" -ge 1 ] # init's
	for _ in 1 2 3; do
		zlogin web sleep 30 3>&- &
	done
	more() { [ "$(session_keyrings "$id")" -ge 4 ]; }
	wait_for 5 more
	[ "$(keys_of "$id")" -ge 4 ]
	zoneadm -z web halt
	wait || true
}

@test "a zone that is out of memory kills its own, and no shared memory gets around that" {
	local killed
	zone "add capped-memory; set physical=48M; set swap=64M; end"
	sleep 600 3>&- &
	local host=$!
	run zlogin web 'tail /dev/zero; echo "ended $?"'
	[[ $output == *"ended 137"* || $status -eq 137 ]] || fail "not killed: $status $output"
	run zlogin web 'for d in /dev/shm /run /tmp/t; do mkdir -p $d; mount -t tmpfs none /tmp/t 2>/dev/null
		dd if=/dev/zero of=$d/big bs=1M count=200 2>&1 | tail -n 1; rm -f $d/big; done; echo alive'
	[[ $output != *"200.0MB"* ]] || fail "200 MB were written: $output"
	# Process 1, and what is not the zone's, is there.
	zlogin web true
	kill -0 $host && kill $host
	killed=$(cat /sys/fs/cgroup/memory/zones*/web/memory.oom_control /sys/fs/cgroup/zones*/web/memory.events \
		2>/dev/null | awk '$1 == "oom_kill" { print $2 }')
	[ "$killed" -ge 1 ]
}

# ---- on the way in ----------------------------------------------------------------------------

# The same, done badly: enters with all that the host has, and stays visible.
careless='import ctypes, os, sys, time
libc = ctypes.CDLL(None, use_errno=True)
pid = int(sys.argv[1])
fd = os.pidfd_open(pid)
kept = os.open("/", os.O_RDONLY)
if libc.setns(fd, 0x20000000): sys.exit("pid namespace")
child = os.fork()
if child == 0:
    if libc.setns(fd, 0x10000000 | 0x00020000): os._exit(3)
    if libc.setresgid(0, 0, 0) or libc.setresuid(0, 0, 0): os._exit(4)
    libc.prctl(4, 1, 0, 0, 0)
    time.sleep(0.2)
    os._exit(0)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))'

# What the catcher in the zone says while the host does COMMAND.
caught_while() { # PROGRAM COMMAND...
	local program=$1 catcher
	shift
	: >"$FZ_WORK/marker"
	zlogin web /bin/catch 4 "$program" "$FZ_WORK/marker" >"$FZ_WORK/caught" 3>&- &
	catcher=$!
	wait_for 5 zlogin web 'pidof catch >/dev/null'
	"$@"
	wait $catcher
	sort "$FZ_WORK/caught" | uniq -c | awk '{ print $2, $3 }'
}

enter_carefully() {
	while kill -0 "$catcher" 2>/dev/null; do
		ZONES_PROBE_SECRET=1 zlogin web true
	done
}

enter_carelessly() {
	for _ in 1 2 3; do
		ZONES_PROBE_SECRET=1 python3 -c "$careless" "$(sed -n 's/^init_pid=//p' /run/zones/web/state)"
	done
}

@test "nobody gets hold of a process on its way into the zone" {
	local private shared
	zone
	# By this rule of the host a change of user leaves a process open to others; that the zone
	# cannot look is then zlogin's own doing.
	host_setting /proc/sys/fs/suid_dumpable 1
	run caught_while python3 enter_carelessly
	control=$output
	private=$(caught_while zlogin enter_carefully) || private="failed"
	zoneadm -z web halt
	zonecfg -z web "set idmap=shared"
	zoneadm -z web boot
	shared=$(caught_while zlogin enter_carefully) || shared="failed"
	[[ $private =~ ^met\ [1-9][0-9]*$ ]] || fail "with ids of its own: $private"
	[[ $shared =~ ^met\ [1-9][0-9]*$ ]] || fail "with the host's ids: $shared"
	for how in trace environment maps memory descriptors; do
		[[ $control == *"caught $how"* ]] || fail "the control was not caught by $how: $control"
	done
}

#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# zoneadmd is killed, started twice, asked by the wrong ones, and watched through its console.
bats_require_minimum_version 1.5.0
load helper

teardown() {
	zones_reset
	rm -f /var/log/zones/*
	assert_clean
}

zone() { # NAME [LINE...]
	zone_configure "$@" && zone_root_tiny "$1"
}

init_pid() {
	sed -n 's/^init_pid=//p' "/run/zones/$1/state"
}

kill_daemon() {
	pkill -KILL -x -f ".*zoneadmd -z $1( -3)?"
	wait_for 5 no_daemon "$1"
}

no_daemon() {
	! pgrep -x -f ".*zoneadmd -z $1( -3)?" >/dev/null
}

is_in_state() {
	[ "$(zone_state "$1")" = "$2" ]
}

# A client of the console: prints what it gets, byte by byte, until its input ends or it is sent
# away. For the background, or run: it takes the place of the shell.
console() { # ZONE [LEAVE-AT-HALT]
	exec python3 -c '
import os, select, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(f"/run/zones/{sys.argv[1]}/console")
s.send(f"IDENT {os.getpid()} C {sys.argv[2]}\n".encode())
while True:
    ready, _, _ = select.select([s, 0], [], [])
    if s in ready:
        data = s.recv(4096)
        if not data:
            break
        os.write(1, data)
    if 0 in ready:
        data = os.read(0, 4096)
        if not data:
            break
        s.send(data)
' "$1" "${2:-0}"
}

# ---- killed -----------------------------------------------------------------------------------

@test "a zone outlives its daemon, and the next command takes it over" {
	zone web
	zoneadm -z web boot
	local pid
	pid=$(init_pid web)
	kill_daemon web
	[ "$(zone_state web)" = running ]
	run --separate-stderr zoneadm -z web boot
	assert_status 0
	assert_stderr "zone 'web': already booted"
	[ "$(init_pid web)" = "$pid" ]
	zoneadm -z web halt
	[ "$(zone_state web)" = installed ]
	[ ! -e "/proc/$pid" ]
	assert_clean
}

@test "the daemon that took over notices when init ends" {
	zone web
	zoneadm -z web boot
	kill_daemon web
	zoneadm -z web boot
	kill -KILL "$(init_pid web)"
	wait_for 5 is_in_state web installed
	wait_for 5 assert_clean
}

@test "a shutdown works after a kill" {
	zone_configure web && zone_root_busybox web
	ln -s ../bin/busybox "$POOL/web/root/sbin/poweroff"
	zoneadm -z web boot
	kill_daemon web
	run --separate-stderr zoneadm -z web shutdown
	assert_status 0
	[ "$(zone_state web)" = installed ]
	wait_for 5 assert_clean
}

@test "what a zone left behind while nobody held it is cleared away by the next command" {
	zone web
	zoneadm -z web boot
	kill_daemon web
	kill -KILL "$(init_pid web)"
	wait_for 5 is_in_state web installed
	run --separate-stderr zoneadm -z web halt
	assert_status 0
	assert_clean
	zoneadm -z web boot
	[ "$(zone_state web)" = running ]
}

@test "a ready zone whose daemon is killed can be booted" {
	zone web
	zoneadm -z web ready
	kill_daemon web
	zoneadm -z web boot
	[ "$(zone_state web)" = running ]
	zoneadm -z web halt
	assert_clean
}

@test "twenty kills in a row do no harm" {
	zone web
	zoneadm -z web boot
	local pid
	pid=$(init_pid web)
	for _ in {1..20}; do
		kill_daemon web
		zoneadm -z web boot 2>/dev/null
	done
	[ "$(init_pid web)" = "$pid" ]
}

@test "SIGTERM ends the daemon, not the zone; SIGHUP neither" {
	zone web
	zoneadm -z web boot
	pkill -HUP -x zoneadmd
	sleep 0.2
	pgrep -x zoneadmd
	pkill -TERM -x zoneadmd
	wait_for 5 no_daemon web
	[ "$(zone_state web)" = running ]
	[ ! -e /run/zones/web/control ]
	zoneadm -z web halt
}

# ---- single, and only for root ----------------------------------------------------------------

@test "a second daemon leaves without a word" {
	zone web
	zoneadm -z web boot
	run zoneadmd -z web
	assert_status 0
	assert_output ""
	[ "$(pgrep -c -x zoneadmd)" -eq 1 ]
}

@test "a daemon that has nothing to hold ends" {
	zone web
	run timeout 5 zoneadmd -z web
	assert_status 0
	zoneadm -z web boot
	zoneadm -z web halt
	wait_for 2 no_daemon web
	run ls /run/zones/web
	assert_output lock
}

@test "wrong usage and impossible names" {
	run zoneadmd
	assert_status 2
	run zoneadmd -z ../web
	assert_status 2
	assert_output -p "cannot be the name of a zone"
	run zoneadmd -z global
	assert_status 2
}

@test "the cause of a failed start reaches the user" {
	zone web
	mkdir "$FZ_WORK/bin"
	cp "$(command -v zoneadm)" "$FZ_WORK/bin/zoneadm"
	run --separate-stderr "$FZ_WORK/bin/zoneadm" -z web boot
	assert_status 1
	assert_stderr -p "program 'zoneadmd' is neither in '$FZ_WORK/bin'"
	printf '#!/bin/sh\necho the disk is on fire >&2\nexit 1\n' >"$FZ_WORK/bin/zoneadmd"
	chmod 755 "$FZ_WORK/bin/zoneadmd"
	run --separate-stderr "$FZ_WORK/bin/zoneadm" -z web boot
	assert_status 1
	assert_stderr "zoneadm: zone 'web': start zoneadmd: the disk is on fire"
	# shellcheck disable=SC2016 # for the script
	printf '#!/bin/sh\nkill -SEGV $$\n' >"$FZ_WORK/bin/zoneadmd"
	run --separate-stderr "$FZ_WORK/bin/zoneadm" -z web boot
	assert_status 1
	assert_stderr "zoneadm: zone 'web': zoneadmd was killed by signal 11 while it started"
}

@test "who is not root is not even greeted" {
	zone web
	zoneadm -z web boot
	chmod 755 /run/zones /run/zones/web
	chmod 666 /run/zones/web/control /run/zones/web/console
	run setpriv --reuid 65534 --regid 65534 --clear-groups python3 -c '
import socket
for kind, name in ((socket.SOCK_SEQPACKET, "control"), (socket.SOCK_STREAM, "console")):
    s = socket.socket(socket.AF_UNIX, kind)
    s.connect(f"/run/zones/web/{name}")
    try:
        print(name, s.recv(100))
    except ConnectionResetError:
        print(name, b"")
'
	chmod 700 /run/zones /run/zones/web
	assert_status 0
	assert_output "control b''
console b''"
	run setpriv --reuid 65534 --regid 65534 --clear-groups zoneadm -z web halt
	assert_status 1
	assert_output "zoneadm: halt: only root may do this"
	[ "$(zone_state web)" = running ]
}

@test "rubbish on the control socket is answered or ignored, and does no harm" {
	zone web
	zoneadm -z web boot
	run python3 -c '
import socket, struct
def ask(data):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect("/run/zones/web/control")
    assert struct.unpack("<Ii", s.recv(100))[0] == 1
    if data:
        s.send(data)
        reply = s.recv(5000)
        print(reply[12:1036].split(b"\0")[0].decode())
def request(version, command, flags, timeout, args):
    return struct.pack("<IIII260s", version, command, flags, timeout, args)
ask(None)
ask(b"x")
ask(b"x" * 100000)
ask(request(2, 3, 0, 0, b""))
ask(request(1, 99, 0, 0, b""))
ask(request(1, 3, 1, 0, b""))
ask(request(1, 2, 1, 0, b"a" * 260))
open_ones = []
for i in range(40):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect("/run/zones/web/control")
    open_ones.append(s)
'
	assert_status 0
	assert_output "malformed request: its size
malformed request: its size
request of version 2, expected 1
malformed request: no such command
malformed request: flags that the command does not take
malformed request: boot arguments without an end"
	[ "$(zone_state web)" = running ]
	run zoneadm -z web boot
	assert_output "zone 'web': already booted"
}

# ---- the console ------------------------------------------------------------------------------

@test "the console shows a boot from its beginning, and stays over reboot and halt" {
	zone web
	mkfifo "$FZ_WORK/in"
	exec 8<>"$FZ_WORK/in"
	zoneadm -z web boot
	console web <"$FZ_WORK/in" >"$FZ_WORK/out" 3>&- 8>&- &
	local client=$!
	wait_for 5 grep -q "booting up" "$FZ_WORK/out"
	zoneadm -z web reboot
	wait_for 5 grep -q "rebooting" "$FZ_WORK/out"
	zoneadm -z web halt
	wait_for 5 grep -q "halted" "$FZ_WORK/out"
	pgrep -x zoneadmd # somebody watches
	zoneadm -z web boot
	[ "$(zone_state web)" = running ]
	zoneadm -z web halt
	kill "$client"
	exec 8>&-
	wait_for 5 no_daemon web
	run head -n 1 "$FZ_WORK/out"
	assert_output OK
}

@test "a second client is told who has the console" {
	zone web
	zoneadm -z web boot
	mkfifo "$FZ_WORK/in2"
	exec 8<>"$FZ_WORK/in2"
	console web <"$FZ_WORK/in2" >"$FZ_WORK/out2" 3>&- 8>&- &
	wait_for 5 grep -q OK "$FZ_WORK/out2"
	run console web < <(sleep 5)
	assert_output -e '^[0-9]+$'
	[ -e "/proc/$output" ]
	zoneadm -z web halt
	exec 8>&-
	wait
}

@test "a client that asked for it is let go at halt" {
	zone web
	zoneadm -z web boot
	mkfifo "$FZ_WORK/in3"
	exec 8<>"$FZ_WORK/in3"
	console web 1 <"$FZ_WORK/in3" >"$FZ_WORK/out3" 3>&- 8>&- &
	wait_for 5 grep -q OK "$FZ_WORK/out3"
	zoneadm -z web halt
	wait $!
	exec 8>&-
	run tail -n 1 "$FZ_WORK/out3"
	assert_output -p "Zone halted"
	wait_for 5 no_daemon web
}

#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# zlogin and zonename, on a zone with busybox in it.
#
# What is between single quotes here is for the zone's shell.
# shellcheck disable=SC2016
bats_require_minimum_version 1.5.0
load helper

teardown() {
	zones_reset
	rm -f /var/log/zones/*
	assert_clean
}

zone() {
	zone_configure web && zone_root_busybox web && zoneadm -z web boot
}

# A conversation at a terminal: SEND and EXPECT lines on stdin; prints what was said.
at_terminal() { # COMMAND...
	require_program python3
	python3 -c '
import sys, time, pexpect
child = pexpect.spawn(sys.argv[1], sys.argv[2:], timeout=10, encoding="utf-8", dimensions=(33, 77))
child.logfile_read = sys.stdout
for line in sys.stdin:
    word, _, text = line.rstrip("\n").partition(" ")
    text = text.encode().decode("unicode_escape")
    if word == "SEND":
        child.send(text)
    elif word == "EXPECT":
        child.expect(text)
    elif word == "WAIT":
        time.sleep(float(text))
    elif word == "SIZE":
        child.setwinsize(*map(int, text.split()))
child.expect(pexpect.EOF)
child.close()
print("\nexit", child.exitstatus, child.signalstatus)
' "$@"
}

@test "the exit status is the command's, and 128 and the signal when one ended it" {
	zone
	for status in 0 1 2 7 127 255; do
		run -$status zlogin web "exit $status"
	done
	run zlogin web true
	assert_status 0
	run zlogin web false
	assert_status 1
	run zlogin web 'kill -9 $$'
	assert_status 137
	run zlogin web 'kill -TERM $$'
	assert_status 143
	run -127 zlogin web no-such-program
	assert_output -p "no-such-program: not found"
}

@test "the three streams are apart, whole and in order" {
	zone
	run --separate-stderr zlogin web 'echo to out; echo to err >&2'
	assert_output "to out"
	assert_stderr "to err"
	head -c 3000000 /dev/urandom >"$FZ_WORK/in"
	# A file, a pipe, and a file that is written: three ways through.
	zlogin web cat <"$FZ_WORK/in" >"$FZ_WORK/out"
	cmp "$FZ_WORK/in" "$FZ_WORK/out"
	# shellcheck disable=SC2002 # a pipe is what is tried
	cat "$FZ_WORK/in" | zlogin web cat | cmp - "$FZ_WORK/in"
	zlogin web 'cat >&2' <"$FZ_WORK/in" 2>"$FZ_WORK/out"
	cmp "$FZ_WORK/in" "$FZ_WORK/out"
	# A command that does not read, and one that reads no end.
	run zlogin web true <"$FZ_WORK/in"
	assert_status 0
	run bash -c "zlogin web 'cat /dev/zero' 2>/dev/null | head -c 10 | wc -c"
	assert_output 10
}

@test "end of file on stdin is passed on; -n gives none" {
	zone
	run bash -c 'echo line | zlogin web "cat; echo end"'
	assert_output "$(printf 'line\nend')"
	run bash -c 'echo line | zlogin -n web "cat; echo end"'
	assert_output "end"
}

@test "one operand is shell text, several are words" {
	zone
	run zlogin web 'echo a   b; echo c'
	assert_output "$(printf 'a b\nc')"
	run zlogin web echo 'a   b' c
	assert_output "a   b c"
	run zlogin web echo "it's   me" '$HOME'
	assert_output "it's   me /root"
	run zlogin web printf '%s,' '' -l x
	assert_output ",-l,x,"
}

@test "without a utility the shell reads its text from stdin" {
	zone
	run bash -c 'printf "echo one\nexit 4\necho two\n" | zlogin web'
	assert_status 4
	assert_output one
}

@test "the environment is the zone's own" {
	zone
	SECRET=1 LD_PRELOAD=/nothing run zlogin web env
	assert_status 0
	run bash -c 'SECRET=1 TERM=vt100 zlogin web env | grep -v -e SHLVL -e _= -e PWD | sort'
	assert_output "$(printf '%s\n' HOME=/root LOGNAME=root MAIL=/var/mail/root \
		PATH=/usr/sbin:/usr/bin:/sbin:/bin SHELL=/bin/sh TERM=vt100 USER=root)"
	run zlogin web pwd
	assert_output /root
	TERM='x;evil' run zlogin web 'echo "${TERM:-none}"'
	refute_output evil
	run zlogin web 'id -u; umask; ls /proc/self/fd | wc -l'
	# 3 is the directory that ls reads.
	assert_output "$(printf '0\n0022\n4')"
}

@test "another user, by the zone's own su" {
	zone
	run zlogin -l user web 'id -un; pwd; echo $HOME'
	assert_status 0
	assert_output "$(printf 'user\n/tmp\n/tmp')"
	run zlogin -l nobody-like-this web id
	[ "$status" -ne 0 ]
	assert_output -p nobody-like-this
}

@test "safe mode needs neither passwd nor su" {
	zone
	rm "$POOL/web/root/etc/passwd" "$POOL/web/root/bin/su" "$POOL/web/root/bin/login"
	run zlogin -S web 'echo $HOME $SHELL; exit 3'
	assert_status 3
	assert_output "/ /bin/sh"
}

@test "signals reach the command" {
	zone
	for signal in INT TERM HUP USR1; do
		: >"$FZ_WORK/out"
		zlogin web "trap 'echo got $signal; exit 9' $signal; echo up; while :; do sleep 0.05; done" \
			>"$FZ_WORK/out" 3>&- &
		wait_for 5 grep -q up "$FZ_WORK/out"
		kill -$signal $!
		status=0
		wait $! || status=$?
		[ "$status" -eq 9 ]
		grep -q "got $signal" "$FZ_WORK/out"
	done
}

@test "wrong usage is exit 2, with a line that says why" {
	while IFS='|' read -r why arguments; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr zlogin $arguments
		assert_status 2
		assert_output ""
		assert_stderr -p "zlogin: $why"
		assert_stderr -p "usage: zlogin"
	done <<-'EOT'
		no zone is named|
		no zone is named|-n
		-C and -l exclude each other|-C -l root web
		-C and -S exclude each other|-C -S web
		-C and -n exclude each other|-C -n web
		-C takes no utility|-C web true
		-S and -l exclude each other|-S -l root web
		-d needs -C|-d web
		-i and -n exclude each other|-i -n web true
		-i needs a utility|-i web
		-e takes one character|-e ab web
		-e takes one character|-e \400 web
		that is not a user name|-l -x web
	EOT
}

@test "what cannot be entered is refused with a line" {
	zone_configure web && zone_root_busybox web
	run --separate-stderr zlogin web true
	assert_status 1
	assert_stderr "zlogin: zone 'web' is not running; boot it with 'zoneadm -z web boot'"
	zoneadm -z web ready
	run --separate-stderr zlogin web true
	assert_status 1
	assert_stderr -p "zlogin: zone 'web' is not running"
	run --separate-stderr zlogin no-such-zone true
	assert_status 1
	assert_stderr "zlogin: no-such-zone: No such zone configured"
	run --separate-stderr zlogin global true
	assert_stderr "zlogin: 'global' is this zone: no login is needed"
	run --separate-stderr zlogin ../web true
	assert_status 1
	zoneadm -z web boot
	run --separate-stderr setpriv --reuid=65534 --clear-groups zlogin web true
	assert_status 1
	assert_stderr "zlogin: only root may log in to a zone"
}

@test "a login is a session at a terminal of the zone" {
	zone
	run at_terminal zlogin web <<-'EOT'
		EXPECT Connected to zone 'web' pts/
		EXPECT [#$] 
		SEND stty size; tty; echo yes >/dev/tty\r
		EXPECT 33 77
		EXPECT /dev/pts/
		EXPECT yes\r\n
		SIZE 44 99
		SEND sleep 0.2; stty size\r
		EXPECT 44 99
		SEND exit 5\r
	EOT
	assert_status 0
	assert_output -p "[Connection to zone 'web' pts/"
	assert_output -p "exit 0 None"
}

@test "a session for a user that the zone does not have is not opened" {
	zone
	run at_terminal zlogin -l nosuch web </dev/null
	assert_output -p "zlogin: zone 'web' has no user 'nosuch'"
	assert_output -p "exit 1 None"
	refute_output Connected
	run at_terminal zlogin -l user web <<-'EOT'
		EXPECT Connected
		SEND id -un; exit 7\r
		EXPECT user
	EOT
	assert_output -p "exit 0 None"
	# Where nobody can be asked, the login program says it.
	rm "$POOL/web/root/bin/id"
	run at_terminal zlogin -l nosuch web </dev/null
	assert_output -p Connected
}

@test "escapes: leave, send one, swallow; -E and -e change them; -Q says nothing" {
	zone
	run at_terminal zlogin -S web <<-'EOT'
		EXPECT [#$] 
		SEND echo a~.b\r
		EXPECT a~.b\r\n
		EXPECT [#$] 
		SEND ~~x\r
		EXPECT ~x: not found
		EXPECT [#$] 
		SEND ~.
	EOT
	assert_output -p "closed]"
	assert_output -p "exit 0 None"
	run at_terminal zlogin -Q -e ! -S web <<-'EOT'
		EXPECT [#$] 
		SEND ~.\r
		EXPECT not found|Permission denied|not
		EXPECT [#$] 
		SEND !.
	EOT
	assert_output -p "exit 0 None"
	refute_output "Connect"
	run at_terminal zlogin -E -S web <<-'EOT'
		EXPECT [#$] 
		SEND ~.\r
		EXPECT [#$] 
		SEND exit\r
	EOT
	assert_output -p "exit 0 None"
}

@test "leaving hangs the session up" {
	zone
	run at_terminal zlogin -S web <<-'EOT'
		EXPECT [#$] 
		SEND sleep 4321\r
		EXPECT 4321
		SEND \r~.
	EOT
	assert_output -p "exit 0 None"
	gone() { ! zlogin web 'ps | grep -v grep | grep -q 4321'; }
	wait_for 5 gone
}

@test "-i runs a command at a terminal, with its exit status" {
	zone
	run zlogin -i web 'tty; exit 6' </dev/null
	assert_status 6
	assert_output -p /dev/pts/
}

@test "zlogin ends with its command, whatever that left behind goes on writing" {
	zone
	# A pseudo-terminal, so that the streams are carried; with -i the terminal is given up first.
	run timeout 20 script -qec "zlogin web 'while :; do echo x; done & exit 3'" /dev/null
	assert_status 3
	run timeout 20 script -qec "zlogin -Q -i web 'setsid sh -c \"trap : HUP; while :; do echo x; done\" & sleep 0.2; exit 4'" /dev/null
	assert_status 4
}

@test "leaving a command at a terminal does not wait for it" {
	zone
	run at_terminal zlogin -i web 'trap "" HUP; echo here; while :; do sleep 1; done' <<-'EOF'
		EXPECT here
		SEND \r~.\r
	EOF
	assert_output -p "closed]"
	assert_output -p "exit 0"
}

@test "keys typed for a command that has left its terminal do not hold the session" {
	zone
	run at_terminal zlogin -i web 'echo here; exec </dev/null >/dev/null 2>&1; sleep 3; exit 5' <<-'EOF'
		EXPECT here
		WAIT 1
		SEND xyz
	EOF
	assert_output -p "exit 5"
	run at_terminal zlogin -i web 'echo here; exec </dev/null >/dev/null 2>&1; sleep 30' <<-'EOF'
		EXPECT here
		WAIT 1
		SEND x\r~.
	EOF
	assert_output -p "exit 0"
	# More than the terminal keeps for a reader, and one that is left behind and never reads.
	run bash -c '{ sleep 0.5; printf "%060000d" 0; sleep 3; } |
		timeout 15 script -qec "zlogin -i web \"stty raw -echo; sleep 20 & sleep 2; exit 6\"" /dev/null'
	assert_status 6
}

@test "a long text that is pasted into a session and comes back does not block it" {
	zone
	run timeout 20 python3 -c '
import os, pty, select
pid, fd = pty.fork()
if pid == 0:
    os.execvp("zlogin", ["zlogin", "-i", "web", "stty -echo; echo here; cat"])
os.set_blocking(fd, False)
text = b"".join(b"%d\n" % i for i in range(10000, 40000))
got, sent = b"", 0
while got.count(b"\n") < 30001:
    pasting = b"here" in got and sent < len(text)
    r, w, _ = select.select([fd], [fd] if pasting else [], [])
    if r:
        got += os.read(fd, 65536)
    if w:
        try:
            sent += os.write(fd, text[sent : sent + 1000])
        except BlockingIOError:
            pass
'
	assert_status 0
}

@test "the console has one client, who is told from the next" {
	zone
	run at_terminal zlogin -C web <<-'EOT'
		EXPECT Connected to zone 'web' console
		SEND \r~.
	EOT
	assert_output -p "exit 0 None"
	zlogin -C web </dev/zero >"$FZ_WORK/console" 2>&1 3>&- &
	wait_for 5 grep -q Connected "$FZ_WORK/console"
	run --separate-stderr zlogin -C web </dev/null
	assert_status 1
	assert_stderr -e "^zlogin: the console of zone 'web' is in use by process $!\$"
	kill $!
	wait $! || true
}

@test "the console of a zone that was taken over says so, and nothing of a failure" {
	zone
	kill -KILL "$(sed -n 's/^daemon_pid=//p' /run/zones/web/state)"
	run at_terminal zlogin -C web <<-'EOT'
		EXPECT NOTICE: Zone taken over; its console comes back when it is booted again
		SEND \r~.
	EOT
	assert_output -p "console closed]"
	refute_output "zlogin:"
	assert_output -p "exit 0 None"
}

@test "zonename says where it is" {
	zone
	run zonename
	assert_output global
	run setpriv --reuid=65534 --clear-groups zonename
	assert_output global
	run --separate-stderr zonename x
	assert_status 2
	# The zone cannot change what its file says.
	run zlogin web 'cat /run/host/zone; echo name=global >/run/host/zone'
	assert_output -e "^name=web"
	assert_output -p "Read-only file system"
	# Every zone has the program, and cannot change that either.
	run --separate-stderr zlogin web /run/host/bin/zonename
	assert_output web
	run --separate-stderr zlogin web /run/host/bin/zonename x
	assert_status 2
	assert_stderr -p "zonename: unexpected argument 'x'"
	run zlogin web 'rm -f /run/host/bin/zonename || echo x >/run/host/bin/zonename'
	assert_output -e "Read-only file system.*Read-only file system"
}

@test "a console is one of a zone that there is" {
	zone_configure new
	run --separate-stderr zlogin -C new
	assert_status 1
	assert_stderr "zlogin: zone 'new' is not running: it is configured"
	run --separate-stderr zlogin -C no-such-zone
	assert_status 1
	assert_stderr "zlogin: no-such-zone: No such zone configured"
	[ ! -e /run/zones/no-such-zone ] && [ ! -e /var/log/zones/no-such-zone.console ]
}

@test "a zone that is halted meanwhile is told as such" {
	zone
	local stop=$FZ_WORK/stop said=$FZ_WORK/said
	for _ in 1 2 3; do
		(while [ ! -e "$stop" ]; do zlogin web true || :; done) 2>>"$said" 3>&- &
	done
	for _ in {1..40}; do
		zoneadm -z web reboot
	done
	touch "$stop"
	wait
	run grep -v -x -F "zlogin: zone 'web' is not running; boot it with 'zoneadm -z web boot'" "$said"
	assert_output ""
}

@test "a zone that is ending by itself is told as such" {
	zone
	local said=$FZ_WORK/said
	for _ in 1 2 3; do
		# Many processes to be killed, which takes the first one a while.
		zlogin web 'i=0; while [ $i -lt 300 ]; do sleep 100 & i=$((i + 1)); done; reboot -f' >/dev/null 2>&1 || :
		for _ in {1..50}; do zlogin web true || :; done 2>>"$said"
	done
	run grep -v -x -F "zlogin: zone 'web' is not running; boot it with 'zoneadm -z web boot'" "$said"
	assert_output ""
}

# ---- a zone that lies in wait -----------------------------------------------------------------

@test "a zone with a pipe or a link for a terminal does not hold zlogin" {
	zone
	zlogin web 'umount /dev/pts; rm -f /dev/ptmx; ls /dev/pts' || true
	zlogin web 'mount -t tmpfs none /dev/pts; mkfifo /dev/pts/ptmx'
	run --separate-stderr timeout 5 zlogin -i web true </dev/null
	assert_status 1
	assert_stderr -p "zlogin: zone 'web': make a terminal in the zone"
	zlogin web 'rm /dev/pts/ptmx; ln -s /dev/zero /dev/pts/ptmx'
	run --separate-stderr timeout 5 zlogin -i web true </dev/null
	assert_status 1
	assert_stderr -p "make a terminal in the zone"
}

@test "a zone that freezes what enters does not hold zlogin against its user" {
	zone
	zlogin web 'mkdir /sys/fs/cgroup/x; echo $$ >/sys/fs/cgroup/x/cgroup.procs
		rmdir /sys/fs/cgroup/zlogin; mkdir /sys/fs/cgroup/zlogin
		echo 1 >/sys/fs/cgroup/zlogin/cgroup.freeze'
	run --separate-stderr timeout --foreground -k 5 1 zlogin web true
	assert_stderr "zlogin: zone 'web': the command was given up before it had begun"
	run timeout 10 zoneadm -z web halt
	assert_status 0
}

@test "a file that is open to everybody is not opened again in the zone" {
	zone
	local file=$FZ_WORK/everybody fifo=$FZ_WORK/fifo
	echo content >"$file" && chmod 666 "$file"
	run zlogin web 'echo planted >>/proc/self/fd/0; cat' <"$file"
	assert_output -p content
	[ "$(cat "$file")" = content ]
	# The control: a process that got the file itself.
	setpriv --reuid 1000 --clear-groups sh -c 'echo planted >>/proc/self/fd/0' <"$file"
	[ "$(tail -n 1 "$file")" = planted ]
	# Handed over as it is, so that what a command does not read is left for the next.
	chmod 644 "$file"
	{ zlogin web true && read -r line; } <"$file"
	[ "$line" = content ]
	mkfifo -m 666 "$fifo"
	exec 7<>"$fifo"
	run zlogin web 'timeout 1 sh -c "echo planted >/proc/self/fd/0"; echo out' <"$fifo"
	assert_output -p out
	run timeout 1 head -n 1 <&7
	assert_output ""
	echo "somebody else's" >&7
	timeout -k 5 5 zlogin web 'timeout 1 cat <>/proc/self/fd/1 >/tmp/stolen; echo out' >"$fifo"
	run timeout 2 head -n 2 <&7
	exec 7>&-
	assert_output "somebody else's"$'\n'out
	[ ! -s "$POOL/web/root/tmp/stolen" ]
}

@test "a hostile passwd costs root's shell, and nothing else" {
	zone
	local etc=$POOL/web/root/etc
	rm "$etc/passwd" && mkfifo "$etc/passwd"
	run timeout 5 zlogin web 'echo $HOME $SHELL'
	assert_output "/ /bin/sh"
	rm "$etc/passwd" && ln -s /dev/zero "$etc/passwd"
	run timeout 5 zlogin web 'echo $HOME'
	assert_output "/"
	rm "$etc/passwd" && printf 'root:x:0:0:root:%s:%s\n' "/$(head -c 5000 /dev/zero | tr '\0' a)" \
		../../bin/sh >"$etc/passwd"
	run timeout 5 zlogin web 'echo $HOME $SHELL'
	assert_output "/ /bin/sh"
}

# One end of a pipe is enough to open the other, by way of /proc.
@test "what others write to the same output is not the zone's to read" {
	zone
	local thief='exec 9</proc/self/fd/1; setsid sh -c "cat <&9 >/tmp/stolen" & sleep 0.2; echo said'
	{
		zlogin web "$thief"
		echo secret
		sleep 0.3
	} | {
		sleep 1
		cat
	} >"$FZ_WORK/read"
	run cat "$FZ_WORK/read"
	# Of its own pipe it may have taken what it said itself.
	[ "${lines[-1]}" = secret ]
	# In this control the zone gets a pipe of its own, and there the thief succeeds.
	run zlogin web "{ $thief; } | sleep 1; cat /tmp/stolen"
	assert_output said
}

@test "output and errors that go to one place keep their order" {
	zone
	run bash -c 'zlogin web "for i in 1 2 3 4 5 6 7 8 9; do echo o\$i; echo e\$i >&2; done" 2>&1 | cat'
	assert_output "$(for i in 1 2 3 4 5 6 7 8 9; do printf 'o%s\ne%s\n' "$i" "$i"; done)"
	zlogin web 'echo out; echo err >&2; echo out' >"$FZ_WORK/both" 2>&1
	run cat "$FZ_WORK/both"
	assert_output "out
err
out"
}

@test "directories and sockets of the host stay outside" {
	zone
	run zlogin web 'ls /proc/self/fd/0/ /proc/self/fd/0/.. 2>&1 | grep -c -e passwd -e etc' </etc
	assert_output 0
	# A file that is only written to cannot be cut short or read.
	echo kept >"$FZ_WORK/log"
	zlogin web 'echo more; : >/proc/self/fd/1; cat /proc/self/fd/1 2>/dev/null &' >>"$FZ_WORK/log"
	grep -q kept "$FZ_WORK/log"
}

@test "the program that enters cannot be overwritten from inside (CVE-2019-5736)" {
	zone
	local program sum
	cp "$(command -v zlogin)" "$FZ_WORK/zlogin"
	program=$FZ_WORK/zlogin
	sum=$(sha256sum <"$program")
	# What zlogin executes is itself, by three ways; meanwhile everything is tried on it.
	printf '#!/proc/self/exe\n' >"$POOL/web/root/bin/script"
	chmod 755 "$POOL/web/root/bin/script"
	ln -s /proc/self/exe "$POOL/web/root/bin/again"
	cat >"$POOL/web/root/bin/attack" <<-'EOT'
		#!/bin/sh
		while :; do
			for p in /proc/[0-9]*; do
				case $(readlink $p/exe) in
				*zlogin*)
					echo seen >>/tmp/seen
					(echo broken >$p/exe) 2>/dev/null && echo won >>/tmp/won
					chmod 666 $p/exe 2>/dev/null && echo won >>/tmp/won
					;;
				esac
			done
		done
	EOT
	chmod 755 "$POOL/web/root/bin/attack"
	zlogin web /bin/attack 3>&- &
	local attack=$!
	for _ in $(seq 40); do
		"$program" web /bin/script >/dev/null 2>&1 || true
		"$program" web /bin/again >/dev/null 2>&1 || true
		"$program" -S web '/bin/again; /bin/script' >/dev/null 2>&1 || true
	done
	kill $attack
	wait $attack || true
	grep -q seen "$POOL/web/root/tmp/seen"
	[ ! -e "$POOL/web/root/tmp/won" ]
	[ "$(sha256sum <"$program")" = "$sum" ]
	[ "$(stat -c %a "$program")" = 755 ]
	# The control: the same attack on a program of the host that runs in a mere chroot's sight.
	rm "$POOL/web/root/tmp/seen"
	cp /bin/sleep "$FZ_WORK/zlogin-control"
	"$FZ_WORK/zlogin-control" 20 3>&- &
	unshare --mount sh -c 'mount --rbind /proc "$1/proc" && exec timeout 1 chroot "$1" /bin/attack' \
		sh "$POOL/web/root" || true
	kill $!
	[ -e "$POOL/web/root/tmp/won" ]
	[ "$(stat -c %a "$FZ_WORK/zlogin-control")" = 666 ]
}

@test "libraries of the zone are never loaded on the way in (CVE-2019-14271)" {
	# There is nothing that could load one.
	run readelf -lW "$(command -v zlogin)"
	assert_output -p LOAD
	refute_output INTERP
}

# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What the files of attacks share: a host with things to find, and a zone with the probes in it.
#
#   host_make, host_unmake   the things; "${host[@]}" are the probes' arguments
#   prison [LINE...]         a zone that holds them, with lines of its configuration
#   named WORD               names of the probes with that result, sorted

probe_program=$BUILD/tests/integration/isolation/probe

# What probes look for on the host: a process with a program of its own, a file, sockets, names.
host_make() {
	local link=probe-link disk
	inherited=$FZ_WORK/inherited
	mkdir -p "$inherited"
	: >"$inherited/file"
	[ -e "$inherited/planted-device" ] || mknod -m 666 "$inherited/planted-device" c 1 5
	marker=$FZ_WORK/marker
	: >"$marker"
	# Numbers that no process of a zone has.
	echo 20000 >/proc/sys/kernel/ns_last_pid
	cp /bin/sleep "$FZ_WORK/sleep"
	"$FZ_WORK/sleep" 600 3>&- &
	host_pid=$!
	python3 -c 'import socket, time
s = socket.socket(socket.AF_UNIX)
s.bind("\0zones-probe")
s.listen(8)
time.sleep(600)' 3>&- &
	listener=$!
	echo zones-probe >/proc/sys/kernel/domainname # of this world
	link_make $link
	ipcmk -M 4096 >/dev/null
	shm=$(ipcs -m | awk '$1 ~ /^0x/ && $1 != "0x00000000" { print $1; exit }')
	mkdir -p "$FZ_WORK/mqueue"
	mount -t mqueue none "$FZ_WORK/mqueue"
	: >"$FZ_WORK/mqueue/zones-probe"
	# In whichever session keyring the control searches: the session's, or that of the user.
	# Its name is this run's: others at the same time have the same user.
	key=$(python3 -c 'import ctypes, sys
libc = ctypes.CDLL(None)
for keyring in -3, -5:
    print(libc.syscall(248, b"user", sys.argv[1].encode(), b"secret", 6, keyring))' "$FZ_WORK" | tail -n 1)
	disk=$(stat -c '%Hd:%Ld' "$POOL" | sed 's/^0:.*/7:0/')
	# shellcheck disable=SC2034 # for who loads this
	host=("pid=$host_pid" "marker=$marker" abstract=zones-probe "link=$link" "name=$(uname -n)"
		domain=zones-probe "key=$FZ_WORK"
		"shm=$(printf %d "$shm")" queue=/zones-probe "inherited=$inherited"
		"disk=$disk")
	wait_for 5 grep -q '@zones-probe' /proc/net/unix
}

host_unmake() {
	# By SIGKILL: a probe that has attached to it may have left it stopped, deaf to all else.
	kill -KILL "$host_pid" "$listener" 2>/dev/null || true
	wait "$host_pid" "$listener" 2>/dev/null || true
	ip link delete probe-link 2>/dev/null || true
	ipcrm --all=shm 2>/dev/null || true
	umount "$FZ_WORK/mqueue" 2>/dev/null || true
	python3 -c 'import ctypes, sys
ctypes.CDLL(None).syscall(250, 9, int(sys.argv[1]), -5)' "${key:-0}" # unlink
}

prison() { # [LINE...]
	zone_configure prison "set max-lwps=100" "$@" && zone_root_busybox prison || return 1
	mknod -m 666 "$POOL/prison/root/root/planted-device" c 1 5
	cp "$probe_program" "$POOL/prison/root/bin/probe"
}

named() { # WORD: names of the probes with that result, sorted
	awk -v word="$1" '$2 == word { print $1 }' | sort
}

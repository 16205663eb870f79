#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Zones with idmap=shared: their root is the host's by number, and may reach nothing by that. What
# attacks the table of probes in isolation.bats runs; here are the attacks on what enters such a zone
# and on what it is handed, each with a control: nsenter(1), which enters without our care.
#
# What is between single quotes here is for the zone's shell.
# shellcheck disable=SC2016
bats_require_minimum_version 1.5.0
load helper
load isolation/prison

setup_file() {
	[ -x "$BUILD/tests/integration/isolation/probe" ] || skip "a build with sanitizers has no static probe"
}

teardown() {
	ip link delete probe-link 2>/dev/null || true
	zones_reset
	if [ -d "$POOL/ramfs" ]; then
		umount "$POOL/ramfs"
		rmdir "$POOL/ramfs"
	fi
	rm -f /var/log/zones/*
	assert_clean
}

zone() {
	zone_configure web "set idmap=shared" && zone_root_busybox web && zoneadm -z web boot
}

init_pid() {
	sed -n 's/^init_pid=//p' "/run/zones/$1/state"
}

# Like zlogin, by a program that does not know what it does; it is a copy that may be spoilt.
without_care() { # COMMAND...
	[ -e "$FZ_WORK/nsenter" ] || cp "$(command -v nsenter)" "$FZ_WORK/nsenter"
	"$FZ_WORK/nsenter" --all --target "$(init_pid web)" "$@"
}

@test "the plan says so, and what is not given is warned about" {
	zone_configure web "set idmap=shared" "set limitpriv=default,sys_mount" && zone_root_busybox web
	run --separate-stderr zoneadm -z web boot -n
	assert_status 0
	assert_output -e "root $POOL/web/root shared-ids nodev"$'\n'"cgroup zones[.a-z]*/web/zone"
	assert_stderr -p "limitpriv: privilege 'sys_mount' is not given to a zone with idmap 'shared'"
	run --separate-stderr zoneadm -z web verify
	assert_status 0
	assert_stderr -p "limitpriv: privilege 'sys_mount' is not given"
	zoneadm -z web boot
	run zlogin web 'grep CapBnd /proc/self/status; cat /proc/self/uid_map'
	# Neither CAP_SYS_ADMIN (21) nor CAP_SYS_PTRACE (19) nor CAP_DAC_READ_SEARCH (2).
	assert_output -e " 0 +0 +65536"
	[ $((0x$(sed -n 's/.*CapBnd:\t//p' <<<"$output") & (1 << 21 | 1 << 19 | 1 << 2))) -eq 0 ]
	# Whoever its namespace belongs to, it is not the host's root.
	[ "$(sed -n 's/^id_owner=//p' /run/zones/web/state)" -ge 524288 ]
}

@test "its whole life is that of any zone" {
	zone
	ln -s ../bin/busybox "$POOL/web/root/sbin/poweroff"
	run -7 zlogin web 'exit 7'
	run zlogin -l user web 'id -u; echo mine >/tmp/mine'
	assert_output 1000
	[ "$(stat -c %u "$POOL/web/root/tmp/mine")" = 1000 ]
	run zlogin -Q -i web 'tty' </dev/null
	assert_output -p /dev/pts/
	zoneadm -z web reboot
	kill -KILL "$(sed -n 's/^daemon_pid=//p' /run/zones/web/state)"
	run zlogin web 'echo still here'
	assert_output "still here"
	# The zone's own program is asked to end it.
	zoneadm -z web shutdown
	[ "$(zone_state web)" = installed ]
	zone_configure copy "set idmap=shared"
	zoneadm -z copy clone web
	zoneadm -z copy boot
	run zlogin copy 'cat /tmp/mine /run/host/zone'
	assert_output -p "name=copy"
	# What cannot be executed is told as in any zone.
	zoneadm -z copy halt
	echo rubbish >"$POOL/copy/root/sbin/init"
	run zoneadm -z copy boot
	assert_output -p "execute the zone's init: Exec format error"
	rm "$POOL/copy/root/sbin/init"
	run zoneadm -z copy boot
	assert_output -p "execute the zone's init /sbin/init: No such file or directory"
}

has_settled() { # ZONE
	[[ $(zlogin "$1" 'systemctl is-system-running' 2>/dev/null) =~ ^(running|degraded)$ ]]
}

@test "a Debian on a file system that cannot be idmapped: install, boot, clone" {
	mkdir -p "$POOL/ramfs"
	mount -t ramfs -o mode=755 none "$POOL/ramfs"
	printf '%s\n' "create -b" "set zonepath=$POOL/ramfs/deb" commit | zonecfg -z deb -f -
	run --separate-stderr zoneadm -z deb install --offline
	assert_status 1
	assert_stderr -p "cannot be mapped on its file system; choose another, or 'set idmap=shared'"
	zonecfg -z deb "set idmap=shared"
	zoneadm -z deb install --offline -p systemd-sysv -x 'package=*' >&2
	zoneadm -z deb boot
	wait_for 60 has_settled deb
	run zlogin deb 'systemctl is-system-running; systemctl --failed --no-legend --no-pager'
	assert_output running
	zoneadm -z deb shutdown
	printf '%s\n' "create -b" "set zonepath=$POOL/ramfs/two" "set idmap=shared" commit | zonecfg -z two -f -
	zoneadm -z two clone deb >&2
	zoneadm -z two boot
	wait_for 60 has_settled two
	run zlogin two 'systemctl is-system-running; stat -f -c %T /'
	assert_output $'running\nramfs'
	# Back to ids of its own: told at the boot.
	zoneadm -z two halt
	zonecfg -z two "set idmap=private"
	run --separate-stderr zoneadm -z two boot
	assert_status 1
	assert_stderr -p "cannot be mapped on its file system; choose another, or 'set idmap=shared'"
}

# ---- what it is handed --------------------------------------------------------------------------

@test "a file that is handed over for reading cannot be written, nor changed" {
	zone
	local attack='cat; echo owned >/proc/self/fd/0; chmod 4777 /proc/self/fd/0; chown 1000 /proc/self/fd/0'
	echo kept >"$FZ_WORK/file"
	run zlogin web "$attack" <"$FZ_WORK/file"
	assert_output -p kept
	[ "$(cat "$FZ_WORK/file")" = kept ]
	[ "$(stat -c '%a %u' "$FZ_WORK/file")" = "644 0" ]
	mkfifo "$FZ_WORK/fifo"
	(echo through >"$FZ_WORK/fifo" &) 3>&-
	run zlogin web "$attack" <"$FZ_WORK/fifo"
	assert_output -p through
	[ "$(stat -c '%a %u' "$FZ_WORK/fifo")" = "644 0" ]
	# Of the null device it has its own.
	run zlogin web 'chmod 600 /proc/self/fd/0 && stat -c %a /dev/null' </dev/null
	assert_output 600
	[ "$(stat -c %a /dev/null)" = 666 ]
	# The zone puts something else there, and is not trusted with it.
	zlogin web 'rm /dev/null; ln -s /etc/passwd /dev/null'
	run --separate-stderr zlogin web true </dev/null
	assert_status 1
	assert_stderr -p "open the zone's null device"
	run zlogin web 'cat' <"$FZ_WORK/file"
	assert_output kept
	# The control.
	without_care sh -c "$attack" <"$FZ_WORK/file"
	[ "$(cat "$FZ_WORK/file")" = owned ]
	[ "$(stat -c '%a %u' "$FZ_WORK/file")" = "777 1000" ] || [ "$(stat -c '%a %u' "$FZ_WORK/file")" = "4777 1000" ]
}

@test "devices of the machine cannot be seen, nor made by reading" {
	zone
	local shown="find /sys/devices -mindepth 2 -maxdepth 2 ! -path '*/system/*' ! -path '*/virtual/*'"
	run zlogin web "$shown; ls /sys/class"
	assert_output net
	[ -n "$(eval "$shown")" ]
	run zlogin web 'cat /sys/devices/system/cpu/online; ls /sys/class/net'
	assert_output "$(cat /sys/devices/system/cpu/online)"$'\n'lo
	# To open the file is no harm, to read it is.
	[ -r /sys/class/zram-control/hot_add ] || skip "this kernel makes no disks in memory"
	run zlogin web ': </sys/class/zram-control/hot_add'
	assert_status 1
	assert_output -p "/sys/class/zram-control/hot_add"
}

@test "what is done to all processes of root is done to those of the zone" {
	zone
	sleep 300 3>&- &
	local victim=$!
	# By number of the user: priority and signals.
	zlogin web 'renice -n 7 -u 0; sleep 100 & kill -9 -1' || true
	[ "$(ps -o ni= -p $victim | tr -d ' ')" = 0 ]
	kill -0 $victim
	# The control, for what can be tried on a host.
	renice -n 7 -u 0 >/dev/null 2>&1
	[ "$(ps -o ni= -p $victim | tr -d ' ')" = 7 ]
	renice -n 0 -u 0 >/dev/null 2>&1
	kill $victim
}

# ---- what enters ----------------------------------------------------------------------------------

# In the zone: tries to overwrite the program of any process that has one of that name.
spoil() { # PROGRAM
	cat >"$POOL/web/root/bin/attack" <<-EOT
		#!/bin/sh
		while :; do
			for p in /proc/[0-9]*; do
				case \$(readlink \$p/exe) in
				*$1*)
					echo seen >>/tmp/seen
					(echo broken >\$p/exe) 2>/dev/null && echo won >>/tmp/won
					chmod 666 \$p/exe 2>/dev/null && echo won >>/tmp/won
					;;
				esac
			done
		done
	EOT
	chmod 755 "$POOL/web/root/bin/attack"
	rm -f "$POOL/web/root/tmp/seen" "$POOL/web/root/tmp/won"
	zlogin web /bin/attack 3>&- &
	attack=$!
}

@test "the program that enters cannot be overwritten from inside (CVE-2019-5736)" {
	zone
	local program=$FZ_WORK/zlogin sum
	cp "$(command -v zlogin)" "$program"
	sum=$(sha256sum <"$program")
	printf '#!/proc/self/exe\n' >"$POOL/web/root/bin/script"
	chmod 755 "$POOL/web/root/bin/script"
	ln -s /proc/self/exe "$POOL/web/root/bin/again"
	spoil zlogin
	for _ in $(seq 40); do
		"$program" web /bin/script >/dev/null 2>&1 || true
		"$program" web /bin/again >/dev/null 2>&1 || true
		"$program" -S web '/bin/again; /bin/script' >/dev/null 2>&1 || true
	done
	kill $attack
	wait $attack || true
	[ ! -e "$POOL/web/root/tmp/won" ]
	[ "$(sha256sum <"$program")" = "$sum" ]
	[ "$(stat -c %a "$program")" = 755 ]
	# The control: one that enters without the airlock.
	cp "$BUILD/tests/integration/isolation/careless" "$FZ_WORK/careless"
	spoil careless
	for _ in 1 2 3; do
		timeout 5 "$FZ_WORK/careless" "$(init_pid web)" /bin/again
		if [ -e "$POOL/web/root/tmp/won" ]; then break; fi
	done
	kill $attack
	wait $attack || true
	[ "$(stat -c %a "$FZ_WORK/careless")" = 666 ]
}

@test "nor can the daemon that boots it" {
	zone_configure web "set idmap=shared" && zone_root_busybox web
	local program sum
	program=$(dirname "$(command -v zoneadm)")/zoneadmd
	[ -e "$program" ] || program=$BUILD/cmd/zoneadmd
	sum=$(sha256sum <"$program")
	# All that such an init is, is a file that only this boot had.
	ln -sf /proc/self/exe "$POOL/web/root/sbin/init"
	zoneadm -z web boot || true
	is_down() { [ "$(zone_state web)" = installed ]; }
	wait_for 5 is_down
	printf '#!/proc/self/exe\n' >"$POOL/web/root/sbin/init.sh"
	chmod 755 "$POOL/web/root/sbin/init.sh"
	ln -sf init.sh "$POOL/web/root/sbin/init"
	zoneadm -z web boot || true
	wait_for 5 is_down
	[ "$(sha256sum <"$program")" = "$sum" ]
}

# What the catcher in the zone says while the host does COMMAND.
caught_while() { # PROGRAM COMMAND...
	local program=$1 catcher
	shift
	zlogin web /bin/catch 3 "$program" "$FZ_WORK/marker" probe-link >"$FZ_WORK/caught" 3>&- &
	catcher=$!
	wait_for 5 zlogin web 'pidof catch >/dev/null'
	while kill -0 $catcher 2>/dev/null; do
		ZONES_PROBE_SECRET=1 timeout 5 "$@"
	done
	wait $catcher
	sort "$FZ_WORK/caught" | uniq -c | awk '{ print $2, $3 }'
}

@test "who is stopped on the way in shows nothing of the host" {
	: >"$FZ_WORK/marker"
	link_make probe-link
	zone_configure web "set idmap=shared" && zone_root_busybox web
	cp "$BUILD/tests/integration/isolation/catch" "$POOL/web/root/bin/"
	zoneadm -z web boot
	run caught_while zlogin zlogin web true
	assert_status 0
	refute_output caught
	assert_output -e '^met [1-9]'
	# The control: one that has joined the pid namespace and nothing else yet.
	run caught_while nsenter nsenter --pid --target "$(init_pid web)" sleep 0.2
	assert_output -p "caught mounts"
	assert_output -p "caught network"
}

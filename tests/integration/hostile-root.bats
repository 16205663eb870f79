#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Host tools on a root that was made to fool them: links of every kind, pipes, devices, endless
# files, and files that change while the tool looks. Whatever it is, the tool ends soon, with a line
# or with the right result, and a canary that lies on the host was neither read nor changed.
#
# What is between single quotes here is for the zone's shell.
# shellcheck disable=SC2016,SC2154
bats_require_minimum_version 1.5.0
load helper
load isolation/canary

swap_program=$BUILD/tests/integration/isolation/swap

setup() {
	[ -x "$swap_program" ] || skip "a build with sanitizers has no static programs"
	canary_make
	zone_configure web && zone_root_busybox web
	root=$POOL/web/root
}

teardown() {
	zones_reset
	umount "$canary"
	if mountpoint -q "$POOL/pool"; then umount "$POOL/pool"; fi
	rm -f /var/log/zones/*
	assert_clean
}

# Does it see anything? A look through a link is one.
@test "the canary notices who reads it, who writes to it, and who lists it" {
	ln -s "$canary" "$root/data"
	for harm in "cat $root/data/etc/passwd" "ls $root/data/etc" "touch $root/data/in/new" \
		"chmod 700 $root/data/log" "readlink -e $root/data/etc/x"; do
		canary_sings "$harm"
		$harm >"$FZ_WORK/out" 2>&1 || true
		if [[ $harm != readlink* ]]; then
			run canary_sings "$harm"
			assert_status 1
		fi
		umount "$canary"
		canary_make
	done
}

# ---- traps ------------------------------------------------------------------------------------

traps=(absolute relative magic dangling loop pipe device socket huge)

# A trap in place of PATH, which leads to THERE on the canary if it leads anywhere.
trap_make() { # KIND PATH THERE
	rm -rf "$2"
	case $1 in
	absolute) ln -s "$canary/$3" "$2" ;;
	relative) ln -s "../../../../../../../../../../../../..$canary/$3" "$2" ;;
	magic) ln -s /proc/self/root"$canary/$3" "$2" ;;
	dangling) ln -s "$canary/$3/not/there" "$2" ;;
	loop) ln -s "${2##*/}" "$2" ;;
	pipe) mkfifo "$2" ;;
	device) mknod -m 666 "$2" c 1 5 ;; # a file without an end
	socket) python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$2" ;;
	huge) truncate -s 1T "$2" ;;
	esac
}

# It failed, soon, and told why in a line.
must_refuse() { # WHAT COMMAND...
	local what=$1
	shift
	run --separate-stderr timeout -k 1 10 "$@"
	[ "$status" -eq 1 ] || fail "$what: exit status $status: $output $stderr"
	[ "$(wc -l <<<"$stderr")" -eq 1 ] || fail "$what: not one line: $stderr"
	[[ $stderr == *"zone 'web'"* ]] || fail "$what: which zone? $stderr"
	canary_sings "$what"
}

must_work() { # WHAT COMMAND...
	local what=$1
	shift
	run --separate-stderr timeout -k 1 20 "$@"
	[ "$status" -eq 0 ] || fail "$what: exit status $status: $output $stderr"
	canary_sings "$what"
}

# ---- boot -------------------------------------------------------------------------------------

@test "a root that is no directory is not booted, cloned or used" {
	zone_configure copy
	mv "$root" "$POOL/web/kept"
	for kind in "${traps[@]}"; do
		trap_make "$kind" "$root" etc
		run --separate-stderr timeout 10 zoneadm -z web verify
		assert_status 1
		assert_stderr -p "'$root' is missing although the zone is installed"
		run --separate-stderr timeout 10 zoneadm -z web boot
		assert_status 1
		run --separate-stderr timeout 10 zoneadm -z copy clone web
		assert_status 1
		[ "$(wc -l <<<"$stderr")" -eq 1 ] || fail "clone of $kind: $stderr"
		[ "$(zone_state copy)" = configured ]
		canary_sings "$kind as the root"
	done
	rm -f "$root"
	mv "$POOL/web/kept" "$root"
}

@test "directories that the zone needs, and are none, stop the boot by name" {
	for dir in dev proc sys run; do
		for kind in "${traps[@]}"; do
			trap_make "$kind" "$root/$dir" deep
			must_refuse "$kind as /$dir" zoneadm -z web boot
			assert_stderr -p "'$dir' in the zone"
		done
		rm "$root/$dir"
	done
	must_work "what is missing is made" zoneadm -z web boot
}

@test "targets of mounts, and what leads to them, are what they should be or stop the boot" {
	mkdir -p "$FZ_WORK/export"
	echo exported >"$FZ_WORK/export/file"
	zonecfg -z web "add fs; set dir=/data/in/deep; set special=$FZ_WORK/export; set type=lofs; end
		add fs; set dir=/files/one; set special=$FZ_WORK/export/file; set type=lofs; end;
		set hostid=12345678"
	mkdir -p "$root"/{data/in/deep,files}
	for place in data data/in data/in/deep files etc etc/hostid; do
		mv "$root/$place" "$root/kept" 2>/dev/null || mkdir "$root/kept"
		for kind in "${traps[@]}"; do
			# A file on which another is mounted may be any: it is only covered.
			case $place:$kind in etc/hostid:huge | etc/hostid:pipe | etc/hostid:device | etc/hostid:socket) continue ;; esac
			trap_make "$kind" "$root/$place" deep
			must_refuse "$kind as /$place" zoneadm -z web boot
		done
		rm -f "$root/$place"
		mv "$root/kept" "$root/$place"
	done
	rm -rf "$root/etc/hostid"
	for kind in pipe device socket huge; do
		trap_make "$kind" "$root/files/one" etc/passwd
		trap_make "$kind" "$root/etc/hostid" etc/passwd
		must_work "$kind under a mounted file" zoneadm -z web boot
		run zlogin web 'cat /files/one'
		assert_output exported
		zoneadm -z web halt
	done
}

@test "a directory that another zone swaps for a link during the boot leads nowhere else" {
	local turn booted=0 shared=$FZ_WORK/shared
	mkdir -p "$shared/data" "$FZ_WORK/export"
	echo exported >"$FZ_WORK/export/file"
	zone_configure other "add fs; set dir=/shared; set special=$shared; set type=lofs; end"
	zone_root_busybox other
	cp "$swap_program" "$POOL/other/root/bin/swap"
	zoneadm -z other boot
	zonecfg -z web "add fs; set dir=/srv; set special=$shared; set type=lofs; end
		add fs; set dir=/srv/data/deep/er; set special=$FZ_WORK/export; set type=lofs; end"
	zlogin other "ln -s ../../../../../../../../../..$canary /shared/link"
	zlogin other /bin/swap 6 /shared/data /shared/link >"$FZ_WORK/swaps" 3>&- &
	local other=$!
	for ((turn = 0; turn < 60; turn++)); do
		if timeout 10 zoneadm -z web boot 2>"$FZ_WORK/err"; then
			booted=$((booted + 1))
			# Under whichever name the directory has now.
			run zlogin web 'for i in $(seq 100); do
				cat /srv/data/deep/er/file 2>/dev/null && exit; done'
			[[ $output == *exported* ]] || fail "mounted, and not where it should be: $output"
			zoneadm -z web halt
		else
			grep -q -e "'data' is a symbolic link" -e "mount point '/srv/data/deep/er' in the zone" "$FZ_WORK/err" ||
				fail "$(cat "$FZ_WORK/err")"
		fi
		canary_sings "boot $turn"
		kill -0 $other 2>/dev/null || break
	done
	wait $other
	echo "# $(cat "$FZ_WORK/swaps") swaps, $booted of $turn boots" >&3
	[ "$(cat "$FZ_WORK/swaps")" -gt 1000 ] && [ "$booted" -gt 0 ] && [ "$booted" -lt "$turn" ]
}

@test "an init that is a trap does not hold the boot, nor run anything of the host" {
	local program sum
	program=$(command -v zoneadmd)
	sum=$(sha256sum <"$program")
	mv "$root/sbin/init" "$root/sbin/good"
	for kind in absolute relative dangling loop pipe device socket huge; do
		trap_make "$kind" "$root/sbin/init" bin/init
		must_refuse "$kind as init" zoneadm -z web boot
		assert_stderr -p "execute the zone's init /sbin/init"
		[ "$(zone_state web)" = installed ]
	done
	# What zoneadmd is when it makes the zone: it becomes a program of the zone, and ends.
	for link in /proc/self/exe /proc/1/exe; do
		rm "$root/sbin/init"
		ln -s $link "$root/sbin/init"
		timeout 10 zoneadm -z web boot >"$FZ_WORK/out" 2>&1 || true
		installed() { [ "$(zone_state web)" = installed ]; }
		wait_for 10 installed
		[ "$(sha256sum <"$program")" = "$sum" ]
	done
	mv "$root/sbin/good" "$root/sbin/init"
	must_work "after all" zoneadm -z web boot
}

# ---- a running zone ---------------------------------------------------------------------------

@test "zlogin takes no harm from passwd, a home, a shell or a program that is a trap" {
	zoneadm -z web boot
	for kind in "${traps[@]}"; do
		trap_make "$kind" "$root/etc/passwd" etc/passwd
		must_work "$kind as passwd" zlogin web 'echo $HOME'
		assert_output /
	done
	rm "$root/etc/passwd"
	mkdir "$root/etc/passwd"
	must_work "a directory as passwd" zlogin web true
	rmdir "$root/etc/passwd"
	echo root:x:0:0:root:/trap:/trap >"$root/etc/passwd"
	for kind in "${traps[@]}"; do
		trap_make "$kind" "$root/trap" bin/init
		must_refuse "$kind as a shell" zlogin web 'true; true'
		assert_stderr -p "execute 'the shell of root'"
		status=0
		timeout -k 1 10 zlogin -S web /trap </dev/null >"$FZ_WORK/out" 2>&1 || status=$?
		[ "$status" -eq 126 ] || [ "$status" -eq 127 ] ||
			fail "$kind as a program: $status $(cat "$FZ_WORK/out")"
		canary_sings "$kind as a program"
	done
	echo root:x:0:0:root:/trap:/bin/sh >"$root/etc/passwd"
	for kind in "${traps[@]}"; do
		trap_make "$kind" "$root/trap" etc
		must_work "$kind as a home" zlogin web pwd
		assert_output /
	done
}

@test "files that change under zlogin's eyes do not hold it" {
	local pair pid n
	zoneadm -z web boot
	cp "$swap_program" "$root/bin/swap"
	zlogin web 'mkfifo /etc/pipe; mkdir /etc/dir /mnt /mnt/pts; ln -s /dev/zero /etc/zero
		mount -t devpts none /mnt/pts && mount -t tmpfs none /dev/pts &&
		ln -s /mnt/pts/ptmx /dev/pts/ptmx && mkfifo /dev/pts/pipe'
	for pair in "/etc/passwd /etc/pipe" "/etc/passwd /etc/zero" "/etc/passwd /etc/dir" \
		"/dev/pts/ptmx /dev/pts/pipe"; do
		# shellcheck disable=SC2086 # two words
		zlogin web /bin/swap 2 $pair >"$FZ_WORK/swaps" 3>&- &
		pid=$!
		for ((n = 0; n < 200; n++)); do
			run timeout -k 1 5 zlogin web true </dev/null
			[ "$status" -eq 0 ] || fail "$pair: $status $output"
			run timeout -k 1 5 zlogin -i web true </dev/null
			[ "$status" -le 1 ] || fail "$pair: $status $output"
			kill -0 $pid 2>/dev/null || break
		done
		wait $pid
		[ "$(cat "$FZ_WORK/swaps")" -gt 100 ]
	done
}

@test "a clean shutdown is asked of the zone in bounded time, whatever its programs are" {
	for kind in absolute dangling loop pipe device socket huge; do
		zoneadm -z web boot
		for name in poweroff reboot; do
			trap_make "$kind" "$root/sbin/$name" bin/init
		done
		run --separate-stderr timeout 20 zoneadm -z web shutdown -t 1
		[ "$status" -le 1 ] || fail "$kind: $status $stderr"
		canary_sings "$kind as poweroff"
		must_work "halt after $kind" zoneadm -z web halt
	done
	rm "$root/sbin/poweroff"
	ln -s /proc/self/exe "$root/sbin/poweroff"
	zoneadm -z web boot
	run --separate-stderr timeout 20 zoneadm -z web shutdown -t 1
	[ "$status" -le 1 ] || fail "zoneadmd itself: $status $stderr"
	must_work "halt" zoneadm -z web halt
}

@test "the log of a console is the host's: the zone fills no disk by it and leads it nowhere" {
	local size
	zoneadm -z web boot
	# Links in the place where some tools keep a zone's logs.
	zlogin web "mkdir -p /var/log/zones; ln -s $canary/log/syslog /var/log/zones/web.console
		ln -s $canary/log/syslog /var/log/console.log; umount /dev/console; rm -f /dev/console
		ln -s $canary/log/syslog /dev/console; yes flood | head -c 8000000 >/dev/pts/0" || true
	zoneadm -z web reboot
	zlogin web 'echo after >/dev/console'
	logged() { grep -q after /var/log/zones/web.console; }
	wait_for 5 logged
	size=$(cat /var/log/zones/web.console* | wc -c)
	[ "$size" -lt 3000000 ] || fail "$size bytes"
	[ -f /var/log/zones/web.console ] && [ ! -L /var/log/zones/web.console ]
	canary_sings "the console"
}

# ---- clone and uninstall ----------------------------------------------------------------------

# What a copy of the root meets.
plant_all() { # ROOT
	local kind
	mkdir -p "$1/traps/dir"
	for kind in "${traps[@]}"; do
		trap_make "$kind" "$1/traps/$kind" deep
		trap_make "$kind" "$1/traps/dir/$kind" deep/er/file
	done
}

identity_paths=(etc/machine-id etc/hostname etc/hosts etc/mailname etc/ssh etc/machine-info etc/systemd
	var/log var/lib/dbus tmp var/tmp root home var/lib/dhcp)

@test "a root of traps is cloned as it is, snapshot or copy, and gets its identity inside" {
	local kind path method there
	local -a how
	pool_make ext4 "$POOL/pool" 600M
	for method in btrfs copy ext4; do
		for kind in "${traps[@]}"; do
			for path in "${identity_paths[@]}"; do
				[[ $path != */* ]] || mkdir -p "$root/${path%/*}"
				trap_make "$kind" "$root/$path" log
			done
			plant_all "$root"
			there=$POOL/new
			[ $method != ext4 ] || there=$POOL/pool/new
			how=()
			[ $method != copy ] || how=(-m copy)
			zonecfg -z new "create -b; set zonepath=$there"
			must_work "$kind, $method" zoneadm -z new clone "${how[@]}" web
			[ "$(cat "$there/root/etc/hostname")" = new ]
			[ "$(readlink "$there/root/traps/absolute")" = "$canary/deep" ]
			[ -p "$there/root/traps/pipe" ] && [ -c "$there/root/traps/device" ]
			[ "$(du -s "$there/root" | cut -f1)" -lt 100000 ] || fail "$kind: the holes are filled"
			must_work "$kind, $method" zoneadm -z new uninstall -F
			zonecfg -z new delete -F
		done
	done
	umount "$POOL/pool"
}

@test "a clone whose /usr is a trap is refused by name, or has no zonename where there is nothing" {
	zonecfg -z new "create -b; set zonepath=$POOL/new"
	for kind in "${traps[@]}"; do
		trap_make "$kind" "$root/usr" deep
		must_refuse_or_work "$kind as /usr" timeout 20 zoneadm -z new clone web
		case $kind:$status in
		pipe:1 | device:1 | socket:1 | huge:1 | loop:1)
			assert_stderr -e "^zoneadm: zone 'new': clone: open 'usr/bin' in the zone: [A-Z][a-z ]*\$"
			;;
		absolute:0 | relative:0 | magic:0 | dangling:0) zoneadm -z new uninstall -F ;;
		*) fail "$kind: $status $stderr" ;;
		esac
	done
}

# Either is right when what was a directory is none any more.
must_refuse_or_work() { # WHAT COMMAND...
	local what=$1
	shift
	run --separate-stderr "$@"
	case $status in
	0) ;;
	1) [ "$(wc -l <<<"$stderr")" -eq 1 ] || fail "$what: not one line: $stderr" ;;
	*) fail "$what: exit status $status: $output $stderr" ;;
	esac
	canary_sings "$what"
}

@test "directories that turn into links while they are copied or removed lead nowhere" {
	local i turn pid there=$POOL/pool
	pool_make ext4 "$there" 600M
	zonecfg -z new "create -b; set zonepath=$there/new"
	mkdir -p "$root/a"
	for i in $(seq 300); do
		mkdir -p "$root/a/$i/deep/er"
		echo "$i" >"$root/a/$i/deep/er/file"
	done
	ln -s "$canary" "$root/b"
	"$swap_program" 4 "$root/a" "$root/b" >"$FZ_WORK/swaps" 3>&- &
	pid=$!
	for ((turn = 0; turn < 40; turn++)); do
		must_refuse_or_work "clone $turn" timeout 20 zoneadm -z new clone -m copy web
		# Its access times do not tell: a copy is made without leaving any.
		run find "$there/new/root/a" "$there/new/root/b" -name syslog
		refute_output /syslog
		zoneadm -z new uninstall -F 2>/dev/null || [ "$(zone_state new)" = configured ]
		[ ! -e "$there/new/root" ]
		kill -0 $pid 2>/dev/null || break
	done
	wait $pid
	[ "$(cat "$FZ_WORK/swaps")" -gt 1000 ]
	for ((turn = 0; turn < 5; turn++)); do
		zoneadm -z new clone -m copy web
		"$swap_program" 1 "$there/new/root/a" "$there/new/root/b" >"$FZ_WORK/swaps" 3>&- &
		pid=$!
		must_refuse_or_work "uninstall $turn" timeout 20 zoneadm -z new uninstall -F
		wait $pid || true
		[ "$status" -eq 0 ] || zoneadm -z new uninstall -F
	done
	zonecfg -z new delete -F
	umount "$there"
}

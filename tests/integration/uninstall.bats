#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# zoneadm uninstall: the question, and every state that a zone can be found in.
bats_require_minimum_version 1.5.0
load helper

setup() {
	zone_configure z
	zone_root_tiny z
}

teardown() {
	mountpoint -q "$POOL/z/root/usr" && umount "$POOL/z/root/usr"
	zones_reset
	rm -rf "${POOL:?}/z"
	assert_clean
}

gone() {
	[ "$(zone_state z)" = configured ]
	[ -z "$(zoneadm -z z list -p | cut -d: -f5)" ]
	[ ! -e "$POOL/z" ]
}

# Answer the question of a command on a terminal.
answer() { # TEXT COMMAND...
	python3 - "$@" <<-'PY'
		import pexpect, sys
		p = pexpect.spawn(sys.argv[2], sys.argv[3:], encoding="utf-8", timeout=20)
		p.expect_exact("(y/[n])? ")
		print(p.before + p.after)
		p.send(sys.argv[1])
		p.expect(pexpect.EOF)
		p.close()
		sys.exit(p.exitstatus if p.signalstatus is None else 128 + p.signalstatus)
	PY
}

@test "-F asks nothing" {
	run --separate-stderr zoneadm -z z uninstall -F
	assert_status 0
	assert_output ""
	assert_stderr ""
	gone
}

@test "on a terminal it asks, and no is the default" {
	for text in n $'\r' nonsense$'\r'n $'\4'; do
		case $text in
		n | *n) text+=$'\r' ;;
		esac
		run answer "$text" zoneadm -z z uninstall
		assert_status 0
		assert_output -p "Are you sure you want to uninstall zone z (y/[n])? "
		[ "$(zone_state z)" = installed ]
		[ -e "$POOL/z/root/sbin/init" ]
	done
	# An interrupt is one, and no answer.
	run answer $'\3' zoneadm -z z uninstall
	assert_status 130
	[ "$(zone_state z)" = installed ]
	run answer $'y\r' zoneadm -z z uninstall
	assert_status 0
	gone
}

@test "without a terminal and without -F nothing is done" {
	run --separate-stderr zoneadm -z z uninstall </dev/null
	assert_status 1
	assert_stderr "zoneadm: zone 'z': uninstall: not confirmed: there is no terminal to ask on; use -F to uninstall without a question"
	[ "$(zone_state z)" = installed ]
}

@test "from incomplete, whatever is left" {
	zoneadm -z z mark incomplete
	zoneadm -z z uninstall -F
	gone
	zone_mark z incomplete
	zoneadm -z z uninstall -F
	gone
	zone_mark z incomplete
	mkdir "$POOL/z"
	zoneadm -z z uninstall -F
	gone
	zone_mark z installed
	zoneadm -z z uninstall -F
	gone
}

@test "a zone with a broken configuration can be uninstalled" {
	cp /etc/zones/z.xml "$FZ_WORK/z.xml"
	rm /etc/zones/z.xml
	run --separate-stderr zoneadm -z z verify
	assert_status 1
	assert_stderr "zoneadm: zone 'z': '/etc/zones/z.xml' is missing"
	echo "<zone" >/etc/zones/z.xml
	run zoneadm -z z uninstall -F
	mv "$FZ_WORK/z.xml" /etc/zones/z.xml
	assert_status 0
	gone
}

@test "subvolumes, read-only ones too, and immutable files go" {
	btrfs -q subvolume create "$POOL/z/root/a"
	btrfs -q subvolume create "$POOL/z/root/a/b"
	btrfs property set "$POOL/z/root/a/b" ro true
	btrfs property set "$POOL/z/root/a" ro true
	touch "$POOL/z/root/etc/fixed"
	chattr +i "$POOL/z/root/etc/fixed" "$POOL/z/root/etc"
	zoneadm -z z uninstall -F
	gone
	[ -z "$(btrfs subvolume list "$POOL")" ]
}

@test "a subvolume too deep for its path to be told goes too" {
	python3 - "$POOL/z/root" <<-'PY'
		import fcntl, os, sys
		fd = os.open(sys.argv[1], os.O_RDONLY)
		for _ in range(25):
		    os.mkdir("d" * 240, dir_fd=fd)
		    fd = os.open("d" * 240, os.O_RDONLY, dir_fd=fd)
		subvol_create, subvol_setflags, read_only = 0x5000940e, 0x4008941a, 2
		fcntl.ioctl(fd, subvol_create, bytearray(b"sub".rjust(11, b"\0").ljust(4096, b"\0")))
		sub = os.open("sub", os.O_RDONLY, dir_fd=fd)
		os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=sub)
		fcntl.ioctl(sub, subvol_setflags, read_only.to_bytes(8, "little"))
	PY
	zoneadm -z z uninstall -F
	gone
	[ -z "$(btrfs subvolume list "$POOL")" ]
}

@test "a zonepath that is the root of the host is refused" {
	sed -i 's,^z:installed:/zones/z:,z:installed:/:,' /etc/zones/index
	[ "$(zoneadm -z z list -p | cut -d: -f4)" = / ]
	# shellcheck disable=SC2016 # for the inner shell
	cp "$(command -v zoneadm)" "$FZ_WORK/zoneadm" # the programs may be below /root
	mount -t tmpfs none /root && touch /root/mine
	run --separate-stderr "$FZ_WORK/zoneadm" -z z uninstall -F
	left=$(ls /root)
	umount /root
	sed -i 's,^z:[a-z]*:/:,z:installed:/zones/z:,' /etc/zones/index
	assert_status 1
	[ "$left" = mine ]
	assert_stderr "zoneadm: zone 'z': uninstall: '/' cannot be a zonepath"
}

@test "what is not the zone's is kept, and told" {
	echo mine >"$POOL/z/notes"
	run --separate-stderr zoneadm -z z uninstall -F
	assert_status 0
	assert_stderr "WARNING: '/zones/z' holds files that are not the zone's and was kept."
	[ "$(zone_state z)" = configured ]
	[ "$(cat "$POOL/z/notes")" = mine ] && [ ! -e "$POOL/z/root" ]
}

@test "a link in the place of the root is removed, not followed" {
	mkdir "$POOL/victim" && touch "$POOL/victim/file"
	btrfs -q subvolume delete "$POOL/z/root"
	ln -s "$POOL/victim" "$POOL/z/root"
	zoneadm -z z uninstall -F
	gone
	[ -e "$POOL/victim/file" ]
	rm -r "$POOL/victim"
}

@test "a mount below the zonepath is named, and nothing is changed" {
	mount -t tmpfs none "$POOL/z/root/usr"
	run --separate-stderr zoneadm -z z uninstall -F
	assert_status 1
	assert_stderr "zoneadm: zone 'z': uninstall: something is mounted on '/zones/z/root/usr'; unmount it first"
	[ "$(zone_state z)" = installed ]
	umount "$POOL/z/root/usr"
	zoneadm -z z uninstall -F
	gone
}

@test "the name of a file in a zone cannot say anything for zoneadm" {
	local name=$'x\e[2J\nzoneadm: \xc2\x9b2J all is w\xc3\xbcell'
	mkdir "$POOL/z/root/$name"
	mount -t tmpfs none "$POOL/z/root/$name"
	run --separate-stderr zoneadm -z z uninstall -F
	umount "$POOL/z/root/$name"
	assert_status 1
	assert_stderr "zoneadm: zone 'z': uninstall: something is mounted on '/zones/z/root/x?[2J?zoneadm: ??2J all is wüell'; unmount it first"
}

@test "a running zone is refused" {
	zoneadm -z z boot
	run --separate-stderr zoneadm -z z uninstall -F
	zoneadm -z z halt
	assert_status 1
	assert_stderr "zoneadm: zone 'z': uninstall: not possible while the zone is running; halt it first"
	[ "$(zone_state z)" = installed ]
}

@test "a configured zone, an unknown zone and wrong usage" {
	zoneadm -z z uninstall -F
	run --separate-stderr zoneadm -z z uninstall -F
	assert_status 1
	assert_stderr "zoneadm: zone 'z': uninstall: the zone is not installed"
	run --separate-stderr zoneadm -z nosuch uninstall -F
	assert_status 1
	assert_stderr "zoneadm: nosuch: No such zone configured"
	run --separate-stderr zoneadm uninstall -F
	assert_status 1
	assert_stderr "zoneadm: uninstall: no zone specified; name it with -z"
	run --separate-stderr zoneadm -z global uninstall -F
	assert_status 1
	assert_stderr "zoneadm: uninstall: not possible for the global zone"
	run --separate-stderr zoneadm -z SYSdefault uninstall -F
	assert_status 1
	assert_stderr "zoneadm: uninstall: 'SYSdefault' is a template, not a zone"
	for arguments in -x "more" "-F more"; do
		# shellcheck disable=SC2086 # they are words
		run --separate-stderr zoneadm -z z uninstall $arguments
		assert_status 2
	done
}

@test "what a zone that died with its zoneadmd has left goes too" {
	zoneadm -z z boot
	init=$(sed -n 's/^init_pid=//p' /run/zones/z/state)
	pkill -KILL -x zoneadmd
	kill -KILL "$init"
	wait_for 10 test ! -e "/proc/$init"
	zoneadm -z z uninstall -F
	gone
	[ ! -e /run/zones/z/state ]
	assert_clean
}

@test "a record that cannot be read is no obstacle when nothing of the zone lives" {
	mkdir -p /run/zones/z
	for text in rubbish "" "$(printf 'state=running\nid=1\nnew=1')"; do
		echo "$text" >/run/zones/z/state
		[ "$(zone_state z)" = installed ]
		zoneadm -z z boot
		zoneadm -z z halt
		echo "$text" >/run/zones/z/state
		zoneadm -z z uninstall -F
		gone
		[ ! -e /run/zones/z/state ]
		assert_clean
		zone_root_tiny z
	done
}

@test "a running zone whose record cannot be read is down, and can be halted" {
	zone_configure other
	zone_root_tiny other
	for daemon in alive dead; do
		zoneadm -z z boot
		[ $daemon = alive ] || pkill -KILL -x zoneadmd
		echo rubbish >/run/zones/z/state
		run zoneadm list -p
		assert_output -p "-:z:down:/zones/z:"
		run --separate-stderr zoneadm -z z uninstall -F
		assert_status 1
		assert_stderr "zoneadm: zone 'z': uninstall: not possible while the zone is down; halt it first"
		# It is in nobody else's way.
		zoneadm -z other boot
		zoneadm -z other halt
		zoneadm -z z halt
		[ "$(zone_state z)" = installed ]
		assert_clean
	done
	zoneadm -z z uninstall -F
	gone
}

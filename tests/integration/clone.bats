#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# zoneadm clone: lines, checks, the identity of the copy, a hostile root, other file systems.
bats_require_minimum_version 1.5.0
load helper

setup() {
	zone_configure src "add fs" "set dir=/export" "set special=/srv" "set type=lofs" \
		"add options rw" "end"
	zone_root_busybox src
	zone_configure dst
	root=$POOL/src/root
	new=$POOL/dst/root
}

teardown() {
	mountpoint -q "$POOL/other" && umount "$POOL/other"
	zones_reset
	rm -rf "$POOL/other"
	assert_clean
}

# What makes a root a machine, and what an administrator has done with it.
identity_make() {
	mkdir -p "$root"/etc/ssh "$root"/var/{lib/dbus,lib/systemd/timers,lib/dhcp,tmp} \
		"$root"/var/log/{apt,journal/0123} "$root"/home/joe/.ssh "$root"/root/.ssh "$root/etc/systemd/system"
	echo 0123456789abcdef0123456789abcdef >"$root/etc/machine-id"
	cp "$root/etc/machine-id" "$root/var/lib/dbus/machine-id"
	printf '127.0.0.1\tlocalhost\n127.0.1.1\tsrc src.example\n192.0.2.9 db\n' >"$root/etc/hosts"
	echo src.example >"$root/etc/mailname"
	touch "$root"/etc/ssh/{ssh_host_rsa_key,ssh_host_rsa_key.pub,sshd_config,ssh_config} \
		"$root"/var/lib/systemd/{random-seed,timers/stamp-apt} "$root/var/lib/dhcp/eth0.leases" \
		"$root"/{tmp,var/tmp}/scratch "$root/var/log/journal/0123/system.journal"
	for file in syslog apt/history.log wtmp; do
		echo entry >"$root/var/log/$file"
	done
	chmod 640 "$root/var/log/syslog" && chown 3:4 "$root/var/log/syslog"
	touch "$root"/var/log/syslog.1 "$root"/var/log/apt/history.log.2.gz
	touch "$root"/home/joe/{.bash_history,.profile} "$root"/home/joe/.ssh/authorized_keys
	touch "$root"/root/.ssh/{known_hosts,authorized_keys}
}

@test "on btrfs a clone is a snapshot, and it says so" {
	run --separate-stderr zoneadm -z dst clone src
	assert_status 0
	assert_output "Cloning snapshot /zones/src
Instead of copying, a btrfs clone has been created for this zone."
	assert_stderr ""
	[ "$(zone_state dst)" = installed ]
	[ "$(stat -c %i "$new")" = 256 ]
	[ "$(stat -c '%a %U:%G' "$POOL/dst" "$new")" = "700 root:root
755 root:root" ]
	cmp "$root/bin/busybox" "$new/bin/busybox"
}

@test "-m copy copies every byte, with the line of Solaris" {
	echo content >"$root/etc/file"
	run --separate-stderr zoneadm -z dst clone -m copy src
	assert_status 0
	assert_output "Copying /zones/src..."
	assert_stderr ""
	cmp "$root/etc/file" "$new/etc/file"
	run filefrag -v "$new/bin/busybox"
	refute_output shared
}

@test "on xfs and ext4 a clone is a copy, and shares blocks where it can" {
	for type in xfs ext4; do
		pool_make "$type" "$POOL/other"
		zone_configure a "set zonepath=$POOL/other/a"
		zone_configure b "set zonepath=$POOL/other/b"
		zoneadm -z a clone src
		run zoneadm -z b clone a
		assert_status 0
		case $type in
		xfs) assert_output "Copying /zones/other/a...
The copy shares its blocks with the original." ;;
		ext4) assert_output "Copying /zones/other/a..." ;;
		esac
		cmp "$root/bin/busybox" "$POOL/other/b/root/bin/busybox"
		for zone in a b; do
			zoneadm -z $zone uninstall -F
			zonecfg -z $zone delete -F
		done
		umount "$POOL/other"
	done
}

@test "the copy has an identity of its own; the work of its administrator stays" {
	identity_make
	before=$(cd "$root" && find . -type f -exec md5sum {} + | sort)
	zoneadm -z dst clone src
	uuid=$(zoneadm -z dst list -p | cut -d: -f5)
	[ "${#uuid}" -eq 36 ]
	[ "$(cat "$new/etc/machine-id")" = "${uuid//-/}" ]
	[ "$(stat -c %a "$new/etc/machine-id")" = 444 ]
	[ "$(cat "$new/etc/hostname" "$new/etc/mailname")" = "dst
dst" ]
	[ "$(cat "$new/etc/hosts")" = "127.0.0.1	localhost
127.0.1.1	dst
192.0.2.9 db" ]
	[ "$(cd "$new" && find tmp var/tmp var/lib var/log etc/ssh home root | sort)" = "etc/ssh
etc/ssh/ssh_config
etc/ssh/sshd_config
home
home/joe
home/joe/.profile
home/joe/.ssh
home/joe/.ssh/authorized_keys
root
root/.ssh
root/.ssh/authorized_keys
tmp
var/lib
var/lib/dbus
var/lib/dhcp
var/lib/systemd
var/lib/systemd/timers
var/log
var/log/apt
var/log/apt/history.log
var/log/journal
var/log/syslog
var/log/wtmp
var/tmp" ]
	[ -z "$(find "$new/var/log" -type f -size +0)" ]
	[ "$(stat -c '%a %u:%g' "$new/var/log/syslog")" = "640 3:4" ]
	[ -L "$new/etc/systemd/system/multi-user.target.wants/zone-keys.service" ]
	cmp "$root/etc/passwd" "$new/etc/passwd"
	[ "$before" = "$(cd "$root" && find . -type f -exec md5sum {} + | sort)" ]
}

@test "a root full of traps does not lead out of itself, and does not stop the clone" {
	victim=$FZ_WORK/victim
	mkdir -p "$victim/ssh" "$victim/log" "$victim/tmp" "$victim/home/joe"
	touch "$victim"/{ssh/ssh_host_rsa_key,tmp/file,home/joe/.bash_history,machine-id}
	echo log >"$victim/log/syslog"
	before=$(cd "$victim" && find . -exec stat -c '%n %s %Y' {} + | sort)
	rm -rf "${root:?}"/{tmp,var,home,etc}
	mkdir -p "$root"/{etc,var/lib}
	ln -s "$victim/tmp" "$root/tmp"
	ln -s "$victim/log" "$root/var/log"
	ln -s ../../../../../../../../../../../.."$victim/ssh" "$root/etc/ssh"
	ln -s "$victim/home" "$root/home"
	ln -s loop "$root/etc/systemd" && ln -s systemd "$root/etc/loop"
	mkfifo "$root/etc/hostname"
	mkdir -p "$root/etc/machine-id/deep/er"
	mknod "$root/etc/mailname" c 1 3
	truncate -s 100G "$root/etc/hosts"
	mkfifo "$root/var/lib/dbus"
	ln -s /proc/self/fd "$root/var/lib/dhcp"
	run --separate-stderr timeout 20 zoneadm -z dst clone src
	assert_status 0
	assert_stderr ""
	[ "$before" = "$(cd "$victim" && find . -exec stat -c '%n %s %Y' {} + | sort)" ]
	[ "$(cat "$new/etc/hostname")" = dst ]
	[ -f "$new/etc/machine-id" ] && [ -f "$new/etc/mailname" ]
	grep -q "^127.0.1.1.dst" "$new/etc/hosts"
	[ -p "$root/etc/hostname" ]
	rm -rf "$victim"
}

@test "locked files and read-only subvolumes in the way of the new identity do not stop the clone" {
	mkdir -p "$root/var/log" "$root/tmp"
	echo text | tee "$root/var/log/auth.log" >"$root/etc/hostname"
	touch "$root/tmp/x"
	btrfs -q subvolume create "$root/tmp/sub" && touch "$root/tmp/sub/file"
	btrfs property set "$root/tmp/sub" ro true
	chattr +a "$root/var/log/auth.log"
	chattr +i "$root/tmp/x" "$root/etc/hostname"
	for method in "" "-m copy"; do
		# shellcheck disable=SC2086 # they are words
		run --separate-stderr zoneadm -z dst clone $method src
		assert_status 0
		assert_stderr ""
		[ "$(cat "$new/etc/hostname")" = dst ]
		[ -z "$(ls "$new/tmp")" ] && [ ! -s "$new/var/log/auth.log" ]
		[ -e "$root/tmp/sub/file" ] && [ -s "$root/var/log/auth.log" ]
		zoneadm -z dst uninstall -F
	done
}

@test "what both zones would use is told, in the words of Solaris" {
	local disk
	link_make net0
	truncate -s 1M "$FZ_WORK/disk"
	disk=$(losetup --find --show "$FZ_WORK/disk")
	zonecfg -z dst delete -F
	zonecfg -z src "add net; set address=192.0.2.7/24; set physical=net0; end;
		add fs; set dir=/data; set special=$disk; set type=ext4; end;
		add fs; set dir=/ro; set special=/usr/share; set type=lofs; add options ro; end;
		add device; set match=/dev/fuse; end; commit"
	zonecfg -z dst "create -t src; set zonepath=$POOL/dst;
		select net address=192.0.2.7/24; set address=192.0.2.7/28; end; commit"
	run --separate-stderr zoneadm -z dst clone src
	assert_status 0
	assert_stderr "WARNING: read-write lofs file system on '/srv' is configured in both zones.
WARNING: ext4 file system on '$disk' is configured in both zones.
WARNING: network address '192.0.2.7' is configured in both zones.
WARNING: device '/dev/fuse' is configured in both zones."
	ip link delete net0
	losetup -d "$disk"
}

@test "a source that cannot be cloned is refused by name" {
	refused() { # SOURCE MESSAGE
		run --separate-stderr zoneadm -z dst clone "$1"
		assert_status 1
		assert_output ""
		assert_stderr "zoneadm: zone 'dst': clone: $2"
		[ "$(zone_state dst)" = configured ]
		[ ! -e "$POOL/dst" ]
	}
	refused global "the global zone cannot be cloned"
	refused SYSblank "'SYSblank' is a template, not a zone"
	refused dst "a zone cannot be cloned from itself"
	refused nosuch "source zone: nosuch: No such zone configured"
	zone_mark src configured
	refused src "source zone 'src' is configured; only an installed zone can be cloned"
	zone_mark src incomplete
	refused src "source zone 'src' is incomplete; only an installed zone can be cloned"
	zone_mark src installed
	mount -t tmpfs none "$root/usr"
	run zoneadm -z dst clone src
	umount "$root/usr"
	assert_status 1
	assert_output -p "something is mounted on '/zones/src/root/usr'; unmount it first"
	[ "$(zone_state dst)" = configured ]
	[ ! -e "$POOL/dst" ]
}

@test "a running source must be halted first" {
	zoneadm -z src boot
	run --separate-stderr zoneadm -z dst clone src
	zoneadm -z src halt
	assert_status 1
	assert_stderr "zoneadm: zone 'dst': clone: source zone 'src' is running; halt it before it is cloned"
	[ "$(zone_state dst)" = configured ]
}

@test "a target that is not just configured is refused" {
	zoneadm -z dst clone src
	run --separate-stderr zoneadm -z dst clone src
	assert_status 1
	assert_stderr "zoneadm: zone 'dst': clone: the zone is already installed"
	zoneadm -z dst mark incomplete
	run --separate-stderr zoneadm -z dst clone src
	assert_status 1
	assert_stderr "zoneadm: zone 'dst': clone: the zone is incomplete; uninstall it first"
	run --separate-stderr zoneadm -z nosuch clone src
	assert_status 1
	assert_stderr "zoneadm: nosuch: No such zone configured"
}

@test "a file system that cannot hold all of the source is told as such" {
	echo content >"$root/etc/file"
	python3 -c 'import os, sys; os.setxattr(sys.argv[1], "user.colour", b"blue")' "$root/etc/file"
	mkdir -p "$POOL/other" && mount -t ramfs -o mode=755 none "$POOL/other"
	zonecfg -z dst "set zonepath=$POOL/other/dst; set idmap=shared; commit"
	run --separate-stderr zoneadm -z dst clone src
	assert_status 1
	assert_stderr -p "copy '/etc/file': attribute 'user.colour' is not supported by the copy's file system; choose another"
	[ "$(zone_state dst)" = configured ]
	[ ! -e "$POOL/other/dst" ]
}

@test "a zonepath that will not do is refused, with every problem" {
	mkdir -p "$POOL/other" "$POOL/dst/root"
	chmod 750 "$POOL/dst"
	run --separate-stderr zoneadm -z dst clone src
	assert_status 1
	assert_stderr "zoneadm: zone 'dst': '/zones/dst' has mode 0750; it must be 0700, or users of the host reach the zone's files
zoneadm: zone 'dst': '/zones/dst/root' exists although the zone is not installed; move it away, or remove it
zoneadm: zone 'dst': clone: zone failed to verify"
	rm -rf "$POOL/dst"
	chmod 777 "$POOL/other"
	zonecfg -z dst "set zonepath=$POOL/other/dst; commit"
	run --separate-stderr zoneadm -z dst clone src
	assert_status 1
	assert_stderr -p "'/zones/other' has mode 0777; nobody but root may be able to write to it"
	[ ! -e "$POOL/other/dst" ]
	rmdir "$POOL/other" && ln -s src "$POOL/other"
	run --separate-stderr zoneadm -z dst clone src
	rm "$POOL/other"
	assert_status 1
	assert_stderr -p "'/zones/other' is a symbolic link; a zonepath must be named by its real path"
	zonecfg -z dst "set zonepath=$POOL/src/root/dst; commit"
	run --separate-stderr zoneadm -z dst clone src
	assert_status 1
	assert_stderr -p "zonepath '/zones/src/root/dst' and zonepath '/zones/src' of zone 'src' are not apart"
	zonecfg -z dst "set zonepath=$POOL/dst; commit"
}

@test "both zones must inherit the same directories" {
	zonecfg -z dst "add inherit-pkg-dir; set dir=/opt; end; commit"
	zonecfg -z src delete -F
	zone_configure src "add inherit-pkg-dir" "set dir=/usr" "end"
	zone_mark src installed
	run --separate-stderr zoneadm -z dst clone src
	assert_status 1
	assert_stderr "zoneadm: zone 'dst': inherit-pkg-dir '/opt' is configured in zone 'dst' but not in zone 'src'
zoneadm: zone 'dst': inherit-pkg-dir '/usr' is configured in zone 'src' but not in zone 'dst'
zoneadm: zone 'dst': clone: the inherit-pkg-dir resources of both zones must be the same"
	[ "$(zone_state dst)" = configured ]
}

@test "a copy that does not fit is not begun, and one that does not fit after all is taken back" {
	mkdir -p "$POOL/other"
	mount -t tmpfs -o size=512k,mode=755 none "$POOL/other"
	zonecfg -z dst "set zonepath=$POOL/other/dst; commit"
	run --separate-stderr zoneadm -z dst clone src
	assert_status 1
	assert_output ""
	assert_stderr -e "^zoneadm: zone 'dst': clone: not enough room for a copy in '/zones/other/dst': [0-9]+ MiB are needed, [0-9]+ MiB free$"
	[ "$(zone_state dst)" = configured ]
	[ ! -e "$POOL/other/dst" ]
	umount "$POOL/other"
	# Names can run out too.
	mount -t tmpfs -o nr_inodes=100,mode=755 none "$POOL/other"
	run --separate-stderr zoneadm -z dst clone src
	assert_status 1
	assert_output "Copying /zones/src..."
	assert_stderr -p "No space left on device"
	[ "$(zone_state dst)" = configured ]
	[ ! -e "$POOL/other/dst" ]
	umount "$POOL/other"
	zonecfg -z dst "set zonepath=$POOL/dst; commit"
}

@test "a signal ends a copy and takes it back" {
	dd if=/dev/urandom of="$root/big" bs=1M count=64 status=none
	for i in {1..2000}; do echo "$i" >"$root/etc/$i"; done
	mkdir "$POOL/dst" && chmod 700 "$POOL/dst"
	zoneadm -z dst clone -m copy src 2>"$FZ_WORK/clone.err" &
	pid=$!
	wait_for 10 test -e "$new/etc"
	kill -TERM $pid
	status=0
	wait $pid || status=$?
	assert_status 1
	[ "$(cat "$FZ_WORK/clone.err")" = "zoneadm: zone 'dst': clone: clone '/zones/src/root' as '/zones/dst/root': interrupted" ]
	[ "$(zone_state dst)" = configured ]
	# It was there before, so it stays.
	[ -d "$POOL/dst" ] && [ ! -e "$new" ]
	rmdir "$POOL/dst"
}

@test "two clones in opposite directions do not wait for each other" {
	zone_configure third
	for _ in 1 2 3 4 5; do
		timeout 20 zoneadm -z dst clone src >/dev/null 2>&1 &
		one=$!
		timeout 20 zoneadm -z src clone dst >/dev/null 2>&1 &
		two=$!
		timeout 20 zoneadm -z third clone src >/dev/null &
		three=$!
		wait $one
		status=0
		wait $two || status=$?
		assert_status 1
		wait $three
		zoneadm -z dst uninstall -F
		zoneadm -z third uninstall -F
	done
}

@test "wrong usage is exit status 2 and comes before everything else" {
	for arguments in "" "src more" "-m" "-m zfs src" "-x src"; do
		# shellcheck disable=SC2086 # they are words
		run --separate-stderr zoneadm -z nosuch clone $arguments
		assert_status 2
		assert_stderr -p "usage: zoneadm -z zone clone [-m copy] source"
	done
	run --separate-stderr zoneadm -z dst clone -?
	assert_status 0
	assert_output -p "usage: zoneadm -z zone clone [-m copy] source"
}

@test "only root may clone" {
	run --separate-stderr setpriv --reuid 65534 --clear-groups zoneadm -z dst clone src
	assert_status 1
	assert_stderr "zoneadm: clone: only root may do this"
}

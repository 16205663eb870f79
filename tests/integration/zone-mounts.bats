#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# What is mounted in a zone: fs and inherit-pkg-dir, their options, and what is refused.
bats_require_minimum_version 1.5.0
load helper

teardown() {
	zones_reset
	rm -f /var/log/zones/*
	if mountpoint -q "$FZ_WORK/ramfs"; then umount "$FZ_WORK/ramfs"; fi
	assert_clean
}

zone() { # LINE...
	zone_configure web "$@" && zone_root_busybox web
}

# Options of the mount on a directory of the zone, sorted out of /proc/mounts.
options_of() {
	zlogin web "grep ' $1 ' /proc/mounts" | cut -d' ' -f4
}

@test "a directory of the host is mounted with the zone's ids, and made if it is missing" {
	mkdir -p "$FZ_WORK/shared/sub"
	echo content >"$FZ_WORK/shared/file"
	zone "add fs; set dir=/mnt/shared; set special=$FZ_WORK/shared; set type=lofs; end"
	zoneadm -z web boot
	run zlogin web 'cat /mnt/shared/file; stat -c "%u %a" /mnt /mnt/shared/file; echo new >/mnt/shared/new'
	assert_output "$(printf 'content\n0 755\n0 644')"
	[ "$(stat -c %u "$FZ_WORK/shared/new")" = 0 ]
	run options_of /mnt/shared
	assert_output -p nodev
	zoneadm -z web halt
	[ "$(stat -c '%u %a' "$POOL/web/root/mnt/shared")" = "0 755" ]
}

@test "options, in the words of Solaris and of Linux" {
	mkdir -p "$FZ_WORK/shared"
	zone "add fs; set dir=/ro; set special=$FZ_WORK/shared; set type=lofs; add options ro; add options noexec; end" \
		"add fs; set dir=/flat; set special=$FZ_WORK/shared; set type=lofs; add options nosub; add options nosetuid; end" \
		"add fs; set dir=/scratch; set special=swap; set type=tmpfs; add options \"size=1m\"; add options nosuid; add options \"mode=0700\"; end"
	zoneadm -z web boot
	run options_of /ro
	assert_output -p "ro,nodev,noexec"
	run zlogin web 'echo x >/ro/x'
	assert_status 1
	assert_output -p "Read-only file system"
	run zlogin web 'mount -o remount,rw /ro'
	[ "$status" -ne 0 ]
	run options_of /flat
	assert_output -p "nosuid,nodev"
	run options_of /scratch
	assert_output -p "size=1024k"
	run zlogin web 'stat -c "%u %a" /scratch; head -c 2000000 /dev/zero >/scratch/big'
	assert_output -p "0 700"
	assert_output -e "No space left|I/O error"
}

@test "parents come before what is in them, whatever the order of the configuration" {
	mkdir -p "$FZ_WORK/outer" "$FZ_WORK/inner"
	: >"$FZ_WORK/inner/deep"
	zone "add fs; set dir=/data/in; set special=$FZ_WORK/inner; set type=lofs; end" \
		"add fs; set dir=/data; set special=$FZ_WORK/outer; set type=lofs; end"
	zoneadm -z web boot
	run zlogin web 'ls /data/in'
	assert_output deep
	# The mount point was made in the outer one, not in the zone's root.
	[ -d "$FZ_WORK/outer/in" ]
}

@test "a file can be mounted on a file" {
	echo one >"$FZ_WORK/one"
	zone "add fs; set dir=/etc/one; set special=$FZ_WORK/one; set type=lofs; add options ro; end"
	zoneadm -z web boot
	run zlogin web 'cat /etc/one'
	assert_output one
}

@test "an inherited directory is read-only, with what is mounted below it" {
	mkdir -p "$FZ_WORK/inherited/below"
	mount -t tmpfs none "$FZ_WORK/inherited/below"
	: >"$FZ_WORK/inherited/below/file"
	zone "add inherit-pkg-dir; set dir=$FZ_WORK/inherited; end"
	zoneadm -z web boot
	run zlogin web "ls $FZ_WORK/inherited/below"
	assert_output file
	run zlogin web "echo x >$FZ_WORK/inherited/below/file"
	assert_output -p "Read-only file system"
	zoneadm -z web halt
	umount "$FZ_WORK/inherited/below"
}

@test "what cannot be mounted as it was asked for fails the boot by name" {
	mkdir -p "$FZ_WORK/shared"
	zone "add fs; set dir=/a; set special=$FZ_WORK/shared; set type=lofs; add options nosiud; end" \
		"add fs; set dir=/c; set special=$FZ_WORK/shared; set type=ext4; end" \
		"add fs; set dir=/d; set special=$FZ_WORK/shared; set type=jfs; end"
	run --separate-stderr zoneadm -z web boot
	assert_status 1
	assert_stderr -p "fs /a: unknown option 'nosiud' for the type 'lofs'"
	assert_stderr -p "fs /c: special '$FZ_WORK/shared' is not a block device"
	assert_stderr -p "fs /d: file systems of the type 'jfs' cannot be mounted"
	[ "$(zone_state web)" = installed ]
}

@test "a mistyped option is a warning of verify, before and after the installation" {
	local told="fs /a: unknown option 'nosiud' for the type 'lofs'"
	mkdir -p "$FZ_WORK/shared"
	zone_configure new "add fs; set dir=/a; set special=$FZ_WORK/shared; set type=lofs; set options=[rw,nosiud]; end"
	run --separate-stderr zoneadm -z new verify
	assert_status 0
	assert_stderr -p "zoneadm: zone 'new': warning: $told"
	zone "add fs; set dir=/a; set special=$FZ_WORK/shared; set type=lofs; set options=[rw,nosiud]; end"
	run --separate-stderr zoneadm -z web verify
	assert_status 0
	assert_stderr "zoneadm: zone 'web': warning: $told"
	run --separate-stderr zoneadm -z web boot
	assert_status 1
	assert_stderr "zoneadm: zone 'web': $told
zoneadm: zone 'web': boot: zone failed to verify"
	[ "$(zone_state web)" = installed ]
}

@test "a privilege that no zone can have fails verify before anything is installed" {
	zone_configure new "set limitpriv=default,sys_tiem"
	run --separate-stderr zoneadm -z new verify
	assert_status 1
	assert_stderr -p "zoneadm: zone 'new': limitpriv: privilege 'sys_tiem' is unknown
zoneadm: zone 'new': verify: zone failed to verify"
	zone "set limitpriv=default,sys_tiem"
	run --separate-stderr zoneadm -z web boot
	assert_status 1
	assert_stderr "zoneadm: zone 'web': limitpriv: privilege 'sys_tiem' is unknown
zoneadm: zone 'web': boot: zone failed to verify"
}

@test "a type that cannot be mounted fails verify before anything is installed" {
	zone_configure new "add fs; set dir=/d; set special=/srv; set type=jfs; end"
	run --separate-stderr zoneadm -z new verify
	assert_status 1
	assert_stderr -p "zoneadm: zone 'new': fs /d: file systems of the type 'jfs' cannot be mounted
zoneadm: zone 'new': verify: zone failed to verify"
}

@test "what cannot be idmapped is refused with the way out" {
	mkdir -p "$FZ_WORK/ramfs"
	mount -t ramfs none "$FZ_WORK/ramfs"
	zone "add fs; set dir=/a; set special=$FZ_WORK/ramfs; set type=lofs; end"
	run --separate-stderr zoneadm -z web boot
	assert_status 1
	assert_stderr -p "/a: the file system 'ramfs' of '$FZ_WORK/ramfs' cannot be idmapped; put it on btrfs, ext4 or xfs, or 'set idmap=shared' (see zonecfg(8))"
	run --separate-stderr zoneadm -z web verify
	assert_status 1
	assert_stderr -p "'set idmap=shared'"
	zonecfg -z web "set idmap=shared"
	zoneadm -z web verify
	zoneadm -z web boot
	zlogin web 'echo mine >/a/file; chown 1000:1000 /a/file'
	[ "$(stat -c '%u %g' "$FZ_WORK/ramfs/file")" = "1000 1000" ]
}

@test "a file system on a device of the host" {
	truncate -s 64M "$FZ_WORK/image"
	mkfs.ext4 -q "$FZ_WORK/image"
	device=$(losetup --find --show "$FZ_WORK/image")
	zone "add fs; set dir=/disk; set special=$device; set type=ufs; end"
	zoneadm -z web boot
	run zlogin web 'stat -c %u /disk/lost+found; echo kept >/disk/file'
	assert_output 0
	zoneadm -z web halt
	zoneadm -z web boot
	run zlogin web 'cat /disk/file'
	assert_output kept
	zoneadm -z web halt
	losetup -d "$device"
}

@test "limits reach the kernel" {
	zone "set max-lwps=123" "set max-sem-ids=17" "set max-shm-memory=8M" \
		"add capped-memory; set locked=64K; end"
	zoneadm -z web boot
	run zlogin web 'cat /proc/sys/kernel/sem; cat /proc/sys/kernel/shmall; ulimit -l'
	assert_output "$(printf '32000\t1024000000\t500\t17\n2048\n64')"
	run cat /sys/fs/cgroup/pids/zones/web/pids.max /sys/fs/cgroup/zones/web/pids.max \
		/sys/fs/cgroup/zones.slice/web/pids.max
	assert_output -p 123
	# Nor is there another IPC namespace, without these limits.
	run zlogin web 'unshare -i cat /proc/sys/kernel/shmall; su user -c "unshare -i true"'
	assert_output -p "No space left on device"
	refute_output 1844
	zoneadm -z web halt
	zonecfg -z web 'remove -F rctl; set max-lwps=123'
	zoneadm -z web boot
	run zlogin web 'unshare -i echo made'
	assert_output made
}

@test "limits that the kernel leaves to the host's root are set by it" {
	zone "set max-shm-memory=8M"
	# As in kernels whose IPC settings belong to the host's root: the zone's may not write them.
	# (Not a file over the setting: each IPC namespace finds its own file there.)
	mount -t tmpfs -o mode=755 none /proc/sys/kernel
	: >/proc/sys/kernel/shmall
	chmod 600 /proc/sys/kernel/shmall
	run zoneadm -z web boot
	written=$(cat /proc/sys/kernel/shmall)
	umount /proc/sys/kernel
	assert_status 0
	[ "$written" = 2048 ]
}

@test "a hostid is the zone's own" {
	zone "set hostid=1234abcd"
	zoneadm -z web boot
	run zlogin web 'hexdump -e "\"%08x\"" /etc/hostid 2>/dev/null || od -An -tx4 /etc/hostid'
	assert_output -p 1234abcd
	run zlogin web 'echo x >/etc/hostid'
	assert_status 1
}

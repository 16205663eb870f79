#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The harness itself: assert_clean must see what it is there to see.
bats_require_minimum_version 1.5.0
load helper

@test "a new world is clean" {
	assert_clean
}

@test "a mount that was left is seen" {
	mkdir -p "$POOL/x"
	mount -t tmpfs x "$POOL/x"
	run assert_clean
	umount "$POOL/x"
	assert_status 1
	assert_output -p "mount /zones/x tmpfs"
}

@test "a link that was left is seen" {
	link_make left0 198.51.100.1/24
	run assert_clean
	ip link delete left0
	assert_status 1
	assert_output -p "link left0"
}

@test "a loop device that was left is seen" {
	truncate -s 1M "$POOL/image"
	device=$(losetup -f --show "$POOL/image")
	run assert_clean
	losetup -d "$device"
	assert_status 1
	assert_output -p "loop $POOL/image"
}

@test "a cgroup that was left is seen" {
	cgroup=$(awk '$3 ~ /^cgroup/ { print $2 }' /proc/self/mounts | head -n 1)
	mkdir -p "$cgroup/zones/left"
	run assert_clean
	rmdir "$cgroup/zones/left" "$cgroup/zones"
	assert_status 1
	assert_output -p "$cgroup/zones/left"
}

@test "other file systems can be had" {
	for type in xfs ext4 btrfs; do
		pool_make "$type" "/zones/$type"
		[ "$(findmnt -n -o FSTYPE "/zones/$type")" = "$type" ]
		umount "/zones/$type"
	done
	assert_clean
}

@test "configuration and state are of this world alone" {
	[ "$(findmnt -n -o FSTYPE /etc/zones)" = tmpfs ]
	[ "$(findmnt -n -o FSTYPE /run/zones)" = tmpfs ]
	[ "$(stat -c %a /run/zones)" = 700 ]
}

#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# pool: none
#
# zones-deb-file: one file of a package's archive, and archives that are none.

bats_require_minimum_version 1.5.0
load helper

setup_file() {
	local tree=$FZ_WORK/tree
	mkdir -p "$tree/DEBIAN" "$tree/etc/dir"
	printf 'Package: p\nVersion: 1\nArchitecture: all\nMaintainer: m <m@x>\nDescription: d\n' \
		>"$tree/DEBIAN/control"
	printf 'as delivered\n' >"$tree/etc/p.conf"
	chmod 640 "$tree/etc/p.conf"
	: >"$tree/etc/empty"
	ln -s p.conf "$tree/etc/link"
	for how in none gzip xz zstd; do
		dpkg-deb -Z$how --root-owner-group -b "$tree" "$FZ_WORK/$how.deb" >&2
	done
}

@test "a file comes with its mode and size, however the archive is compressed" {
	for how in none gzip xz zstd; do
		run zones-deb-file "$FZ_WORK/$how.deb" /etc/p.conf
		assert_status 0
		assert_output "640 13
as delivered"
	done
	run zones-deb-file "$FZ_WORK/xz.deb" etc/empty
	assert_status 0
	assert_output "644 0"
}

@test "what is no plain file there is refused" {
	run --separate-stderr zones-deb-file "$FZ_WORK/xz.deb" etc/none
	assert_status 1
	assert_stderr "zones-deb-file: '$FZ_WORK/xz.deb': it has no such file"
	for path in etc/dir/ etc/link; do
		run --separate-stderr zones-deb-file "$FZ_WORK/xz.deb" "$path"
		assert_status 1
		assert_stderr "zones-deb-file: '$FZ_WORK/xz.deb': it is not a plain file there"
	done
}

@test "archives that are cut off or none are refused" {
	head -c 400 "$FZ_WORK/xz.deb" >"$FZ_WORK/cut.deb"
	for file in "$FZ_WORK/cut.deb" /etc/passwd "$FZ_WORK/missing.deb" "$FZ_WORK"; do
		run --separate-stderr zones-deb-file "$file" etc/p.conf
		assert_status 1
		assert_output ""
		assert_stderr -p "zones-deb-file: '$file': "
	done
	run zones-deb-file "$FZ_WORK/xz.deb"
	assert_status 2
}

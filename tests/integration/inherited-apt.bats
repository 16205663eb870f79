#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# apt in a zone that inherits /usr: what would change /usr is refused before anything is unpacked.

bats_require_minimum_version 1.5.0
load helper

# A package of one file.
deb_make() { # NAME PATH
	local tree=$FZ_WORK/$1
	mkdir -p "$tree/DEBIAN" "$tree/$(dirname "$2")"
	printf 'Package: %s\nVersion: 1\nArchitecture: all\nMaintainer: m <m@x>\nDescription: d\n' "$1" \
		>"$tree/DEBIAN/control"
	echo x >"$tree/$2"
	dpkg-deb --root-owner-group -b "$tree" "$POOL/sparse/root/var/tmp/$1.deb" >&2
}

setup_file() {
	zonecfg -z sparse "create; set zonepath=$POOL/sparse"
	# Few packages: what is not asked for is left out.
	zoneadm -z sparse install --offline -p systemd-sysv -x 'package=*' >&2
	deb_make in-etc etc/in-etc.conf
	deb_make in-usr usr/share/in-usr
	deb_make in-lib lib/in-lib
	deb_make docs usr/share/doc/docs/copyright
}

teardown_file() {
	zones_reset
}

# Commands in the zone; their output and "status N" lines are in $output.
in_sparse() {
	run "$ADDED/scratch_run" -i /usr inherited "$POOL/sparse/root" "$@"
	rm -rf /run/zones/inherited
}

@test "a package without files in inherited directories is installed and removed" {
	in_sparse 'apt-get -qq -y install /var/tmp/in-etc.deb >/dev/null 2>&1' 'cat /etc/in-etc.conf' \
		'apt-get -qq -y purge in-etc >/dev/null 2>&1' 'test -e /etc/in-etc.conf'
	[[ $output == "status 0
x
status 0
status 0
status 1"* ]] || fail "$output"
}

@test "a package with files in inherited directories is refused before it is unpacked" {
	for name in in-usr in-lib docs; do
		in_sparse "apt-get -qq -y install /var/tmp/$name.deb" "dpkg-query -W $name"
		assert_output -p "package '$name' has files in directories that this zone inherits from the global zone (/usr): install it there"
		assert_output -p "status 100"
		assert_output -p "no packages found matching $name"
	done
}

@test "removing a package with files in inherited directories is refused" {
	in_sparse 'apt-get -qq -y --allow-remove-essential remove hostname' 'dpkg --audit' \
		"dpkg-query -f '\${Status}\n' -W hostname"
	assert_output -p "package 'hostname' has files in directories that this zone inherits from the global zone (/usr): remove it there"
	assert_output -p "install ok installed"
}

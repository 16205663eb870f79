#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# pool: none
#
# ./install and what it takes away again; into a directory, never over this host.
bats_require_minimum_version 1.5.0
load helper

setup_file() {
	export ROOT=$FZ_WORK/root
	"$FZ_TOP/install" --destdir "$ROOT" >&2
}

@test "every program is where it belongs" {
	for path in usr/sbin/zoneadm usr/sbin/zonecfg usr/bin/zlogin usr/bin/zonename \
		usr/lib/zones/zoneadmd usr/lib/zones/zones-boot; do
		[ -x "$ROOT/$path" ] || fail "no $path"
	done
}

@test "every program has a manual page" {
	for page in man8/zoneadm.8 man8/zonecfg.8 man1/zlogin.1 man1/zonename.1 man7/zones.7; do
		ls "$ROOT/usr/share/man/$page"* || fail "no $page"
	done
}

@test "bash completes zoneadm, zonecfg and zlogin" {
	for name in zoneadm zonecfg zlogin; do
		[ -r "$ROOT/usr/share/bash-completion/completions/$name" ] || fail "no $name"
	done
	run bash -c '. "$0" && COMP_WORDS=(zoneadm -z web bo) COMP_CWORD=3 &&
		_zones_complete_zoneadm && echo "${COMPREPLY[@]}"' \
		"$ROOT/usr/share/bash-completion/completions/zoneadm"
	assert_status 0
	assert_output boot
}

@test "the unit file is valid" {
	require_program systemd-analyze
	sed "s,/usr/lib/zones,$ROOT&," "$ROOT/usr/lib/systemd/system/zones.service" >"$FZ_WORK/zones.service"
	run systemd-analyze verify --man=no "$FZ_WORK/zones.service"
	refute_output "zones.service:"
}

@test "configuration that is there already is kept" {
	echo "# mine" >"$ROOT/etc/zones/packages.conf"
	"$FZ_TOP/install" --destdir "$ROOT"
	run cat "$ROOT/etc/zones/packages.conf"
	assert_output "# mine"
}

@test "an installed zoneadm finds its daemon and works" {
	run "$ROOT/usr/sbin/zoneadm" list -p
	assert_status 0
	assert_output -p "0:global:running:/:"
}

@test "uninstall takes away every file but configuration" {
	"$FZ_TOP/install" --uninstall --destdir "$ROOT"
	run find "$ROOT" ! -type d ! -path "$ROOT/etc/zones/*"
	assert_output ""
	[ -f "$ROOT/etc/zones/packages.conf" ]
}

@test "uninstall of nothing says so" {
	run --separate-stderr "$FZ_TOP/install" --uninstall --destdir "$ROOT"
	assert_status 1
	assert_stderr -p "nothing is installed"
}

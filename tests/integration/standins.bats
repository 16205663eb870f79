#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# pool: none
#
# The stand-ins for slow programs of the packages do exactly what these do.

bats_require_minimum_version 1.5.0
load helper

# Directories that the program under test changes, empty and private to this file.
state_reset() {
	local dir

	for dir in /etc/systemd/system /etc/systemd/user /var/lib/systemd; do
		mountpoint -q "$dir" && umount "$dir"
		mount -t tmpfs -o mode=755 none "$dir"
	done
}

state_list() {
	(cd / && find etc/systemd/system etc/systemd/user var/lib/systemd \
		\( -type d -printf 'd %m %p\n' \) -o \
		\( -type l -printf 'l %p %l\n' \) -o \
		\( -printf 'f %m %s %p\n' -exec cat {} + \)) | LC_ALL=C sort
}

# With a record of who was handed over to the real program.
covered_make() {
	mkdir -p /run/zones-covered
	printf '#!/bin/sh\necho "$*" >>%s/handed-over\nexec /usr/bin/%s "$@"\n' "$FZ_WORK" "$1" \
		>"/run/zones-covered/$1"
	chmod 755 "/run/zones-covered/$1"
	: >"$FZ_WORK/handed-over"
}

teardown_file() {
	rm -rf /run/zones-covered
}

# What the scripts of packages do on a first installation, then on a reconfiguration.
life_of_units() { # PROGRAM SCOPE UNIT...
	local program=$1 scope=$2 unit args status
	shift 2
	for unit; do
		for args in unmask "--quiet was-enabled" debian-installed enable was-enabled \
			update-state enable; do
			status=0
			# shellcheck disable=SC2086 # options are words
			"$program" "--$scope" $args "$unit" || status=$?
			echo "$unit $args $status"
		done
	done 2>&1 | grep -v 'Created symlink'
}

compare() { # SCOPE UNIT...
	export DPKG_MAINTSCRIPT_PACKAGE=test
	state_reset
	life_of_units /usr/bin/deb-systemd-helper "$@" >"$FZ_WORK/real.out"
	state_list >"$FZ_WORK/real.state"
	state_reset
	covered_make deb-systemd-helper
	life_of_units "$BUILD/cmd/zones-deb-systemd-helper" "$@" >"$FZ_WORK/ours.out"
	state_list >"$FZ_WORK/ours.state"
	sed -i 's,/run/zones-covered/,/usr/bin/,' "$FZ_WORK/ours.out"
	[ "$(wc -l <"$FZ_WORK/real.out")" -ge $((7 * ($# - 1))) ]
	diff -u "$FZ_WORK/real.out" "$FZ_WORK/ours.out"
	diff -u "$FZ_WORK/real.state" "$FZ_WORK/ours.state"
}

@test "deb-systemd-helper: every system unit of the host ends as with the real program" {
	local units

	# shellcheck disable=SC2207 # unit names have no blanks
	units=($(cd /lib/systemd/system && grep -lE '^\[Install\]' -- *.* | sort))
	compare system "${units[@]}"
	# Links and the odd template are the real program's; the many are ours.
	[ "$(wc -l <"$FZ_WORK/handed-over")" -lt "$((${#units[@]} * 7 / 3))" ]
}

@test "deb-systemd-helper: every user unit of the host ends as with the real program" {
	local units

	# shellcheck disable=SC2207
	units=($(cd /usr/lib/systemd/user && grep -lE '^\[Install\]' -- *.* | sort))
	compare user "${units[@]}"
	[ "$(wc -l <"$FZ_WORK/handed-over")" -lt "$((${#units[@]} * 7 / 3))" ]
}

@test "deb-systemd-helper: units that package scripts enable are ours alone" {
	local units

	# shellcheck disable=SC2207
	units=($(sed -nE "s/.*deb-systemd-helper enable '?([^' ]+)'? .*/\1/p" /var/lib/dpkg/info/*.postinst |
		sort -u))
	[ "${#units[@]}" -gt 3 ]
	compare system "${units[@]}"
	run cat "$FZ_WORK/handed-over"
	assert_output ""
}

@test "deb-systemd-helper: what is not for a first installation goes to the real program" {
	export DPKG_MAINTSCRIPT_PACKAGE=test
	state_reset
	covered_make deb-systemd-helper
	for args in "purge dbus.service" "mask dbus.service" "disable dbus.service" \
		"reenable dbus.service" "is-enabled dbus.service" "enable --quiet dbus.service" \
		"unmask /lib/systemd/system/dbus.service"; do
		# shellcheck disable=SC2086
		"$BUILD/cmd/zones-deb-systemd-helper" $args || :
	done
	run cat "$FZ_WORK/handed-over"
	[ "${#lines[@]}" -eq 7 ]
}

@test "dpkg-maintscript-helper: does nothing on a first installation, hands over upgrades" {
	local helper=$BUILD/cmd/zones-maintscript-helper

	covered_make dpkg-maintscript-helper
	export DPKG_MAINTSCRIPT_PACKAGE=test DPKG_MAINTSCRIPT_NAME=postinst
	"$helper" rm_conffile /etc/gone 1:2.0-1~ test -- configure ""
	"$helper" rm_conffile /etc/gone -- configure
	"$helper" mv_conffile /etc/a /etc/b 1.0 -- configure ""
	"$helper" symlink_to_dir /usr/share/doc/nosuch-a b 1.0 -- configure ""
	"$helper" dir_to_symlink /usr/share/doc/nosuch-a b 1.0 -- configure ""
	DPKG_MAINTSCRIPT_NAME=preinst "$helper" rm_conffile /etc/gone 1.0 -- install
	run cat "$FZ_WORK/handed-over"
	assert_output ""
	DPKG_MAINTSCRIPT_NAME=preinst "$helper" rm_conffile /etc/gone 1.0 -- upgrade 0.9
	run -1 "$helper" rm_conffile gone 1.0 -- configure ""
	assert_output -p "is not an absolute path"
	run -1 "$helper" rm_conffile /etc/gone
	assert_output -p "missing arguments after --"
	run -1 "$helper" mv_conffile /etc/a b 1.0 -- configure ""
	run -1 "$helper" rm_conffile /etc/gone not-a-version -- configure ""
	run -1 "$helper" nosuch
	assert_output -p "command nosuch is unknown"
	run cat "$FZ_WORK/handed-over"
	[ "${#lines[@]}" -eq 6 ]
}

@test "dpkg-maintscript-helper: supports answers as the real one" {
	for command in rm_conffile mv_conffile symlink_to_dir dir_to_symlink nosuch ""; do
		for name in postinst ""; do
			export DPKG_MAINTSCRIPT_NAME=$name DPKG_MAINTSCRIPT_PACKAGE=x
			run /usr/bin/dpkg-maintscript-helper supports "$command"
			real=$status:$output
			run "$BUILD/cmd/zones-maintscript-helper" supports "$command"
			[ "$status:$output" = "$real" ] || fail "$command: $status:$output, not $real"
		done
	done
}

# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What check, demo and install need from Debian, and the few things that the three have in common.
# The caller sets $me to its own name first.

# Building: see lib/meson.build and cmd/meson.build.
# shellcheck disable=SC2034 # read by the scripts that source this
packages_build=(gcc libc6-dev meson ninja-build pkgconf libexpat1-dev libseccomp-dev libmd-dev
	libarchive-dev libbtrfsutil-dev libjansson-dev libedit-dev)

# Zones on this host: file systems, and an init for the zones (they are made of the host's packages).
# shellcheck disable=SC2034
packages_run=(btrfs-progs systemd systemd-sysv dbus libpam-systemd iproute2 procps mount util-linux
	passwd e2fsprogs)

# Tests: suites, sanitizers and fuzzers (clang), linters, and file systems to try.
# shellcheck disable=SC2034
packages_test=(libcmocka-dev bats clang clang-format llvm libclang-rt-14-dev xfsprogs busybox-static
	bubblewrap crun python3 python3-pexpect libxml2-utils mandoc codespell shellcheck iputils-ping
	mmdebstrap dpkg-dev)

say() {
	printf '%s\n' "$*"
}

die() {
	printf '%s: %s\n' "${me:?}" "$*" >&2
	exit 1
}

# Runs the caller again through sudo when it is not root. By its own path: $0 may be relative to a
# directory that the caller has left. No variable of the user's survives that, and none is needed.
be_root() { # "$@"
	[ "$(id -u)" -ne 0 ] || return 0
	command -v sudo >/dev/null || die "must be root, and there is no sudo: run it as root (su -)"
	say "$me: needs root, going on through sudo"
	exec sudo -- "$PWD/$me" "$@"
}

# Files made in the source tree belong to who called sudo.
give_back() { # PATH...
	[ -z "${SUDO_UID:-}" ] || chown -R "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" "$@"
}

missing_packages() { # PACKAGE...
	local package
	for package; do
		# One line for each architecture that dpkg has heard of; "not-installed" may be one.
		dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
			echo "$package"
	done
}

apt_install() {
	DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=120 \
		install --no-install-recommends "$@" </dev/null
}

# The package lists are fetched only when an install without that fails: most hosts have them.
need_packages() { # PACKAGE...
	local -a missing
	local log
	command -v dpkg-query >/dev/null || die "needs Debian 12 (there is no dpkg here)"
	mapfile -t missing < <(missing_packages "$@")
	[ "${#missing[@]}" -gt 0 ] || return 0
	say "$me: installing packages: ${missing[*]}"
	log=$(mktemp)
	if ! apt_install "${missing[@]}" >"$log" 2>&1; then
		DEBIAN_FRONTEND=noninteractive apt-get -q update </dev/null >>"$log" 2>&1
		if ! apt_install "${missing[@]}" >>"$log" 2>&1; then
			tail -n 15 "$log" >&2
			rm -f "$log"
			die "cannot install these packages (is there a network?): ${missing[*]}"
		fi
	fi
	rm -f "$log"
}

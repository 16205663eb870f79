# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What the topics share. A topic runs as root in a virtual machine that is thrown away.

export LC_ALL=C.UTF-8 TERM=dumb PATH=$PWD/bin:/usr/sbin:/usr/bin:/sbin:/bin
failed=0 n=0 POOL=/zones

# check TEXT COMMAND...: a TAP line, and what the command said when it failed.
check() {
	local text=$1 output status=0
	shift
	n=$((n + 1))
	output=$("$@" 2>&1) || status=$?
	if [ "$status" -eq 0 ]; then
		echo "ok $n $text"
		return
	fi
	echo "not ok $n $text"
	echo "# exit status $status of: $*"
	[ -z "$output" ] || head -n 20 <<<"$output" | sed 's/^/# /'
	failed=1
}

# fails STATUS COMMAND...: it ends with that exit status.
fails() {
	local want=$1 status=0
	shift
	"$@" || status=$?
	[ "$status" -eq "$want" ] || { echo "exit status $status, expected $want" && return 1; }
}

# is EXPECTED COMMAND...: what it prints.
is() {
	local want=$1 got
	shift
	got=$("$@") || { echo "failed: $got" && return 1; }
	[ "$got" = "$want" ] || { echo "got '$got', expected '$want'" && return 1; }
}

mounts() {
	cut -d' ' -f3- /proc/self/mountinfo | sort
}

# Mounts, loop devices, links and what zones live in: what must be as before at the end. The cgroup
# above the zones stays.
host_state() {
	mounts
	losetup -a
	find /sys/fs/cgroup/zones /sys/fs/cgroup/zones.slice -mindepth 1 -type d 2>/dev/null
	pgrep -a zoneadmd
	ip -o link | cut -d: -f2
	:
}

unchanged() { # BEFORE COMMAND...: nothing of it differs
	diff <(echo "$1") <("${@:2}")
}

# The pool, and what the host is like without zones: $before and $mounts.
begin() {
	mkdir -p "$POOL" /etc/zones
	mkfs.btrfs -q /dev/vdd 2>/dev/null && mount /dev/vdd "$POOL" || exit 1
	before=$(host_state) mounts=$(mounts)
	export before mounts
	echo "# $(uname -r), process 1: $(cat /proc/1/comm), $(stat -f -c %T /sys/fs/cgroup)"
}

zone_make() { # NAME [LINE...]
	printf '%s\n' "create -b" "set zonepath=$POOL/$1" "${@:2}" commit | zonecfg -z "$1" -f -
}

# A root with a static init alone.
zone_tiny() { # NAME [LINE...]
	local root=$POOL/$1/root
	zone_make "$@" || return 1
	mkdir -p "$root"/{bin,sbin,dev,proc,sys,run,tmp,etc,usr} && chmod 700 "$POOL/$1" && chmod 755 "$root" || return 1
	cp tiny_init "$root/sbin/init"
	cp /bin/busybox "$root/bin/busybox"
	for applet in sh su cat id mount umount mknod sleep sysctl stat touch grep ls ipcs true false chown readlink; do
		ln -s busybox "$root/bin/$applet"
	done
	printf '%s\n' root:x:0:0:root:/:/bin/sh user:x:1000:1000::/:/bin/sh >"$root/etc/passwd"
	printf '%s\n' root:x:0: tty:x:5: >"$root/etc/group"
	awk -F: -v OFS=: -v z="$1" -v u="$(cat /proc/sys/kernel/random/uuid)" \
		'$1 == z { $2 = "installed"; $4 = u } { print }' /etc/zones/index >/etc/zones/index.new &&
		mv /etc/zones/index.new /etc/zones/index
}

finish() {
	echo "1..$n"
	exit "$failed"
}

# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What the integration tests share. A file begins with
#
#	bats_require_minimum_version 1.5.0
#	load helper
#
# and is run by tests/integration/run, which gives each file a world of its own (see there), a pool
# at $POOL (= /zones), the programs under test first in PATH, and $FZ_WORK for scratch files on the
# host's disk. State lasts for the whole file; zones_reset in teardown gives each test a clean start.
#
#   require_program NAME...          skip the test when a host program is missing
#   zone_configure NAME [LINE...]    zonecfg: create -b, zonepath $POOL/NAME, extra lines, commit
#   zone_root_tiny NAME              root with a static init (and /bin/true) alone; marked installed
#   zone_root_busybox NAME           the same with busybox, its shell and tools, users root and user
#   zone_root_debian NAME            whole-root Debian; installed once a file, then cloned
#   zone_mark NAME STATE             write a zone's state into the index by hand
#   zone_state NAME                  print its state
#   zones_reset                      halt and uninstall and delete all zones of the file
#   pool_make TYPE DIR [SIZE]        another file system in a sparse file, mounted at DIR
#   link_make NAME [ADDRESS/LEN]     a link of the "host" (one end of a veth; the other is NAME-p)
#   wait_for SECONDS COMMAND...      until it succeeds
#   host_baseline                    what is on the host now is no dirt (for the end of setup_file)
#   assert_clean                     nothing of a zone is left on the host: mounts, loop devices,
#                                    cgroups, links, daemons; compared with the start of the file
#   assert_status N, assert_output TEXT, assert_stderr TEXT, refute_output: after `run`
#     (assert_output -p PART, -e REGEX; assert_stderr needs `run --separate-stderr`)

if [ -z "${FZ_WORK:-}" ]; then
	echo "run this file by tests/integration/run" >&2
	exit 1
fi
export LC_ALL=C.UTF-8 TERM=dumb
ADDED=$BUILD/tests/lib # programs made for the tests
export ADDED

# ---- assertions -------------------------------------------------------------------------------

fail() {
	printf '%s\n' "$*" >&2
	return 1
}

# shellcheck disable=SC2154 # status, output and stderr are set by bats' run
assert_status() {
	[ "$status" -eq "$1" ] ||
		fail "exit status $status, expected $1; output:" "$output" "${stderr:+stderr: $stderr}"
}

match() { # WHAT TEXT [-p|-e] EXPECTED
	local what=$1 text=$2
	shift 2
	case $1 in
	-p) [[ $text == *"$2"* ]] || fail "$what has no '$2':" "$text" ;;
	-e) [[ $text =~ $2 ]] || fail "$what does not match '$2':" "$text" ;;
	*) [ "$text" = "$1" ] || fail "$what is:" "$text" "expected:" "$1" ;;
	esac
}

assert_output() {
	match output "$output" "$@"
}

assert_stderr() {
	match stderr "$stderr" "$@"
}

refute_output() {
	[[ $output != *"$1"* ]] || fail "output has '$1':" "$output"
}

# ---- needs ------------------------------------------------------------------------------------

require_program() {
	local name
	for name; do
		command -v "$name" >/dev/null || skip "needs $name"
	done
}

wait_for() { # SECONDS COMMAND...
	local tries=$(($1 * 20))
	shift
	while ! "$@"; do
		[ $((tries -= 1)) -gt 0 ] || return 1
		sleep 0.05
	done
}

# ---- zones ------------------------------------------------------------------------------------

zone_configure() { # NAME [LINE...]
	local name=$1
	shift
	{
		echo "create -b"
		echo "set zonepath=$POOL/$name"
		[ $# -eq 0 ] || printf '%s\n' "$@"
		echo "commit"
	} | zonecfg -z "$name" -f -
}

zone_state() {
	zoneadm -z "$1" list -p | cut -d: -f3
}

# The index's third field stays; a zone that is installed has a UUID.
zone_mark() { # NAME STATE
	local uuid=
	[ "$2" = configured ] || uuid=$(cat /proc/sys/kernel/random/uuid)
	awk -F: -v OFS=: -v name="$1" -v state="$2" -v uuid="$uuid" \
		'$1 == name { $2 = state; $4 = uuid } { print }' /etc/zones/index >"$FZ_WORK/index" &&
		cp "$FZ_WORK/index" /etc/zones/index.new &&
		mv /etc/zones/index.new /etc/zones/index
}

# An empty root as the storage layer would make it.
zone_root_empty() {
	local path=$POOL/$1
	mkdir -p "$path" && chmod 700 "$path" || return 1
	if [ "$(stat -f -c %T "$path")" = btrfs ]; then
		btrfs -q subvolume create "$path/root"
	else
		mkdir "$path/root"
	fi
	chmod 755 "$path/root"
	mkdir -p "$path"/root/{bin,sbin,dev,proc,sys,run,tmp,etc,root,var/log,usr}
	chmod 1777 "$path/root/tmp"
}

zone_root_tiny() {
	local root=$POOL/$1/root
	zone_root_empty "$1" || return 1
	cp "$ADDED/tiny_init" "$root/sbin/init"
	ln "$root/sbin/init" "$root/bin/true"
	zone_mark "$1" installed
}

zone_root_busybox() {
	local root=$POOL/$1/root
	zone_root_empty "$1" || return 1
	cp "$ADDED/tiny_init" "$root/sbin/init"
	cp /bin/busybox "$root/bin/busybox"
	"$root/bin/busybox" --list | grep -v -x -e busybox -e init |
		while read -r applet; do
			ln -s busybox "$root/bin/$applet"
		done
	printf '%s\n' root:x:0:0:root:/root:/bin/sh daemon:x:1:1:::/bin/false \
		user:x:1000:1000::/tmp:/bin/sh >"$root/etc/passwd"
	printf '%s\n' root:x:0: daemon:x:1: tty:x:5: user:x:1000: >"$root/etc/group"
	printf '%s\n' 'root:*:19000:0:99999:7:::' 'user:*:19000:0:99999:7:::' >"$root/etc/shadow"
	chmod 640 "$root/etc/shadow"
	echo "$1" >"$root/etc/hostname"
	zone_mark "$1" installed
}

# Installing takes seconds, so it is done once a file; the others are clones, which are zones like
# any other (an identity of their own).
zone_root_debian() {
	if [ ! -d "$POOL/fz-base/root" ]; then
		zone_configure fz-base && zoneadm -z fz-base install --offline >&2 || return 1
	fi
	zoneadm -z "$1" clone fz-base >&2
}

# fz-base stays: it is the source for the next zone_root_debian.
zones_reset() {
	local name state
	while IFS=: read -r _ name state _; do
		case $name in
		global | fz-base) continue ;;
		esac
		case $state in
		configured | incomplete | installed) ;;
		*) zoneadm -z "$name" halt ;;
		esac
		[ "$state" = configured ] || zoneadm -z "$name" uninstall -F
		zonecfg -z "$name" delete -F
	done < <(zoneadm list -cp)
}

# ---- the host ---------------------------------------------------------------------------------

# Settings of the whole machine; host_settings_back in teardown, or the test's failure leaves them.
# Nobody else's test sees them who waits with a lock on the same directory.
host_setting() { # FILE VALUE
	exec 8</var/tmp
	flock 8
	printf '%s %s\n' "$1" "$(cat "$1")" >>"$BATS_TEST_TMPDIR/settings"
	printf '%s\n' "$2" >"$1"
}

host_settings_back() {
	local file value
	[ -e "$BATS_TEST_TMPDIR/settings" ] || return 0
	while read -r file value; do
		printf '%s\n' "$value" >"$file"
	done < <(tac "$BATS_TEST_TMPDIR/settings")
	rm "$BATS_TEST_TMPDIR/settings"
	flock -u 8
}

pool_make() { # TYPE DIR [SIZE]
	local image
	image=$(mktemp "$FZ_WORK/pool.XXXXXX") && truncate -s "${3:-4G}" "$image" || return 1
	case $1 in
	btrfs) mkfs.btrfs -q -K -m single "$image" ;;
	xfs) mkfs.xfs -q -K "$image" ;;
	ext4) mkfs.ext4 -q -E nodiscard,lazy_itable_init=1 "$image" ;;
	*) fail "no such file system: $1" ;;
	esac >"$FZ_WORK/mkfs.log" 2>&1 || { cat "$FZ_WORK/mkfs.log" >&2 && return 1; }
	mkdir -p "$2" && mount -o loop,noatime "$image" "$2" && chmod 755 "$2"
}

link_make() { # NAME [ADDRESS/LEN]
	ip link add "$1" type veth peer name "$1-p" || return 1
	ip link set "$1" up && ip link set "$1-p" up || return 1
	[ -z "${2:-}" ] || ip address add "$2" dev "$1"
}

# One line for each thing that a zone could leave behind.
host_things() {
	# mount points and what is mounted, without ids that change
	awk '{ for (i = 7; $i != "-"; i++); print "mount", $5, $(i + 1) }' /proc/self/mountinfo
	# loop devices of this world's files only: other worlds have theirs
	losetup -l -n -O NAME,BACK-FILE | awk -v work="$FZ_WORK" -v pool="$POOL" \
		'index($2, work) == 1 || index($2, pool) == 1 { print "loop", $2 }'
	find /sys/fs/cgroup -mindepth 1 -type d -path '*zones*' -printf 'cgroup %p\n' 2>/dev/null || : # others' vanish
	[ -z "$FZ_NET" ] || ip -o link | awk -F': ' '{ sub(/@.*/, "", $2); print "link", $2 }'
	ps -e -o comm= | awk '/^(zoneadmd|zoneadm|zlogin|zonecfg)$/ { print "process", $0 }'
	find /run/zones -mindepth 2 ! -name lock -printf 'file %p\n'
	return 0
}

host_baseline() {
	host_things | sort >"$FZ_WORK/things"
}

# How the world was before the first test; the file is loaded again for each.
[ -e "$FZ_WORK/things" ] || host_baseline

assert_clean() {
	local left tries
	for tries in 1 2 3 4 5 6 7 8 9 10; do
		left=$(host_things | sort | comm -13 "$FZ_WORK/things" -)
		# The kernel detaches a loop device a little after its last use, and a daemon ends a little
		# after its last answer; nothing else may wait.
		if [ -z "$left" ] || grep -qv -e '^loop ' -e '^process zoneadmd$' <<<"$left"; then
			break
		fi
		[ "$tries" -eq 10 ] || sleep 0.2
	done
	[ -z "$left" ] || fail "left behind:" "$left"
}

#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The device policy of a zone, by BPF and by the devices controller of version 1: what `add device`
# gives can be opened, and nothing else, whatever node there is.
#
# What is between single quotes here is for the zone's shell.
# shellcheck disable=SC2016
bats_require_minimum_version 1.5.0
load helper

setup() {
	local i
	for i in given other; do
		echo "content of $i" >"$FZ_WORK/$i"
		truncate -s 1M "$FZ_WORK/$i"
	done
	given=$(losetup --find --show "$FZ_WORK/given")
	other=$(losetup --find --show "$FZ_WORK/other")
	zone_configure web "add device; set match=$given; end" && zone_root_busybox web
	cp "$BUILD/tests/integration/isolation/probe" "$POOL/web/root/bin/probe" 2>/dev/null ||
		skip "a build with sanitizers has no static probe"
}

teardown() {
	zones_reset
	losetup -d "$given" "$other"
	assert_clean
}

# Of a node that the host itself makes in the zone's /dev: with the right mode, on no nodev mount,
# nothing but the policy is in the way.
plant() { # TYPE MAJOR MINOR
	local pid
	pid=$(sed -n 's/^init_pid=//p' /run/zones/web/state)
	nsenter -t "$pid" -m rm -f /dev/planted
	nsenter -t "$pid" -m mknod -m 666 /dev/planted "$@"
	# The control: who is in the same mounts and not in the zone's cgroup opens it.
	nsenter -t "$pid" -m head -c 1 /dev/planted >"$FZ_WORK/byte"
	[ -s "$FZ_WORK/byte" ]
}

policy_holds() {
	run zlogin web "head -c 16 $given"
	assert_output "content of given"
	zlogin web "echo written >$given; sync $given" # reading and writing
	run zlogin web 'for d in null zero full random urandom ptmx tty; do true 2>/dev/null <>/dev/$d || echo $d; done'
	assert_output tty # there is none without a terminal
	run zlogin -i web 'stty size <$(tty) >/dev/null && echo terminal' </dev/null
	assert_output -p terminal
	# shellcheck disable=SC2046 # two words
	plant b $(stat -c '%Hr %Lr' "$other")
	run zlogin web 'head -c 16 /dev/planted'
	assert_output "head: /dev/planted: Operation not permitted"
	plant c 1 11 # kmsg
	run zlogin web 'head -c 16 /dev/planted'
	assert_output "head: /dev/planted: Operation not permitted"
	plant c 1 5 # zero: the zone has it, under any name
	zlogin web 'head -c 16 /dev/planted >/dev/null'
	run zlogin web '/bin/probe only make_memory_device; /bin/probe only kernel_messages;
		/bin/probe only make_device_in_own_tmpfs; /bin/probe only loop_control'
	refute_output broken
}

@test "by BPF on the cgroup" {
	zoneadm -z web boot
	policy_holds
}

@test "by BPF, with the host's ids" {
	zonecfg -z web "set idmap=shared"
	zoneadm -z web boot
	policy_holds
}

needs_faults() {
	[ -x "${FAULT_BUILD:-}/cmd/zoneadmd" ] || skip "needs a build with fault injection in FAULT_BUILD"
}

# What one boot makes for all later ones, or the count would not be the same.
boot_anew() {
	find /run/zones -maxdepth 1 -type f ! -name '*lock' -delete
	zoneadm -z web boot
}

# A boot in which the kernel refuses the program.
without_bpf() {
	local nth
	PATH=$FAULT_BUILD/cmd:$PATH
	zoneadm -z web boot && zoneadm -z web halt # makes the parents of its cgroups
	ZONES_DEBUG=fault ZONES_FAULT_DAEMON=0 boot_anew 2>"$FZ_WORK/effects"
	zoneadm -z web halt
	nth=$(sed -n 's/.*fault: *\([0-9]*\) bpf$/\1/p' "$FZ_WORK/effects")
	[ -n "$nth" ] || fail "no fault point for BPF in: $(cat "$FZ_WORK/effects")"
	ZONES_FAULT_DAEMON=$nth boot_anew
}

@test "by the devices controller, where the kernel takes no BPF program" {
	[ -e /sys/fs/cgroup/devices/devices.list ] || skip "this host has no devices controller of version 1"
	needs_faults
	without_bpf
	run cat /sys/fs/cgroup/devices/zones*/web/devices.list
	assert_output -p "c 1:3 rwm"
	refute_output "a *:*"
	policy_holds
	# The zone cannot have it taken back.
	zlogin web 'mount -t cgroup -o devices none /mnt && echo a >/mnt/devices.allow' >/dev/null 2>&1 &&
		fail "the zone allows itself all devices"
	run cat /sys/fs/cgroup/devices/zones*/web/devices.list
	refute_output "a *:*"
	# The zone's cgroup is below that one with the host's ids.
	zoneadm -z web halt
	zonecfg -z web "set idmap=shared"
	echo "content of given" >"$given"
	without_bpf
	run cat /sys/fs/cgroup/devices/zones*/web/zone/devices.list
	assert_output -p "c 1:3 rwm"
	refute_output "a *:*"
	policy_holds
}

@test "without both a zone is not booted" {
	needs_faults
	if [ -d /sys/fs/cgroup/devices ]; then
		umount /sys/fs/cgroup/devices && rmdir /sys/fs/cgroup/devices
	fi
	run --separate-stderr without_bpf
	assert_status 1
	assert_stderr -p "the zone's devices cannot be limited: this kernel has neither BPF for cgroups nor a hierarchy '/sys/fs/cgroup/devices': attach the device policy: No space left on device"
	[ "$(zone_state web)" = installed ]
}

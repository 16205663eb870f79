#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Containers in a zone: real programs that make them work with nesting=true and without it do not,
# and what they are given is no way out of the zone.
# shellcheck disable=SC2154 # host, inherited, probe_program: prison.bash
bats_require_minimum_version 1.5.0
load helper
load isolation/prison

setup_file() {
	[ -x "$BUILD/tests/integration/isolation/probe" ] || skip "a build with sanitizers has no static probe"
}

teardown() {
	host_unmake
	zones_reset
	rm -f /var/log/zones/* "$FZ_WORK/never"
	assert_clean
}

# A zone with the programs of the host.
nest() { # NESTING [LINE...]
	local nesting=$1
	shift
	prison "add inherit-pkg-dir; set dir=/usr; end" "set nesting=$nesting" "$@" || return 1
	ln -s usr/lib usr/lib64 "$POOL/prison/root/"
	zoneadm -z prison boot
}

in_zone() { # USER COMMAND
	run zlogin -l "$1" prison "$2"
}

# As root and as an ordinary user, with nesting and without.
with_and_without() { # WORKS COMMAND: a pattern of the output
	local works=$1 nesting user
	for nesting in true false; do
		nest $nesting
		for user in root user; do
			in_zone $user "$2"
			if [ $nesting = true ]; then
				assert_status 0
				assert_output -e "$works"
			else
				[ "$status" -ne 0 ] || fail "$user can without nesting:" "$output"
				refute_output made
			fi
		done
		zones_reset
	done
}

@test "user namespaces with a proc of their own" {
	# shellcheck disable=SC2016 # for the zone's shell
	with_and_without '^0 1 1$' '/usr/bin/unshare -Urpf --mount-proc sh -c '\''
		echo $(id -u) $$ $(readlink /proc/self | grep -c "^[1-9]$")'\'
}

@test "bubblewrap" {
	require_program bwrap
	with_and_without '^made$' 'bwrap --unshare-all --ro-bind /usr /usr --ro-bind /bin /bin --symlink usr/lib /lib \
		--symlink usr/lib64 /lib64 --proc /proc --dev /dev --tmpfs /tmp \
		sh -c "echo made >/tmp/file; cat /tmp/file; grep -q Name: /proc/1/status; ! touch /usr/file 2>/dev/null"'
}

@test "bubblewrap over all mounts of the zone" {
	require_program bwrap
	with_and_without '^made$' 'bwrap --unshare-all --ro-bind / / --dev-bind /dev /dev sh -c "echo made"'
}

# A bundle with a network of its own, so with a sysfs and a setting of it, as podman asks for them.
# shellcheck disable=SC2016 # for the zone's shell
bundle='mkdir -p /tmp/$USER/rootfs/bin && cd /tmp/$USER && cp /bin/busybox rootfs/bin/ &&
	ln -sf busybox rootfs/bin/sh && rm -f config.json && crun spec --rootless && export XDG_RUNTIME_DIR=$PWD &&
	sed -i "s/\"terminal\": true/\"terminal\": false/
		s/\"namespaces\": \[/\"sysctl\": { \"net.ipv4.ping_group_range\": \"0 0\" }, &{ \"type\": \"network\" },/
		s/\"type\": \"none\"/\"type\": \"sysfs\"/; s/\"rbind\",/\"nosuid\",/
		s|\"sh\"|\"sh\", \"-c\", \"busybox ls -d /sys/class/net/lo /proc/1 \&\& echo made\"|" config.json &&'

@test "crun" {
	require_program crun
	# shellcheck disable=SC2016 # for the zone's shell
	with_and_without '/sys/class/net/lo.*made$' "$bundle"' crun run c$$'
}

@test "crun with ids that the zone gives away" {
	require_program crun
	nest true
	local map='[{ "containerID": 0, "hostID": 10000, "size": 50000 }]'
	in_zone root "$bundle"' chown -R 10000:10000 rootfs &&
		sed -i "s/busybox ls/busybox cat \/proc\/self\/uid_map \&\& &/" config.json &&'"
		sed -i 's/\"namespaces\"/\"uidMappings\": $map, \"gidMappings\": $map, &/' config.json && crun run c1"
	assert_status 0
	assert_output -e ' 0 +10000 +50000'
	assert_output -p made
}

# Probes that succeed because a program in the zone gets what nesting is for; docs/security.md.
ALLOWED=(user_namespace user_namespace_clone3)
ALLOWED_INSIDE=(bounding_set)
ALLOWED_NET=(change_address packet_socket raw_socket write_network_settings)
ALLOWED_PROC=(list_bus list_proc_fs mount_proc read_kernel_configuration read_keys read_symbols
	unmask_proc unmask_proc_by_copy write_ipc_limits)

attacks() { # USER PROGRAM ALLOWED...
	local user=$1 program=$2
	shift 2
	zlogin -l "$user" prison "$program /bin/probe ${host[*]}" >"$FZ_WORK/probes"
	[ "$(wc -l <"$FZ_WORK/probes")" -ge 90 ] || fail "not all probes ran:" "$(cat "$FZ_WORK/probes")"
	run named died <"$FZ_WORK/probes"
	assert_output ""
	run comm -23 <(named broken <"$FZ_WORK/probes") <(printf '%s\n' "$@" | sort)
	assert_output ""
	# They are at work where they are excused.
	for probe; do
		grep -qx -e "$probe broken" -e "$probe absent" "$FZ_WORK/probes" || echo "$probe" >>"$FZ_WORK/never"
	done
}

@test "no attack gets through from a zone with nesting" {
	host_make
	nest true "add inherit-pkg-dir; set dir=$inherited; end"
	attacks root "" "${ALLOWED[@]}" mount_proc
	attacks root "/usr/bin/unshare --mount --pid --fork --mount-proc" "${ALLOWED[@]}" "${ALLOWED_PROC[@]}"
	[ ! -e "$FZ_WORK/never" ] || fail "excused for nothing:" "$(cat "$FZ_WORK/never")"
}

@test "no attack gets through from a user namespace in a zone" {
	host_make
	nest true "add inherit-pkg-dir; set dir=$inherited; end"
	for user in root user; do
		attacks $user "/usr/bin/unshare -U -r -m -u -C" "${ALLOWED[@]}" "${ALLOWED_INSIDE[@]}"
		attacks $user "/usr/bin/unshare -U -r -m -u -C -n -i -p -f --mount-proc" \
			"${ALLOWED[@]}" "${ALLOWED_INSIDE[@]}" "${ALLOWED_NET[@]}" "${ALLOWED_PROC[@]}"
	done
}

@test "nobody types into a terminal from a user namespace" {
	nest true
	for probe in terminal_input terminal_input_high_bits; do
		run zlogin -Q -i prison "/usr/bin/unshare -Ur /bin/probe terminal=yes only $probe" </dev/null
		assert_output -p "$probe safe"
	done
}

@test "what the kernel needs to see is out of reach" {
	nest true
	for how in "" "/usr/bin/unshare -m" "/usr/bin/unshare -Urm"; do
		in_zone root "$how sh -c 'umount -l /run/host/nesting; mount --move /run/host/nesting /tmp; \
			ls -A /run/host/nesting | wc -l; ls -d /tmp/proc /tmp/sys' 2>/dev/null"
		assert_output 0
	done
	# It is there.
	run zlogin prison 'grep -c " / /run/host/nesting/\(proc rw\|sys ro\)," /proc/self/mountinfo'
	assert_output 2
}

@test "the number of user namespaces is limited" {
	zone_configure many "set nesting=true" && zone_root_busybox many
	cp "$probe_program" "$POOL/many/root/bin/probe"
	zoneadm -z many boot
	for user in root user; do
		run zlogin -l $user many "/bin/probe only user_namespace; /bin/probe only many_user_namespaces"
		assert_output "$(printf 'user_namespace broken\nmany_user_namespaces safe')"
	done
}

@test "halt ends what runs in namespaces of a zone" {
	nest true
	# One that ignores signals, as the first process of a pid namespace in another.
	zlogin prison 'mkdir /sys/fs/cgroup/inner; echo $$ >/sys/fs/cgroup/inner/cgroup.procs
		/usr/bin/unshare -UrpfmnC --mount-proc /usr/bin/unshare -Upf sh -c "trap : TERM HUP INT; while :; do sleep 1000; done" \
		</dev/null >/dev/null 2>&1 & sleep 0.2'
	[ "$(zlogin prison 'ps | grep -c "[t]rap"')" -ge 2 ]
	zoneadm -z prison halt
	[ "$(zone_state prison)" = installed ]
	run pgrep -f 'trap : TERM HUP'
	assert_status 1
}

@test "namespaces and the host's ids never come together" {
	run zonecfg -z both "create -b; set zonepath=$POOL/both; set idmap=shared; set nesting=true; commit"
	assert_status 1
	assert_output -p "nesting 'true' and idmap 'shared' are incompatible"
	nest true
	sed -i 's/ nesting="true"/& idmap="shared"/' /etc/zones/prison.xml
	run --separate-stderr zoneadm -z prison reboot
	assert_status 1
	assert_stderr -p "zone 'prison': nesting 'true' and idmap 'shared' are incompatible"
	# A reboot from inside: SIGRTMIN+5.
	zlogin prison 'kill -39 1'
	boot_failed() { grep -q 'Zone boot failed' /var/log/zones/prison.*; }
	wait_for 5 boot_failed
	[ "$(zone_state prison)" = installed ]
}

#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# A zone's root is nobody outside. isolation/probe attacks from inside the zone, where every attack
# must fail, and from a control (a chroot of the host's root, without a zone's protection), where the
# same attack must succeed: a probe that fails in both proves nothing. docs/security.md names the
# probes that hold each promise.
# shellcheck disable=SC2154 # host, inherited, probe_program: prison.bash
bats_require_minimum_version 1.5.0
load helper
load isolation/prison

# These have a test of their own. Everything else must get through in a control, or find there that
# the kernel does not have what it attacks (x32, in most kernels); a reboot of the machine is out of
# reach of the test's own pid namespace, and shown to work in tests/vm/tiny.
BLIND=(terminal_input terminal_input_high_bits inotify_instances)

setup_file() {
	[ -x "$BUILD/tests/integration/isolation/probe" ] || skip "a build with sanitizers has no static probe"
}

teardown() {
	host_settings_back
	host_unmake
	zones_reset
	if [ -d "$FZ_WORK/control" ]; then rm -rf "$FZ_WORK/control"; fi
	rm -f /var/log/zones/*
	assert_clean
}

# The zone's files in a plain chroot. The shell functions of the test are not there.
in_control() { # COMMAND...
	local root=$FZ_WORK/control cgroup
	if [ ! -d "$root" ]; then
		cp -a "$POOL/prison/root" "$root"
		mkdir -p "$root$inherited"
	fi
	cgroup=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
	mkdir -p "$cgroup/probe-control"
	# shellcheck disable=SC2016 # $1 and "$@" are the inner shell's
	PROBE_CONTROL=1 ZONES_PROBE_SECRET=1 unshare --mount sh -c '
		root=$1 inherited=$2 cgroup=$3
		shift 3
		echo $$ >"$cgroup/probe-control/cgroup.procs"
		mount --bind "$root" "$root"
		for d in proc sys dev; do mount --rbind "/$d" "$root/$d"; done
		mount --bind "$cgroup/probe-control" "$root/sys/fs/cgroup"
		mount --bind "$inherited" "$root$inherited"
		mount -o remount,bind,ro "$root$inherited"
		exec chroot "$root" "$@" 7</' sh "$root" "$inherited" "$cgroup" "$@"
}

# The host itself, for what a chroot forbids.
in_host() { # COMMAND...
	PROBE_CONTROL=1 unshare --mount "$@"
}

attack_and_control() { # LINE...
	host_make
	prison "add inherit-pkg-dir; set dir=$inherited; end" "$@"
	zoneadm -z prison boot
	export ZONES_PROBE_SECRET=1
	zlogin prison /bin/probe "${host[@]}" >"$FZ_WORK/zone"
	unset ZONES_PROBE_SECRET
	in_control /bin/probe "${host[@]}" >"$FZ_WORK/control.txt"
	for probe in user_namespace user_namespace_clone3 map_foreign_ids many_user_namespaces; do
		in_host "$probe_program" "${host[@]}" only $probe >>"$FZ_WORK/control.txt"
	done
	awk '$3 == "cgroup2" { print $2 "/probe-control" }' /proc/mounts | xargs rmdir 2>/dev/null || true
	[ "$(wc -l <"$FZ_WORK/zone")" -ge 90 ]
	run named broken <"$FZ_WORK/zone"
	assert_output ""
	run named died <"$FZ_WORK/zone"
	assert_output ""
	# Which probes nothing has shown to work: those that this kernel cannot be attacked by.
	named broken <"$FZ_WORK/control.txt" | sort -u >"$FZ_WORK/seen"
	{
		named absent <"$FZ_WORK/control.txt"
		printf '%s\n' "${BLIND[@]}"
	} | sort -u >"$FZ_WORK/excused"
	run comm -23 <(cut -d' ' -f1 <"$FZ_WORK/zone" | sort) \
		<(sort -u "$FZ_WORK/seen" "$FZ_WORK/excused")
	assert_output ""
	[ "$(wc -l <"$FZ_WORK/seen")" -ge 80 ] || fail "only these probes work:" "$(cat "$FZ_WORK/seen")"
}

@test "no attack from inside a zone gets through, and each does without the zone" {
	attack_and_control
}

@test "nor does one from a zone that shares the host's ids" {
	attack_and_control "set idmap=shared"
}

@test "what a zone has no business to see is covered, as far as this kernel has it" {
	prison
	zoneadm -z prison boot
	# shellcheck disable=SC2016 # for the zone's shell
	run zlogin prison 'cd /
		for path in proc/acpi proc/asound proc/bus proc/config.gz proc/fs proc/kallsyms proc/kcore \
			proc/keys proc/key-users proc/kmsg proc/kpagecount proc/kpageflags proc/latency_stats \
			proc/sched_debug proc/scsi proc/sysrq-trigger proc/timer_list sys/firmware \
			sys/kernel/security sys/kernel/debug sys/kernel/tracing sys/fs/bpf sys/fs/pstore
		do
			[ -e $path ] || continue
			[ $(stat -f -c %T $path) = tmpfs ] && [ -z "$(ls -A $path | grep -v $path)" ] &&
				! { [ -f $path ] && [ -s $path ]; } || echo "$path is open"
			rm -rf $path 2>/dev/null && echo "$path can be removed"
			umount $path 2>/dev/null && echo "$path can be uncovered"
		done'
	assert_output ""
	# Without the covers there would be something.
	[ -s /proc/key-users ] || [ -n "$(head -c 1 /proc/key-users)" ]
}

@test "nor does one from the zone's first process, or what that starts" {
	local root=$POOL/prison/root
	host_make
	prison "add inherit-pkg-dir; set dir=$inherited; end"
	mv "$root/sbin/init" "$root/sbin/last"
	{
		printf '#!/bin/sh\n/bin/probe '
		printf '%q ' "${host[@]}"
		printf '>/probes 2>&1\n>/probed\nexec /sbin/last\n'
	} >"$root/sbin/init"
	chmod 755 "$root/sbin/init"
	ZONES_PROBE_SECRET=1 zoneadm -z prison boot 7</
	wait_for 60 test -e "$root/probed"
	[ "$(wc -l <"$root/probes")" -ge 90 ]
	run named broken <"$root/probes"
	assert_output ""
	run named died <"$root/probes"
	assert_output ""
}

# What a zone holds is missing to the host's root when the two are counted as one.
inotify_is_left() { # [LINE...]
	local holder
	prison "$@"
	zoneadm -z prison boot
	zlogin prison "/bin/probe hold=3 only inotify_instances" >"$FZ_WORK/held" 3>&- &
	holder=$!
	sleep 1
	run python3 -c 'import ctypes, sys
sys.exit(0 if ctypes.CDLL(None).inotify_init() >= 0 else 1)'
	wait "$holder"
	assert_status 0
	[ "$(cat "$FZ_WORK/held")" = "inotify_instances safe" ]
	zones_reset
}

@test "a zone that uses up its inotify instances leaves the host its own" {
	[ "$(cat /proc/sys/fs/inotify/max_user_instances)" -lt 1000 ] || skip "the limit is not the kernel's own"
	inotify_is_left
	inotify_is_left "set idmap=shared"
}

@test "nobody types into the terminal of who looks at a zone" {
	host_make
	prison
	zoneadm -z prison boot
	for probe in terminal_input terminal_input_high_bits; do
		run zlogin -Q -i prison "/bin/probe terminal=yes only $probe" </dev/null
		assert_output -p "$probe safe"
		run script -qec "$(printf '%q ' "$probe_program" terminal=yes only $probe)" /dev/null
		assert_output -p "$probe broken"
	done
}

@test "a mount lands where it was told, whatever links the zone has planted (CVE-2021-30465)" {
	prison "add fs; set dir=/data/in; set special=$FZ_WORK; set type=lofs; end"
	local root=$POOL/prison/root
	mkdir -p "$FZ_WORK/outside/in"
	for link in "$FZ_WORK/outside" ../../../../../../../../../../etc /proc/self/root no-such-thing data; do
		rm -rf "$root/data" && ln -s "$link" "$root/data"
		run --separate-stderr zoneadm -z prison boot
		assert_status 1
		assert_stderr -p "mount point '/data/in' in the zone: 'data' is a symbolic link"
		[ "$(zone_state prison)" = installed ]
	done
	rm "$root/data" && mkdir "$root/data" && ln -s /etc "$root/data/in"
	run --separate-stderr zoneadm -z prison boot
	assert_stderr -p "mount point '/data/in' in the zone: 'in' is a symbolic link"
	# The zone's own directories, too: /dev is a link to nowhere.
	rm "$root/data/in" && rmdir "$root/dev" && ln -s /etc "$root/dev"
	run --separate-stderr zoneadm -z prison boot
	assert_stderr -p "mount point 'dev' in the zone: 'dev' is a symbolic link"
	rm "$root/dev"
	zoneadm -z prison boot
	run zlogin prison 'ls /data/in/outside'
	assert_output in
}

@test "files of a zone are out of reach for users of the host" {
	prison
	zoneadm -z prison boot
	zlogin prison 'cp /bin/busybox /root/sh; chmod 4755 /root/sh; chmod 711 /root'
	# By a shell: setpriv itself has its capabilities until it executes.
	run -126 setpriv --reuid=65534 --clear-groups sh -c "$POOL/prison/root/root/sh -c id"
	assert_output -p "Permission denied"
	# What the zone's root makes is the zone root's, by the number on the disk; nothing is shifted.
	run stat -c '%u %g %a' "$POOL/prison/root/root/sh"
	assert_output "0 0 4755"
	# Inside, a setuid program is one: it may signal what is root's.
	zlogin prison 'cp /bin/probe /root/probe; chmod 4755 /root/probe'
	run zlogin -l user prison '/bin/probe pid=1 only signal_process; /root/probe pid=1 only signal_process'
	assert_output "$(printf 'signal_process safe\nsignal_process broken')"
}

@test "what a zone does to its devices, it does to its own" {
	prison
	zoneadm -z prison boot
	run zlogin prison 'chmod 600 /dev/null && rm /dev/zero && echo changed'
	assert_output changed
	[ "$(stat -c %a /dev/null)" = 666 ]
	[ -c /dev/zero ]
}

@test "two zones have nothing in common" {
	host_make
	prison
	zone_configure other && zone_root_busybox other
	zoneadm -z prison boot
	zoneadm -z other boot
	base() { sed -n 's/^id_base=//p' "/run/zones/$1/state"; }
	[ "$(base prison)" -ne "$(base other)" ]
	[ $(($(base prison) % 65536)) -eq 0 ]
	run zlogin prison ps
	refute_output "$(sed -n 's/^init_pid=//p' /run/zones/other/state)"
	# Each sees the other's files as the host's: not at all.
	local pid
	pid=$(sed -n 's/^init_pid=//p' /run/zones/other/state)
	[ "$(stat -c %u "/proc/$pid")" -eq "$(base other)" ]
}

@test "ids that the host has given away are not a zone's" {
	prison
	zoneadm -z prison boot
	base=$(sed -n 's/^id_base=//p' /run/zones/prison/state)
	zoneadm -z prison halt
	# The zone asks for the same range again, and somebody else has it.
	cp /etc/subuid "$FZ_WORK/subuid"
	echo "user:$((base + 100)):10" >>"$FZ_WORK/subuid"
	mount --bind "$FZ_WORK/subuid" /etc/subuid
	zoneadm -z prison boot
	umount /etc/subuid
	[ "$(sed -n 's/^id_base=//p' /run/zones/prison/state)" -ne "$base" ]
}

@test "ids are not given out while those of another zone are not known" {
	prison
	zone_configure other && zone_root_busybox other
	zoneadm -z other boot
	echo rubbish >/run/zones/other/idmap
	run --separate-stderr zoneadm -z prison boot
	assert_status 1
	assert_stderr -p "ids for zone 'prison': the ids of zone 'other' are not known; halt it, or remove the file if nothing of it runs: '/run/zones/other/idmap' holds no range of ids"
	[ "$(zone_state prison)" = installed ]
	zoneadm -z other halt
	zoneadm -z prison boot
	# Its own range, when nothing of it lives, is chosen anew.
	zoneadm -z prison halt
	echo rubbish >/run/zones/prison/idmap
	zoneadm -z prison boot
}

@test "a user of a zone has a limit of network namespaces" {
	zone_configure other && zone_root_busybox other
	zoneadm -z other boot
	# shellcheck disable=SC2016 # for the zone's shell
	run zlogin other 'mkdir /tmp/n; mount -t tmpfs none /tmp/n; i=0
		while [ $i -lt 300 ]; do
			touch /tmp/n/$i; unshare -n mount --bind /proc/self/ns/net /tmp/n/$i || break
			i=$((i + 1))
		done; echo $i'
	assert_output -p "No space left on device"
	[ "${lines[-1]}" -le 256 ]
	[ "${lines[-1]}" -gt 200 ]
}

@test "a zone that uses up its terminals leaves the others theirs" {
	prison
	zone_configure other && zone_root_busybox other
	zoneadm -z prison boot
	zoneadm -z other boot
	# shellcheck disable=SC2016 # for the zone's shell
	run zlogin other 'i=0; while [ $i -lt 600 ]; do sleep 20 <>/dev/ptmx & i=$((i + 1)); done 2>&1
		sleep 1; ls /dev/pts | wc -l'
	[ "${lines[-1]}" -le 513 ] # with ptmx
	[ "${lines[-1]}" -gt 400 ]
	run zlogin prison ': <>/dev/ptmx && echo opened'
	assert_output opened
}

@test "core dumps do not reach a program of the host" {
	[ "$(head -c 1 /proc/sys/kernel/core_pattern)" != "|" ] || skip "this host pipes core dumps already"
	prison
	local limits
	printf '#!/bin/sh\necho ran >%s/dumped\n' "$FZ_WORK" >"$FZ_WORK/handler"
	chmod 755 "$FZ_WORK/handler"
	host_setting /proc/sys/kernel/core_pattern "|$FZ_WORK/handler"
	zoneadm -z prison boot
	# shellcheck disable=SC2016 # for the zone's shell
	zlogin prison 'ulimit -c unlimited; ulimit -c 0; sh -c "kill -SEGV \$\$"' || true
	sleep 0.2
	limits=$(zlogin prison 'ulimit -c')
	# Of the zone's first process, and so of all that it starts.
	first=$(zlogin prison "sed -n 's/^Max core file size *//p' /proc/1/limits")
	dumped=$([ -e "$FZ_WORK/dumped" ] && echo yes || echo no)
	# The control: the same without a zone.
	(ulimit -c 0 && sh -c 'kill -SEGV $$') 2>/dev/null || true
	wait_for 2 [ -e "$FZ_WORK/dumped" ] && control=yes || control=no
	[ "$dumped" = no ]
	[ "$limits" = 0 ] || [ "$limits" = 1 ] || fail "limit $limits"
	[[ $first =~ ^[01]\ +[01]\  ]] || fail "limits of process 1: $first"
	# The kernel looks for the handler in its own first root, which is another one in a container.
	[ "$control" = yes ] || skip "this root is not the kernel's: the handler cannot be a control"
}

# With the rule that setuid programs are dumped for root alone, the kernel writes below its first root.
dumped() {
	wait_for 2 compgen -G "$FZ_WORK/core.*" >/dev/null
}

@test "nor its file system" {
	local sleep=$FZ_WORK/setuid-sleep
	[ "$(head -c 1 /proc/sys/kernel/core_pattern)" != "|" ] || skip "this host pipes core dumps already"
	prison
	host_setting /proc/sys/kernel/core_pattern "$FZ_WORK/core.%p"
	host_setting /proc/sys/fs/suid_dumpable 2
	cp "$POOL/prison/root/bin/busybox" "$POOL/prison/root/bin/busybox-setuid"
	chmod 4755 "$POOL/prison/root/bin/busybox-setuid"
	(ulimit -c unlimited && zoneadm -z prison boot)
	# shellcheck disable=SC2016 # for the zone's shell
	zlogin prison 'ulimit -c unlimited; su user -c "/bin/busybox-setuid sleep 9 & sleep .2; kill -SEGV \$!"' || true
	run dumped
	rm -f "$FZ_WORK"/core.*
	# The control: the same without a zone.
	cp /bin/sleep "$sleep"
	chmod 4755 "$sleep"
	chmod 711 "$FZ_WORK"
	(ulimit -c unlimited && cd / && setpriv --reuid 1000 --regid 1000 --clear-groups sh -c "$sleep 9 & sleep .2; kill -SEGV \$!") 3>&- || true
	chmod 700 "$FZ_WORK"
	dumped || skip "this root is not the kernel's: there is no control"
	assert_status 1
}

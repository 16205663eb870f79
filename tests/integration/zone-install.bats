#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# zoneadm install: a zone from the packages of this host. /etc of the host lies under an overlay in
# this file's world, so that it can be edited as an administrator would.

bats_require_minimum_version 1.5.0
load helper
load isolation/canary

# One zone for all tests that only look.
setup_file() {
	etc_writable
	host_baseline
	useradd -M -u 4242 fzhostuser
	echo 'fzhostuser:secret-of-the-host' | chpasswd
	zone_configure whole
	zoneadm -z whole install --offline >"$FZ_WORK/whole.out" 2>"$FZ_WORK/whole.err"
}

teardown() {
	local name
	scripts_restore
	if mountpoint -q "$FZ_WORK/canary"; then umount "$FZ_WORK/canary"; fi
	for name in z1 z2 z3 sparse; do
		zonecfg -z "$name" info >/dev/null 2>&1 || continue
		[ "$(zone_state "$name")" = configured ] || zoneadm -z "$name" uninstall -F
		zonecfg -z "$name" delete -F
	done
	assert_clean
}

etc_writable() {
	local dir=$FZ_WORK/etc
	mkdir -p "$dir/upper" "$dir/work" "$dir/zones"
	mount --move /etc/zones "$dir/zones" 2>/dev/null || mount --bind /etc/zones "$dir/zones"
	mount -t overlay -o "lowerdir=/etc,upperdir=$dir/upper,workdir=$dir/work" none /etc
	mkdir -p /etc/zones
	mount --bind "$dir/zones" /etc/zones
}

# A command in a zone that does not run, as package scripts are run.
in_zone() { # NAME COMMAND...
	local name=$1
	shift
	run "$ADDED/scratch_run" "fz-$name" "$POOL/$name/root" "$@"
	rm -rf "/run/zones/fz-$name"
}

# Another script in the place of a package's, until the test ends; its text is on stdin.
script_replace() { # PACKAGE SCRIPT
	local path list=("/var/lib/dpkg/info/$1.$2" "/var/lib/dpkg/info/$1:"*".$2")
	for path in "${list[@]}"; do
		[ -e "$path" ] && break
	done
	cat >"$FZ_WORK/$1.$2"
	chmod 755 "$FZ_WORK/$1.$2"
	mount --bind "$FZ_WORK/$1.$2" "$path"
}

scripts_restore() {
	local path
	awk '$5 ~ /^\/var\/lib\/dpkg\/info\// { print $5 }' /proc/self/mountinfo |
		while read -r path; do umount "$path"; done
}

# ---- what is said -----------------------------------------------------------------------------

@test "the lines are those of the original, in its order" {
	sed -E 's/[0-9]+/N/g; s/ +$//' "$FZ_WORK/whole.out" >"$FZ_WORK/lines"
	run cat "$FZ_WORK/lines"
	expected="Preparing to install zone <whole>.
Creating list of files to copy from the global zone.
Copying <N> files to the zone.
Initializing zone product registry.
Determining zone package initialization order.
Preparing to initialize <N> packages on the zone.
Initialized <N> packages on zone.
Zone <whole> is initialized."
	[ "$(head -n 8 "$FZ_WORK/lines")" = "$expected" ] || fail "$output"
	[ "$(tail -n 1 "$FZ_WORK/lines")" = "The file <$POOL/whole/root/var/sadm/system/logs/install_log> contains a log of the zone installation." ]
}

@test "the line about initialised packages is padded with blanks as the original's" {
	line=$(grep '^Initialized' "$FZ_WORK/whole.out")
	digits=$(sed -E 's/.*<([0-9]+)>.*/\1/' <<<"$line")
	[ "${#line}" -eq $((61 + 2 * ${#digits})) ]
}

@test "the zone is installed and has a UUID, which is its machine id" {
	run zoneadm -z whole list -p
	[[ $output =~ ^-:whole:installed:$POOL/whole:([0-9a-f-]{36}):native:shared$ ]]
	[ "$(cat "$POOL/whole/root/etc/machine-id")" = "${BASH_REMATCH[1]//-/}" ] ||
		[ ! -s "$POOL/whole/root/etc/machine-id" ]
}

@test "the log has a section for each script and the time of each step" {
	log=$POOL/whole/root/var/sadm/system/logs/install_log
	grep -q '^==== libc6.*: postinst\|^==== .*configure' "$log"
	grep -q '^---- status 0, ' "$log"
	grep -q '  files: copy$' "$log"
	grep -q '  sync$' "$log"
}

# ---- what it is -------------------------------------------------------------------------------

@test "its packages are healthy: audit, verify and apt-get check are clean" {
	in_zone whole 'dpkg --audit' 'apt-get -qq check' 'dpkg --verify'
	[ "${lines[0]}" = "status 0" ] || fail "$output"
	[ "${lines[1]}" = "status 0" ] || fail "$output"
	# Files of the host that are not as delivered are in the log, and nothing else differs.
	for line in "${lines[@]:2}"; do
		case $line in
		status*) ;;
		*) grep -q -F "${line##* }" "$POOL/whole/root/var/sadm/system/logs/install_log" ||
			fail "$line" ;;
		esac
	done
}

@test "every package of the plan is installed in it, and no other" {
	zone_configure z1
	zoneadm -z z1 install -n --offline >"$FZ_WORK/plan"
	in_zone whole "dpkg-query -W -f '\${db:Status-Abbrev}\n' | sort | uniq -c"
	[ "${#lines[@]}" -eq 2 ] || fail "$output"
	[[ ${lines[0]} =~ ^\ *([0-9]+)\ ii\ $ ]] || fail "$output"
	grep -q "<${BASH_REMATCH[1]}> packages on zone" "$FZ_WORK/whole.out"
}

@test "nobody of the host is in it: users, passwords, keys, ids, logs" {
	root=$POOL/whole/root
	run ! grep -q fzhostuser "$root/etc/passwd" "$root/etc/shadow" "$root/etc/group" \
		"$root/etc/subuid" "$root/etc/subgid"
	run ! grep -rq secret-of-the-host "$root/etc"
	run awk -F: '$2 !~ /^[!*]/ { print }' "$root/etc/shadow"
	assert_output ""
	run awk -F: '$3 >= 1000 && $3 != 65534 { print }' "$root/etc/passwd"
	assert_output ""
	[ "$(cat "$root/etc/hostname")" = whole ]
	run find "$root/var/log" -type f -size +0
	assert_output ""
	run find "$root/etc" -name 'ssh_host_*'
	assert_output ""
	[ ! -s /etc/machine-id ] || ! cmp -s /etc/machine-id "$root/etc/machine-id"
}

@test "zonename is found in it whatever the PATH is" {
	[ "$(readlink "$POOL/whole/root/usr/bin/zonename")" = /run/host/bin/zonename ]
	zoneadm -z whole boot
	run zlogin whole zonename
	assert_output whole
	run zlogin whole "bash -lc zonename; env -i sh -c zonename"
	assert_output "whole
whole"
	zoneadm -z whole halt
}

@test "files are owned by the zone's own ids and no stand-in or policy-rc.d stays" {
	root=$POOL/whole/root
	run find "$root" -xdev \( -uid +65534 -o -gid +65534 \) -print -quit
	assert_output ""
	cmp "$root/usr/bin/deb-systemd-helper" /usr/bin/deb-systemd-helper
	cmp "$root/usr/bin/dpkg-maintscript-helper" /usr/bin/dpkg-maintscript-helper
	[ ! -e "$root/usr/sbin/policy-rc.d" ]
	[ -z "$(ls -A "$root/run" "$root/tmp")" ] || [ -z "$(find "$root/run" "$root/tmp" -type f)" ]
	[ "$(stat -c '%a %u:%g' "$POOL/whole")" = "700 0:0" ]
}

@test "units that packages enable are enabled" {
	root=$POOL/whole/root
	for unit in getty.target.wants/getty@tty1.service timers.target.wants/apt-daily.timer; do
		[ -L "$root/etc/systemd/system/$unit" ] || fail "no $unit"
	done
	[ -s "$root/var/lib/systemd/deb-systemd-helper-enabled/apt-daily.timer.dsh-also" ]
}

# ---- configuration files ----------------------------------------------------------------------

@test "a configuration file edited on the host is delivered as its package has it" {
	cp /etc/login.defs /etc/login.defs.dpkg-dist
	echo "# password of the host" >>/etc/login.defs
	zone_configure z1
	zoneadm -z z1 install --offline
	mv /etc/login.defs.dpkg-dist "$FZ_WORK/login.defs"
	cp "$FZ_WORK/login.defs" /etc/login.defs
	cmp "$POOL/z1/root/etc/login.defs" "$FZ_WORK/login.defs"
	[ ! -e "$POOL/z1/root/etc/login.defs.dpkg-dist" ]
}

@test "one whose delivered content cannot be had is missing, and install says so" {
	cp -p /etc/login.defs "$FZ_WORK/login.defs"
	echo "# password of the host" >>/etc/login.defs
	zone_configure z1
	run -1 --separate-stderr zoneadm -z z1 install --offline
	cp -p "$FZ_WORK/login.defs" /etc/login.defs
	assert_stderr -p "WARNING: missing in the zone: /etc/login.defs: "
	assert_stderr -p "zoneadm: zone 'z1': installed, but 1 of its configuration files could not be had as delivered"
	[ "$(zone_state z1)" = installed ]
	[ ! -e "$POOL/z1/root/etc/login.defs" ]
	grep -A1 'configuration files that are missing' \
		"$POOL/z1/root/var/sadm/system/logs/install_log" | grep -q /etc/login.defs
}

@test "--keep-edited takes a named file as it is" {
	cp -p /etc/login.defs "$FZ_WORK/login.defs"
	echo "# wanted" >>/etc/login.defs
	zone_configure z1
	zoneadm -z z1 install --offline --keep-edited '/etc/login.*'
	run tail -n 1 "$POOL/z1/root/etc/login.defs"
	cp -p "$FZ_WORK/login.defs" /etc/login.defs
	assert_output "# wanted"
}

# ---- scripts ----------------------------------------------------------------------------------

@test "a failing script names package and log, and the zone stays incomplete" {
	zone_configure z1
	printf '#!/bin/sh\necho "it is broken"; exit 3\n' | script_replace tzdata postinst
	run -1 --separate-stderr zoneadm -z z1 install --offline
	assert_stderr -p "zoneadm: zone 'z1': install: package 'tzdata': "
	assert_stderr -p "see '$POOL/z1/root/var/sadm/system/logs/install_log'"
	assert_stderr -p "zoneadm: zone 'z1': install: the zone is incomplete; uninstall it before another try"
	[ "$(zone_state z1)" = incomplete ]
	grep -q "it is broken" "$POOL/z1/root/var/sadm/system/logs/install_log"
	scripts_restore
	assert_clean
	run -1 zoneadm -z z1 install
	assert_output -p "uninstall it first"
	zoneadm -z z1 uninstall -F
	[ "$(zone_state z1)" = configured ]
	[ ! -e "$POOL/z1/root" ]
}

@test "scripts start no daemon, reach no network, and see nothing of the host" {
	zone_configure z1
	script_replace tzdata postinst <<-'EOT'
		#!/bin/sh
		setsid sleep 4321 &
		/usr/sbin/policy-rc.d; echo "policy $?"
		echo "links $(tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' ' | tr '\n' ' ')"
		echo "host $(hostname)"
		ls /sys/class 2>/dev/null && echo "sys"
		cat /proc/1/environ 2>/dev/null && echo "environ"
		exit 0
	EOT
	SECRET=1 zoneadm -z z1 install --offline
	run ! pgrep -f 'sleep 4321'
	log=$POOL/z1/root/var/sadm/system/logs/install_log
	grep -q '^policy 101$' "$log"
	grep -q '^links lo $' "$log"
	grep -q '^host localhost$' "$log"
	run ! grep -q -e '^sys$' -e '^environ$' -e SECRET "$log"
}

# shellcheck disable=SC2154 # canary and stderr: of canary_make and run
@test "what a script plants in the root leads the installation and its log nowhere" {
	canary_make
	zone_configure z1
	script_replace tzdata postinst <<-EOT
		#!/bin/sh
		rm -rf /var/sadm/system/logs /etc/hostname /etc/machine-id /etc/hosts /tmp /var/tmp
		ln -s $canary/log /var/sadm/system/logs
		ln -s ../../../../../../../../..$canary/etc/hostname /etc/hostname
		ln -s $canary/machine-id /etc/machine-id
		mkfifo /etc/hosts
		ln -s $canary/tmp /tmp
		ln -s /proc/self/root$canary /var/tmp
		ln -s $canary/ssh/ssh_host_rsa_key /etc/ssh_host_rsa_key
		rm /var/lib/dpkg/diversions
		ln -s $canary/etc/passwd /var/lib/dpkg/diversions
	EOT
	run --separate-stderr timeout 200 zoneadm -z z1 install --offline
	[ "$status" -le 1 ] || fail "$status: $output $stderr"
	canary_sings "the installation"
	# And again, from the root that was kept.
	zoneadm -z z1 uninstall -F
	run --separate-stderr timeout 200 zoneadm -z z1 install --offline
	[ "$status" -le 1 ] || fail "$status: $output $stderr"
	canary_sings "the copy"
}

@test "a package whose script warns is named" {
	zone_configure z1
	printf '#!/bin/sh\necho "tzdata: warning: too early"\n' | script_replace tzdata postinst
	run zoneadm -z z1 install --offline
	assert_status 0
	assert_output -e 'generated warnings: <[^>]*tzdata'
}

@test "an interrupt leaves the zone incomplete, nothing running, and a way back" {
	zone_configure z1
	printf '#!/bin/sh\nsleep 4322\n' | script_replace tzdata postinst
	zoneadm -z z1 install --offline >"$FZ_WORK/out" 2>&1 &
	pid=$!
	wait_for 60 pgrep -f 'sleep 4322'
	kill -INT "$pid"
	status=0
	wait "$pid" || status=$?
	assert_status 1
	grep -q "zoneadm: zone 'z1': install: interrupted" "$FZ_WORK/out"
	[ "$(zone_state z1)" = incomplete ]
	run ! pgrep -f 'sleep 4322'
	scripts_restore
	assert_clean
	zoneadm -z z1 uninstall -F
}

# ---- finished roots that are kept ----

# Everything that a file has but its times, without what differs between any two zones.
tree() { # NAME
	(cd "$POOL/$1/root" && find . -xdev -printf '%y %m %U:%G %p %l\n' &&
		find . -xdev -type f ! -name install_log ! -name aux-cache ! -path ./etc/machine-id \
			! -path ./etc/hostname ! -path ./etc/hosts -exec md5sum {} +) | LC_ALL=C sort
}

@test "a second zone of the same packages is a copy of a kept root, and the same byte for byte" {
	zone_configure z1
	zone_configure z2
	zone_configure z3
	zoneadm -z z1 install --offline
	run zoneadm -z z2 install --offline
	assert_status 0
	assert_output -e 'Copying a finished root of the same <[0-9]+> packages\.'
	zoneadm -z z3 install --offline --no-cache >"$FZ_WORK/out"
	run ! grep -q 'finished root' "$FZ_WORK/out"
	tree z1 >"$FZ_WORK/tree1"
	tree z2 >"$FZ_WORK/tree2"
	tree z3 >"$FZ_WORK/tree3"
	diff "$FZ_WORK/tree1" "$FZ_WORK/tree2"
	diff "$FZ_WORK/tree3" "$FZ_WORK/tree2"
	[ "$(cat "$POOL/z2/root/etc/hostname")" = z2 ]
	run ! cmp -s "$POOL/z1/root/etc/machine-id" "$POOL/z2/root/etc/machine-id"
	grep -q '^==== .*: postinst' "$POOL/z2/root/var/sadm/system/logs/install_log"
}

@test "any change of a source makes a new root, and two are kept" {
	zone_configure z1
	for _ in 1 2 3; do
		# Nothing but the change time differs.
		chmod --reference=/etc/login.defs /etc/login.defs
		run zoneadm -z z1 install --offline
		assert_status 0
		refute_output "finished root"
		zoneadm -z z1 uninstall -F
	done
	run find "$POOL/.zones-cache" -mindepth 1 -maxdepth 1
	[ "${#lines[@]}" -eq 2 ] || fail "$output"
}

@test "a kept root that somebody else could have made is not used" {
	zone_configure z1
	zoneadm -z z1 install --offline
	zoneadm -z z1 uninstall -F
	chmod 755 "$POOL/.zones-cache"
	run zoneadm -z z1 install --offline
	chmod 700 "$POOL/.zones-cache"
	assert_status 0
	refute_output "finished root"
	grep -q "is not root's alone" "$POOL/z1/root/var/sadm/system/logs/install_log"
}

# ---- requests ---------------------------------------------------------------------------------

@test "-n prints the plan and changes nothing" {
	zone_configure z1
	cp /etc/zones/index "$FZ_WORK/index.before"
	run zoneadm -z z1 install -n --offline
	assert_status 0
	assert_output -p "base-files"
	assert_output -p "usr/bin/dpkg"
	cmp /etc/zones/index "$FZ_WORK/index.before"
	[ ! -e "$POOL/z1" ]
}

@test "-p and attr packages add, -x takes away" {
	zone_configure z1 "add attr" "set name=packages" "set type=string" "set value=bats" end
	zoneadm -z z1 install -n --offline >"$FZ_WORK/plan1"
	grep -q -w bats "$FZ_WORK/plan1"
	run -1 zoneadm -z z1 install --offline -p no-such-package-here
	assert_output -p "no-such-package-here"
	[ "$(zone_state z1)" = configured ]
	[ ! -e "$POOL/z1" ]
}

@test "wrong usage is exit status 2" {
	zone_configure z1
	run -2 zoneadm -z z1 install extra
	run -2 zoneadm -z z1 install --no-such-option
	run -2 zoneadm -z z1 install -x nonsense=1
	assert_output -p "'-x nonsense=1' is unknown"
	[ "$(zone_state z1)" = configured ]
}

@test "a zone that is installed, or does not exist, is refused" {
	run -1 zoneadm -z whole install
	assert_output -p "already installed"
	run -1 zoneadm -z nosuch install
	assert_output -p "nosuch"
}

@test "a pool without room is refused before anything is made" {
	pool_make btrfs "$POOL/small" 128M
	zonecfg -z z1 "create -b; set zonepath=$POOL/small/z1"
	run -1 zoneadm -z z1 install --offline
	[ ! -e "$POOL/small/z1" ]
	umount "$POOL/small"
	rmdir "$POOL/small"
	assert_output -p "not enough room in '$POOL/small/z1'"
	[ "$(zone_state z1)" = configured ]
}

# ---- sparse -----------------------------------------------------------------------------------

@test "a sparse zone inherits /usr, and its packages are healthy all the same" {
	zonecfg -z sparse "create; set zonepath=$POOL/sparse"
	# A package that compiles for half a minute is left out where there is one. What an administrator
	# of this host removed from /etc may be missing in the zone, and is told.
	run --separate-stderr zoneadm -z sparse install --offline -x 'package=google-cloud-cli*'
	# shellcheck disable=SC2154 # set by run
	[ "$status" -eq 0 ] || [ "$(grep -c '^WARNING: missing in the zone: /' <<<"$stderr")" -ge 1 ]
	[ "$(zone_state sparse)" = installed ] || fail "$output" "$stderr"
	root=$POOL/sparse/root
	[ -z "$(ls -A "$root/usr")" ]
	[ "$(readlink "$root/bin")" = usr/bin ]
	run "$ADDED/scratch_run" -i /usr fz-sparse "$root" 'dpkg --audit' 'apt-get -qq check' \
		'dpkg-query -W dpkg >/dev/null'
	rm -rf /run/zones/fz-sparse
	[ "${lines[*]}" = "status 0 status 0 status 0 discarded 0" ] || fail "$output"
	run awk -F: '$2 !~ /^[!*]/ { print }' "$root/etc/shadow"
	assert_output ""
}

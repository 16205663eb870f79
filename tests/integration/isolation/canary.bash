# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# A part of the host that no tool may read or change, whatever leads to it; for bats files.
#
#   canary_make              make it at $canary, with the files of a system in it; undo by umount
#   canary_sings WHAT        fail if it was read or changed since

# A file system that notes every reading at once.
canary_make() {
	canary=$FZ_WORK/canary
	mkdir -p "$canary"
	mount -t tmpfs -o strictatime,mode=755 canary "$canary"
	mkdir -p "$canary"/{etc,in,deep/er,log,tmp,bin,ssh}
	canary_files=("$canary"/{.,etc,in,deep,deep/er,log,tmp,bin,ssh})
	local file
	for file in etc/passwd etc/hostname log/syslog tmp/file deep/er/file ssh/ssh_host_rsa_key machine-id; do
		echo "root:x:0:0:canary:/canary:/canary" >"$canary/$file"
		canary_files+=("$canary/$file")
	done
	cp /bin/busybox "$canary/bin/init"
	mkfifo "$canary/pipe"
	canary_files+=("$canary/bin/init" "$canary/pipe")
	canary_was=$(stat -c '%n %x %y %z %s %a %u:%g' "${canary_files[@]}")
}

canary_sings() { # WHAT: nothing of it was read or changed
	local now
	now=$(stat -c '%n %x %y %z %s %a %u:%g' "${canary_files[@]}")
	[ "$now" = "$canary_was" ] || fail "$1: the canary is not well:" "$(diff <(echo "$canary_was") <(echo "$now"))"
}

#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# One round of the benchmarks: only that they work and print their tables.
bats_require_minimum_version 1.5.0
load helper

teardown() {
	zones_reset
}

# This world will do; but what they put below /run stays theirs.
bench() { # NAME
	run unshare --mount env ZONES_BENCH_INSIDE=1 "$FZ_TOP/bench/$1" --build "$BUILD" --smoke
	assert_status 0
}

@test "boot" {
	bench boot
	assert_output -e "zoneadm +[0-9.]+ +[0-9.]+"
	for contender in crun "crun, filter"; do
		[ -z "$(type -P crun)" ] || assert_output -e "$contender +[0-9.]+ +[0-9.]+"
	done
	assert_output -e "floor +[0-9.]+ +[0-9.]+"
}

@test "zlogin" {
	bench zlogin
	assert_output -e "zlogin +[0-9.]+ +[0-9.]+"
	[ -z "$(type -P crun)" ] || assert_output -e "crun exec, filter +[0-9.]+ +[0-9.]+"
	assert_output -e "cgroup, nsenter +[0-9.]+ +[0-9.]+"
	assert_output -e "the bar: .* (held|missed)"
}

@test "clone" {
	bench clone
	assert_output -e "clone +[0-9.]+ +[0-9.]+"
	assert_output -e "the bar: .* (held|missed)"
}

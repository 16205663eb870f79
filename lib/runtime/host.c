/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Facts of the host that a zone's plan depends on: its cgroup hierarchies, how many threads it can
 * have, and where core dumps go.
 */
#include "runtime/runtime_priv.h"

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"

#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

static bool
is_cgroup2(const char *path)
{
	struct statfs sfs;

	return statfs(path, &sfs) == 0 && sfs.f_type == CGROUP2_SUPER_MAGIC;
}

/* The controllers that the root of the v2 hierarchy offers. */
static unsigned
probe_controllers2(const char *mount)
{
	auto_free char *path = NULL, *text = NULL;
	unsigned mask = 0;
	char *word, *save;
	size_t size;

	if (asprintf(&path, "%s/cgroup.controllers", mount) < 0) {
		path = NULL; /* undefined after a failure */
		return 0;
	}
	if (path_file_read(path, 4096, &text, &size, NULL) < 0)
		return 0;
	for (word = strtok_r(text, " \n", &save); word; word = strtok_r(NULL, " \n", &save)) {
		for (int c = 0; c < CGROUP_COUNT; c++) {
			if (!strcmp(word, cgroup_controller_name((enum cgroup_controller)c)))
				mask |= 1u << c;
		}
	}
	return mask;
}

/*
 * The v1 hierarchies that are mounted at their usual places. A zone gets a cgroup in each of them,
 * limits or not: one in which it had none would show it the cgroups of the host.
 */
static void
probe_hierarchies1(char *ret, size_t size)
{
	auto_free char *text = NULL;
	char *line, *save, *name, *end;
	char path[128];
	size_t len = 0, bytes;

	*ret = '\0';
	if (path_file_read("/proc/self/cgroup", 65536, &text, &bytes, NULL) < 0)
		return;
	/* "N:CONTROLLER[,CONTROLLER...]:PATH", "N:name=NAME:PATH"; without names it is v2. */
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		name = strchr(line, ':');
		end = name ? strchr(name + 1, ':') : NULL;
		if (!end || end == name + 1)
			continue;
		*end = '\0';
		name += strncmp(name, ":name=", 6) ? 1 : 6;
		(void)snprintf(path, sizeof(path), CGROUP_V1_MOUNTS "/%s/cgroup.procs", name);
		if (access(path, F_OK) == 0 && len + strlen(name) + 2 < size)
			len +=
			    (size_t)snprintf(ret + len, size - len, "%s%s", len ? ":" : "", name);
	}
}

/* The smaller of the kernel's two numbers; 0 when they cannot be read. */
static uint64_t
probe_threads(void)
{
	static const char *const files[] = {"/proc/sys/kernel/threads-max",
					    "/proc/sys/kernel/pid_max"};
	uint64_t least = 0, n;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		auto_free char *text = NULL;
		size_t size;

		if (path_file_read(files[i], 64, &text, &size, NULL) < 0)
			return 0;
		text[strcspn(text, "\n")] = '\0';
		if (str_to_u64(text, UINT32_MAX, &n, NULL) < 0)
			return 0;
		least = i == 0 || n < least ? n : least;
	}
	return least;
}

/*
 * Core dumps go to a program of the host; or, those of setuid programs, below the root directory of
 * the host's first process, whoever's root the dumping process had.
 */
static bool
probe_cores(void)
{
	auto_free char *pattern = NULL, *dumpable = NULL;
	size_t size;

	if (path_file_read("/proc/sys/kernel/core_pattern", 4096, &pattern, &size, NULL) < 0)
		return false;
	if (*pattern != '/')
		return *pattern == '|';
	return path_file_read("/proc/sys/fs/suid_dumpable", 16, &dumpable, &size, NULL) == 0 &&
	       *dumpable == '2';
}

void
runtime_host_probe(struct runtime_host *ret)
{
	struct runtime_host host = {0};
	char path[64];

	if (is_cgroup2("/sys/fs/cgroup"))
		(void)snprintf(host.cgroup2, sizeof(host.cgroup2), "/sys/fs/cgroup");
	else if (is_cgroup2("/sys/fs/cgroup/unified"))
		(void)snprintf(host.cgroup2, sizeof(host.cgroup2), "/sys/fs/cgroup/unified");
	if (*host.cgroup2)
		host.controllers2 = probe_controllers2(host.cgroup2);
	for (int c = 0; c < CGROUP_COUNT; c++) {
		(void)snprintf(path, sizeof(path), "/sys/fs/cgroup/%s/cgroup.procs",
			       cgroup_controller_name((enum cgroup_controller)c));
		if (access(path, F_OK) == 0 && !(host.controllers2 & 1u << c))
			host.controllers1 |= 1u << c;
	}
	probe_hierarchies1(host.hierarchies1, sizeof(host.hierarchies1));
	host.threads = probe_threads();
	host.cgroup_parent = access("/run/systemd/system", F_OK) == 0 ? "zones.slice" : "zones";
	host.cores_leave = probe_cores();
	*ret = host;
}

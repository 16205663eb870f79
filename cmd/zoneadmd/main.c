/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zoneadmd - hold one zone. Started on demand by zoneadm and zlogin; it makes a process of its own
 * out of whatever it was started from, and then serves (server.c).
 */
#include "zoneadmd.h"

#include "base/err.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static int
usage(FILE *out)
{
	(void)fprintf(out, "usage: zoneadmd -z zone [-3]\n"
			   "Holds one zone; started by zoneadm(8) and zlogin(1) when needed.\n");
	return out == stdout ? 0 : 2;
}

/* As on a host that has just booted, whatever the shell of who boots the zone has. */
static void
reset_limits(void)
{
	static const struct {
		__rlimit_resource_t resource;
		struct rlimit limit;
	} limits[] = {
	    {RLIMIT_CPU, {RLIM_INFINITY, RLIM_INFINITY}},
	    {RLIMIT_FSIZE, {RLIM_INFINITY, RLIM_INFINITY}},
	    {RLIMIT_DATA, {RLIM_INFINITY, RLIM_INFINITY}},
	    {RLIMIT_STACK, {8 << 20, RLIM_INFINITY}},
	    {RLIMIT_CORE, {0, RLIM_INFINITY}},
	    {RLIMIT_NPROC, {RLIM_INFINITY, RLIM_INFINITY}},
	    {RLIMIT_NOFILE, {1024, 524288}},
	    {RLIMIT_MEMLOCK, {8 << 20, 8 << 20}},
	    {RLIMIT_AS, {RLIM_INFINITY, RLIM_INFINITY}},
	};
	struct rlimit old;

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		if (setrlimit(limits[i].resource, &limits[i].limit) == 0 ||
		    getrlimit(limits[i].resource, &old) < 0)
			continue;
		/* Who may not raise the upper one has the other. */
		old.rlim_cur = limits[i].limit.rlim_cur < old.rlim_max ? limits[i].limit.rlim_cur
								       : old.rlim_max;
		(void)setrlimit(limits[i].resource, &old);
	}
	(void)setpriority(PRIO_PROCESS, 0, 0);
}

/* Nothing of the caller's may reach the zone: no variable, no descriptor, no terminal. */
static int
become_own_process(bool has_first_fd)
{
	static const char *const kept[] = {"ZONES_DEBUG", "ZONES_FAULT"};
	char *values[sizeof(kept) / sizeof(kept[0])];
	size_t n = sizeof(kept) / sizeof(kept[0]);

	for (size_t i = 0; i < n; i++) {
		values[i] = getenv(kept[i]);
		values[i] = values[i] ? strdup(values[i]) : NULL;
	}
	if (clearenv() != 0 || setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (values[i] && setenv(kept[i], values[i], 1) < 0)
			return -1;
		free(values[i]);
	}
	(void)setsid(); /* fails when it leads a session already, which is as well */
	(void)umask(022);
	reset_limits();
	if (has_first_fd && fcntl(CONTROL_FIRST_FD, F_SETFD, FD_CLOEXEC) < 0)
		return -1;
	if (close_range(CONTROL_FIRST_FD + (has_first_fd ? 1U : 0U), ~0U, 0) < 0)
		return -1;
	return chdir("/");
}

int
main(int argc, char **argv)
{
	bool has_first_fd = false;
	const char *zone = NULL;
	struct err err;
	int opt;

	if (fd_std_ensure() < 0)
		return 1;
	opterr = 0;
	while ((opt = getopt(argc, argv, "3z:")) != -1) {
		switch (opt) {
		case '3':
			has_first_fd = true;
			break;
		case 'z':
			zone = optarg;
			break;
		default:
			return usage(optopt == '?' ? stdout : stderr);
		}
	}
	if (!zone || optind != argc)
		return usage(stderr);
	if (config_name_check(zone, &err) < 0 || config_name_reserved(zone)) {
		(void)fprintf(stderr, "zoneadmd: '%s' cannot be the name of a zone\n", zone);
		return 2;
	}
	if (geteuid() != 0) {
		(void)fprintf(stderr, "zoneadmd: only root may start it\n");
		return 1;
	}
	if (become_own_process(has_first_fd) < 0) {
		(void)fprintf(stderr, "zoneadmd: become a daemon: %m\n");
		return 1;
	}
	return server_run(zone, has_first_fd ? CONTROL_FIRST_FD : -EBADF);
}

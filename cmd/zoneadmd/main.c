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
#include <sys/stat.h>
#include <unistd.h>

static int
usage(FILE *out)
{
	(void)fprintf(out, "usage: zoneadmd -z zone [-3]\n"
			   "Holds one zone; started by zoneadm(8) and zlogin(1) when needed.\n");
	return out == stdout ? 0 : 2;
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

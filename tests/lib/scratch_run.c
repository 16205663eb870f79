/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scratch_run - shell commands in throw-away namespaces, for tests of them.
 *
 * usage: scratch_run [-i INHERITED-DIR]... [-b SOURCE:TARGET]... [-x STATUS:TARGET]... [-s] [-t MS]
 *                    NAME ROOT COMMAND...
 *
 * Each COMMAND is run by /bin/sh; its output goes to stdout, and a line "status N" or "error CODE:
 * MESSAGE" follows. At the end "discarded N" and the paths, when directories are inherited. -s: ids
 * shared with the host. SIGINT and SIGTERM ask for a stop.
 */
#include "base/err.h"
#include "base/str.h"
#include "runtime/runtime.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX 8

static volatile sig_atomic_t stop_wanted;

static void
on_signal(int sig)
{
	(void)sig;
	stop_wanted = 1;
}

static bool
stop(void)
{
	return stop_wanted;
}

static int
run_all(struct runtime_scratch *s, char **commands, unsigned timeout_ms)
{
	static const char *const envp[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
					   NULL};
	struct err err = {0};
	int r = 0;

	for (; *commands && r >= 0; commands++) {
		const char *const argv[] = {"/bin/sh", "-c", *commands, NULL};
		int status = -1;

		r = runtime_scratch_run(s, argv, envp, STDOUT_FILENO, timeout_ms, &status, &err);
		if (r < 0)
			(void)printf("error %d: %s\n", -r, err.msg);
		else
			(void)printf("status %d\n", status);
		(void)fflush(stdout);
	}
	return r;
}

static int
usage(void)
{
	(void)fprintf(stderr,
		      "usage: scratch_run [-i DIR] [-b SOURCE:TARGET] [-x STATUS:TARGET] [-s] "
		      "[-t MS] NAME ROOT COMMAND...\n");
	return 2;
}

int
main(int argc, char **argv)
{
	const char *inherit[MAX + 1] = {NULL};
	struct runtime_bind binds[MAX] = {{0}};
	struct runtime_scratch_req req = {.inherit_dirs = inherit, .binds = binds, .stop = stop};
	struct sigaction sa = {.sa_handler = on_signal};
	auto_strv struct strv paths = {0};
	struct runtime_scratch *s;
	struct err err = {0};
	unsigned timeout_ms = 0;
	size_t n_inherit = 0;
	int opt, n, r;

	while ((opt = getopt(argc, argv, "+i:b:x:st:")) != -1) {
		if (opt == 'i' && n_inherit < MAX) {
			inherit[n_inherit++] = optarg;
		} else if ((opt == 'b' || opt == 'x') && req.n_binds < MAX && strchr(optarg, ':')) {
			char *colon = strchr(optarg, ':');

			*colon = '\0';
			binds[req.n_binds].source = opt == 'b' ? optarg : NULL;
			binds[req.n_binds].exit_status = opt == 'x' ? atoi(optarg) : 0;
			binds[req.n_binds++].target = colon + 1;
		} else if (opt == 's') {
			req.shares_ids = true;
		} else if (opt == 't') {
			timeout_ms = (unsigned)atoi(optarg);
		} else {
			return usage();
		}
	}
	if (argc - optind < 2)
		return usage();
	(void)sigaction(SIGINT, &sa, NULL);
	(void)sigaction(SIGTERM, &sa, NULL);
	req.name = argv[optind];
	req.zone_root = argv[optind + 1];
	r = runtime_scratch_start(&req, &s, &err);
	if (r < 0) {
		(void)printf("error %d: %s\n", -r, err.msg);
		return 1;
	}
	(void)run_all(s, argv + optind + 2, timeout_ms);
	n = n_inherit ? runtime_scratch_discarded(s, &paths, &err) : 0;
	if (n_inherit)
		(void)printf("discarded %d\n", n);
	for (size_t i = 0; i < paths.n; i++)
		(void)printf("%s\n", paths.v[i]);
	r = runtime_scratch_end(s, &err);
	if (n < 0 || r < 0)
		(void)printf("error: %s\n", err.msg);
	return n < 0 || r < 0;
}

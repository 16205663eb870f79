/* SPDX-License-Identifier: Apache-2.0 */
/* zoneadm boot: from installed or ready to running; with -n only the plan. */
#include "daemon.h"

#include "base/err.h"
#include "base/str.h"
#include "runtime/runtime.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

struct boot_opts {
	bool single_user; /* -s */
	bool dry_run;     /* -n */
};

/* Returns -1 to go on, else an exit code. */
static int
parse(const struct zoneadm *za, int argc, char **argv, struct boot_opts *ret)
{
	int opt;

	while ((opt = getopt(argc, argv, "+:ns")) != -1) {
		switch (opt) {
		case 'n':
			ret->dry_run = true;
			break;
		case 's':
			ret->single_user = true;
			break;
		default:
			if (optopt == '?')
				return zoneadm_usage(za, true);
			(void)zoneadm_error(za, "%s: unknown option -%c", argv[0], optopt);
			return zoneadm_usage(za, false);
		}
	}
	return -1;
}

/* All that boot would do, and nothing done. */
static int
print_plan(struct zoneadm *za, const struct strv *words)
{
	auto_strv struct strv problems = {0}, warnings = {0};
	auto_runtime_plan struct runtime_plan *plan = NULL;
	struct runtime_plan_req req = {
	    .config = za->config,
	    .uuid = za->entry.uuid,
	    .bootargs = words->n ? (const char *const *)words->v : NULL,
	};
	struct err err;
	int r;

	r = runtime_plan_make(&req, &problems, &warnings, &plan, &err);
	/* Of an installed zone, the checks before have told them. */
	for (size_t i = 0; za->state != ZONE_STATE_INSTALLED && i < warnings.n; i++)
		(void)zoneadm_error(za, "warning: %s", warnings.v[i]);
	for (size_t i = 0; i < problems.n; i++)
		(void)zoneadm_error(za, "%s", problems.v[i]);
	if (r == -ZE_VERIFY)
		return zoneadm_error(za, "boot: zone failed to verify");
	if (r < 0)
		return zoneadm_fail(za, &err);
	return runtime_plan_print(plan, stdout) < 0 ? ZONEADM_ERROR : ZONEADM_OK;
}

int
zoneadm_boot(struct zoneadm *za, int argc, char **argv)
{
	struct control_request req = {.command = CONTROL_BOOT};
	struct boot_opts opts = {0};
	auto_strv struct strv words = {0};
	int r;

	r = parse(za, argc, argv, &opts);
	if (r >= 0)
		return r;
	r = opts.single_user ? strv_add(&words, "-s") : 0;
	for (int i = optind; i < argc && r == 0; i++)
		r = strv_add(&words, argv[i]);
	if (r < 0)
		return zoneadm_error(za, "out of memory");
	r = zoneadm_check(za);
	if (r == ZONEADM_OK && words.n)
		r = daemon_bootargs(za, words.v, &req);
	if (r != ZONEADM_OK)
		return r;
	if (za->state == ZONE_STATE_INSTALLED && !opts.dry_run)
		return daemon_bring_up(za, &req);
	if (za->state == ZONE_STATE_INSTALLED)
		r = zoneadm_verified(za, true);
	if (r != ZONEADM_OK)
		return r;
	return opts.dry_run ? print_plan(za, &words) : daemon_ask(za, &req, true);
}

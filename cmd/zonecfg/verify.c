/* SPDX-License-Identifier: Apache-2.0 */
/* verify: every problem of the configuration, a line each. */
#include "zonecfg.h"

#include <string.h>

/* What was saved must stay changeable even if the host has changed since: zoneadm tells then. */
static bool
is_new(const struct session *s, const char *value, const char *(*get)(const struct config *cfg))
{
	return s->changed && (!s->saved || strcmp(value, get(s->saved)) != 0);
}

/* What depends on this host. */
static int
check_host(const struct session *s, struct strv *problems)
{
	const char *path = config_zonepath(s->cfg), *brand = config_brand(s->cfg);
	struct err err;
	int r = 0;

	/* "/" is a problem of the configuration already. */
	if (*path && strcmp(path, "/") != 0 && is_new(s, path, config_zonepath))
		r = config_zonepath_check(s->opts->root, path, &err);
	if (r < 0 && r != -ZE_NOMEM)
		r = strv_add(problems, err.msg);
	if (r == 0 && is_new(s, brand, config_brand)) {
		r = config_brand_check(s->opts->root, brand, &err);
		if (r < 0 && r != -ZE_NOMEM)
			r = strv_add(problems, err.msg);
	}
	return r;
}

int
cmd_verify(struct session *s, const struct command_args *args)
{
	auto_strv struct strv problems = {0};

	(void)args;
	if (config_check(s->cfg, &problems) == -ZE_NOMEM || check_host(s, &problems) < 0)
		return session_error(s, "out of memory");
	if (!problems.n)
		return 0;
	(void)strv_addf(&problems, "the zone failed to verify");
	return session_problems(s, &problems);
}

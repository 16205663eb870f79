/* SPDX-License-Identifier: Apache-2.0 */
/* verify: every problem of the configuration, a line each. */
#include "zonecfg.h"

#include <string.h>

/* Whether the zonepath is not what has been saved. What was saved must stay changeable even if the
 * host has changed since: zoneadm verify tells then. */
static bool
is_new_path(const struct session *s)
{
	const char *path = config_zonepath(s->cfg);

	/* "/" is a problem of the configuration already. */
	if (!*path || !strcmp(path, "/") || !s->changed)
		return false;
	return !s->saved || strcmp(path, config_zonepath(s->saved)) != 0;
}

int
cmd_verify(struct session *s, const struct command_args *args)
{
	auto_strv struct strv problems = {0};
	struct err err;
	int r;

	(void)args;
	r = config_check(s->cfg, &problems);
	if (r != -ZE_NOMEM && is_new_path(s)) {
		r = config_zonepath_check(s->opts->root, config_zonepath(s->cfg), &err);
		if (r < 0 && r != -ZE_NOMEM && strv_add(&problems, err.msg) < 0)
			r = -ZE_NOMEM;
	}
	if (r == -ZE_NOMEM)
		return session_error(s, "out of memory");
	if (!problems.n)
		return 0;
	(void)strv_addf(&problems, "the zone failed to verify");
	return session_problems(s, &problems);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* verify: every problem of the configuration, a line each. */
#include "zonecfg.h"

int
cmd_verify(struct session *s, const struct command_args *args)
{
	auto_strv struct strv problems = {0};
	int r;

	(void)args;
	r = config_check(s->cfg, &problems);
	if (r == -ZE_NOMEM)
		return session_error(s, "out of memory");
	if (r == 0)
		return 0;
	(void)strv_addf(&problems, "the zone failed to verify");
	return session_problems(s, &problems);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* revert: back to the saved configuration. */
#include "zonecfg.h"

int
cmd_revert(struct session *s, const struct command_args *args)
{
	char name[sizeof(s->saved_name)];
	int r;

	if (!*s->saved_name && !session_is_global(s))
		return session_error(s, "revert: the zone has never been saved");
	if (s->changed && !args->opt['F']) {
		r = session_ask(s, "Are you sure you want to revert");
		if (r == 0)
			return 0;
	}
	(void)snprintf(name, sizeof(name), "%s", *s->saved_name ? s->saved_name : s->name);
	if (session_read(s, name) < 0)
		return session_error(s, "out of memory");
	if (s->load_err.code)
		return session_fail(s, &s->load_err);
	return s->cfg ? 0 : session_error(s, "No such zone configured");
}

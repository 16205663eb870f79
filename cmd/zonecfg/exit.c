/* SPDX-License-Identifier: Apache-2.0 */
/* exit, and the end of input: what has changed is committed, or the user is told that it was not.
 */
#include "zonecfg.h"

static void
leave(struct session *s, int status)
{
	s->status = status;
	s->done = true;
}

/* The end of a session that cannot ask: a failure, and nothing is saved. */
static int
leave_unsaved(struct session *s, const char *why)
{
	if (s->changed || s->res)
		session_note(s, "%s: the configuration has not been saved", why);
	leave(s, ZONECFG_ERROR);
	return -ZE_INVAL;
}

/* Whether an unfinished resource may be dropped. Returns 1 or 0. */
static int
leave_resource(struct session *s, bool force)
{
	int r;

	if (!force) {
		if (s->mode != SESSION_TERMINAL)
			return 0;
		session_note(s, "the %s resource is not complete: 'end' was not given",
			     config_types[config_res_type(s->res)].name);
		r = session_ask(s, "Really quit");
		if (r <= 0)
			return 0;
	}
	session_leave_scope(s);
	return 1;
}

/* Returns 0 when the session is over or the user wants to stay; a negative code when it ends
 * unsaved. */
static int
finish(struct session *s, bool force)
{
	bool script = s->mode != SESSION_TERMINAL;

	if (s->failed && script)
		return leave_unsaved(s, "a command failed");
	if (s->res && !leave_resource(s, force))
		return script ? leave_unsaved(s, "a resource is not complete ('end' was not given)")
			      : 0;
	if (!s->changed) {
		leave(s, ZONECFG_OK);
		return 0;
	}
	if (commit_now(s) == 0) {
		leave(s, ZONECFG_OK);
		return 0;
	}
	session_note(s, "the configuration has not been saved");
	if (script || force || session_ask(s, "Really quit") == 1) {
		leave(s, ZONECFG_ERROR);
		return -ZE_INVAL;
	}
	return 0;
}

int
cmd_exit(struct session *s, const struct command_args *args)
{
	return finish(s, args->opt['F']);
}

void
session_end(struct session *s)
{
	(void)finish(s, false);
}

int
session_finish(struct session *s)
{
	if (!s->done || (s->failed && s->status == ZONECFG_OK))
		(void)finish(s, false);
	return s->status;
}

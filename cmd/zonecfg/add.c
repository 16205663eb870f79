/* SPDX-License-Identifier: Apache-2.0 */
/* add, end, cancel: a new resource, and leaving its scope. */
#include "zonecfg.h"

int
cmd_add(struct session *s, const struct command_args *args)
{
	struct err err;
	int type, r;

	if (s->res)
		return values_command(s, args, VALUES_ADD);
	type = resource_type(s, &args->args[0]);
	if (type < 0)
		return type;
	if (args->n > 1)
		return command_bad_usage(s, command_find("add"), "too many arguments");
	r = resource_check_fixed(s, type);
	if (r < 0)
		return r;
	r = config_can_add(s->cfg, type, &err);
	if (r == 0)
		r = config_res_new(type, &s->res, &err);
	return r < 0 ? session_fail(s, &err) : 0;
}

int
cmd_end(struct session *s, const struct command_args *args)
{
	auto_strv struct strv problems = {0};
	struct err err;
	int r;

	(void)args;
	r = config_res_check(s->res, &problems);
	if (r == -ZE_VERIFY)
		return session_problems(s, &problems);
	if (r == 0)
		r = config_add(s->cfg, s->res, s->res_of, &err);
	else
		(void)err_nomem(&err);
	if (r < 0)
		return session_fail(s, &err);
	s->res = NULL; /* the configuration owns it now */
	s->res_of = NULL;
	s->changed = true;
	return 0;
}

int
cmd_cancel(struct session *s, const struct command_args *args)
{
	(void)args;
	session_leave_scope(s);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* select: the scope of a resource that is there already. */
#include "zonecfg.h"

#include "base/fd.h"

int
cmd_select(struct session *s, const struct command_args *args)
{
	auto_free struct config_res **found = NULL;
	struct err err;
	size_t n = 0;
	int type, r;

	type = resource_type(s, &args->args[0]);
	if (type < 0)
		return type;
	if (args->n > 1 && config_types[type].single)
		return command_bad_usage(s, command_find("select"),
					 "there is at most one %s: no property is needed to "
					 "choose it",
					 config_types[type].name);
	if (args->n == 1 && !config_types[type].single && config_count(s->cfg, type) > 1)
		return command_bad_usage(s, command_find("select"),
					 "there are %zu %s resources: say which with "
					 "property-name=property-value",
					 config_count(s->cfg, type), config_types[type].name);
	r = resource_check_fixed(s, type);
	if (r == 0)
		r = resource_match(s, type, args->args + 1, args->n - 1, &found, &n);
	if (r < 0)
		return r;
	if (n == 0)
		return session_error(s, "select: there is no such %s resource",
				     config_types[type].name);
	if (n > 1)
		return session_error(s,
				     "select: insufficient specification: %zu %s resources match",
				     n, config_types[type].name);
	r = config_res_copy(found[0], &s->res, &err);
	if (r < 0)
		return session_fail(s, &err);
	s->res_of = found[0];
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* remove: resources, or values of a list. */
#include "zonecfg.h"

#include "base/fd.h"

/* Whether @n resources, more than one, may go. Returns 1, 0, or a negative code. */
static int
may_remove_many(const struct session *s, const struct command_args *args, const char *type,
		size_t n)
{
	int r;

	if (args->opt['F'])
		return 1;
	if (args->n > 1)
		return session_error(s,
				     "remove: insufficient specification: %zu %s resources match "
				     "(-F removes them all)",
				     n, type);
	r = session_ask(s, "Are you sure you want to remove ALL '%s' resources", type);
	if (r < 0)
		return session_error(s,
				     "remove: there are %zu %s resources: say which with "
				     "property-name=property-value, or use -F to remove them all",
				     n, type);
	return r;
}

int
cmd_remove(struct session *s, const struct command_args *args)
{
	auto_free struct config_res **found = NULL;
	size_t n = 0;
	int type, r;

	if (s->res && args->opt['F'])
		return command_bad_usage(s, command_find("remove"), "-F is for resources");
	if (s->res)
		return values_command(s, args, VALUES_REMOVE);
	type = resource_type(s, &args->args[0]);
	if (type < 0)
		return type;
	r = resource_check_fixed(s, type);
	if (r == 0)
		r = resource_match(s, type, args->args + 1, args->n - 1, &found, &n);
	if (r < 0)
		return r;
	if (n == 0 && args->opt['F'])
		return 0;
	if (n == 0)
		return session_error(s, "remove: there is no such %s resource",
				     config_types[type].name);
	r = n > 1 ? may_remove_many(s, args, config_types[type].name, n) : 1;
	if (r <= 0)
		return r;
	for (size_t i = 0; i < n; i++)
		config_remove(s->cfg, found[i]);
	s->changed = true;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* clear: properties back to their defaults. */
#include "zonecfg.h"

int
cmd_clear(struct session *s, const struct command_args *args)
{
	const struct call_arg *arg = &args->args[0];
	int prop, r;

	if (arg->name || arg->is_list || arg->is_complex)
		return command_bad_usage(s, command_find("clear"), "a property was expected");
	prop = scope_property(s, arg->values.v[0]);
	if (prop < 0)
		return prop;
	r = property_check_writable(s, prop, false);
	if (r < 0)
		return r;
	if (!config_props[prop].clearable)
		return session_error(s, "%s: clearing this property is not allowed",
				     config_props[prop].name);
	config_res_clear(scope(s), prop);
	if (!s->res)
		s->changed = true;
	return 0;
}

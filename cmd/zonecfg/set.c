/* SPDX-License-Identifier: Apache-2.0 */
/* set: values of properties; and the zone's name, which chooses or renames it. */
#include "zonecfg.h"

#include <string.h>

static int
check_new_name(const struct session *s, const char *name)
{
	enum zone_state state;
	struct err err;
	int r;

	if (config_name_check(name, &err) < 0)
		return session_fail(s, &err);
	if (config_name_reserved(name))
		return session_error(s, "zonename: '%s' is reserved", name);
	if (*s->saved_name) {
		r = session_state(s, s->saved_name, &state, &err);
		if (r < 0)
			return session_fail(s, &err);
		if (state > ZONE_STATE_INSTALLED)
			return session_error(s,
					     "zonename: cannot change while the zone is %s; halt "
					     "it first",
					     zone_state_name(state));
	}
	if (!strcmp(name, s->saved_name))
		return 0; /* back to what it was */
	r = session_exists(s, name, &state, &err);
	if (r < 0)
		return session_fail(s, &err);
	if (r == 2)
		return session_error(
		    s,
		    "zonename: there is a document of a zone '%s' without a line in "
		    "the index; remove it with 'zonecfg -z %s delete -F'",
		    name, name);
	return r ? session_error(s, "zonename: zone '%s' already exists", name) : 0;
}

static int
select_zone(struct session *s, const char *name)
{
	struct err err;

	if (config_name_check(name, &err) < 0)
		return session_fail(s, &err);
	if (session_read(s, name) < 0)
		return session_error(s, "out of memory");
	session_greet(s);
	return 0;
}

static int
rename_zone(struct session *s, const char *name)
{
	struct err err;
	int r;

	if (!strcmp(name, s->name))
		return 0;
	r = check_new_name(s, name);
	if (r < 0)
		return r;
	r = config_res_set(config_global(s->cfg), CONFIG_ZONENAME, name, &err);
	if (r < 0)
		return session_fail(s, &err);
	(void)snprintf(s->name, sizeof(s->name), "%s", name); /* it has been checked: it fits */
	s->changed = true;
	return 0;
}

static bool
is_simple(const struct call_arg *arg)
{
	return !arg->is_list && !arg->is_complex;
}

int
cmd_set(struct session *s, const struct command_args *args)
{
	const struct call_arg *arg = &args->args[0];
	int prop, r;

	if (arg->name && args->n > 1)
		return command_bad_usage(
		    s, command_find("set"),
		    "too many arguments: a value that holds blanks must be in quotes");
	if (!arg->name || args->n > 1)
		return command_bad_usage(s, command_find("set"),
					 "property-name=property-value was expected");
	if (!s->cfg && strcmp(arg->name, "zonename") != 0)
		return s->load_err.code ? session_fail(s, &s->load_err)
					: session_error(s, "No such zone configured");
	if (!s->cfg && is_simple(arg))
		return select_zone(s, arg->values.v[0]);
	if (s->read_only)
		return session_error(s, "set: the session is read-only");
	prop = scope_property(s, arg->name);
	if (prop < 0)
		return prop;
	r = property_check_writable(s, prop, args->opt['F']);
	if (r < 0)
		return r;
	if (prop == CONFIG_ZONENAME && is_simple(arg))
		return rename_zone(s, arg->values.v[0]);
	r = values_apply(s, prop, arg, VALUES_SET);
	if (r == 0 && args->opt['F'])
		s->path_forced = true;
	return r;
}

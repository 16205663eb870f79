/* SPDX-License-Identifier: Apache-2.0 */
/* Properties and their values as commands name them. */
#include "zonecfg.h"

#include <string.h>

struct config_res *
scope(const struct session *s)
{
	return s->res ? s->res : config_global(s->cfg);
}

int
scope_property(const struct session *s, const char *name)
{
	enum config_type type = s->res ? config_res_type(s->res) : CONFIG_GLOBAL;
	auto_str struct str known = {0};
	int prop;

	prop = config_prop_find(type, name);
	if (prop >= 0)
		return prop;
	for (int p = 0; p < CONFIG_PROP_COUNT; p++)
		if (config_props[p].type == type)
			(void)str_addf(&known, "%s%s", known.len ? ", " : "", config_props[p].name);
	if (!s->res)
		return session_error(s,
				     "'%.60s' is not a property of a zone; there are %s (the "
				     "properties of resources can be set after 'add' or 'select')",
				     name, known.s ? known.s : "");
	return session_error(s, "'%.60s' is not a property of %s; there are %s", name,
			     config_types[type].name, known.s ? known.s : "");
}

static bool
is_for_global_zone(enum config_prop prop)
{
	return config_props[prop].rctl || prop == CONFIG_POOL || prop == CONFIG_SCHEDULING_CLASS;
}

int
property_check_writable(const struct session *s, enum config_prop prop, bool force)
{
	const char *name = config_props[prop].name;
	enum zone_state state = ZONE_STATE_CONFIGURED;
	struct err err;
	int r;

	if (config_props[prop].type != CONFIG_GLOBAL)
		return 0;
	if (session_is_global(s) && !is_for_global_zone(prop))
		return session_error(s, "%s: cannot be set for the global zone", name);
	if (force && prop != CONFIG_ZONEPATH)
		return session_error(s, "%s: -F is for zonepath only", name);
	if (force && !*s->opts->root)
		return session_error(s, "%s: -F makes sense only with an alternate root (-R)",
				     name);
	if (force || (prop != CONFIG_ZONEPATH && prop != CONFIG_BRAND) || !*s->saved_name)
		return 0;
	r = session_state(s, s->saved_name, &state, &err);
	if (r < 0)
		return session_fail(s, &err);
	if (state == ZONE_STATE_CONFIGURED)
		return 0;
	return session_error(s, "%s: cannot change while the zone is %s; uninstall it first", name,
			     zone_state_name(state));
}

/* What forms of values a property takes, by its row. */
static int
check_form(const struct session *s, enum config_prop prop, const struct call_arg *arg)
{
	const struct config_prop_desc *desc = &config_props[prop];
	bool wants_complex = desc->kind == CONFIG_KIND_RCTL_VALUE;

	if (arg->is_list && !desc->list)
		return session_error(s, "%s: takes one value, not a list", desc->name);
	if (arg->values.n && arg->is_complex && !wants_complex)
		return session_error(s, "%s: takes a simple value, not (name=value,...)",
				     desc->name);
	if (arg->values.n && !arg->is_complex && wants_complex)
		return session_error(s, "%s: takes a value of the form (name=value,...)",
				     desc->name);
	return 0;
}

static int
apply(struct config_res *res, enum config_prop prop, const struct call_arg *arg,
      enum values_how how, struct err *err)
{
	int r = 0;

	if (how == VALUES_SET && arg->values.n == 0)
		config_res_clear(res, prop);
	for (size_t i = 0; r == 0 && i < arg->values.n; i++) {
		const char *value = arg->values.v[i];

		if (how == VALUES_REMOVE)
			r = config_res_remove_value(res, prop, value, err);
		else if (how == VALUES_ADD || i > 0)
			r = config_res_add_value(res, prop, value, err);
		else
			r = config_res_set(res, prop, value, err);
	}
	return r;
}

int
values_apply(struct session *s, enum config_prop prop, const struct call_arg *arg,
	     enum values_how how)
{
	auto_res struct config_res *trial = NULL;
	struct err err;
	int r;

	r = check_form(s, prop, arg);
	if (r < 0)
		return r;
	/* A list is tried on a copy first. */
	if (arg->values.n > 1) {
		r = config_res_copy(scope(s), &trial, &err);
		if (r == 0)
			r = apply(trial, prop, arg, how, &err);
		if (r < 0)
			return session_fail(s, &err);
	}
	r = apply(scope(s), prop, arg, how, &err);
	if (r < 0)
		return session_fail(s, &err);
	if (!s->res)
		s->changed = true;
	return 0;
}

int
values_command(struct session *s, const struct command_args *args, enum values_how how)
{
	bool removes = how == VALUES_REMOVE;
	const struct command *self = command_find(removes ? "remove" : "add");
	int prop;

	if (args->n != 2 || args->args[0].name || args->args[0].is_list || args->args[0].is_complex)
		return command_bad_usage(s, self, "a property and a value were expected");
	if (args->args[1].name)
		return command_bad_usage(s, self, "a value that holds '=' must be in quotes");
	prop = scope_property(s, args->args[0].values.v[0]);
	if (prop < 0)
		return prop;
	if (!config_props[prop].list)
		return session_error(s, "%s: holds one value; use '%s'", config_props[prop].name,
				     removes ? "clear" : "set");
	return values_apply(s, prop, &args->args[1], how);
}

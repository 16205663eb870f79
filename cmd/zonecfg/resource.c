/* SPDX-License-Identifier: Apache-2.0 */
/* Resource types and resources as commands name them. */
#include "zonecfg.h"

#include "base/fd.h"

#include <stdlib.h>
#include <string.h>

/* What the global zone can be given: limits on what its processes use. */
static bool
is_for_global_zone(enum config_type type)
{
	return type == CONFIG_DEDICATED_CPU || type == CONFIG_CAPPED_CPU ||
	       type == CONFIG_CAPPED_MEMORY || type == CONFIG_RCTL;
}

int
resource_type(const struct session *s, const struct call_arg *arg)
{
	bool simple = !arg->name && !arg->is_list && !arg->is_complex;
	auto_str struct str known = {0};
	int type;

	type = simple ? config_type_find(arg->values.v[0]) : -ZE_INVAL;
	if (type >= 0 && (!session_is_global(s) || is_for_global_zone(type)))
		return type;
	if (type >= 0)
		return session_error(s, "the global zone cannot have resources of type %s",
				     config_types[type].name);
	for (int t = CONFIG_GLOBAL + 1; t < CONFIG_TYPE_COUNT; t++)
		(void)str_addf(&known, "%s%s", known.len ? ", " : "", config_types[t].name);
	return session_error(s, "'%.60s' is not a resource type; there are %s",
			     arg->name ? arg->name
			     : simple  ? arg->values.v[0]
				       : "[...]",
			     known.s ? known.s : "");
}

/* The value of a qualifier in the form in which it would be stored, or as it is. */
static char *
stored_form(enum config_prop prop, const struct call_arg *qual)
{
	auto_res struct config_res *probe = NULL;
	auto_str struct str joined = {0};
	const char *value;
	int r = 0;

	for (size_t i = 0; i < qual->values.n; i++)
		r = str_addf(&joined, "%s%s", i ? "," : "", qual->values.v[i]) < 0 ? -1 : r;
	if (r < 0 || config_res_new(config_props[prop].type, &probe, NULL) < 0)
		return NULL;
	for (size_t i = 0; r == 0 && i < qual->values.n; i++)
		r = config_props[prop].list
			? config_res_add_value(probe, prop, qual->values.v[i], NULL)
			: config_res_set(probe, prop, qual->values.v[i], NULL);
	value = r == 0 ? config_res_get(probe, prop) : NULL;
	return strdup(value ? value : joined.s ? joined.s : "");
}

static bool
has_value(const struct config_res *res, enum config_prop prop, const char *value)
{
	const char *has = config_res_get(res, prop);

	return has ? !strcmp(has, value) : !*value;
}

/* Take those resources out of @found that do not have the property of one qualifier. */
static int
keep_matching(const struct session *s, enum config_type type, const struct call_arg *qual,
	      struct config_res **found, size_t *n)
{
	auto_free char *value = NULL;
	size_t kept = 0;
	int prop;

	if (!qual->name)
		return session_error(s, "property-name=property-value was expected, not '%.60s'",
				     qual->values.n ? qual->values.v[0] : "[]");
	prop = config_prop_find(type, qual->name);
	if (prop < 0)
		return session_error(s, "'%.60s' is not a property of %s", qual->name,
				     config_types[type].name);
	value = stored_form(prop, qual);
	if (!value)
		return session_error(s, "out of memory");
	for (size_t i = 0; i < *n; i++)
		if (has_value(found[i], prop, value))
			found[kept++] = found[i];
	*n = kept;
	return 0;
}

int
resource_match(const struct session *s, enum config_type type, const struct call_arg *quals,
	       size_t n, struct config_res ***ret, size_t *ret_n)
{
	auto_free struct config_res **found = NULL;
	size_t count = config_count(s->cfg, type);
	int r;

	found = calloc(count + 1, sizeof(struct config_res *));
	if (!found)
		return session_error(s, "out of memory");
	for (size_t i = 0; i < count; i++)
		found[i] = config_at(s->cfg, type, i);
	for (size_t i = 0; i < n; i++) {
		r = keep_matching(s, type, &quals[i], found, &count);
		if (r < 0)
			return r;
	}
	*ret = ptr_take(&found);
	*ret_n = count;
	return 0;
}

int
resource_check_fixed(const struct session *s, enum config_type type)
{
	enum zone_state state;
	struct err err;
	int r;

	if (type != CONFIG_INHERIT_PKG_DIR || !*s->saved_name)
		return 0;
	r = session_state(s, s->saved_name, &state, &err);
	if (r < 0)
		return session_fail(s, &err);
	if (state == ZONE_STATE_CONFIGURED)
		return 0;
	return session_error(s,
			     "%s: cannot change while the zone is %s: its files were installed for "
			     "the directories it has",
			     config_types[type].name, zone_state_name(state));
}

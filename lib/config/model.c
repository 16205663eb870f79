/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A configuration in memory: the global scope and arrays of resources. Keys are kept in a search
 * tree, so that a thousand resources are added in no time.
 */
#include "config/config_priv.h"

#include "base/err.h"
#include "base/fd.h"

#include <assert.h>
#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
config_new(const char *name, struct config **ret, struct err *err)
{
	auto_config struct config *cfg = calloc(1, sizeof(*cfg));
	int r;

	if (!cfg)
		return err_nomem(err);
	r = config_res_new(CONFIG_GLOBAL, &cfg->global, err);
	if (r < 0)
		return r;
	cfg->global->cfg = cfg;
	r = config_res_set(cfg->global, CONFIG_ZONENAME, name, err);
	if (r < 0)
		return r;
	*ret = ptr_take(&cfg);
	return 0;
}

static void
forget(void *res)
{
	(void)res; /* the arrays own them */
}

void
config_free(struct config *cfg)
{
	int saved_errno = errno;

	if (!cfg)
		return;
	tdestroy(cfg->keys, forget);
	for (size_t type = 0; type < CONFIG_TYPE_COUNT; type++) {
		for (size_t i = 0; i < cfg->res[type].n; i++)
			config_res_free(cfg->res[type].v[i]);
		free(cfg->res[type].v);
	}
	config_res_free(cfg->global);
	free(cfg);
	errno = saved_errno;
}

void
config_freep(struct config **cfg)
{
	config_free(*cfg);
}

int
config_copy(const struct config *cfg, struct config **ret, struct err *err)
{
	auto_config struct config *copy = calloc(1, sizeof(*copy));
	int r;

	if (!copy)
		return err_nomem(err);
	r = config_res_copy(cfg->global, &copy->global, err);
	if (r < 0)
		return r;
	copy->global->cfg = copy;
	for (size_t type = 0; type < CONFIG_TYPE_COUNT; type++) {
		for (size_t i = 0; i < cfg->res[type].n; i++) {
			auto_res struct config_res *res = NULL;

			r = config_res_copy(cfg->res[type].v[i], &res, err);
			if (r == 0)
				r = config_link(copy, res, NULL, err);
			if (r < 0)
				return r;
			(void)ptr_take(&res);
		}
	}
	*ret = ptr_take(&copy);
	return 0;
}

static bool
res_equal(const struct config_res *a, const struct config_res *b)
{
	for (unsigned p = config_types[a->type].first; p < (unsigned)config_types[a->type].end; p++)
		if (!str_eq(config_res_get(a, p), config_res_get(b, p)))
			return false;
	return true;
}

bool
config_equal(const struct config *a, const struct config *b)
{
	if (!res_equal(a->global, b->global))
		return false;
	for (size_t type = 0; type < CONFIG_TYPE_COUNT; type++) {
		if (a->res[type].n != b->res[type].n)
			return false;
		for (size_t i = 0; i < a->res[type].n; i++)
			if (!res_equal(a->res[type].v[i], b->res[type].v[i]))
				return false;
	}
	return true;
}

struct config_res *
config_global(struct config *cfg)
{
	return cfg->global;
}

const char *
config_get(const struct config *cfg, enum config_prop prop)
{
	return config_res_get(cfg->global, prop);
}

const char *
config_zonename(const struct config *cfg)
{
	return config_get(cfg, CONFIG_ZONENAME);
}

const char *
config_zonepath(const struct config *cfg)
{
	const char *path = config_get(cfg, CONFIG_ZONEPATH);

	return path ? path : "";
}

const char *
config_brand(const struct config *cfg)
{
	return config_get(cfg, CONFIG_BRAND);
}

size_t
config_count(const struct config *cfg, enum config_type type)
{
	return cfg->res[type].n;
}

struct config_res *
config_at(const struct config *cfg, enum config_type type, size_t i)
{
	return i < cfg->res[type].n ? cfg->res[type].v[i] : NULL;
}

struct config_res *
config_find_named(const struct config *cfg, enum config_type type, const char *name)
{
	const struct config_prop_desc *desc = &config_props[config_types[type].first];
	union {
		struct config_res res;
		char room[sizeof(struct config_res) + 4 * sizeof(struct config_value)];
	} probe = {.res = {.type = type}};
	struct config_res **node;

	assert(desc->key && config_types[type].end - config_types[type].first <= 4);
	(void)desc;
	/* Only looked at. */
	probe.res.values[0].s = (char *)(uintptr_t)name;
	node = tfind(&probe.res, &cfg->keys, config_key_compare);
	return node ? *node : NULL;
}

int
config_res_label(const struct config_res *res, struct str *ret)
{
	const char *value;
	size_t n = 0;
	int r;

	r = str_addf(ret, "%s", config_types[res->type].name);
	for (unsigned p = config_types[res->type].first;
	     r == 0 && p < (unsigned)config_types[res->type].end; p++) {
		value = config_res_raw(res, p);
		if (config_props[p].key && value)
			r = str_addf(ret, "%s%s=%s", n++ ? "," : " '", config_props[p].name, value);
	}
	return r == 0 && n > 0 ? str_add(ret, "'", 1) : r;
}

static int
array_reserve(struct config_res_array *array, struct err *err)
{
	size_t room = array->room ? array->room * 2 : 4;
	struct config_res **bigger;

	if (array->n < array->room)
		return 0;
	bigger = reallocarray(array->v, room, sizeof(void *));
	if (!bigger)
		return err_nomem(err);
	array->v = bigger;
	array->room = room;
	return 0;
}

static size_t
array_index(const struct config_res_array *array, const struct config_res *res)
{
	size_t i = 0;

	while (array->v[i] != res) {
		i++;
		assert(i < array->n);
	}
	return i;
}

int
config_link(struct config *cfg, struct config_res *res, struct config_res *replace, struct err *err)
{
	struct config_res_array *array = &cfg->res[res->type];
	struct config_res **node = NULL;
	bool keyed = config_type_has_key(res->type);
	int r;

	r = array_reserve(array, err);
	if (r < 0)
		return r;
	if (keyed) {
		node = tfind(res, &cfg->keys, config_key_compare);
		if (node && *node != replace)
			return config_already_exists(res, err);
	}
	if (replace && keyed)
		(void)tdelete(replace, &cfg->keys, config_key_compare);
	if (keyed && !tsearch(res, &cfg->keys, config_key_compare)) {
		/* The node that was just freed is allocated again; if even that fails, the resource
		 * is only not found as a duplicate. */
		if (replace)
			(void)tsearch(replace, &cfg->keys, config_key_compare);
		return err_nomem(err);
	}
	res->cfg = cfg;
	if (replace && res->type == CONFIG_ANET)
		cfg->anet_next = 0;
	if (replace)
		array->v[array_index(array, replace)] = res;
	else
		array->v[array->n++] = res;
	config_res_free(replace);
	return 0;
}

struct config_res *
config_unlink(struct config *cfg, struct config_res *res)
{
	struct config_res_array *array = &cfg->res[res->type];
	size_t i = array_index(array, res);

	if (config_type_has_key(res->type))
		(void)tdelete(res, &cfg->keys, config_key_compare);
	array->n--;
	for (; i < array->n; i++)
		array->v[i] = array->v[i + 1];
	if (res->type == CONFIG_ANET)
		cfg->anet_next = 0;
	res->cfg = NULL;
	return res;
}

int
config_can_add(const struct config *cfg, enum config_type type, struct err *err)
{
	const struct config_res *present = config_at(cfg, type, 0);

	if (!config_types[type].single || !present)
		return 0;
	if (type == CONFIG_CAPPED_MEMORY &&
	    !config_res_is_set(present, CONFIG_CAPPED_MEMORY_PHYSICAL))
		return 0;
	return config_already_exists(present, err);
}

/* After an rctl was put in: what shows it, or @old_name that it had before, follows. */
static int
rctl_added(struct config *cfg, const struct config_res *rctl, const char *old_name, struct err *err)
{
	const char *name = config_res_raw(rctl, CONFIG_RCTL_NAME);
	int r = 0;

	if (old_name && !str_eq(old_name, name))
		r = config_alias_refresh(cfg, old_name, err);
	return r < 0 || !name ? r : config_alias_refresh(cfg, name, err);
}

/*
 * An anet without a name gets the first that is free. Where to look from is remembered: a hostile
 * document has hundreds of thousands.
 */
static int
anet_name(struct config *cfg, struct config_res *res, struct err *err)
{
	char name[24];
	int r;

	for (; !config_res_is_set(res, CONFIG_ANET_LINKNAME); cfg->anet_next++) {
		(void)snprintf(name, sizeof(name), "net%zu", cfg->anet_next);
		r = config_res_store(res, CONFIG_ANET_LINKNAME, name, err);
		if (r < 0)
			return r;
		if (!tfind(res, &cfg->keys, config_key_compare))
			return 0;
		config_res_clear(res, CONFIG_ANET_LINKNAME);
	}
	return 0;
}

int
config_add(struct config *cfg, struct config_res *res, struct config_res *replace, struct err *err)
{
	auto_free char *old_name = NULL;
	int r = 0;

	assert(res->type != CONFIG_GLOBAL && !res->cfg && (!replace || replace->type == res->type));
	if (!replace)
		r = config_can_add(cfg, res->type, err);
	if (r < 0)
		return r;
	if (res->type == CONFIG_CAPPED_CPU || res->type == CONFIG_CAPPED_MEMORY)
		return config_alias_add(cfg, res, replace, err);
	if (res->type == CONFIG_ANET)
		r = anet_name(cfg, res, err);
	if (r == 0 && replace && res->type == CONFIG_RCTL &&
	    config_res_is_set(replace, CONFIG_RCTL_NAME)) {
		old_name = strdup(config_res_raw(replace, CONFIG_RCTL_NAME));
		if (!old_name)
			r = err_nomem(err);
	}
	if (r == 0)
		r = config_link(cfg, res, replace, err);
	if (r == 0 && res->type == CONFIG_RCTL)
		r = rctl_added(cfg, res, old_name, err);
	return r;
}

void
config_remove(struct config *cfg, struct config_res *res)
{
	for (unsigned p = config_types[res->type].first; p < (unsigned)config_types[res->type].end;
	     p++)
		if (config_props[p].rctl && config_res_is_set(res, p))
			config_alias_drop(cfg, p);
	(void)config_unlink(cfg, res);
	/* This only takes views away, and allocates nothing. */
	if (res->type == CONFIG_RCTL && config_res_is_set(res, CONFIG_RCTL_NAME))
		(void)config_alias_refresh(cfg, config_res_raw(res, CONFIG_RCTL_NAME), NULL);
	config_res_free(res);
}

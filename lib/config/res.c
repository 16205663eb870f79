/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One resource, or the global scope: an array of values that the table of properties gives a
 * meaning to. A resource that is part of a configuration is changed by putting a changed copy in
 * its place, so that keys and aliases stay right.
 */
#include "config/config_priv.h"

#include "base/err.h"
#include "base/fd.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static size_t
prop_count(enum config_type type)
{
	return config_types[type].end - config_types[type].first;
}

/* Constness is the caller's business, as with strchr(). */
static struct config_value *
value_of(const struct config_res *res, enum config_prop prop)
{
	assert(config_props[prop].type == res->type);
	return &((struct config_res *)(uintptr_t)res)->values[prop - config_types[res->type].first];
}

bool
config_type_has_key(enum config_type type)
{
	for (unsigned p = config_types[type].first; p < (unsigned)config_types[type].end; p++)
		if (config_props[p].key)
			return true;
	return false;
}

int
config_key_compare(const void *left, const void *right)
{
	const struct config_res *a = left, *b = right;
	const char *s, *t;
	int r;

	if (a->type != b->type)
		return a->type < b->type ? -1 : 1;
	for (unsigned p = config_types[a->type].first; p < (unsigned)config_types[a->type].end;
	     p++) {
		if (!config_props[p].key)
			continue;
		s = config_res_raw(a, p);
		t = config_res_raw(b, p);
		r = strcmp(s ? s : "", t ? t : "");
		if (r != 0)
			return r;
	}
	return 0;
}

int
config_res_new(enum config_type type, struct config_res **ret, struct err *err)
{
	struct config_res *res;

	res = calloc(1, sizeof(*res) + prop_count(type) * sizeof(res->values[0]));
	if (!res)
		return err_nomem(err);
	res->type = type;
	*ret = res;
	return 0;
}

static void
value_clear(struct config_value *value)
{
	free(value->s);
	value->s = NULL;
	strv_free(&value->list);
}

void
config_res_free(struct config_res *res)
{
	int saved_errno = errno;

	if (!res)
		return;
	for (size_t i = 0; i < prop_count(res->type); i++)
		value_clear(&res->values[i]);
	free(res);
	errno = saved_errno;
}

void
config_res_freep(struct config_res **res)
{
	config_res_free(*res);
}

int
config_res_copy(const struct config_res *res, struct config_res **ret, struct err *err)
{
	auto_res struct config_res *copy = NULL;
	const struct config_value *from;
	int r;

	r = config_res_new(res->type, &copy, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < prop_count(res->type); i++) {
		from = &res->values[i];
		if (!from->s)
			continue;
		copy->values[i].s = strdup(from->s);
		if (!copy->values[i].s)
			return err_nomem(err);
		for (size_t k = 0; k < from->list.n; k++)
			if (strv_add(&copy->values[i].list, from->list.v[k]) < 0)
				return err_nomem(err);
	}
	*ret = ptr_take(&copy);
	return 0;
}

enum config_type
config_res_type(const struct config_res *res)
{
	return res->type;
}

const char *
config_res_raw(const struct config_res *res, enum config_prop prop)
{
	return value_of(res, prop)->s;
}

const char *
config_res_get(const struct config_res *res, enum config_prop prop)
{
	const char *s = config_res_raw(res, prop);

	return s ? s : config_props[prop].deflt;
}

bool
config_res_is_set(const struct config_res *res, enum config_prop prop)
{
	return config_res_raw(res, prop);
}

bool
config_res_is_empty(const struct config_res *res)
{
	for (unsigned p = config_types[res->type].first; p < (unsigned)config_types[res->type].end;
	     p++)
		if (config_res_is_set(res, p))
			return false;
	return true;
}

const char *const *
config_res_list(const struct config_res *res, enum config_prop prop, size_t *ret_n)
{
	const struct config_value *value = value_of(res, prop);

	if (!config_props[prop].list) {
		*ret_n = value->s ? 1 : 0;
		return value->s ? (const char *const *)&value->s : NULL;
	}
	*ret_n = value->list.n;
	return value->list.n ? (const char *const *)value->list.v : NULL;
}

static int
join(const struct strv *list, char **ret, struct err *err)
{
	auto_str struct str all = {0};

	for (size_t i = 0; i < list->n; i++)
		if (str_addf(&all, "%s%s", i ? "," : "", list->v[i]) < 0)
			return err_nomem(err);
	if (all.len > CONFIG_LIST_MAX_BYTES)
		return err_set(err, ZE_INVAL, 0, "the list has more than %d bytes",
			       CONFIG_LIST_MAX_BYTES);
	*ret = str_take(&all);
	return *ret ? 0 : err_nomem(err);
}

/* Put a list in the place of the old one; takes it over. An empty list unsets the property. */
static int
list_install(struct config_res *res, enum config_prop prop, struct strv *list, struct err *err)
{
	struct config_value *value = value_of(res, prop);
	char *joined = NULL;
	int r;

	if (list->n > 0) {
		r = join(list, &joined, err);
		if (r < 0)
			return err_add(err, "%s", config_props[prop].name);
	}
	value_clear(value);
	value->s = joined;
	value->list = *list;
	*list = (struct strv){0};
	return 0;
}

/* Check one element and append it to @list. */
static int
list_append(struct strv *list, enum config_prop prop, const char *value, struct err *err)
{
	auto_free char *checked = NULL;
	int r;

	if (!*value)
		return err_set(err, ZE_INVAL, 0, "%s: an element is empty",
			       config_props[prop].name);
	r = config_value_check(prop, value, &checked, err);
	if (r < 0)
		return r;
	/* Mount options may repeat: the last one counts. */
	if (prop != CONFIG_FS_OPTIONS && strv_has(list, checked))
		return err_set(err, ZE_EXIST, 0, "%s: '%.64s' is in the list already",
			       config_props[prop].name, checked);
	return strv_add(list, checked) < 0 ? err_nomem(err) : 0;
}

/* Append the elements of "a,b,c", or the one element that @value is. */
static int
list_append_all(struct strv *list, enum config_prop prop, const char *value, struct err *err)
{
	const char *p = value;
	size_t len;
	int r;

	if (!config_prop_is_comma_list(prop))
		return list_append(list, prop, value, err);
	for (;; p += len + 1) {
		auto_free char *element = NULL;

		len = strcspn(p, ",");
		element = strndup(p, len);
		if (!element)
			return err_nomem(err);
		r = list_append(list, prop, element, err);
		if (r < 0)
			return r;
		if (!p[len])
			return 0;
	}
}

static int
list_copy(const struct config_res *res, enum config_prop prop, struct strv *ret, struct err *err)
{
	const struct strv *list = &value_of(res, prop)->list;

	for (size_t i = 0; i < list->n; i++)
		if (strv_add(ret, list->v[i]) < 0)
			return err_nomem(err);
	return 0;
}

int
config_res_store(struct config_res *res, enum config_prop prop, const char *value, struct err *err)
{
	struct config_value *v = value_of(res, prop);
	char *copy;
	int r;

	if (value && config_props[prop].list) {
		auto_strv struct strv list = {0};

		r = list_append_all(&list, prop, value, err);
		return r < 0 ? r : list_install(res, prop, &list, err);
	}
	copy = value ? strdup(value) : NULL;
	if (value && !copy)
		return err_nomem(err);
	value_clear(v);
	v->s = copy;
	return 0;
}

/* ---- changes */

/* Only the global scope changes in place: elsewhere, keys and aliases would have to follow. */
static bool
is_changeable(const struct config_res *res)
{
	return !res->cfg || res->type == CONFIG_GLOBAL;
}

int
config_already_exists(const struct config_res *res, struct err *err)
{
	auto_str struct str label = {0};

	if (config_res_label(res, &label) < 0)
		return err_nomem(err);
	return err_set(err, ZE_EXIST, 0, "%s already exists", label.s);
}

int
config_res_set(struct config_res *res, enum config_prop prop, const char *value, struct err *err)
{
	const struct config_prop_desc *desc = &config_props[prop];
	auto_free char *checked = NULL;
	int r;

	assert(is_changeable(res));
	if (!*value) {
		if (desc->required)
			return err_set(err, ZE_INVAL, 0, "%s: a value is required", desc->name);
		config_res_clear(res, prop);
		return 0;
	}
	if (desc->list) {
		auto_strv struct strv list = {0};

		r = list_append_all(&list, prop, value, err);
		return r < 0 ? r : list_install(res, prop, &list, err);
	}
	r = config_value_check(prop, value, &checked, err);
	if (r == 0 && desc->rctl && res->cfg)
		return config_alias_set(res->cfg, prop, checked, err);
	return r < 0 ? r : config_res_store(res, prop, checked, err);
}

int
config_res_add_value(struct config_res *res, enum config_prop prop, const char *value,
		     struct err *err)
{
	auto_strv struct strv list = {0};
	int r;

	assert(is_changeable(res));
	if (!config_props[prop].list)
		return err_set(err, ZE_INVAL, 0, "%s: holds one value; use 'set'",
			       config_props[prop].name);
	r = list_copy(res, prop, &list, err);
	if (r == 0)
		r = list_append_all(&list, prop, value, err);
	return r < 0 ? r : list_install(res, prop, &list, err);
}

int
config_res_remove_value(struct config_res *res, enum config_prop prop, const char *value,
			struct err *err)
{
	const struct config_value *v = value_of(res, prop);
	auto_strv struct strv list = {0};
	auto_free char *checked = NULL;
	int r;

	assert(is_changeable(res));
	if (!config_props[prop].list)
		return err_set(err, ZE_INVAL, 0, "%s: holds one value; use 'clear'",
			       config_props[prop].name);
	r = config_value_check(prop, value, &checked, err);
	if (r < 0)
		return r;
	if (!strv_has(&v->list, checked))
		return err_set(err, ZE_NOENT, 0, "%s: '%.64s' is not in the list",
			       config_props[prop].name, checked);
	for (size_t i = 0; i < v->list.n; i++)
		if (strcmp(v->list.v[i], checked) != 0 && strv_add(&list, v->list.v[i]) < 0)
			return err_nomem(err);
	return list_install(res, prop, &list, err);
}

void
config_res_clear(struct config_res *res, enum config_prop prop)
{
	assert(is_changeable(res));
	if (res->cfg && config_props[prop].rctl && config_res_is_set(res, prop))
		config_alias_drop(res->cfg, prop);
	value_clear(value_of(res, prop));
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole configuration as JSON, for programs: the effective value of every global property that
 * has one, and an array for every type of resource. Here alone jansson is used, so only `info -j`
 * loads it.
 *
 * Source: our extension; docs/zone-config.schema.json.
 */
#include "config/config_priv.h"

#include "base/err.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static json_t *
rctl_value(const char *text)
{
	struct config_rctl_value v;

	if (config_rctl_value_parse(text, &v, NULL) < 0)
		return NULL;
	/* The largest limits say "none"; JSON's integers end at 2^63. */
	return json_pack("{s:s, s:I, s:s}", "priv", v.priv, "limit",
			 (json_int_t)(v.limit > INT64_MAX ? INT64_MAX : v.limit), "action",
			 v.action);
}

static json_t *
scalar(enum config_prop prop, const char *value)
{
	uint64_t n;

	switch (config_props[prop].kind) {
	case CONFIG_KIND_BOOL:
		return json_boolean(!strcmp(value, "true"));
	case CONFIG_KIND_UINT:
	case CONFIG_KIND_SIZE:
		if (str_to_u64(value, INT64_MAX, &n, NULL) == 0)
			return json_integer((json_int_t)n);
		return json_string(value);
	case CONFIG_KIND_NCPUS:
		return json_real(strtod(value, NULL));
	case CONFIG_KIND_RCTL_VALUE:
		return rctl_value(value);
	case CONFIG_KIND_STRING:
	case CONFIG_KIND_ZONENAME:
	case CONFIG_KIND_PATH:
	case CONFIG_KIND_ENUM:
	case CONFIG_KIND_RANGE:
	case CONFIG_KIND_HOSTID:
	case CONFIG_KIND_ADDRESS:
	case CONFIG_KIND_IP_PREFIX:
	case CONFIG_KIND_IP:
	case CONFIG_KIND_LINK:
	case CONFIG_KIND_MAC:
	case CONFIG_KIND_RATE:
	case CONFIG_KIND_DATASET:
	case CONFIG_KIND_RCTL_NAME:
	case CONFIG_KIND_ATTR_NAME:
		break;
	}
	return json_string(value);
}

/* An array, also when it is the default that is shown. */
static int
add_list(json_t *object, const struct config_res *res, enum config_prop prop)
{
	const char *const *list = &config_props[prop].deflt;
	json_t *array = json_array();
	size_t n = 1;

	if (config_res_is_set(res, prop))
		list = config_res_list(res, prop, &n);
	for (size_t i = 0; i < n; i++)
		if (json_array_append_new(array, scalar(prop, list[i])) < 0) {
			json_decref(array);
			return -1;
		}
	return json_object_set_new(object, config_props[prop].name, array);
}

static int
add_props(json_t *object, const struct config_res *res)
{
	const char *value;
	int r = 0;

	for (unsigned p = config_types[res->type].first;
	     r == 0 && p < (unsigned)config_types[res->type].end; p++) {
		value = config_res_get(res, p);
		if (!value)
			continue;
		if (config_props[p].list)
			r = add_list(object, res, p);
		else
			r = json_object_set_new(object, config_props[p].name, scalar(p, value));
	}
	return r;
}

static int
add_type(json_t *object, const struct config *cfg, enum config_type type)
{
	json_t *array = json_array(), *res;

	for (size_t i = 0; i < config_count(cfg, type); i++) {
		res = json_object();
		if (!res || add_props(res, config_at(cfg, type, i)) < 0 ||
		    json_array_append(array, res) < 0) {
			json_decref(res);
			json_decref(array);
			return -1;
		}
		json_decref(res);
	}
	return json_object_set_new(object, config_types[type].name, array);
}

int
config_json(const struct config *cfg, FILE *out)
{
	json_t *object = json_object();
	int r;

	if (!object)
		return -ZE_NOMEM;
	r = add_props(object, cfg->global);
	for (unsigned type = CONFIG_GLOBAL + 1; r == 0 && type < CONFIG_TYPE_COUNT; type++)
		r = add_type(object, cfg, type);
	if (r < 0) {
		json_decref(object);
		return -ZE_NOMEM;
	}
	r = json_dumpf(object, out, JSON_INDENT(2));
	json_decref(object);
	return r < 0 || fputc('\n', out) == EOF || ferror(out) ? -ZE_IO : 0;
}

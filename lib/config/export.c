/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `export` prints: commands that make the same configuration again. Exporting that one gives
 * the same text. Aliases come out as the rctls they stand for.
 */
#include "config/config_priv.h"

#include "base/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const enum config_type order[] = {
    CONFIG_INHERIT_PKG_DIR,
    CONFIG_FS,
    CONFIG_NET,
    CONFIG_ANET,
    CONFIG_DEVICE,
    CONFIG_RCTL,
    CONFIG_ATTR,
    CONFIG_DATASET,
    CONFIG_DEDICATED_CPU,
    CONFIG_CAPPED_MEMORY,
    CONFIG_ADMIN,
    CONFIG_SECURITY_FLAGS,
};

/* Quoted when the command language would take it for more than one token. */
static void
put_value(enum config_prop prop, const char *value, FILE *out)
{
	auto_str struct str text = {0};

	if (config_props[prop].kind == CONFIG_KIND_SIZE &&
	    config_size_text(strtoull(value, NULL, 10), true, &text) == 0)
		value = text.s;
	if (config_props[prop].kind != CONFIG_KIND_RCTL_VALUE &&
	    (!*value || strpbrk(value, " ;=[]()#")))
		(void)fprintf(out, "\"%s\"\n", value);
	else
		(void)fprintf(out, "%s\n", value);
}

static void
put_prop(const struct config_res *res, enum config_prop prop, FILE *out)
{
	const struct config_prop_desc *desc = &config_props[prop];
	const char *const *list;
	size_t n;

	if (!desc->list || config_prop_is_comma_list(prop)) {
		(void)fprintf(out, "set %s=", desc->name);
		put_value(prop, config_res_get(res, prop), out);
		return;
	}
	list = config_res_list(res, prop, &n);
	for (size_t i = 0; i < n; i++) {
		(void)fprintf(out, "add %s ", desc->name);
		put_value(prop, list[i], out);
	}
}

static void
put_res(const struct config_res *res, FILE *out)
{
	/* What it shows of rctls is exported with them. */
	if (res->type == CONFIG_CAPPED_MEMORY &&
	    !config_res_is_set(res, CONFIG_CAPPED_MEMORY_PHYSICAL))
		return;
	(void)fprintf(out, "add %s\n", config_types[res->type].name);
	for (unsigned p = config_types[res->type].first; p < (unsigned)config_types[res->type].end;
	     p++)
		if (config_res_is_set(res, p) && !config_props[p].rctl)
			put_prop(res, p, out);
	(void)fputs("end\n", out);
}

/* The name is given on the command line; the brand only when it is not the usual one. */
static bool
is_exported(const struct config *cfg, enum config_prop prop)
{
	if (prop == CONFIG_ZONENAME || config_props[prop].rctl)
		return false;
	if (prop == CONFIG_BRAND)
		return strcmp(config_brand(cfg), config_props[prop].deflt) != 0;
	/* Shown even when unset, but not where they cannot be set. */
	if (prop == CONFIG_AUTOBOOT || prop == CONFIG_IP_TYPE)
		return strcmp(config_zonename(cfg), "global") != 0;
	return config_res_is_set(cfg->global, prop);
}

int
config_export(const struct config *cfg, FILE *out)
{
	(void)fputs("create -b\n", out);
	for (unsigned p = config_types[CONFIG_GLOBAL].first;
	     p < (unsigned)config_types[CONFIG_GLOBAL].end; p++)
		if (is_exported(cfg, p))
			put_prop(cfg->global, p, out);
	for (size_t k = 0; k < sizeof(order) / sizeof(order[0]); k++)
		for (size_t i = 0; i < cfg->res[order[k]].n; i++)
			put_res(cfg->res[order[k]].v[i], out);
	return ferror(out) ? -ZE_IO : 0;
}

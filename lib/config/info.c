/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `info` prints. The text is read by programs and does not change.
 */
#include "config/config_priv.h"

#include "base/err.h"

#include <stdio.h>
#include <stdlib.h>

static int
done(FILE *out)
{
	return ferror(out) ? -ZE_IO : 0;
}

/* A value as people read it: sizes with their unit. The rest is as it is stored. */
static void
print_value(enum config_prop prop, const char *value, FILE *out)
{
	auto_str struct str text = {0};

	if (config_props[prop].kind == CONFIG_KIND_SIZE &&
	    config_size_text(strtoull(value, NULL, 10), false, &text) == 0)
		value = text.s;
	(void)fputs(value, out);
}

static void
info_list(const struct config_res *res, enum config_prop prop, FILE *out)
{
	const char *const *list;
	size_t n;

	list = config_res_list(res, prop, &n);
	if (prop == CONFIG_RCTL_VALUE) {
		for (size_t i = 0; i < n; i++)
			(void)fprintf(out, "\tvalue: %s\n", list[i]);
		if (n == 0)
			(void)fputs("\tvalue not specified\n", out);
		return;
	}
	(void)fprintf(out, "\t%s: [", config_props[prop].name);
	for (size_t i = 0; i < n; i++)
		(void)fprintf(out, "%s%s", i ? "," : "", list[i]);
	(void)fputs("]\n", out);
}

static void
info_res_prop(const struct config_res *res, enum config_prop prop, FILE *out)
{
	const struct config_prop_desc *desc = &config_props[prop];
	const char *value = config_res_get(res, prop);

	if (desc->quiet && !config_res_is_set(res, prop))
		return;
	if (desc->list && !config_prop_is_comma_list(prop)) {
		info_list(res, prop, out);
		return;
	}
	if (!value) {
		(void)fprintf(out, "\t%s not specified\n", desc->name);
		return;
	}
	(void)fprintf(out, desc->rctl ? "\t[%s: " : "\t%s: ", desc->name);
	print_value(prop, value, out);
	(void)fputs(desc->rctl ? "]\n" : "\n", out);
}

int
config_info_res(const struct config_res *res, FILE *out)
{
	(void)fprintf(out, "%s:\n", config_types[res->type].name);
	for (unsigned p = config_types[res->type].first; p < (unsigned)config_types[res->type].end;
	     p++)
		info_res_prop(res, p, out);
	return done(out);
}

int
config_info_prop(const struct config *cfg, enum config_prop prop, FILE *out)
{
	const struct config_prop_desc *desc = &config_props[prop];
	const char *value = config_get(cfg, prop);

	if (desc->rctl && !value) {
		(void)fprintf(out, "%s not specified\n", desc->name);
		return done(out);
	}
	(void)fprintf(out, desc->rctl ? "[%s:" : "%s:", desc->name);
	if (value) {
		(void)fputc(' ', out);
		print_value(prop, value, out);
	}
	(void)fputs(desc->rctl ? "]\n" : "\n", out);
	return done(out);
}

int
config_info(const struct config *cfg, FILE *out)
{
	for (unsigned p = config_types[CONFIG_GLOBAL].first;
	     p < (unsigned)config_types[CONFIG_GLOBAL].end; p++)
		if (!config_props[p].quiet || config_res_is_set(cfg->global, p))
			(void)config_info_prop(cfg, p, out);
	for (unsigned type = CONFIG_GLOBAL + 1; type < CONFIG_TYPE_COUNT; type++)
		for (size_t i = 0; i < cfg->res[type].n; i++)
			(void)config_info_res(cfg->res[type].v[i], out);
	return done(out);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the configuration document, in the form that zonecfg.dtd.1 describes. Attributes that are
 * extensions have defaults there and are left out while unset, so older tools can read the rest.
 */
#include "config/config_priv.h"

#include "base/err.h"

#include <stdlib.h>
#include <string.h>

static int
add_escaped(struct str *out, const char *s)
{
	static const char special[] = "&<>\"";
	static const char *const escapes[] = {"&amp;", "&lt;", "&gt;", "&quot;"};
	size_t len;
	int r = 0;

	for (; r == 0 && *s; s += len) {
		len = strcspn(s, special);
		if (len > 0) {
			r = str_add(out, s, len);
			continue;
		}
		r = str_addf(out, "%s", escapes[strchr(special, *s) - special]);
		len = 1;
	}
	return r;
}

static int
add_attr(struct str *out, const char *name, const char *value)
{
	int r;

	r = str_addf(out, " %s=\"", name);
	if (r == 0)
		r = add_escaped(out, value);
	return r < 0 ? r : str_add(out, "\"", 1);
}

/* What the document type demands, it gets, if only empty. */
static bool
always_written(enum config_prop prop)
{
	return config_props[prop].required || prop == CONFIG_AUTOBOOT || prop == CONFIG_NET_ADDRESS;
}

static int
add_attrs(struct str *out, const struct config_res *res)
{
	const char *value;
	int r = 0;

	for (unsigned p = config_types[res->type].first;
	     r == 0 && p < (unsigned)config_types[res->type].end; p++) {
		if (!config_props[p].xml_name || (!config_res_is_set(res, p) && !always_written(p)))
			continue;
		value = config_res_get(res, p);
		r = add_attr(out, config_props[p].xml_name, value ? value : "");
	}
	return r;
}

static int
add_fs_options(struct str *out, const struct config_res *res)
{
	const char *const *list;
	size_t n;
	int r = 0;

	list = config_res_list(res, CONFIG_FS_OPTIONS, &n);
	for (size_t i = 0; r == 0 && i < n; i++) {
		r = str_addf(out, "    <fsoption");
		if (r == 0)
			r = add_attr(out, "name", list[i]);
		if (r == 0)
			r = str_addf(out, "/>\n");
	}
	return r;
}

static int
add_rctl_values(struct str *out, const struct config_res *res)
{
	struct config_rctl_value v;
	const char *const *list;
	size_t n;
	int r = 0;

	list = config_res_list(res, CONFIG_RCTL_VALUE, &n);
	for (size_t i = 0; r == 0 && i < n; i++) {
		(void)config_rctl_value_parse(list[i], &v, NULL); /* it was checked when set */
		r = str_addf(out, "    <rctl-value priv=\"%s\" limit=\"%ju\"", v.priv,
			     (uintmax_t)v.limit);
		if (r == 0)
			r = add_attr(out, "action", v.action);
		if (r == 0)
			r = str_addf(out, "/>\n");
	}
	return r;
}

static int
add_resource(struct str *out, const struct config_res *res)
{
	const char *element = config_types[res->type].xml_name;
	size_t n = 0;
	int r;

	r = str_addf(out, "  <%s", element);
	if (r == 0)
		r = add_attrs(out, res);
	if (res->type == CONFIG_FS)
		(void)config_res_list(res, CONFIG_FS_OPTIONS, &n);
	else if (res->type == CONFIG_RCTL)
		(void)config_res_list(res, CONFIG_RCTL_VALUE, &n);
	if (r < 0 || n == 0)
		return r < 0 ? r : str_addf(out, "/>\n");
	r = str_addf(out, ">\n");
	if (r == 0)
		r = res->type == CONFIG_FS ? add_fs_options(out, res) : add_rctl_values(out, res);
	return r < 0 ? r : str_addf(out, "  </%s>\n", element);
}

/* dedicated-cpu: tmp_pool has the importance, pset the CPUs. */
static int
add_dedicated_cpu(struct str *out, const struct config_res *res)
{
	const char *range = config_res_raw(res, CONFIG_DEDICATED_CPU_NCPUS);
	const char *dash = range ? strchr(range, '-') : NULL;
	int low = dash ? (int)(dash - range) : -1;
	int r = 0;

	if (config_res_is_set(res, CONFIG_DEDICATED_CPU_IMPORTANCE))
		r = str_addf(out, "  <tmp_pool importance=\"%s\"/>\n",
			     config_res_raw(res, CONFIG_DEDICATED_CPU_IMPORTANCE));
	if (r == 0 && range)
		r = str_addf(out, "  <pset ncpu_min=\"%.*s\" ncpu_max=\"%s\"/>\n", low, range,
			     dash ? dash + 1 : range);
	return r;
}

static int
add_capped_memory(struct str *out, const struct config_res *res)
{
	const char *physical = config_res_raw(res, CONFIG_CAPPED_MEMORY_PHYSICAL);

	return physical ? str_addf(out, "  <mcap physcap=\"%s\"/>\n", physical) : 0;
}

static int
add_any(struct str *out, const struct config_res *res)
{
	if (res->type == CONFIG_DEDICATED_CPU)
		return add_dedicated_cpu(out, res);
	if (res->type == CONFIG_CAPPED_MEMORY)
		return add_capped_memory(out, res);
	/* capped-cpu is an rctl and nothing else. */
	return config_types[res->type].xml_name ? add_resource(out, res) : 0;
}

int
config_xml(const struct config *cfg, struct str *ret, struct err *err)
{
	int r;

	r = str_addf(ret, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
			  "<!DOCTYPE zone PUBLIC \"-//Sun Microsystems Inc//DTD Zones//EN\" "
			  "\"file:///usr/share/lib/xml/dtd/zonecfg.dtd.1\">\n"
			  "<zone");
	if (r == 0)
		r = add_attrs(ret, cfg->global);
	if (r == 0)
		r = str_addf(ret, ">\n");
	for (unsigned type = CONFIG_GLOBAL + 1; type < CONFIG_TYPE_COUNT; type++)
		for (size_t i = 0; r == 0 && i < cfg->res[type].n; i++)
			r = add_any(ret, cfg->res[type].v[i]);
	if (r == 0)
		r = str_addf(ret, "</zone>\n");
	return r < 0 ? err_nomem(err) : 0;
}

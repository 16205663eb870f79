/* SPDX-License-Identifier: Apache-2.0 */
/* info: the configuration as text, or as JSON for programs. */
#include "zonecfg.h"

#include "base/fd.h"

#include <stdlib.h>
#include <string.h>

/* ---- the resource being edited -------------------------------------------------------------- */

/* The lines of one property: "\tNAME: ...", "\tNAME not specified" or "\t[NAME: ...]". */
static bool
is_about(const char *line, const char *name)
{
	size_t len = strlen(name);

	line += strspn(line, "\t[");
	return !strncmp(line, name, len) && (line[len] == ':' || line[len] == ' ');
}

static int
print_lines_about(FILE *out, const char *text, const char *name)
{
	bool any = false;
	size_t len;

	for (const char *line = text; *line; line += len) {
		len = strcspn(line, "\n") + 1;
		if (!is_about(line, name))
			continue;
		any = true;
		if (fwrite(line, 1, len, out) != len)
			return -ZE_IO;
	}
	return any || fprintf(out, "\t%s not specified\n", name) > 0 ? 0 : -ZE_IO;
}

static int
info_edited(struct session *s, const struct command_args *args, FILE *out)
{
	auto_free char *text = NULL;
	auto_fclose FILE *all = NULL;
	size_t size;
	int prop;

	if (args->opt['j'])
		return command_bad_usage(s, command_find("info"), "-j is for the global scope");
	if (args->n == 0)
		return config_info_res(s->res, out);
	if (args->n > 1 || args->args[0].name || args->args[0].is_list || args->args[0].is_complex)
		return command_bad_usage(s, command_find("info"), "a property was expected");
	prop = scope_property(s, args->args[0].values.v[0]);
	if (prop < 0)
		return prop;
	all = open_memstream(&text, &size);
	if (!all || config_info_res(s->res, all) < 0 || fflush(all) < 0)
		return session_error(s, "out of memory");
	return print_lines_about(out, text, config_props[prop].name);
}

/* ---- the configuration ---------------------------------------------------------------------- */

static int
info_resources(struct session *s, const struct command_args *args, FILE *out)
{
	auto_free struct config_res **found = NULL;
	size_t n = 0;
	int type, r;

	type = resource_type(s, &args->args[0]);
	if (type < 0)
		return type;
	r = resource_match(s, type, args->args + 1, args->n - 1, &found, &n);
	if (r < 0)
		return r;
	if (n == 0 && args->n > 1)
		(void)fprintf(out, "There is no such %s resource.\n", config_types[type].name);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = config_info_res(found[i], out);
	return r;
}

static int
info_configuration(struct session *s, const struct command_args *args, FILE *out)
{
	const struct call_arg *arg = args->args;
	int prop;

	if (args->opt['j'] && args->n > 0)
		return command_bad_usage(s, command_find("info"), "-j shows everything");
	if (args->opt['j'])
		return config_json(s->cfg, out);
	if (args->n == 0)
		return config_info(s->cfg, out);
	if (arg->name || arg->is_list || arg->is_complex)
		return command_bad_usage(s, command_find("info"),
					 "a property or resource type was expected");
	prop = config_prop_find(CONFIG_GLOBAL, arg->values.v[0]);
	if (prop < 0)
		return info_resources(s, args, out);
	if (args->n > 1)
		return command_bad_usage(s, command_find("info"), "too many arguments");
	return config_info_prop(s->cfg, prop, out);
}

int
cmd_info(struct session *s, const struct command_args *args)
{
	auto_free char *text = NULL;
	FILE *out;
	size_t size;
	int r;

	out = open_memstream(&text, &size);
	if (!out)
		return session_error(s, "out of memory");
	r = s->res ? info_edited(s, args, out) : info_configuration(s, args, out);
	if (fclose(out) != 0)
		return session_error(s, "out of memory");
	return r < 0 ? r : session_page(s, text);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* help: from the tables of commands, resource types and properties. */
#include "zonecfg.h"

#include "base/fd.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_WIDTH 78

static const char usage_text[] =
    "usage: zonecfg -z zone                      edit a zone's configuration\n"
    "       zonecfg -z zone subcommand ...       execute subcommands; ';' between them\n"
    "       zonecfg -z zone -f file              execute the subcommands in a file (-: stdin)\n"
    "       zonecfg help [topic]\n"
    "options: -u uuid                            instead of -z: the zone with that UUID\n"
    "         -R root                            work on /etc/zones below another root\n";

static const char syntax_text[] =
    "A line holds commands, with ';' between them. '#' where a command may begin starts\n"
    "a comment.\n"
    "\n"
    "value           word, or \"text in quotes\" (needed for blanks and any of ;=[]())\n"
    "list            [value,value,...]     [] is the empty list\n"
    "complex value   (name=value,name=value,...)\n"
    "\n"
    "The global scope has the zone's own properties and its resources:\n"
    "    set property=value                      clear property\n"
    "    add resource-type                       begins a new resource\n"
    "    select resource-type property=value     changes one that is there\n"
    "    remove resource-type property=value     info resource-type\n"
    "add and select open the scope of the resource; 'end' takes it into the\n"
    "configuration, 'cancel' drops it:\n"
    "    set property=value                      clear property\n"
    "    add property value                      remove property value      (of lists)\n";

/* Words, broken into lines that begin with @indent blanks. */
static void
print_wrapped(FILE *out, const char *text, int indent)
{
	size_t column = 0, len;

	for (const char *p = text; *p; p += len) {
		p += strspn(p, " ");
		len = strcspn(p, " ");
		if (column && column + 1 + len > TEXT_WIDTH) {
			(void)fputc('\n', out);
			column = 0;
		}
		if (!column) {
			(void)fprintf(out, "%*s%.*s", indent, "", (int)len, p);
			column = (size_t)indent + len;
			continue;
		}
		(void)fprintf(out, " %.*s", (int)len, p);
		column += 1 + len;
	}
	(void)fputc('\n', out);
}

static void
print_commands(FILE *out)
{
	static const char *const scopes[] = {
	    [COMMAND_GLOBAL] = "global",
	    [COMMAND_RESOURCE] = "resource",
	    [COMMAND_GLOBAL | COMMAND_RESOURCE] = "both",
	};

	for (const struct command *c = commands; c->name; c++)
		for (size_t i = 0; c->usage[i]; i++)
			(void)fprintf(out, "%-9s %s%s%s\n",
				      i ? ""
					: scopes[c->flags & (COMMAND_GLOBAL | COMMAND_RESOURCE)],
				      c->name, *c->usage[i] ? " " : "", c->usage[i]);
}

static void
print_command(FILE *out, const struct command *c)
{
	command_print_usage(c, out);
	print_wrapped(out, c->help, 0);
}

static void
print_property(FILE *out, const struct config_prop_desc *p)
{
	(void)fprintf(out, "%s (%s", p->name,
		      p->required ? "required"
		      : p->deflt  ? "default "
				  : "optional");
	if (!p->required && p->deflt)
		(void)fputs(p->deflt, out);
	(void)fputs(p->list ? ", list)\n" : ")\n", out);
	print_wrapped(out, p->help, 8);
	if (p->rctl)
		(void)fprintf(out, "        Stored as the resource control %s.\n", p->rctl);
	if (!p->choices)
		return;
	(void)fputs("        Values:", out);
	for (size_t i = 0; p->choices[i]; i++)
		(void)fprintf(out, " %s", p->choices[i]);
	(void)fputc('\n', out);
}

static void
print_properties(FILE *out, enum config_type type)
{
	for (unsigned p = config_types[type].first; p < (unsigned)config_types[type].end; p++)
		print_property(out, &config_props[p]);
}

static void
print_type(FILE *out, enum config_type type)
{
	(void)fprintf(out, "%s: resource type, %s\n", config_types[type].name,
		      config_types[type].single ? "at most one in a zone" : "any number");
	print_wrapped(out, config_types[type].help, 0);
	(void)fputs("Properties:\n", out);
	print_properties(out, type);
}

static void
print_overview(FILE *out)
{
	(void)fputs(usage_text, out);
	(void)fputs("\nSubcommands, by the scope in which they make sense:\n", out);
	print_commands(out);
	(void)fputs("\nResource types:", out);
	for (int t = CONFIG_GLOBAL + 1; t < CONFIG_TYPE_COUNT; t++)
		(void)fprintf(out, " %s", config_types[t].name);
	(void)fputs("\nProperties of a zone:", out);
	for (unsigned p = config_types[CONFIG_GLOBAL].first;
	     p < (unsigned)config_types[CONFIG_GLOBAL].end; p++)
		(void)fprintf(out, " %s", config_props[p].name);
	(void)fputs("\n\n'help syntax' explains the command language, 'help NAME' any of these "
		    "words.\n",
		    out);
}

static bool
print_named_properties(FILE *out, const char *name)
{
	bool any = false;

	for (int p = 0; p < CONFIG_PROP_COUNT; p++) {
		if (strcmp(config_props[p].name, name) != 0)
			continue;
		if (config_props[p].type == CONFIG_GLOBAL)
			(void)fputs("Property of a zone: ", out);
		else
			(void)fprintf(out,
				      "Property of %s: ", config_types[config_props[p].type].name);
		print_property(out, &config_props[p]);
		any = true;
	}
	return any;
}

static bool
print_topic(FILE *out, const char *topic)
{
	const struct command *cmd = command_find(topic);
	int type = config_type_find(topic);

	if (!strcmp(topic, "usage") || !strcmp(topic, "syntax")) {
		(void)fputs(*topic == 'u' ? usage_text : syntax_text, out);
		return true;
	}
	if (!strcmp(topic, "subcommand") || !strcmp(topic, "subcommands")) {
		print_commands(out);
		return true;
	}
	if (cmd)
		print_command(out, cmd);
	else if (type > 0)
		print_type(out, type);
	else
		return print_named_properties(out, topic);
	return true;
}

static int
print_topics(struct session *s, const struct command_args *args, FILE *out)
{
	for (size_t i = 0; i < args->n; i++) {
		const struct call_arg *arg = &args->args[i];

		if (arg->name || !arg->values.n || !print_topic(out, arg->values.v[0]))
			return session_error(s,
					     "help: there is nothing about '%.60s'; 'help' lists "
					     "the topics",
					     arg->name       ? arg->name
					     : arg->values.n ? arg->values.v[0]
							     : "[]");
	}
	if (args->n == 0)
		print_overview(out);
	return 0;
}

int
cmd_help(struct session *s, const struct command_args *args)
{
	auto_free char *text = NULL;
	FILE *out;
	size_t size;
	int r;

	out = open_memstream(&text, &size);
	if (!out)
		return session_error(s, "out of memory");
	r = print_topics(s, args, out);
	if (fclose(out) != 0)
		return session_error(s, "out of memory");
	return r < 0 ? r : session_page(s, text);
}

void
help_usage(FILE *out)
{
	(void)fputs(usage_text, out);
}

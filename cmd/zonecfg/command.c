/* SPDX-License-Identifier: Apache-2.0 */
/* The table of commands, and what is checked before one is executed. */
#include "zonecfg.h"

#include <stdarg.h>
#include <string.h>

#define ANY ((size_t)-1)
#define G   COMMAND_GLOBAL
#define R   COMMAND_RESOURCE

const struct command commands[] = {
    {.name = "add",
     .usage = {"resource-type", "property-name property-value"},
     .help = "In the global scope, open a resource scope with a new resource of the type. In a "
	     "resource scope, append a value to a property that is a list.",
     .options = "",
     .flags = G | R | COMMAND_CHANGES,
     .args_min = 1,
     .args_max = 2,
     .run = cmd_add},
    {.name = "cancel",
     .usage = {""},
     .help = "Drop the resource that is being edited and go back to the global scope.",
     .options = "",
     .flags = R,
     .run = cmd_cancel},
    {.name = "clear",
     .usage = {"property-name"},
     .help = "Give a property its default value, or none.",
     .options = "",
     .flags = G | R | COMMAND_CHANGES,
     .args_min = 1,
     .args_max = 1,
     .run = cmd_clear},
    {.name = "commit",
     .usage = {""},
     .help = "Verify the configuration and write it to stable storage. The end of a session does "
	     "so as well.",
     .options = "",
     .flags = G | COMMAND_CHANGES,
     .run = cmd_commit},
    {.name = "create",
     .usage = {"[-F] [ -b | -t template | -a path ]"},
     .help =
	 "Begin a new configuration, in memory. It is a copy of the template SYSdefault; with -b "
	 "it is blank; with -t it is a copy of a template or of another zone; with -a it is that "
	 "of the detached zone at the path. -F replaces a zone that is configured already.",
     .options = "Fbt:a:",
     .flags = G | COMMAND_CHANGES | COMMAND_NO_ZONE,
     .run = cmd_create},
    {.name = "delete",
     .usage = {"[-F]"},
     .help = "Remove the configuration of the zone from memory and from stable storage, at once. "
	     "-F does not ask, and removes a zone whose files are still there, or of which half is "
	     "missing.",
     .options = "F",
     .flags = G | COMMAND_CHANGES | COMMAND_NO_ZONE,
     .run = cmd_delete},
    {.name = "end",
     .usage = {""},
     .help = "Check the resource that is being edited, put it into the configuration and go back "
	     "to the global scope.",
     .options = "",
     .flags = R,
     .run = cmd_end},
    {.name = "exit",
     .usage = {"[-F]"},
     .help = "End the session. What has changed is committed first. -F leaves without a question "
	     "even if that fails.",
     .options = "F",
     .flags = G | R | COMMAND_NO_ZONE,
     .run = cmd_exit},
    {.name = "export",
     .usage = {"[-f output-file]"},
     .help = "Print commands that make the same configuration again, or write them to a file.",
     .options = "f:",
     .flags = G,
     .run = cmd_export},
    {.name = "help",
     .usage = {"[usage] [subcommand] [syntax] [command | resource-type | property]"},
     .help = "Print help. A command followed by -? prints the help of that command.",
     .options = "",
     .flags = G | R | COMMAND_NO_ZONE,
     .args_max = ANY,
     .run = cmd_help},
    {.name = "info",
     .usage = {"[property-name]", "resource-type [property-name=property-value ...]", "-j"},
     .help = "Show the configuration, one property, or the resources of a type that have the given "
	     "properties. In a resource scope, show the resource that is being edited. -j prints "
	     "the whole configuration as JSON.",
     .options = "j",
     .flags = G | R,
     .args_max = ANY,
     .run = cmd_info},
    {.name = "remove",
     .usage = {"[-F] resource-type [property-name=property-value ...]",
	       "property-name property-value"},
     .help = "In the global scope, remove the resource of the type that has the given properties; "
	     "without properties, all of the type, after a question if there are several (-F: none "
	     "is asked). In a resource scope, remove a value from a property that is a list.",
     .options = "F",
     .flags = G | R | COMMAND_CHANGES,
     .args_min = 1,
     .args_max = ANY,
     .run = cmd_remove},
    {.name = "revert",
     .usage = {"[-F]"},
     .help = "Throw away what has been changed since the configuration was saved. -F does not ask.",
     .options = "F",
     .flags = G,
     .run = cmd_revert},
    {.name = "select",
     .usage = {"resource-type [property-name=property-value ...]"},
     .help = "Open the one resource of the type that has the given properties, to change it.",
     .options = "",
     .flags = G | COMMAND_CHANGES,
     .args_min = 1,
     .args_max = ANY,
     .run = cmd_select},
    {.name = "set",
     .usage = {"[-F] property-name=property-value"},
     .help = "Set a property. A list replaces the list; [] empties it. Setting zonename renames "
	     "the zone; where there is no configuration yet, it selects another zone. -F sets the "
	     "zonepath of an installed zone, below an alternate root only.",
     .options = "F",
     .flags = G | R | COMMAND_CHANGES | COMMAND_NO_ZONE,
     .args_min = 1,
     .args_max = ANY,
     .run = cmd_set},
    {.name = "verify",
     .usage = {""},
     .help = "Check the configuration for consistency. Every problem is shown.",
     .options = "",
     .flags = G,
     .run = cmd_verify},
    {0},
};

const struct command *
command_find(const char *name)
{
	if (!strcmp(name, "?"))
		name = "help";
	for (const struct command *c = commands; c->name; c++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

void
command_print_usage(const struct command *cmd, FILE *out)
{
	for (size_t i = 0; cmd->usage[i]; i++)
		(void)fprintf(out, "%s %s%s%s\n", i ? "      " : "usage:", cmd->name,
			      *cmd->usage[i] ? " " : "", cmd->usage[i]);
}

int
command_bad_usage(const struct session *s, const struct command *cmd, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)session_error(s, "%s: %s", cmd->name, text);
	command_print_usage(cmd, s->errs);
	return -ZE_INVAL;
}

static int
unknown_command(const struct session *s, const char *word)
{
	(void)session_error(s, "'%.60s' is not a command", word);
	(void)fprintf(s->errs, "commands:");
	for (const struct command *c = commands; c->name; c++)
		(void)fprintf(s->errs, " %s", c->name);
	(void)fprintf(s->errs, "\n");
	return -ZE_INVAL;
}

static const char *
plain_word(const struct call *call, size_t i)
{
	const struct call_arg *arg = i < call->n ? &call->args[i] : NULL;

	return arg && !arg->name && !arg->is_list && !arg->is_complex ? arg->values.v[0] : NULL;
}

/* The option letters in one argument "-xyz"; @i is moved on when the last takes a value. */
static int
read_letters(const struct session *s, const struct command *cmd, const struct call *call, size_t *i,
	     struct command_args *ret)
{
	const char *known, *value;

	for (const char *p = call->args[*i].values.v[0] + 1; *p; p++) {
		known = *p != ':' ? strchr(cmd->options, *p) : NULL;
		if (!known)
			return command_bad_usage(s, cmd, "unknown option -%c", *p);
		if (known[1] != ':') {
			ret->opt[(unsigned char)*p] = "";
			continue;
		}
		value = p[1] ? p + 1 : plain_word(call, ++*i);
		if (!value)
			return command_bad_usage(s, cmd, "option -%c needs a value", *p);
		ret->opt[(unsigned char)*p] = value;
		return 0;
	}
	return 0;
}

static int
read_options(const struct session *s, const struct command *cmd, const struct call *call,
	     struct command_args *ret)
{
	const char *word;
	size_t i;
	int r;

	for (i = 0; i < call->n; i++) {
		word = plain_word(call, i);
		if (!word || call->args[i].quoted || word[0] != '-' || !word[1])
			break;
		if (!strcmp(word, "-?")) {
			ret->opt['?'] = "";
			continue;
		}
		r = read_letters(s, cmd, call, &i, ret);
		if (r < 0)
			return r;
	}
	ret->args = call->n ? call->args + i : NULL;
	ret->n = call->n - i;
	return 0;
}

static int
help_on(struct session *s, const char *name)
{
	char *word[] = {(char *)(uintptr_t)name, NULL}; /* only read */
	struct call_arg topic = {.values = {.v = word, .n = 1}};

	return cmd_help(s, &(struct command_args){.args = &topic, .n = 1});
}

static int
check_situation(const struct session *s, const struct command *cmd)
{
	if (s->res && !(cmd->flags & R))
		return session_error(
		    s, "%s: makes sense only in the global scope; use 'end' or 'cancel' first",
		    cmd->name);
	if (!s->res && !(cmd->flags & G))
		return session_error(
		    s, "%s: makes sense only in a resource scope, after 'add' or 'select'",
		    cmd->name);
	if (!s->cfg && !(cmd->flags & COMMAND_NO_ZONE))
		return s->load_err.code ? session_fail(s, &s->load_err)
					: session_error(s, "No such zone configured");
	if (s->read_only && (cmd->flags & COMMAND_CHANGES) && strcmp(cmd->name, "set") != 0)
		return session_error(s, "%s: the session is read-only", cmd->name);
	return 0;
}

/* Other sessions may change the saved configuration meanwhile; commit wants to know. */
static int
keep_saved(struct session *s)
{
	struct err err;
	int r;

	if (!s->cfg || s->saved || s->changed || !*s->saved_name)
		return 0;
	r = config_copy(s->cfg, &s->saved, &err);
	return r < 0 ? session_fail(s, &err) : 0;
}

int
command_run(struct session *s, const struct call *call)
{
	const struct command *cmd = command_find(call->word);
	struct command_args args = {0};
	int r;

	if (!cmd)
		return unknown_command(s, call->word);
	r = read_options(s, cmd, call, &args);
	if (r < 0)
		return r;
	if (args.opt['?'])
		return help_on(s, cmd->name);
	r = check_situation(s, cmd);
	if (r < 0)
		return r;
	if (args.n < cmd->args_min)
		return command_bad_usage(s, cmd, "an argument is missing");
	if (args.n > cmd->args_max)
		return command_bad_usage(s, cmd, "too many arguments");
	if (cmd->flags & COMMAND_CHANGES) {
		r = keep_saved(s);
		if (r < 0)
			return r;
	}
	return cmd->run(s, &args);
}

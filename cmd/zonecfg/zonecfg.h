/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of zonecfg share: the session, its messages, and the table of commands. A command
 * is a function that works on the session and a row of the table in command.c; what is not about
 * the conversation (model, checks, texts, files) is the library's.
 */
#ifndef ZONECFG_ZONECFG_H
#define ZONECFG_ZONECFG_H

#include "parse.h"

#include "base/err.h"
#include "config/config.h"

#include <stdbool.h>
#include <stdio.h>

/* Exit codes. */
#define ZONECFG_OK    0
#define ZONECFG_ERROR 1
#define ZONECFG_USAGE 2

/* How the commands come, which decides about prompts, questions and what an error does. */
enum session_mode {
	SESSION_TERMINAL, /* line editing, prompts, questions; an error is just shown */
	SESSION_STREAM, /* stdin is no terminal: no prompts; after an error nothing is saved unless
			   a later `commit` asks for it */
	SESSION_FILE,   /* -f: the first error ends it */
	SESSION_ONE_SHOT, /* from the command line: the first error ends it */
};

/* What the command line asked for. */
struct zonecfg_opts {
	const char *program; /* the leading word of the prompt */
	const char *zone;    /* -z, or found by -u */
	const char *root;    /* -R: where /etc/zones is; "" is this host */
	const char *file;    /* -f, or NULL */
};

/*
 * One conversation. The configuration is in memory; only commit, delete and export -f write files.
 *
 * There are three situations: no configuration (cfg is NULL: the zone does not exist, was not
 * created yet, or was deleted), the global scope (res is NULL), a resource scope (res is edited).
 */
struct session {
	const struct zonecfg_opts *opts;
	enum session_mode mode;
	FILE *out, *errs; /* borrowed: stdout and stderr, or a test's */

	char name[CONFIG_NAME_MAX + 1];       /* the zone that is being edited */
	char saved_name[CONFIG_NAME_MAX + 1]; /* the saved zone that commit will replace: another
						 name after a renaming, "" for a new zone */
	struct config *cfg;
	struct config *saved;      /* as it was read, kept from the first change on, to notice
				      changes by others; NULL: there is none to compare with */
	struct config_res *res;    /* the resource being edited; belongs to nobody yet */
	struct config_res *res_of; /* the one in cfg that it will replace, or NULL */
	struct err load_err;       /* why the saved configuration cannot be read, or no code */
	bool changed;              /* something to commit */
	bool path_forced;          /* set -F zonepath, below an alternate root */
	bool read_only;            /* no write access, or a template */
	bool failed;               /* a command failed since the last good commit */
	bool done;                 /* the session is over */
	int status;                /* exit code so far */

	const char *file; /* name of the file that is read, for messages; or NULL */
	size_t line;
};

/* ---- session.c ------------------------------------------------------------------------------ */

/**
 * session_open - begin a session on opts->zone and read its configuration if it has one
 *
 * Prints nothing: session_greet() does. Returns 0 or -ZE_NOMEM. End it with session_free().
 */
int session_open(struct session *s, const struct zonecfg_opts *opts, enum session_mode mode);
void session_free(struct session *s);
#define auto_session __attribute__((cleanup(session_free)))

/**
 * session_greet - the first lines of a session: read-only, or no such zone
 */
void session_greet(struct session *s);

/**
 * session_line - execute the commands of one line
 * @len: without the newline; a NUL within is found by it
 *
 * Sets s->done when the session ends. Errors have been printed.
 */
void session_line(struct session *s, const char *line, size_t len);

/**
 * session_input - execute all lines of a file
 *
 * Ends with the file, with `exit`, or where the mode says that an error ends it.
 */
void session_input(struct session *s, FILE *in);

/**
 * session_end - what end of file does: `exit`
 *
 * On a terminal the answer may be to go on: then s->done stays false.
 */
void session_end(struct session *s);

/**
 * session_finish - after the last command: commit what is to be committed, or say that it was not
 *
 * Returns the exit code.
 */
int session_finish(struct session *s);

/**
 * session_read - read the saved configuration of a zone and edit it, forgetting the one at hand
 *
 * A missing or unreadable one is no failure: s->cfg and s->load_err tell. -ZE_NOMEM.
 */
int session_read(struct session *s, const char *name);

/**
 * session_adopt - make @cfg the configuration that is edited (NULL: none); the session owns it
 */
void session_adopt(struct session *s, struct config *cfg);

/**
 * session_leave_scope - drop the resource being edited
 */
void session_leave_scope(struct session *s);

/**
 * session_state - the state of a zone, the live one before the index's
 * @ret: ZONE_STATE_CONFIGURED also when the index has no such zone
 *
 * Returns 1 when the index has it, 0 when not, or a negative code.
 */
int session_state(const struct session *s, const char *name, enum zone_state *ret, struct err *err);

/**
 * session_exists - whether a name is taken, by an index line or a document (one may be missing)
 * @ret: as session_state()
 *
 * Returns 1 for an index line, 2 for a document alone (what a kill leaves behind), 0 for neither,
 * or a negative code.
 */
int session_exists(const struct session *s, const char *name, enum zone_state *ret,
		   struct err *err);

/**
 * session_is_global - whether the settings of the global zone are edited
 */
bool session_is_global(const struct session *s);

/* ---- say.c ---------------------------------------------------------------------------------- */

/**
 * session_error - print "ZONE: MESSAGE", in a file after a line that says where
 *
 * Returns -ZE_INVAL, so that a command can end in `return session_error(...)`.
 */
int session_error(const struct session *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/**
 * session_fail - print a failure; returns its code
 */
int session_fail(const struct session *s, const struct err *err);

/**
 * session_problems - print lines that a check found; returns -ZE_VERIFY
 */
int session_problems(const struct session *s, const struct strv *problems);

/**
 * session_note - a line on stderr that is no error of a command
 */
void session_note(const struct session *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/**
 * session_ask - put a question to the user, with no as the default
 *
 * Returns 1 for yes, 0 for no or end of file, -1 when there is nobody to ask.
 */
int session_ask(const struct session *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/**
 * session_page - print a long text, through the user's pager if it does not fit the terminal
 */
int session_page(const struct session *s, const char *text);

/* ---- command.c ------------------------------------------------------------------------------ */

#define COMMAND_GLOBAL   1u /* makes sense in the global scope */
#define COMMAND_RESOURCE 2u /* makes sense in a resource scope */
#define COMMAND_CHANGES  4u /* refused in a read-only session */
#define COMMAND_NO_ZONE  8u /* makes sense without a configuration */

/* The options and operands of a command. */
struct command_args {
	const char *opt[128];        /* by letter: NULL not given, "" given, else its value */
	const struct call_arg *args; /* the operands */
	size_t n;
};

struct command {
	const char *name;
	const char *usage[4]; /* forms, without the name; up to the first NULL */
	const char *help;
	const char *options; /* letters, with ":" behind those that take a value */
	unsigned flags;
	size_t args_min, args_max;
	/* Returns 0, or a negative code after it has printed why. */
	int (*run)(struct session *s, const struct command_args *args);
};

/* Ends with an entry whose name is NULL. */
extern const struct command commands[];

/**
 * command_find - a command by its name ("?" is help), or NULL
 */
const struct command *command_find(const char *name);

/**
 * command_run - check a call against the table and the session, and execute it
 *
 * Returns 0, or a negative code; errors have been printed.
 */
int command_run(struct session *s, const struct call *call);

/**
 * command_print_usage - the forms of a command, a line each
 */
void command_print_usage(const struct command *cmd, FILE *out);

/**
 * command_bad_usage - print what is wrong with a call and how the command is used
 *
 * Returns -ZE_INVAL.
 */
int command_bad_usage(const struct session *s, const struct command *cmd, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/**
 * help_usage - how the program is started
 */
void help_usage(FILE *out);

int cmd_add(struct session *s, const struct command_args *args);
int cmd_cancel(struct session *s, const struct command_args *args);
int cmd_clear(struct session *s, const struct command_args *args);
int cmd_commit(struct session *s, const struct command_args *args);
int cmd_create(struct session *s, const struct command_args *args);
int cmd_delete(struct session *s, const struct command_args *args);
int cmd_end(struct session *s, const struct command_args *args);
int cmd_exit(struct session *s, const struct command_args *args);
int cmd_export(struct session *s, const struct command_args *args);
int cmd_help(struct session *s, const struct command_args *args);
int cmd_info(struct session *s, const struct command_args *args);
int cmd_remove(struct session *s, const struct command_args *args);
int cmd_revert(struct session *s, const struct command_args *args);
int cmd_select(struct session *s, const struct command_args *args);
int cmd_set(struct session *s, const struct command_args *args);
int cmd_verify(struct session *s, const struct command_args *args);

/* ---- values.c, resource.c: shared by commands ------------------------------------------------ */

/**
 * resource_type - the resource type that an argument names
 *
 * Returns the type; -ZE_INVAL after it has printed what types there are.
 */
int resource_type(const struct session *s, const struct call_arg *arg);

/**
 * resource_match - the resources of a type that have all the given properties
 * @quals: "name=value" arguments, @n of them; none matches every resource
 * @ret: an array to free(), of resources that belong to the configuration
 *
 * Returns 0, or a negative code after it has printed why.
 */
int resource_match(const struct session *s, enum config_type type, const struct call_arg *quals,
		   size_t n, struct config_res ***ret, size_t *ret_n);

/**
 * resource_check_fixed - whether resources of a type may still be added or removed; else prints why
 * not
 */
int resource_check_fixed(const struct session *s, enum config_type type);

/**
 * scope - what `set`, `clear`, `add PROPERTY` work on: the resource, or the zone's own properties
 */
struct config_res *scope(const struct session *s);

/**
 * scope_property - the property of the scope that a name stands for
 *
 * Returns it; -ZE_INVAL after it has printed what properties there are.
 */
int scope_property(const struct session *s, const char *name);

/**
 * property_check_writable - whether a global property may change in the zone's state, and at all in
 * the global zone; else prints why not
 * @force: -F
 */
int property_check_writable(const struct session *s, enum config_prop prop, bool force);

enum values_how { VALUES_SET, VALUES_ADD, VALUES_REMOVE };

/**
 * values_apply - give a property of the scope the value of an argument, or add or remove it
 *
 * Checks that the value has the form that the property takes. All or nothing: a list of which one
 * element is wrong changes nothing. Returns 0, or a negative code after it has printed why.
 */
int values_apply(struct session *s, enum config_prop prop, const struct call_arg *arg,
		 enum values_how how);

/**
 * values_command - `add` and `remove` in a resource scope: the property and the value are arguments
 *
 * Returns as values_apply() does.
 */
int values_command(struct session *s, const struct command_args *args, enum values_how how);

/**
 * commit_now - verify, lock and save, as `commit` and the end of a session do
 */
int commit_now(struct session *s);

/* ---- complete.c ----------------------------------------------------------------------------- */

/**
 * complete - what could stand at the end of a line
 * @line: from its begin to the cursor
 * @ret_start: where in @line the word begins that the candidates would replace
 *
 * Returns 0 with the candidates, sorted, in @ret; or -ZE_NOMEM.
 */
int complete(const struct session *s, const char *line, struct strv *ret, size_t *ret_start);

/* ---- shell.c -------------------------------------------------------------------------------- */

/**
 * shell_run - converse with a user at a terminal until the session is done
 */
void shell_run(struct session *s);

/* ---- history.c ------------------------------------------------------------------------------ */

/**
 * history_load - the lines of former sessions, from ~/.zonecfg_history
 * @ret_fd: the file, open for history_add(); -EBADF when it cannot be used safely
 */
void history_load(struct strv *ret, int *ret_fd);

/**
 * history_add - append a line to the file; a failure is no reason to disturb the user
 */
void history_add(int fd, const char *line);

#endif

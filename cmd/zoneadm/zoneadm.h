/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of zoneadm share. A subcommand is one file with one function, a row of the table
 * in main.c, a section of zoneadm(8) and a golden test. Its function reads its own options (wrong
 * usage wins over every other failure), calls zoneadm_check(), fills a request, calls one operation
 * and prints the result.
 */
#ifndef ZONEADM_ZONEADM_H
#define ZONEADM_ZONEADM_H

#include "config/config.h"
#include "ops/ops.h"

#include <stdbool.h>

struct err;

/* Exit codes. */
#define ZONEADM_OK    0
#define ZONEADM_ERROR 1
#define ZONEADM_USAGE 2

/* What zoneadm_check() holds a zone against before a subcommand goes on. */
enum zoneadm_need {
	ZONEADM_NEED_NOTHING,    /* the zone need not even exist */
	ZONEADM_NEED_ZONE,       /* it exists, in any state */
	ZONEADM_NEED_CONFIGURED, /* exactly configured: there are no files yet */
	ZONEADM_NEED_FILES,      /* incomplete or installed: there is something to remove */
	ZONEADM_NEED_COMPLETE,   /* anything but incomplete */
	ZONEADM_NEED_INSTALLED,  /* installed or above */
	ZONEADM_NEED_RUNNING,    /* running */
};

#define ZONEADM_ANYONE     1u  /* needs no privilege */
#define ZONEADM_NO_ZONE    2u  /* makes sense without -z, and for the global zone */
#define ZONEADM_OFFLINE    4u  /* refused while the zone is ready or above */
#define ZONEADM_ROOT_OPT   8u  /* takes -R */
#define ZONEADM_STOPS      16u /* SIGINT and SIGTERM call op_stop() instead of ending the program */
#define ZONEADM_ANY_CONFIG 32u /* works although the configuration cannot be read */

struct zoneadm;

struct zoneadm_command {
	const char *name;
	const char *usage; /* "boot [-- boot_arguments]" */
	const char *help;  /* what it does, in one or two sentences */
	/* @argv: its own arguments, argv[0] is its name. Returns an exit code. */
	int (*run)(struct zoneadm *za, int argc, char **argv);
	unsigned flags;
	enum zoneadm_need need;
};

/* One run of the program. */
struct zoneadm {
	const struct zoneadm_command *command;
	const char *zone; /* the name that -z or -u chose, or NULL */
	const char *root; /* -R: where /etc/zones is; "" is this host */
	bool asked;       /* the help of the command was asked for and printed */

	/* From zoneadm_check(), for commands that need a zone. */
	struct config *config;
	struct config_entry entry;
	enum zone_state
	    state; /* the live one; another process may change it until the lock is held */
	int id;    /* zone ID, or -1 */
};

/* Ends with an entry whose name is NULL. */
extern const struct zoneadm_command zoneadm_commands[];

/**
 * zoneadm_check - the checks that every subcommand makes before it acts, in the documented order:
 * global zone, privilege, zone named and not reserved, zone configured, not running, its state
 *
 * Fills config, entry, state and id of @za. Returns ZONEADM_OK, or the exit code after it has
 * printed the reason. Source: zoneadm(8), DIAGNOSTICS.
 */
int zoneadm_check(struct zoneadm *za);

/**
 * zoneadm_in_zone - whether this runs inside a zone, which its /run/host says
 */
bool zoneadm_in_zone(void);

/**
 * zoneadm_lock - take the zone's lock for a command whose operation does not take it by itself
 * (those that talk to zoneadmd)
 * @ret: auto_lock, so that it is released at the end of the scope
 *
 * Waits while another command works on the zone, then looks at its state again. Returns an exit
 * code.
 */
int zoneadm_lock(struct zoneadm *za, struct config_lock *ret);

/**
 * zoneadm_verified - the checks of `zoneadm verify`; prints all warnings and problems
 * @boot: the zone is about to be made live: what stops that alone is a problem too
 *
 * Returns an exit code.
 */
int zoneadm_verified(const struct zoneadm *za, bool boot);

/**
 * zoneadm_is_plain - whether zoneadm_verified() would print nothing, but for what the plan tells
 */
bool zoneadm_is_plain(const struct zoneadm *za);

/**
 * zoneadm_error - print "zoneadm: zone 'NAME': TEXT" on stderr ("zoneadm: TEXT" before
 * zoneadm_check() has found the zone)
 *
 * Returns ZONEADM_ERROR.
 */
int zoneadm_error(const struct zoneadm *za, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/**
 * zoneadm_clean - make one line of a text: control characters become "?"
 *
 * Messages quote names of files that a zone has made; none may move the cursor or begin a line.
 * Returns @line.
 */
char *zoneadm_clean(char *line);

/**
 * zoneadm_fail - print a failure
 *
 * Returns ZONEADM_ERROR, so that a command can end in `return zoneadm_fail(za, &err)`.
 */
int zoneadm_fail(const struct zoneadm *za, const struct err *err);

/**
 * zoneadm_usage - how the command is used: on stdout when asked for (-?), else on stderr
 *
 * Returns ZONEADM_OK or ZONEADM_USAGE.
 */
int zoneadm_usage(const struct zoneadm *za, bool asked);

/**
 * zoneadm_usage_all - the same for the program as a whole
 */
int zoneadm_usage_all(bool asked);

/**
 * zoneadm_bad_option - what a command does with an option that it does not know
 * @opt: what getopt() returned ('?' or ':')
 *
 * -? prints the usage and sets @za->asked. Returns an exit code.
 */
int zoneadm_bad_option(struct zoneadm *za, int opt);

/**
 * zoneadm_operands - whether there are as many operands as the command takes; if not, that is said
 *
 * Returns -1 to go on (optind stands at the first operand), else an exit code.
 */
int zoneadm_operands(struct zoneadm *za, int argc, char **argv, int operands);

/**
 * zoneadm_no_options - the option parsing of a command that has none
 * @operands: how many operands it takes, exactly
 *
 * Returns -1 to go on (optind stands at the first operand), else an exit code.
 */
int zoneadm_no_options(struct zoneadm *za, int argc, char **argv, int operands);

/**
 * zoneadm_say - prints an operation's lines: results on stdout, warnings on stderr, problems on
 * stderr as zoneadm_error() does, progress in place when stdout is a terminal
 * @za: must outlive it
 */
struct op_say zoneadm_say(struct zoneadm *za);

/**
 * zoneadm_ask - a question with the answer no as default, on a terminal
 * @ret_yes: the answer; end of file is no
 *
 * Returns 0, or -1 when stdin is no terminal and nobody can be asked.
 */
int zoneadm_ask(const char *question, bool *ret_yes);

int zoneadm_boot(struct zoneadm *za, int argc, char **argv);
int zoneadm_clone(struct zoneadm *za, int argc, char **argv);
int zoneadm_halt(struct zoneadm *za, int argc, char **argv);
int zoneadm_help(struct zoneadm *za, int argc, char **argv);
int zoneadm_install(struct zoneadm *za, int argc, char **argv);
int zoneadm_list(struct zoneadm *za, int argc, char **argv);
int zoneadm_mark(struct zoneadm *za, int argc, char **argv);
int zoneadm_ready(struct zoneadm *za, int argc, char **argv);
int zoneadm_reboot(struct zoneadm *za, int argc, char **argv);
int zoneadm_shutdown(struct zoneadm *za, int argc, char **argv);
int zoneadm_uninstall(struct zoneadm *za, int argc, char **argv);
int zoneadm_verify(struct zoneadm *za, int argc, char **argv);

#endif

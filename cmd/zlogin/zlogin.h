/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of zlogin share: the request that main.c makes of the command line, and the three
 * ways to serve it.
 */
#ifndef ZLOGIN_ZLOGIN_H
#define ZLOGIN_ZLOGIN_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

#define ZLOGIN_FAILED 1
#define ZLOGIN_USAGE  2

struct zlogin {
	const char *zone;
	const char *user; /* never NULL */
	char *text;       /* shell text of the utility and its operands; NULL: none */
	bool console, leave_at_halt, safe, quiet, no_stdin, pty;
	int escape; /* character, or -1 */
};

/* ---- escape.c: what the user types ---- */

#define ESCAPE_ENDS_MAX 6

struct escape {
	int ch;                              /* -1: there is none */
	unsigned char ends[ESCAPE_ENDS_MAX]; /* characters after which a line begins */
	size_t n_ends;
	unsigned char eof; /* the terminal's end of file character; leaves like '.' */
	bool in_line, after_escape;
};

/**
 * escape_feed - take the escapes out of what was typed
 * @out: room for @n bytes
 * @ret_leave: set to true when the user asked to leave; what follows is dropped
 *
 * Returns how many bytes are for the zone. Source: zlogin(1), escape sequences.
 */
size_t escape_feed(struct escape *escape, const unsigned char *in, size_t n, unsigned char *out,
		   bool *ret_leave);

/* ---- command.c: which program serves a request ---- */

struct command {
	const char *argv[8];
	const char *envp[8];
	bool passwd;
	char term[64];
	char *words; /* what argv points into */
};

/**
 * command_direct - the words of a shell text that any shell would execute as they are
 *
 * Returns whether it is one: then the zone's shell need not be started. A first word that shells
 * have a builtin of their own for, or a character that means something to one, and it is not.
 */
bool command_direct(const char *text, struct command *ret);

/**
 * command_shell - the zone's shell for a request; the user is changed by the zone's own su
 */
void command_shell(const struct zlogin *zl, struct command *ret);

/**
 * command_login - the zone's login program for an interactive session
 */
void command_login(const struct zlogin *zl, struct command *ret);

/**
 * command_quote - operands as one shell text, as zlogin(1) joins them; NULL without memory
 */
char *command_quote(char *const *operands, int n);

/* ---- stream.c, session.c ---- */

/**
 * stream_run - run a command with separate stdin, stdout and stderr
 *
 * Returns its exit status, 128 + signal when it was killed, or ZLOGIN_FAILED with @err.
 */
int stream_run(const struct zlogin *zl, struct err *err);

/**
 * session_run - an interactive session on a terminal of the zone
 *
 * Returns 0 (the status of the command with -i), or ZLOGIN_FAILED with @err.
 */
int session_run(const struct zlogin *zl, struct err *err);

/**
 * session_console - be the one client of the zone's console
 */
int session_console(const struct zlogin *zl, struct err *err);

#endif

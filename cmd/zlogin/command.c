/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a request to the program that serves it in the zone. All of them are the zone's own; nothing
 * is looked up on the host's side.
 */
#include "zlogin.h"

#include "base/fd.h"
#include "base/str.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Characters that are themselves to every shell. '=' is not: it makes an assignment. */
#define PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@%+,- "

/*
 * Files that shells have a builtin for which does not do the same, and words of their language. A
 * builtin without a file is not found in the PATH, and then the shell has its turn.
 */
static const char *const not_direct[] = {
    "bg",   "bind",   "case",  "cd",    "command", "do",     "done",    "echo", "else",
    "esac", "exec",   "fc",    "fg",    "fi",      "for",    "getopts", "hash", "if",
    "in",   "jobs",   "kill",  "pwd",   "read",    "printf", "select",  "then", "time",
    "type", "ulimit", "umask", "until", "wait",    "while",  "test",    ".",
};

static void
environment(struct command *ret)
{
	const char *term = getenv("TERM");
	size_t n = 0;

	ret->envp[n++] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	if (term && *term && strspn(term, PLAIN) == strlen(term) && strlen(term) < 48) {
		(void)snprintf(ret->term, sizeof(ret->term), "TERM=%s", term);
		ret->envp[n++] = ret->term;
	}
	ret->envp[n] = NULL;
}

bool
command_direct(const char *text, struct command *ret)
{
	char *word, *save;
	size_t n = 0;

	if (!text || strspn(text, PLAIN) != strlen(text))
		return false;
	free(ret->words);
	*ret = (struct command){.words = strdup(text), .passwd = true};
	for (word = ret->words ? strtok_r(ret->words, " ", &save) : NULL; word;
	     word = strtok_r(NULL, " ", &save)) {
		if (n == sizeof(ret->argv) / sizeof(ret->argv[0]) - 1)
			return false;
		ret->argv[n++] = word;
	}
	if (n == 0)
		return false;
	for (size_t i = 0; i < sizeof(not_direct) / sizeof(not_direct[0]); i++) {
		if (!strcmp(not_direct[i], ret->argv[0]))
			return false;
	}
	environment(ret);
	return true;
}

void
command_shell(const struct zlogin *zl, struct command *ret)
{
	bool root = !strcmp(zl->user, "root");
	size_t n = 0;

	free(ret->words);
	*ret = (struct command){.passwd = root && !zl->safe};
	environment(ret);
	if (zl->safe)
		ret->argv[n++] = "/bin/sh";
	else if (root)
		ret->argv[n++] = ""; /* root's shell, as the zone's passwd has it */
	else
		ret->argv[n++] = "/bin/su";
	if (!root && !zl->safe) {
		ret->argv[n++] = "-";
		ret->argv[n++] = zl->user;
	}
	if (zl->text) {
		ret->argv[n++] = "-c";
		ret->argv[n++] = zl->text;
	} else if (root && !zl->pty) {
		ret->argv[n++] = "-s";
	}
	ret->argv[n] = NULL;
	for (n = 0; ret->envp[n]; n++)
		;
	if (zl->safe) {
		ret->envp[n++] = "HOME=/";
		ret->envp[n++] = "SHELL=/bin/sh";
		ret->envp[n] = NULL;
	}
}

void
command_login(const struct zlogin *zl, struct command *ret)
{
	free(ret->words);
	*ret = (struct command){.argv = {"/bin/login", "-f", zl->user, NULL}};
	environment(ret);
}

static int
quote_one(struct str *str, const char *operand)
{
	int r;

	if (*operand && !strpbrk(operand, " \t\n'"))
		return str_add(str, operand, strlen(operand));
	r = str_add(str, "'", 1);
	for (; r == 0 && *operand; operand++)
		r = *operand == '\'' ? str_add(str, "'\\''", 4) : str_add(str, operand, 1);
	return r < 0 ? r : str_add(str, "'", 1);
}

char *
command_quote(char *const *operands, int n)
{
	auto_str struct str str = {0};
	int r = 0;

	/* One operand is shell text as it is; of several, those that hold blanks are quoted. */
	if (n == 1)
		return strdup(operands[0]);
	for (int i = 0; r == 0 && i < n; i++) {
		r = i > 0 ? str_add(&str, " ", 1) : 0;
		if (r == 0)
			r = quote_one(&str, operands[i]);
	}
	return r < 0 ? NULL : str_take(&str);
}

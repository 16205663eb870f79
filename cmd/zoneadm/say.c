/* SPDX-License-Identifier: Apache-2.0 */
/* What zoneadm prints: messages with their prefix, the lines of an operation, questions. */
#include "zoneadm.h"

#include "base/err.h"
#include "base/fd.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1280 /* as much as an operation says at a time; a longer line is cut */

char *
zoneadm_clean(char *line)
{
	for (unsigned char *p = (unsigned char *)line; *p; p++) {
		/* Terminals obey the 32 of U+0080 to U+009F too, of which one begins escapes. */
		if (p[0] == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f)
			p[0] = p[1] = '?';
		else if (iscntrl(*p))
			*p = '?';
	}
	return line;
}

/* A zone stands in the message once it is known to exist: before that, the failure is the
 * command's. */
static void
print_error(const struct zoneadm *za, const char *text)
{
	char line[LINE_MAX_BYTES];

	(void)snprintf(line, sizeof(line), "%s", text);
	(void)zoneadm_clean(line);
	if (za->entry.name[0])
		(void)fprintf(stderr, "zoneadm: zone '%s': %s\n", za->entry.name, line);
	else
		(void)fprintf(stderr, "zoneadm: %s\n", line);
}

int
zoneadm_error(const struct zoneadm *za, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	print_error(za, text);
	return ZONEADM_ERROR;
}

int
zoneadm_fail(const struct zoneadm *za, const struct err *err)
{
	print_error(za, err->msg);
	return ZONEADM_ERROR;
}

/* The width of the progress line that stands on the terminal and the next line must cover. */
static size_t progress_width;

static void
say_line(void *arg, enum op_line kind, const char *text)
{
	const struct zoneadm *za = arg;
	char line[LINE_MAX_BYTES];
	size_t len;

	(void)snprintf(line, sizeof(line), "%s", text);
	len = strlen(zoneadm_clean(line));

	switch (kind) {
	case OP_LINE_OUT:
		(void)printf("%s%s%*s\n", progress_width ? "\r" : "", line,
			     progress_width > len ? (int)(progress_width - len) : 0, "");
		progress_width = 0;
		break;
	case OP_LINE_WARN:
	case OP_LINE_PROBLEM:
		if (progress_width)
			(void)printf("\r%*s\r", (int)progress_width, "");
		progress_width = 0;
		(void)fflush(stdout);
		if (kind == OP_LINE_PROBLEM)
			print_error(za, line);
		else
			(void)fprintf(stderr, "%s\n", line);
		break;
	case OP_LINE_PROGRESS:
		if (!isatty(STDOUT_FILENO))
			break;
		(void)printf("\r%s%*s", line,
			     progress_width > len ? (int)(progress_width - len) : 0, "");
		progress_width = len;
		break;
	}
	(void)fflush(stdout); /* main.c looks at stdout's error state at the end */
}

struct op_say
zoneadm_say(struct zoneadm *za)
{
	return (struct op_say){.fn = say_line, .arg = za};
}

int
zoneadm_ask(const char *question, bool *ret_yes)
{
	auto_free char *line = NULL;
	size_t room = 0;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return -1;
	for (;;) {
		(void)printf("%s (y/[n])? ", question);
		(void)fflush(stdout);
		if (getline(&line, &room, stdin) < 0) {
			*ret_yes = false;
			return 0;
		}
		switch (line[0]) {
		case 'y':
		case 'Y':
			*ret_yes = true;
			return 0;
		case 'n':
		case 'N':
		case '\n':
			*ret_yes = false;
			return 0;
		}
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What zonecfg prints: messages with the zone's name in front, questions, long texts. */
#include "zonecfg.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void
say_where(const struct session *s)
{
	if (s->file)
		(void)fprintf(s->errs, "On line %zu of '%s':\n", s->line, s->file);
}

__attribute__((format(printf, 2, 0))) static void
say_line(const struct session *s, const char *fmt, va_list ap)
{
	char text[1200];

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	(void)fprintf(s->errs, "%s: %s\n", s->name, text);
}

int
session_error(const struct session *s, const char *fmt, ...)
{
	va_list ap;

	say_where(s);
	va_start(ap, fmt);
	say_line(s, fmt, ap);
	va_end(ap);
	return -ZE_INVAL;
}

int
session_fail(const struct session *s, const struct err *err)
{
	(void)session_error(s, "%s", err->msg);
	return -(int)err->code;
}

int
session_problems(const struct session *s, const struct strv *problems)
{
	say_where(s);
	for (size_t i = 0; i < problems->n; i++)
		(void)fprintf(s->errs, "%s: %s\n", s->name, problems->v[i]);
	return -ZE_VERIFY;
}

void
session_note(const struct session *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_line(s, fmt, ap);
	va_end(ap);
}

/* ---- questions ------------------------------------------------------------------------------ */

static bool
can_ask(const struct session *s)
{
	if (s->mode != SESSION_TERMINAL && s->mode != SESSION_ONE_SHOT)
		return false;
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

int
session_ask(const struct session *s, const char *fmt, ...)
{
	auto_free char *line = NULL;
	char question[256];
	size_t room = 0;
	va_list ap;

	if (!can_ask(s))
		return -1;
	va_start(ap, fmt);
	(void)vsnprintf(question, sizeof(question), fmt, ap);
	va_end(ap);
	for (;;) {
		(void)fprintf(s->out, "%s (y/[n])? ", question);
		(void)fflush(s->out);
		if (getline(&line, &room, stdin) < 0) {
			clearerr(stdin);
			(void)fputc('\n', s->out);
			return 0;
		}
		switch (line[0]) {
		case 'y':
		case 'Y':
			return 1;
		case 'n':
		case 'N':
		case '\n':
			return 0;
		}
	}
}

/* ---- long texts ----------------------------------------------------------------------------- */

static bool
fits_terminal(const char *text)
{
	struct winsize size = {0};
	size_t lines = 0;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return true;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_row)
		return true;
	for (; *text; text++)
		lines += *text == '\n';
	return lines < size.ws_row;
}

/* The user's own program, found in the user's own PATH; words of $PAGER are its arguments. */
static void
exec_pager(int text_fd)
{
	const char *pager = getenv("PAGER");
	char *words[16], *copy, *word;
	size_t n = 0;

	copy = strdup(pager && *pager ? pager : "more");
	if (!copy || dup2(text_fd, STDIN_FILENO) < 0)
		_exit(127);
	for (word = strtok(copy, " \t"); word && n < 15; word = strtok(NULL, " \t"))
		words[n++] = word;
	words[n] = NULL;
	(void)signal(SIGINT, SIG_DFL);
	(void)signal(SIGPIPE, SIG_DFL);
	if (n)
		(void)execvp(words[0], words);
	_exit(127);
}

/* Returns the pager's exit status, or 127 when there was none. */
static int
run_pager(const char *text)
{
	auto_close int read_fd = -EBADF, write_fd = -EBADF;
	int fds[2], status = 0;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return 127;
	read_fd = fds[0];
	write_fd = fds[1];
	pid = fork();
	if (pid == 0)
		exec_pager(read_fd);
	if (pid < 0)
		return 127;
	read_fd = fd_close(read_fd);
	(void)fd_write_all(write_fd, text, strlen(text)); /* it may be quit before the end */
	write_fd = fd_close(write_fd);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

int
session_page(const struct session *s, const char *text)
{
	bool wanted = s->mode == SESSION_TERMINAL || s->mode == SESSION_ONE_SHOT;

	if (wanted && !fits_terminal(text) && run_pager(text) != 127)
		return 0;
	if (fputs(text, s->out) < 0 || fflush(s->out) < 0)
		return session_error(s, "write to standard output: %m");
	return 0;
}

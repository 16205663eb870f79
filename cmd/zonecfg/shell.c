/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conversation at a terminal: line editing, prompts, history, completion. libedit is touched
 * only here, so that other uses of the program do not pay for it.
 */
#include "zonecfg.h"

#include "base/fd.h"

#include <errno.h>
#include <histedit.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <unistd.h>
#include <wchar.h>

/* After so many ends of file in a row there is nobody at the other end who could answer. */
#define EOF_MAX 3

struct shell {
	struct session *s;
	EditLine *el;
	History *history;
	int history_fd;
	sigset_t waiting; /* signals that are blocked while it waits for a key: not SIGINT */
	char prompt[256];
};

/* Set by a handler, so it cannot be part of the shell. */
static volatile sig_atomic_t interrupted;

static void
on_interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

static const char *
shell_prompt(EditLine *el)
{
	struct shell *sh;

	(void)el_get(el, EL_CLIENTDATA, &sh);
	(void)snprintf(sh->prompt, sizeof(sh->prompt), "%s:%s%s%s> ", sh->s->opts->program,
		       sh->s->name, sh->s->res ? ":" : "",
		       sh->s->res ? config_types[config_res_type(sh->s->res)].name : "");
	return sh->prompt;
}

/*
 * One character from the terminal. SIGINT is blocked but while this waits, so that it is never
 * noticed late, in the middle of the next line.
 */
static int
shell_getc(EditLine *el, wchar_t *ret)
{
	mbstate_t state = {0};
	struct shell *sh;
	fd_set fds;
	ssize_t n;
	char byte;

	(void)el_get(el, EL_CLIENTDATA, &sh);
	for (;;) {
		FD_ZERO(&fds);
		FD_SET(STDIN_FILENO, &fds);
		n = pselect(STDIN_FILENO + 1, &fds, NULL, NULL, NULL, &sh->waiting);
		if (interrupted || (n < 0 && errno != EINTR))
			return -1;
		if (n <= 0)
			continue;
		n = read(STDIN_FILENO, &byte, 1);
		if (n <= 0)
			return (int)n;
		switch (mbrtowc(ret, &byte, 1, &state)) {
		case (size_t)-1:
			state = (mbstate_t){0}; /* no character in this locale: dropped */
			break;
		case (size_t)-2:
			break;
		default:
			return 1;
		}
	}
}

/* ---- completion ----------------------------------------------------------------------------- */

static size_t
common_prefix(const struct strv *strv)
{
	size_t len = strlen(strv->v[0]);

	for (size_t i = 1; i < strv->n; i++)
		for (size_t k = 0; k < len; k++)
			if (strv->v[i][k] != strv->v[0][k])
				len = k;
	return len;
}

static void
list_candidates(const struct shell *sh, const struct strv *candidates)
{
	struct winsize size = {.ws_col = 80};
	size_t width = 0, columns;

	(void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	for (size_t i = 0; i < candidates->n; i++)
		if (strlen(candidates->v[i]) + 2 > width)
			width = strlen(candidates->v[i]) + 2;
	columns = size.ws_col > width ? size.ws_col / width : 1;
	for (size_t i = 0; i < candidates->n; i++)
		(void)fprintf(sh->s->out, "%s%-*s", i % columns ? "" : "\n", (int)width,
			      candidates->v[i]);
	(void)fputc('\n', sh->s->out);
}

static unsigned char
shell_complete(EditLine *el, int ch)
{
	auto_strv struct strv candidates = {0};
	auto_str struct str line = {0};
	const LineInfo *li = el_line(el);
	size_t len = (size_t)(li->cursor - li->buffer), start, prefix;
	bool single;
	struct shell *sh;

	(void)ch;
	(void)el_get(el, EL_CLIENTDATA, &sh);
	if (str_add(&line, li->buffer, len) < 0 ||
	    complete(sh->s, line.s, &candidates, &start) < 0 || !candidates.n)
		return CC_ERROR;
	single = candidates.n == 1;
	prefix = common_prefix(&candidates);
	if (single || prefix > len - start) {
		line.len = 0;
		if (str_add(&line, candidates.v[0], prefix) < 0 ||
		    (single && line.s[line.len - 1] != '=' && str_add(&line, " ", 1) < 0))
			return CC_ERROR;
		el_deletestr(el, (int)(len - start));
		(void)el_insertstr(el, line.s);
		return CC_REFRESH;
	}
	list_candidates(sh, &candidates);
	return CC_REDISPLAY;
}

/* ---- history -------------------------------------------------------------------------------- */

static void
shell_load_history(struct shell *sh)
{
	auto_strv struct strv lines = {0};
	HistEvent ev;

	history_load(&lines, &sh->history_fd);
	if (!sh->history)
		return;
	(void)history(sh->history, &ev, H_SETSIZE, 1024);
	(void)history(sh->history, &ev, H_SETUNIQUE, 1);
	for (size_t i = 0; i < lines.n; i++)
		(void)history(sh->history, &ev, H_ENTER, lines.v[i]);
	(void)el_set(sh->el, EL_HIST, history, sh->history);
}

static void
shell_remember(struct shell *sh, const char *line)
{
	HistEvent ev;

	if (!line[strspn(line, " \t")])
		return;
	if (sh->history)
		(void)history(sh->history, &ev, H_ENTER, line);
	history_add(sh->history_fd, line);
}

/* ---- the loop ------------------------------------------------------------------------------- */

static int
shell_open(struct shell *sh, struct session *s)
{
	struct sigaction act = {.sa_handler = on_interrupt}; /* without SA_RESTART */

	*sh = (struct shell){.s = s, .history_fd = -EBADF};
	(void)setlocale(LC_CTYPE, ""); /* for the width of characters on the terminal */
	(void)sigaction(SIGINT, &act, NULL);
	sh->el = el_init(s->opts->program, stdin, stdout, stderr);
	if (!sh->el)
		return -ZE_NOMEM;
	sh->history = history_init();
	(void)el_set(sh->el, EL_CLIENTDATA, sh);
	(void)el_set(sh->el, EL_PROMPT, shell_prompt);
	(void)el_set(sh->el, EL_GETCFN, shell_getc);
	(void)el_set(sh->el, EL_EDITOR, "emacs");
	(void)el_set(sh->el, EL_SIGNAL, 1); /* the terminal is put right before a handler runs */
	(void)el_set(sh->el, EL_ADDFN, "zonecfg-complete", "Complete the word", shell_complete);
	(void)el_set(sh->el, EL_BIND, "^I", "zonecfg-complete", NULL);
	(void)el_set(sh->el, EL_BIND, "^R", "em-inc-search-prev", NULL);
	shell_load_history(sh);
	(void)el_source(sh->el, NULL); /* the user's ~/.editrc, if there is one */
	return 0;
}

static void
shell_close(struct shell *sh)
{
	if (sh->el)
		el_end(sh->el);
	if (sh->history)
		history_end(sh->history);
	fd_close(sh->history_fd);
}

/* Returns the line without its newline, yours to free(); NULL at the end of input, or for a line
 * that was abandoned, and then @ret_again is set. */
static char *
shell_read(struct shell *sh, bool *ret_again)
{
	const char *line;
	sigset_t block;
	int len;

	(void)sigemptyset(&block);
	(void)sigaddset(&block, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &block, &sh->waiting);
	interrupted = 0;
	/* Before the prompt is seen, or keys that are typed early are echoed twice. */
	(void)el_set(sh->el, EL_PREP_TERM, 1);
	line = el_gets(sh->el, &len);
	(void)sigprocmask(SIG_SETMASK, &sh->waiting, NULL);
	*ret_again = interrupted;
	if (interrupted || !line || len <= 0) {
		el_reset(sh->el);
		(void)fputc('\n', sh->s->out);
		return NULL;
	}
	return strndup(line, (size_t)len - (line[len - 1] == '\n'));
}

void
shell_run(struct session *s)
{
	struct shell sh;
	unsigned ends = 0;
	bool again;

	if (shell_open(&sh, s) < 0) {
		shell_close(&sh);
		(void)session_error(s, "the terminal cannot be used for line editing");
		return;
	}
	while (!s->done && ends < EOF_MAX) {
		auto_free char *line = shell_read(&sh, &again);

		if (line) {
			ends = 0;
			shell_remember(&sh, line);
			session_line(s, line, strlen(line));
		} else if (!again) {
			ends++;
			session_end(s);
		}
	}
	shell_close(&sh);
}

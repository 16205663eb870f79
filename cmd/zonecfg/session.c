/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a session: what is being edited, and lines that become commands. */
#include "zonecfg.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/runtime.h"

static bool
is_writable(const char *root)
{
	auto_free char *dir = NULL;

	if (asprintf(&dir, "%s/etc/zones", root) < 0) {
		dir = NULL;
		return false;
	}
	if (faccessat(AT_FDCWD, dir, W_OK | X_OK, AT_EACCESS) == 0)
		return true;
	if (errno != ENOENT)
		return false;
	*strrchr(dir, '/') = '\0'; /* the first commit makes the directory */
	return faccessat(AT_FDCWD, dir, W_OK | X_OK, AT_EACCESS) == 0;
}

static void
set_name(char (*dst)[CONFIG_NAME_MAX + 1], const char *name)
{
	(void)snprintf(*dst, sizeof(*dst), "%s", name); /* names have been checked: they fit */
}

int
session_open(struct session *s, const struct zonecfg_opts *opts, enum session_mode mode)
{
	*s = (struct session){.opts = opts,
			      .mode = mode,
			      .out = stdout,
			      .errs = stderr,
			      .file = mode == SESSION_FILE ? opts->file : NULL};
	s->read_only = !is_writable(opts->root);
	return session_read(s, opts->zone);
}

void
session_leave_scope(struct session *s)
{
	config_res_free(s->res);
	s->res = NULL;
	s->res_of = NULL;
}

void
session_adopt(struct session *s, struct config *cfg)
{
	session_leave_scope(s);
	config_free(s->saved);
	config_free(s->cfg);
	s->saved = NULL;
	s->cfg = cfg;
	s->changed = false;
	s->path_forced = false;
	err_clear(&s->load_err);
}

void
session_free(struct session *s)
{
	session_adopt(s, NULL);
}

/* The global zone always exists, and templates can be looked at although they may be built in. */
static int
read_special(struct session *s, const char *name, struct config **ret, struct err *err)
{
	int r;

	if (!strcmp(name, "global"))
		return config_new(name, ret, err);
	r = config_template(s->opts->root, name, name, ret, err);
	if (r == 0)
		s->read_only = true;
	return r;
}

int
session_read(struct session *s, const char *name)
{
	struct config *cfg = NULL;
	struct err err = {0};
	bool saved;
	int r;

	r = config_load(s->opts->root, name, &cfg, &err);
	saved = r == 0;
	if (r == -ZE_NOENT && config_name_reserved(name))
		r = read_special(s, name, &cfg, &err);
	else if (r == 0 && config_name_reserved(name) && strcmp(name, "global") != 0)
		s->read_only = true;
	session_adopt(s, r == 0 ? cfg : NULL);
	if (s->name != name)
		set_name(&s->name, name);
	set_name(&s->saved_name, saved ? s->name : "");
	if (r == -ZE_NOMEM)
		return r;
	if (r < 0 && r != -ZE_NOENT)
		s->load_err = err;
	return 0;
}

bool
session_is_global(const struct session *s)
{
	return !strcmp(s->name, "global");
}

int
session_state(const struct session *s, const char *name, enum zone_state *ret, struct err *err)
{
	auto_index struct config_index index = {0};
	const struct config_entry *entry;
	struct runtime_status live;
	int r;

	*ret = ZONE_STATE_CONFIGURED;
	r = config_index_load(s->opts->root, &index, err);
	if (r < 0)
		return r;
	entry = config_index_find(&index, name);
	if (!entry)
		return 0;
	*ret = entry->state;
	/* What runs, runs on this host, not on one whose files lie below an alternate root. */
	if (*s->opts->root)
		return 1;
	r = runtime_status(name, &live, err);
	if (r == 0)
		*ret = live.state;
	return r == 0 || r == -ZE_NOENT ? 1 : r;
}

int
session_exists(const struct session *s, const char *name, enum zone_state *ret, struct err *err)
{
	auto_config struct config *cfg = NULL;
	int r;

	r = session_state(s, name, ret, err);
	if (r != 0)
		return r;
	r = config_load(s->opts->root, name, &cfg, err);
	return r == -ZE_NOENT ? 0 : r == -ZE_NOMEM ? r : 2;
}

void
session_greet(struct session *s)
{
	bool interactive = s->mode == SESSION_TERMINAL || s->mode == SESSION_STREAM;

	if (s->read_only && s->mode != SESSION_ONE_SHOT)
		session_note(s,
			     config_name_reserved(s->name) && !session_is_global(s)
				 ? "a template cannot be changed: the session is read-only"
				 : "no write access to '%s/etc/zones': the session is read-only",
			     s->opts->root);
	if (s->cfg || !interactive)
		return;
	if (s->load_err.code) {
		(void)session_fail(s, &s->load_err);
		return;
	}
	(void)session_error(s, "No such zone configured");
	(void)fprintf(s->out, "Use 'create' to begin configuring a new zone.\n");
}

/* ---- lines ---------------------------------------------------------------------------------- */

static void
command_failed(struct session *s)
{
	s->failed = true;
	if (s->mode == SESSION_FILE || s->mode == SESSION_ONE_SHOT)
		s->done = true;
}

static void
syntax_failed(struct session *s, const struct call *call, const struct err *err)
{
	const struct command *cmd = call->word ? command_find(call->word) : NULL;

	if (cmd)
		(void)command_bad_usage(s, cmd, "%s", err->msg);
	else
		(void)session_fail(s, err);
	command_failed(s);
}

/* Returns 1 to go on with the line, else 0. */
static int
next_command(struct session *s, struct lexer *lx)
{
	auto_call struct call call = {0};
	struct err err;
	int r;

	r = parse_next(lx, &call, &err);
	if (r == 0)
		return 0;
	if (r < 0) {
		syntax_failed(s, &call, &err);
		return 0;
	}
	r = command_run(s, &call);
	if (r < 0)
		command_failed(s);
	return !s->done;
}

void
session_line(struct session *s, const char *line, size_t len)
{
	struct lexer lx = {.line = line};
	struct err err;

	s->line++;
	if (lex_check_line(line, len, &err) < 0) {
		(void)session_fail(s, &err);
		command_failed(s);
		return;
	}
	while (next_command(s, &lx))
		;
}

/* Reads up to and without a newline. Returns 1; 0 at the end; -ZE_IO; -ZE_INVAL when the line is
 * too long, and then drops its rest. */
static int
read_line(FILE *in, struct str *line, struct err *err)
{
	char piece[4096];
	size_t n = 0, total = 0;
	int c;

	line->len = 0;
	while ((c = getc_unlocked(in)) != EOF && c != '\n') {
		total++;
		if (total > PARSE_LINE_MAX)
			continue;
		piece[n++] = (char)c;
		if (n < sizeof(piece))
			continue;
		if (str_add(line, piece, n) < 0)
			return err_nomem(err);
		n = 0;
	}
	if (ferror(in))
		return err_set(err, ZE_IO, errno, "read commands");
	if (c == EOF && !total)
		return 0;
	if (str_add(line, piece, n) < 0)
		return err_nomem(err);
	if (total > PARSE_LINE_MAX)
		return err_set(err, ZE_INVAL, 0, "the line is longer than %zu bytes",
			       PARSE_LINE_MAX);
	return 1;
}

void
session_input(struct session *s, FILE *in)
{
	auto_str struct str line = {0};
	struct err err;
	int r;

	while (!s->done) {
		r = read_line(in, &line, &err);
		if (r == 0)
			return;
		if (r == 1) {
			session_line(s, line.s, line.len);
			continue;
		}
		s->line++;
		(void)session_fail(s, &err);
		command_failed(s);
		if (r != -ZE_INVAL)
			return;
	}
}

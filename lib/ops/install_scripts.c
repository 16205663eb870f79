/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps of an installation that run programs of the packages: in throw-away namespaces, with
 * stand-ins over the slow ones among the helpers and a policy-rc.d that lets no daemon start.
 */
#include "install_priv.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/path.h"
#include "runtime/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define POLICY_RC_D         "/usr/sbin/policy-rc.d"
#define POLICY_RC_D_NOT_NOW 101

struct scripts {
	struct install *in;
	struct runtime_scratch *scratch; /* NULL between a host step and the next program */
	struct runtime_bind *binds;      /* the first is policy-rc.d */
	struct strv programs;            /* their sources */
	size_t n_binds;
};

static void
scripts_free(struct scripts *s)
{
	(void)runtime_scratch_end(s->scratch, NULL); /* a failure to tell was told already */
	free(s->binds);
	strv_free(&s->programs);
}

/* Only what is there can be covered: a package may look whether a program exists. */
static bool
target_exists(const struct install *in, const char *target)
{
	struct stat st;
	int fd;

	for (const char **dir = in->inherit_dirs; dir && *dir; dir++) {
		size_t len = strlen(*dir);

		if (strncmp(target, *dir, len) == 0 && target[len] == '/')
			return stat(target, &st) == 0;
	}
	fd = path_open_in_root(in->root_fd, target, O_PATH, 0, NULL);
	(void)fd_close(fd);
	return fd >= 0;
}

static int
binds_make(struct scripts *s, struct err *err)
{
	const struct pkg_standin *standins;
	size_t n = pkg_standins(s->in->plan, &standins);

	strv_free(&s->programs);
	free(s->binds);
	s->binds = calloc(n + 1, sizeof(*s->binds));
	if (!s->binds)
		return err_nomem(err);
	s->binds[0].target = POLICY_RC_D;
	s->binds[0].exit_status = POLICY_RC_D_NOT_NOW;
	s->n_binds = 1;
	for (size_t i = 0; i < n; i++) {
		auto_free char *program = NULL;
		struct err e = {0};

		if (!target_exists(s->in, standins[i].target))
			continue;
		if (path_sibling_program(standins[i].program, &program, &e) < 0) {
			install_log_line(&s->in->log, "Slower than it could be: %s", e.msg);
			continue;
		}
		if (strv_add(&s->programs, program) < 0)
			return err_nomem(err);
		s->binds[s->n_binds++].target = standins[i].target;
	}
	/* Only now: the vector has stopped moving. */
	for (size_t i = 0; i < s->programs.n; i++)
		s->binds[i + 1].source = s->programs.v[i];
	return 0;
}

static int
scratch_begin(struct scripts *s, struct err *err)
{
	struct runtime_scratch_req req = {
	    .name = s->in->req->zone,
	    .inherit_dirs = s->in->inherit_dirs,
	    .shares_ids = str_eq(config_get(s->in->config, CONFIG_IDMAP), "shared"),
	    .stop = op_stop_wanted,
	};
	auto_free char *root = NULL;
	int r;

	if (asprintf(&root, "%s/root", s->in->entry.zonepath) < 0) {
		root = NULL; /* undefined after a failure */
		return err_nomem(err);
	}
	r = binds_make(s, err);
	if (r < 0)
		return r;
	req.zone_root = root;
	req.binds = s->binds;
	req.n_binds = s->n_binds;
	return runtime_scratch_start(&req, &s->scratch, err);
}

static int
scratch_finish(struct scripts *s, struct err *err)
{
	auto_strv struct strv discarded = {0};
	int n, r;

	if (!s->scratch)
		return 0;
	n = s->in->inherit_dirs ? runtime_scratch_discarded(s->scratch, &discarded, err) : 0;
	r = runtime_scratch_end(s->scratch, n < 0 ? NULL : err);
	s->scratch = NULL;
	if (n <= 0)
		return n < 0 ? n : r;
	install_log_line(&s->in->log,
			 "\n==== %d files that scripts wrote below inherited directories are not "
			 "on this host; they are not in the zone:",
			 n);
	for (size_t i = 0; i < discarded.n; i++)
		install_log_line(&s->in->log, "%s", discarded.v[i]);
	return r;
}

static int
say_failed(const struct install *in, const struct pkg_step *step, const char *how, struct err *err)
{
	if (!*step->package)
		return err_set(err, ZE_PKG, 0, "packages: %s %s; see '%s'", step->what, how,
			       in->log_path);
	return err_set(err, ZE_PKG, 0, "package '%s': its %s script %s; see '%s'", step->package,
		       step->what, how, in->log_path);
}

/* A package is named once, however many of its scripts warned. */
static int
note_warned(struct install *in, const struct pkg_step *step, off_t section, struct err *err)
{
	if (!*step->package || strv_has(&in->warned, step->package) ||
	    !install_log_warned(&in->log, section))
		return 0;
	return strv_add(&in->warned, step->package) < 0 ? err_nomem(err) : 0;
}

static int
run_program(struct scripts *s, const struct pkg_step *step, struct err *err)
{
	struct install *in = s->in;
	char what[64], how[64];
	double begun, seconds;
	off_t section;
	int status = 0, r;

	if (!s->scratch) {
		r = scratch_begin(s, err);
		if (r < 0)
			return r;
	}
	section = install_log_section(&in->log, step->package, step->what);
	begun = install_log_now();
	r = runtime_scratch_run(s->scratch, step->argv, step->envp, in->log.fd, step->timeout_ms,
				&status, err);
	seconds = install_log_now() - begun;
	(void)snprintf(what, sizeof(what), "%s%s%s", step->package, *step->package ? ": " : "",
		       step->what);
	install_log_script(&in->log, what, seconds);
	if (r == -ZE_TIMEOUT) {
		install_log_line(&in->log, "---- stopped after %.0f s", seconds);
		(void)snprintf(how, sizeof(how), "did not end within %u s",
			       step->timeout_ms / 1000);
		return say_failed(in, step, how, err);
	}
	if (r == -ZE_NOENT)
		return say_failed(in, step, "cannot be run", err);
	if (r < 0)
		return r;
	install_log_line(&in->log, "---- status %d, %.3f s", status, seconds);
	if (status) {
		(void)snprintf(how, sizeof(how), "failed with status %d", status);
		return say_failed(in, step, how, err);
	}
	return note_warned(in, step, section, err);
}

/*
 * Files that come only now are written from outside, and nothing may lie over them then. Below
 * inherited directories there are none, and what scripts wrote there must stay for the next.
 */
static int
run_on_host(struct scripts *s, size_t i, struct err *err)
{
	struct install *in = s->in;
	struct pkg_notes notes = {
	    .missing = &in->missing, .changed = &in->changed, .log = &in->notes};
	int r = 0;

	if (!in->inherit_dirs)
		r = scratch_finish(s, err);
	return r < 0 ? r : pkg_step_host(in->plan, i, in->root_fd, &notes, err);
}

static void
progress(const struct install *in, size_t i, size_t n)
{
	size_t package = in->facts.packages * (i + 1) / n;

	op_sayf(&in->req->say, OP_LINE_PROGRESS,
		"Initializing package <%zu> of <%zu>: percent complete: %zu%%",
		package ? package : 1, in->facts.packages, 100 * (i + 1) / n);
}

/* Steps of one kind in a row are a phase of the log's last table. */
static void
phase(struct install *in, const struct pkg_step *step, const char **kind)
{
	char text[64];

	if (*kind && strcmp(*kind, step->what) == 0)
		return;
	*kind = step->what;
	(void)snprintf(text, sizeof(text), "packages: %s", step->what);
	install_log_phase(&in->log, text);
}

int
install_scripts(struct install *in, struct err *err)
{
	struct scripts s = {.in = in};
	size_t n = pkg_step_count(in->plan), last_host = 0;
	const char *kind = NULL;
	int r = 0;

	for (size_t i = 0; i < n; i++)
		if (!pkg_step_at(in->plan, i)->argv)
			last_host = i + 1;
	for (size_t i = 0; r == 0 && i < n; i++) {
		const struct pkg_step *step = pkg_step_at(in->plan, i);

		/* The host's packages may change again while the scripts still run. */
		if (i == last_host) {
			pkg_host_close(in->host);
			in->host = NULL;
		}
		if (op_stop_wanted()) {
			r = err_set(err, ZE_INTR, 0, "interrupted");
			break;
		}
		phase(in, step, &kind);
		progress(in, i, n);
		r = step->argv ? run_program(&s, step, err) : run_on_host(&s, i, err);
	}
	if (r == 0)
		r = scratch_finish(&s, err);
	scripts_free(&s);
	return r;
}

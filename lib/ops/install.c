/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A configured zone is filled from the packages of the host. Everything up to the state incomplete
 * only reads; from there on a failure or a kill leaves a zone that is incomplete, and uninstall
 * returns it to configured.
 *
 * Source: zoneadm(8), install; the lines for the user are Solaris'.
 */
#include "install_priv.h"

#include "base/err.h"
#include "base/fault.h"
#include "base/fd.h"
#include "storage/storage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define POLICY_PATH "/etc/zones/packages.conf"

/* Besides the files: the package database, what the scripts make. */
#define SPARE_BYTES (64u << 20)

/* How long another package manager, or another installation, may keep us waiting. */
#define LOCK_WAIT_S 120

static void
install_free(struct install *in)
{
	in->log.fd = fd_close(in->log.fd);
	str_free(&in->log.early);
	(void)fd_close(in->root_fd);
	pkg_plan_free(in->plan);
	pkg_host_close(in->host);
	free(in->inherit_dirs);
	free(in->log_path);
	strv_free(&in->missing);
	strv_free(&in->changed);
	strv_free(&in->notes);
	strv_free(&in->warned);
	config_free(in->config);
	free(in->entry.zonepath);
	config_unlock(&in->lock);
}
#define auto_install __attribute__((cleanup(install_free)))

/* ---- checks and plan ------------------------------------------------------------------------ */

static int
check(struct install *in, struct err *err)
{
	struct op_verify_req verify = {.make_zonepath = true};
	int r;

	r = config_lock_zone("", in->req->zone, &in->lock, err);
	if (r < 0)
		return r;
	r = op_find(in->req->zone, &in->config, &in->entry, err);
	if (r < 0)
		return r;
	r = op_must_be(&in->entry, ZONE_STATE_CONFIGURED, "install", err);
	if (r < 0)
		return r;
	verify.config = in->config;
	verify.entry = &in->entry;
	r = op_verify_or_say(&verify, "install", &in->req->say, err);
	if (r < 0)
		return r;
	if (strcmp(config_brand(in->config), "native") != 0)
		return err_set(err, ZE_NOTSUP, 0,
			       "install: brand '%s' cannot be installed from this host's packages",
			       config_brand(in->config));
	return 0;
}

static int
find_inherited(struct install *in, struct err *err)
{
	size_t n = config_count(in->config, CONFIG_INHERIT_PKG_DIR);

	if (!n)
		return 0;
	in->inherit_dirs = calloc(n + 1, sizeof(*in->inherit_dirs));
	if (!in->inherit_dirs)
		return err_nomem(err);
	for (size_t i = 0; i < n; i++)
		in->inherit_dirs[i] = config_res_get(
		    config_at(in->config, CONFIG_INHERIT_PKG_DIR, i), CONFIG_INHERIT_PKG_DIR_DIR);
	return 0;
}

/* Another zone that is being installed, or apt at work, is waited for. */
static int
open_host(struct install *in, struct err *err)
{
	const struct timespec pause = {.tv_nsec = 100 * 1000 * 1000};
	double end = install_log_now() + LOCK_WAIT_S;
	int r;

	for (;;) {
		r = pkg_host_open("", &in->host, err);
		if (r != -ZE_BUSY || install_log_now() > end)
			return r;
		if (op_stop_wanted())
			return err_set(err, ZE_INTR, 0, "interrupted");
		op_sayf(&in->req->say, OP_LINE_PROGRESS, "Waiting: %s", err->msg);
		err_clear(err);
		(void)nanosleep(&pause, NULL); /* a signal ends it early, and is looked at */
	}
}

/* Packages that the zone's configuration names: `add attr; set name=packages; ...`. */
static int
packages_of_attr(const struct install *in, const char *attr, struct strv *ret, struct err *err)
{
	const struct config_res *res;

	for (size_t i = 0; (res = config_at(in->config, CONFIG_ATTR, i)); i++) {
		const char *p = config_res_get(res, CONFIG_ATTR_VALUE);

		if (!p || !str_eq(config_res_get(res, CONFIG_ATTR_NAME), attr))
			continue;
		while (*p) {
			size_t len = strcspn(p, ", ");

			if (len && strv_addf(ret, "%.*s", (int)len, p) < 0)
				return err_nomem(err);
			p += len + (p[len] != '\0');
		}
	}
	return 0;
}

static int
all_packages(const struct install *in, const char *const *option, const char *attr,
	     struct strv *ret, struct err *err)
{
	int r;

	r = packages_of_attr(in, attr, ret, err);
	for (; r == 0 && option && *option; option++)
		r = strv_add(ret, *option) < 0 ? err_nomem(err) : 0;
	return r;
}

static int
make_plan(struct install *in, struct err *err)
{
	auto_strv struct strv packages = {0}, exclude = {0};
	struct pkg_request req = {
	    .policy_path = POLICY_PATH,
	    .inherit_dirs = in->inherit_dirs,
	    .keep_edited = in->req->keep_edited,
	    .all = in->req->all,
	    .offline = in->req->offline,
	    .refuse_changed = in->req->refuse_changed,
	};
	int r;

	r = all_packages(in, in->req->packages, "packages", &packages, err);
	if (r == 0)
		r = all_packages(in, in->req->exclude, "exclude-packages", &exclude, err);
	if (r < 0)
		return r;
	req.packages = (const char *const *)packages.v;
	req.exclude = (const char *const *)exclude.v;
	r = pkg_plan_make(in->host, &req, &in->plan, err);
	if (r < 0)
		return err_add(err, "install");
	pkg_plan_facts(in->plan, &in->facts);
	if (!in->facts.has_init && !config_res_is_set(config_global(in->config), CONFIG_INIT))
		return err_set(err, ZE_PKG, 0,
			       "install: no package of the zone has /sbin/init, so it could not "
			       "boot; add one ('-p systemd-sysv'), or set the property init");
	return 0;
}

static int
check_space(const struct install *in, struct err *err)
{
	struct storage_facts facts;
	uint64_t needed = in->facts.bytes + SPARE_BYTES;
	int r;

	r = storage_facts(in->entry.zonepath, &facts, err);
	if (r < 0)
		return r;
	if (needed > facts.free_bytes)
		return err_set(err, ZE_STORAGE, 0,
			       "install: not enough room in '%s': %ju MiB are needed, %ju MiB free",
			       in->entry.zonepath, (uintmax_t)needed >> 20,
			       (uintmax_t)facts.free_bytes >> 20);
	return 0;
}

/* ---- the work ------------------------------------------------------------------------------- */

static int
open_root(struct install *in, struct err *err)
{
	auto_close int dir_fd = -EBADF;

	dir_fd = open(in->entry.zonepath, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir_fd >= 0)
		in->root_fd =
		    openat(dir_fd, "root", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (in->root_fd < 0)
		return err_set(err, ZE_IO, errno, "open '%s/root'", in->entry.zonepath);
	return 0;
}

/* Until there is a root nothing is lost by going back. */
static int
make_root(struct install *in, bool *ret_finished, struct err *err)
{
	const char *backend = "";
	bool made = false, kept;
	int r;

	*ret_finished = false;
	r = storage_zonepath_make(in->entry.zonepath, &made, err);
	if (r == 0 && !in->req->no_cache)
		*ret_finished = install_cache_use(in);
	if (r == 0 && !*ret_finished)
		r = storage_create(in->entry.zonepath, &backend, err);
	if (r == 0)
		r = open_root(in, err);
	if (r == 0) {
		install_log_line(&in->log, "Files: %zu, %ju bytes%s%s", in->facts.files,
				 (uintmax_t)in->facts.bytes, *ret_finished ? "" : ", on ", backend);
		return 0;
	}
	/* A file system that refuses to be cleaned leaves the zone incomplete, as it is then. */
	if (storage_destroy(in->entry.zonepath, made ? &kept : NULL, NULL) < 0 ||
	    config_set_state("", in->req->zone, ZONE_STATE_CONFIGURED, NULL) < 0)
		(void)err_add(err, "the zone is incomplete, uninstall it before another try");
	return r;
}

static bool
on_copy(void *arg, uint64_t done_bytes, size_t done_files)
{
	const struct install *in = arg;

	(void)done_bytes;
	if (in->facts.files)
		op_sayf(&in->req->say, OP_LINE_PROGRESS, "Copying <%zu> of <%zu> files: %zu%%",
			done_files, in->facts.files, 100 * done_files / in->facts.files);
	return !op_stop_wanted();
}

static int
copy_files(struct install *in, struct err *err)
{
	struct pkg_progress on = {.fn = on_copy, .arg = in};
	struct pkg_notes notes = {
	    .missing = &in->missing, .changed = &in->changed, .log = &in->notes};
	int r;

	install_log_phase(&in->log, "files: copy");
	op_sayf(&in->req->say, OP_LINE_OUT, "Copying <%zu> files to the zone.", in->facts.files);
	r = pkg_copy(in->plan, in->root_fd, &on, &notes, err);
	if (r < 0)
		return r;
	return install_log_open(&in->log, in->root_fd, err);
}

/* Wide enough to cover the progress that stood in its place, as the original's. */
static void
say_initialized(const struct install *in)
{
	char line[128];
	int digits, width;

	digits = snprintf(line, sizeof(line), "%zu", in->facts.packages);
	width = 61 + 2 * digits;
	(void)snprintf(line, sizeof(line), "Initialized <%zu> packages on zone.",
		       in->facts.packages);
	op_sayf(&in->req->say, OP_LINE_OUT, "%-*s", width, line);
}

static int
initialize(struct install *in, struct err *err)
{
	const struct op_say *to = &in->req->say;
	struct pkg_notes notes = {
	    .missing = &in->missing, .changed = &in->changed, .log = &in->notes};
	int r;

	op_sayf(to, OP_LINE_OUT, "Initializing zone product registry.");
	op_sayf(to, OP_LINE_OUT, "Determining zone package initialization order.");
	op_sayf(to, OP_LINE_OUT, "Preparing to initialize <%zu> packages on the zone.",
		in->facts.packages);
	r = install_scripts(in, err);
	if (r < 0)
		return r;
	install_log_phase(&in->log, "packages: finish");
	r = pkg_finish(in->plan, in->root_fd, &notes, err);
	if (r < 0)
		return r;
	say_initialized(in);
	return 0;
}

static int
settle(struct install *in, struct err *err)
{
	int r;

	install_log_phase(&in->log, "identity");
	r = identity_reset(in->req->zone, in->root_fd, err);
	if (r < 0)
		return r;
	install_log_phase(&in->log, "sync");
	/* The index is about to say that all of it is there. */
	if (fault_point("syncfs") || syncfs(in->root_fd) < 0)
		return err_set(err, ZE_IO, errno, "sync the file system of '%s'",
			       in->entry.zonepath);
	return 0;
}

static void
log_notes(struct install *in)
{
	const struct {
		const char *title;
		const struct strv *lines;
	} lists[] = {
	    {"configuration files that are missing", &in->missing},
	    {"files of this host that are not as their package delivered them, copied as they are",
	     &in->changed},
	    {"notes", &in->notes},
	    {"packages whose scripts warned", &in->warned},
	};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		if (!lists[i].lines->n)
			continue;
		install_log_line(&in->log, "\n==== %s", lists[i].title);
		for (size_t k = 0; k < lists[i].lines->n; k++)
			install_log_line(&in->log, "%s", lists[i].lines->v[k]);
	}
}

/* What remains to be told once the zone is installed. */
static int
sum_up(struct install *in, struct err *err)
{
	const struct op_say *to = &in->req->say;
	auto_str struct str warned = {0};

	if (in->facts.skipped)
		op_sayf(to, OP_LINE_OUT, "Installation of <%zu> packages was skipped.",
			in->facts.skipped);
	for (size_t i = 0; i < in->warned.n; i++)
		if (str_addf(&warned, "%s%s", i ? " " : "", in->warned.v[i]) < 0)
			return err_nomem(err);
	if (warned.len)
		op_sayf(to, OP_LINE_OUT, "Installation of these packages generated warnings: <%s>",
			warned.s);
	if (in->changed.n)
		op_sayf(
		    to, OP_LINE_WARN,
		    "WARNING: %zu files of this host are not as their packages delivered them and "
		    "were copied as they are; the log names them.",
		    in->changed.n);
	for (size_t i = 0; i < in->missing.n; i++)
		op_sayf(to, OP_LINE_WARN, "WARNING: missing in the zone: %s", in->missing.v[i]);
	op_sayf(to, OP_LINE_OUT, "The file <%s> contains a log of the zone installation.",
		in->log_path);
	if (in->missing.n)
		return err_set(err, ZE_PKG, 0,
			       "installed, but %zu of its configuration files could not be had as "
			       "delivered",
			       in->missing.n);
	return 0;
}

static int
make_from_packages(struct install *in, struct err *err)
{
	int r;

	r = copy_files(in, err);
	if (r == 0)
		r = initialize(in, err);
	log_notes(in);
	if (r == 0) {
		install_log_phase(&in->log, "keep for the next zone");
		install_cache_keep(in);
	}
	return r;
}

static int
make_from_finished(struct install *in, struct err *err)
{
	op_sayf(&in->req->say, OP_LINE_OUT, "Copying a finished root of the same <%zu> packages.",
		in->facts.packages);
	return install_log_reopen(&in->log, in->root_fd, err);
}

/* From here on the zone is incomplete; whatever happens is told with the way out. */
static int
work(struct install *in, struct err *err)
{
	bool finished;
	int r;

	r = make_root(in, &finished, err);
	if (r < 0)
		return err_add(err, "install");
	r = finished ? make_from_finished(in, err) : make_from_packages(in, err);
	if (r == 0)
		r = settle(in, err);
	if (r < 0)
		install_log_line(&in->log, "\n==== failed: %s", err->msg);
	install_log_end(&in->log);
	if (r == 0)
		r = config_set_state("", in->req->zone, ZONE_STATE_INSTALLED, err);
	if (r < 0) {
		(void)err_add(err, "install");
		op_sayf(&in->req->say, OP_LINE_PROBLEM, "%s", err->msg);
		return err_set(err, err->code, 0,
			       "install: the zone is incomplete; uninstall it before another try");
	}
	return 0;
}

static int
prepare_log(struct install *in, struct err *err)
{
	char when[64];
	time_t now = time(NULL);
	struct tm tm;

	if (asprintf(&in->log_path, "%s/root" INSTALL_LOG_PATH, in->entry.zonepath) < 0) {
		in->log_path = NULL; /* undefined after a failure */
		return err_nomem(err);
	}
	(void)strftime(when, sizeof(when), "%F %T %z", localtime_r(&now, &tm));
	install_log_line(&in->log, "Installation of zone '%s', %s, by flashzone %s", in->req->zone,
			 when, ZONES_VERSION);
	install_log_line(&in->log, "Packages: %zu", in->facts.packages);
	return 0;
}

int
op_install(const struct op_install_req *req, struct err *err)
{
	auto_install struct install in = {
	    .req = req, .root_fd = -EBADF, .lock.fd = -EBADF, .log.fd = -EBADF};
	int r;

	r = check(&in, err);
	if (r == 0)
		r = find_inherited(&in, err);
	if (r < 0)
		return r;
	install_log_phase(&in.log, "plan");
	if (!req->dry_run) {
		op_sayf(&req->say, OP_LINE_OUT, "Preparing to install zone <%s>.", req->zone);
		op_sayf(&req->say, OP_LINE_OUT,
			"Creating list of files to copy from the global zone.");
	}
	r = open_host(&in, err);
	if (r == 0)
		r = make_plan(&in, err);
	if (r < 0)
		return r;
	if (req->dry_run)
		return pkg_plan_print(in.plan, STDOUT_FILENO, err);
	r = check_space(&in, err);
	if (r == 0)
		r = prepare_log(&in, err);
	if (r < 0)
		return r;
	/* On disk before the first side effect: after a crash the zone says what it is. */
	install_log_phase(&in.log, "root");
	r = config_set_state("", req->zone, ZONE_STATE_INCOMPLETE, err);
	if (r == 0)
		r = work(&in, err);
	if (r < 0)
		return r;
	op_sayf(&req->say, OP_LINE_OUT, "Zone <%s> is initialized.", req->zone);
	return sum_up(&in, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration files as their packages delivered them. The host's own file is right as long as
 * nobody edited it, which its digest in the status file tells; else the same content is looked for
 * beside it, among the files of the package, in apt's cache and on a mirror. An edited file is
 * never taken: it may hold secrets or the host's addresses.
 *
 * Content is kept in memory from the moment its digest was right: the administrator may edit the
 * file while the zone is being made.
 */
#include "pkg/dpkg_priv.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ARCHIVES_DIR        "var/cache/apt/archives"
#define DOWNLOAD_TIMEOUT_MS 30000
#define EXTRACT_TIMEOUT_MS  60000
#define EXTRACT_PROGRAM     "zones-deb-file"

/* What dpkg, ucf and administrators leave beside a configuration file. */
static const char *const siblings[] = {"",          ".dpkg-dist", ".dpkg-new",
				       ".dpkg-old", ".ucf-dist",  ".ucf-old"};

/* ---- on the host's file systems ---- */

/* Take the file at @path if its content is as delivered: 1, or 0 if not. */
static int
try_file(struct dpkg_plan *plan, struct pkg_entry *e, const char *path, struct err *err)
{
	auto_free char *text = NULL;
	char digest[33];
	size_t len;
	int r;

	r = path_file_read_in_root(plan->host->base.root_fd, path, DPKG_CONFFILE_MAX_SIZE, &text,
				   &len, err);
	if (r == -ZE_NOMEM)
		return r;
	if (r < 0) {
		err_clear(err);
		return 0; /* not there, or nothing to be read as a file */
	}
	dpkg_md5(text, len, digest);
	if (strcmp(digest, e->md5) != 0)
		return 0;
	e->content = arena_strndup(&plan->base.arena, text, len);
	if (!e->content)
		return err_nomem(err);
	e->size_bytes = len;
	return 1;
}

/* A master of the same name among the package's own files, such as in /usr/share/base-files. */
static int
try_masters(struct dpkg_plan *plan, struct pkg_entry *e, struct err *err)
{
	const struct dpkg_pkg *pkg = &plan->host->pkgs[e->package];
	const char *name = strrchr(e->path, '/'), *last;
	int r = 0;

	for (size_t i = 0; name && i < pkg->n_paths && r == 0; i++) {
		last = strrchr(pkg->paths[i], '/');
		if (!strncmp(pkg->paths[i], "/usr/", 5) && !strcmp(last, name))
			r = try_file(plan, e, pkg->paths[i], err);
	}
	return r;
}

static int
find_delivered(struct dpkg_plan *plan, struct pkg_entry *e, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < sizeof(siblings) / sizeof(siblings[0]) && r == 0; i++) {
		auto_free char *path = NULL;

		if (asprintf(&path, "%s%s", e->source, siblings[i]) < 0) {
			path = NULL; /* undefined after a failure */
			return err_nomem(err);
		}
		r = try_file(plan, e, path, err);
	}
	return r ? r : try_masters(plan, e, err);
}

static bool
is_kept_edited(const struct dpkg_plan *plan, const char *path)
{
	const struct strv *globs[] = {&plan->keep_edited, &plan->policy.keep_conffiles};

	for (size_t i = 0; i < 2; i++)
		for (size_t g = 0; g < globs[i]->n; g++)
			if (fnmatch(globs[i]->v[g], path, 0) == 0)
				return true;
	return false;
}

static int
plan_conffile(struct dpkg_plan *plan, struct pkg_entry *e, const struct dpkg_conffile *conffile,
	      struct err *err)
{
	struct stat st;
	int r;

	e->flags |= PKG_ENTRY_CONFFILE;
	e->md5 = conffile->md5;
	if (is_kept_edited(plan, conffile->path) &&
	    fstatat(plan->host->base.root_fd, e->source, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	/* The administrator may have put a link or a directory there; delivered was a file. */
	if (!S_ISREG(e->mode)) {
		if (fstatat(plan->host->base.root_fd, e->source, &st, 0) < 0 ||
		    !S_ISREG(st.st_mode))
			st.st_mode = 0644;
		e->mode = S_IFREG | (st.st_mode & 0777);
		e->content = NULL;
	}
	r = find_delivered(plan, e, err);
	if (r < 0)
		return r;
	if (r == 0)
		e->flags |= PKG_ENTRY_PENDING;
	return 0;
}

int
dpkg_conffiles_plan(struct dpkg_plan *plan, struct err *err)
{
	const char *path;
	uint32_t entry;
	int r;

	for (size_t i = 0; i < plan->n_chosen; i++) {
		const struct dpkg_pkg *pkg = &plan->host->pkgs[plan->order[i]];

		for (size_t c = 0; c < pkg->n_conffiles; c++) {
			path = dpkg_path_resolve(plan->host, &plan->base.arena,
						 pkg->conffiles[c].path);
			if (!path)
				return err_nomem(err);
			entry = strmap_get(&plan->by_path, path, strlen(path));
			/* Inherited, or left out by the policy. */
			if (entry == STRMAP_NONE)
				continue;
			r = plan_conffile(plan, &plan->base.entries[entry], &pkg->conffiles[c],
					  err);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* ---- from archives ---- */

struct fetch {
	struct dpkg_plan *plan;
	char *program;    /* reads one file of an archive */
	char *dir;        /* private, for downloads; NULL until the first */
	bool no_mirror;   /* the first that did not answer is asked once */
	char reason[512]; /* why the last one was not to be had */
};

/* NAME_VERSION_ARCH.deb, as apt writes it. */
static int
archive_name(const struct dpkg_pkg *pkg, struct str *ret)
{
	int r;

	r = str_addf(ret, "%s_", pkg->name);
	for (const char *p = pkg->version; *p && r == 0; p++)
		r = *p == ':' ? str_add(ret, "%3a", 3) : str_add(ret, p, 1);
	return r == 0 ? str_addf(ret, "_%s.deb", pkg->arch) : r;
}

/* The program's answer: "MODE SIZE\n" and the content. */
static int
take_answer(struct fetch *f, struct pkg_entry *e, int fd, struct err *err)
{
	auto_free char *text = NULL;
	char digest[33], *content, *end;
	unsigned long mode, size;
	size_t len;
	int r;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_set(err, ZE_IO, errno, "read an archive");
	r = fd_read_all(fd, DPKG_CONFFILE_MAX_SIZE + 64, &text, &len, err);
	if (r < 0)
		return r;
	mode = strtoul(text, &end, 8);
	size = *end == ' ' ? strtoul(end + 1, &end, 10) : 0;
	content = end + 1;
	if (*end != '\n' || size != len - (size_t)(content - text) || mode > 07777)
		return err_set(err, ZE_FORMAT, 0, "an answer of '%s' is cut off", f->program);
	dpkg_md5(content, size, digest);
	if (strcmp(digest, e->md5) != 0) {
		(void)snprintf(f->reason, sizeof(f->reason),
			       "the one in the package's archive is not as delivered");
		return 0;
	}
	e->content = arena_strndup(&f->plan->base.arena, content, size);
	if (!e->content)
		return err_nomem(err);
	/* Where the host has none, the archive knows its mode. */
	if (!e->mtime.tv_sec)
		e->mode = S_IFREG | (mode_t)mode;
	e->size_bytes = size;
	return 1;
}

static int
extract(struct fetch *f, struct pkg_entry *e, const char *deb, struct err *err)
{
	const char *argv[] = {NULL, deb, e->path, NULL};
	struct proc_req req = {.argv = argv, .timeout_ms = EXTRACT_TIMEOUT_MS};
	auto_close int out_fd = -EBADF;
	int r;

	r = f->program ? 0 : path_sibling_program(EXTRACT_PROGRAM, &f->program, err);
	if (r < 0)
		return r;
	argv[0] = f->program;
	out_fd = memfd_create("conffile", MFD_CLOEXEC);
	if (out_fd < 0)
		return err_set(err, ZE_IO, errno, "make a file in memory");
	req.output_fd = out_fd;
	r = proc_run(&req, NULL, err);
	if (r == 0)
		return take_answer(f, e, out_fd, err);
	(void)snprintf(f->reason, sizeof(f->reason), "'%s' cannot be read", deb);
	err_clear(err);
	return 0;
}

/* Ask a mirror: a private folder, no lists fetched, nothing installed. */
static int
download(struct fetch *f, const struct dpkg_pkg *pkg, struct err *err)
{
	auto_free char *cache = NULL, *what = NULL;
	struct proc_result result = {0};
	struct proc_req req = {.timeout_ms = DOWNLOAD_TIMEOUT_MS};
	int r;

	if (!f->dir) {
		f->dir = strdup("/tmp/zones-deb-XXXXXX");
		if (!f->dir || !mkdtemp(f->dir)) {
			fd_freep(&f->dir);
			f->dir = NULL;
			return err_set(err, ZE_IO, errno, "make a directory in /tmp");
		}
	}
	if (asprintf(&cache, "Dir::Cache=%s", f->dir) < 0) {
		cache = NULL; /* undefined after a failure */
		return err_nomem(err);
	}
	if (asprintf(&what, "%s:%s=%s", pkg->name, pkg->arch, pkg->version) < 0) {
		what = NULL;
		return err_nomem(err);
	}
	const char *argv[] = {"/usr/bin/apt-get",
			      "-qq",
			      "-o",
			      cache,
			      "-o",
			      "Acquire::http::Timeout=4",
			      "-o",
			      "Acquire::https::Timeout=4",
			      "-o",
			      "Acquire::Retries=0",
			      "-o",
			      "APT::Sandbox::User=root",
			      "download",
			      what,
			      NULL};
	req.argv = argv;
	req.cwd = f->dir;
	r = proc_run(&req, &result, err);
	/* A version that no mirror has any more is this package's trouble; a mirror that does not
	 * answer is everybody's. */
	if (r == -ZE_TIMEOUT ||
	    (r == -ZE_CHILD && result.output && strstr(result.output, "Failed to fetch")))
		f->no_mirror = true;
	free(result.output);
	return r;
}

static int
from_mirror(struct fetch *f, struct pkg_entry *e, const struct dpkg_pkg *pkg, const char *archive,
	    struct err *err)
{
	auto_free char *path = NULL;
	int r;

	if (f->plan->offline || *f->plan->host->base.root || f->no_mirror) {
		(void)snprintf(
		    f->reason, sizeof(f->reason), "'%s' is not in '/" ARCHIVES_DIR "'%s", archive,
		    f->no_mirror ? " and no mirror answers" : ", and no mirror may be asked");
		return 0;
	}
	r = download(f, pkg, err);
	if (r == -ZE_NOMEM)
		return r;
	if (r < 0) {
		(void)snprintf(f->reason, sizeof(f->reason),
			       "'%s' is neither in '/" ARCHIVES_DIR "' nor to be had from a mirror",
			       archive);
		err_clear(err);
		return 0;
	}
	if (asprintf(&path, "%s/%s", f->dir, archive) < 0) {
		path = NULL; /* undefined after a failure */
		return err_nomem(err);
	}
	return extract(f, e, path, err);
}

static int
fetch_one(struct fetch *f, struct pkg_entry *e, struct err *err)
{
	const struct dpkg_pkg *pkg = &f->plan->host->pkgs[e->package];
	auto_str struct str archive = {0}, path = {0};
	int r;

	if (archive_name(pkg, &archive) < 0 ||
	    str_addf(&path, "%s/" ARCHIVES_DIR "/%s", f->plan->host->base.root, archive.s) < 0)
		return err_nomem(err);
	if (access(path.s, R_OK) == 0) {
		r = extract(f, e, path.s, err);
		if (r)
			return r;
	}
	return from_mirror(f, e, pkg, archive.s, err);
}

static int
note_missing(struct fetch *f, struct pkg_entry *e, struct pkg_notes *notes, struct err *err)
{
	bool removed = !e->mtime.tv_sec;

	e->flags |= PKG_ENTRY_SKIP;
	if (notes->missing && strv_addf(notes->missing, "/%s: %s on this host, and %s", e->source,
					removed ? "removed" : "edited", f->reason) < 0)
		return err_nomem(err);
	return 0;
}

static int
fetch_pending(struct fetch *f, struct pkg_notes *notes, struct err *err)
{
	struct pkg_plan *base = &f->plan->base;
	int r;

	for (size_t i = 0; i < base->n_entries; i++) {
		struct pkg_entry *e = &base->entries[i];

		if (!(e->flags & PKG_ENTRY_PENDING))
			continue;
		r = fetch_one(f, e, err);
		if (r < 0)
			return r;
		if (r == 0) {
			r = note_missing(f, e, notes, err);
			if (r < 0)
				return r;
		}
		e->flags &= (uint16_t)~PKG_ENTRY_PENDING;
	}
	return 0;
}

/* Files that the host does not have any more are new. */
static void
date_new_files(struct dpkg_plan *plan)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	for (size_t i = 0; i < plan->base.n_entries; i++) {
		struct pkg_entry *e = &plan->base.entries[i];

		if ((e->flags & PKG_ENTRY_CONFFILE) && !e->mtime.tv_sec)
			e->mtime = now;
	}
}

int
dpkg_conffiles_fetch(struct dpkg_plan *plan, struct pkg_notes *notes, struct err *err)
{
	struct fetch f = {.plan = plan};
	int r;

	r = fetch_pending(&f, notes, err);
	date_new_files(plan);
	if (f.dir)
		(void)path_rm_tree_at(AT_FDCWD, f.dir,
				      NULL); /* in /tmp; the system cleans it too */
	free(f.dir);
	free(f.program);
	return r;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making the entries of a plan. Directories come first and get their times last; files and links in
 * between are shared out among a few threads, which have all ended when pkg_copy_level() returns.
 *
 * From the first script on the zone's root is hostile, and what a script left running may change it
 * while later levels are copied. So directories are found by the kernel beneath the root, nothing
 * is followed in the last component, and owner and mode are set on descriptors of what was just
 * made.
 */
#include "pkg/pkg_priv.h"

#include "base/copy.h"
#include "base/err.h"
#include "base/fault.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

/* The sweep tests count side effects, which must come in the same order every time. */
#ifdef ZONES_FAULT_INJECTION
#define WORKERS 1
#else
#define WORKERS 2
#endif
#define SHARE 32 /* entries that a worker takes at a time: neighbours, so in few directories */

/* What the workers share. */
struct job {
	const struct pkg_plan *plan;
	unsigned level;
	int root_fd;
	atomic_size_t next;
	atomic_bool failed, stopped;
	atomic_uint_fast64_t done_bytes;
	atomic_size_t done_files;
};

struct worker {
	struct job *job;
	struct cursor from, to;
	const struct pkg_progress *progress; /* of the calling thread only */
	struct err err;
	int r;
};

static int
entry_failed(const struct pkg_entry *e, const char *what, struct err *err)
{
	return err_set(err, ZE_IO, errno, "%s '/%s' in the zone", what, e->path);
}

/* Only file capabilities are the package's; ACLs and other attributes are the administrator's. */
static int
copy_capabilities(const struct pkg_entry *e, int src_fd, int dst_fd, struct err *err)
{
	char value[sizeof(struct vfs_ns_cap_data)];
	ssize_t n;

	n = fgetxattr(src_fd, "security.capability", value, sizeof(value));
	if (n <= 0)
		return 0; /* none, or none here */
	if (fsetxattr(dst_fd, "security.capability", value, (size_t)n, 0) < 0)
		return entry_failed(e, "set capabilities of", err);
	return 0;
}

static int
set_metadata(const struct pkg_entry *e, int fd, struct err *err)
{
	struct timespec times[2] = {e->mtime, e->mtime};

	/* Owner first: a change of owner takes set-id bits away. */
	if ((e->uid || e->gid) && fchown(fd, e->uid, e->gid) < 0)
		return entry_failed(e, "set the owner of", err);
	if (fchmod(fd, e->mode & 07777) < 0)
		return entry_failed(e, "set the mode of", err);
	if (futimens(fd, times) < 0)
		return entry_failed(e, "set the time of", err);
	return 0;
}

static int
fill_file(struct worker *w, const struct pkg_entry *e, int dst_fd, struct err *err)
{
	auto_close int src_fd = -EBADF;
	const char *name;
	int dir_fd, r;

	if (e->content) {
		if (fd_write_all(dst_fd, e->content, e->size_bytes) < 0)
			return entry_failed(e, "write", err);
		return set_metadata(e, dst_fd, err);
	}
	dir_fd = cursor_open(&w->from, e->source, &name, err);
	if (dir_fd < 0)
		return dir_fd;
	src_fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (src_fd < 0)
		return err_set(err, ZE_IO, errno, "open '/%s'", e->source);
	r = file_copy(src_fd, dst_fd, e->size_bytes, err);
	if (r < 0)
		return err_add(err, "copy '/%s' to the zone", e->source);
	r = set_metadata(e, dst_fd, err);
	if (r == 0 && (e->mode & 0111))
		r = copy_capabilities(e, src_fd, dst_fd, err);
	return r;
}

static int
make_file(struct worker *w, const struct pkg_entry *e, int dir_fd, const char *name,
	  struct err *err)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	auto_close int fd = -EBADF;

	fd = openat(dir_fd, name, flags, 0600);
	/* A preinst may have made it; a package's file replaces it, as when dpkg unpacks. */
	if (fd < 0 && errno == EEXIST && unlinkat(dir_fd, name, 0) == 0)
		fd = openat(dir_fd, name, flags, 0600);
	if (fd < 0)
		return entry_failed(e, "make", err);
	return fill_file(w, e, fd, err);
}

static int
make_link(const struct pkg_entry *e, int dir_fd, const char *name, struct err *err)
{
	struct timespec times[2] = {e->mtime, e->mtime};
	int r;

	r = symlinkat(e->content, dir_fd, name);
	if (r < 0 && errno == EEXIST && unlinkat(dir_fd, name, 0) == 0)
		r = symlinkat(e->content, dir_fd, name);
	if (r < 0)
		return entry_failed(e, "make link", err);
	if ((e->uid || e->gid) && fchownat(dir_fd, name, e->uid, e->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return entry_failed(e, "set the owner of", err);
	if (utimensat(dir_fd, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return entry_failed(e, "set the time of", err);
	return 0;
}

static int
make_directory(const struct pkg_entry *e, int dir_fd, const char *name, struct err *err)
{
	auto_close int fd = -EBADF;

	if (mkdirat(dir_fd, name, 0700) < 0) {
		/* There already, from a script: it stays as it is, as when dpkg unpacks. */
		if (errno == EEXIST)
			return 0;
		return entry_failed(e, "make directory", err);
	}
	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return entry_failed(e, "open directory", err);
	return set_metadata(e, fd, err);
}

static bool
is_due(const struct job *job, const struct pkg_entry *e)
{
	return e->level == job->level && !(e->flags & PKG_ENTRY_SKIP);
}

static int
make_entry(struct worker *w, const struct pkg_entry *e, struct err *err)
{
	const char *name;
	int dir_fd;

	dir_fd = cursor_open(&w->to, e->path, &name, err);
	if (dir_fd < 0)
		return err_add(err, "'/%s'", e->path);
	if (S_ISLNK(e->mode))
		return make_link(e, dir_fd, name, err);
	return make_file(w, e, dir_fd, name, err);
}

static void
count_entry(struct worker *w, const struct pkg_entry *e)
{
	struct job *job = w->job;

	if (e->flags & PKG_ENTRY_DATABASE)
		return;
	job->done_files++;
	if (S_ISREG(e->mode))
		job->done_bytes += e->size_bytes;
}

/* Take shares of the entries until none is left. */
static void *
work(void *arg)
{
	struct worker *w = arg;
	struct job *job = w->job;
	const struct pkg_plan *plan = job->plan;
	size_t i, end;

	while (!job->failed && (i = atomic_fetch_add(&job->next, SHARE)) < plan->n_entries) {
		end = i + SHARE < plan->n_entries ? i + SHARE : plan->n_entries;
		for (; i < end && w->r == 0; i++) {
			const struct pkg_entry *e = &plan->entries[i];

			if (!is_due(job, e) || S_ISDIR(e->mode) || e->twin != PKG_NO_TWIN)
				continue;
			w->r = make_entry(w, e, &w->err);
			count_entry(w, e);
		}
		if (w->r < 0)
			job->failed = true;
		if (w->progress && w->progress->fn &&
		    !w->progress->fn(w->progress->arg, job->done_bytes, job->done_files))
			job->failed = job->stopped = true;
	}
	return NULL;
}

static void
worker_init(struct worker *w, struct job *job)
{
	*w = (struct worker){
	    .job = job,
	    .from = {.root_fd = job->plan->host->root_fd, .dir_fd = -EBADF},
	    .to = {.root_fd = job->root_fd, .dir_fd = -EBADF, .in_zone = true},
	};
}

static void
worker_done(struct worker *w)
{
	cursor_close(&w->from);
	cursor_close(&w->to);
}

static int
copy_files(struct job *job, const struct pkg_progress *progress, struct err *err)
{
	struct worker workers[WORKERS];
	pthread_t threads[WORKERS];
	bool started[WORKERS] = {false};
	int r = 0;

	for (size_t i = 0; i < WORKERS; i++)
		worker_init(&workers[i], job);
	workers[0].progress = progress;
	/* A thread that cannot be had is no failure: the others take its share. */
	for (size_t i = 1; i < WORKERS; i++)
		started[i] = pthread_create(&threads[i], NULL, work, &workers[i]) == 0;
	(void)work(&workers[0]);
	for (size_t i = 1; i < WORKERS; i++)
		if (started[i])
			(void)pthread_join(threads[i], NULL); /* fails for no thread of ours */
	for (size_t i = 0; i < WORKERS; i++) {
		if (workers[i].r < 0 && r == 0) {
			r = workers[i].r;
			if (err)
				*err = workers[i].err;
		}
		worker_done(&workers[i]);
	}
	return r == 0 && job->stopped ? err_set(err, ZE_INTR, 0, "interrupted") : r;
}

static int
copy_directories(struct job *job, struct worker *w, struct err *err)
{
	const struct pkg_plan *plan = job->plan;
	const char *name;
	int dir_fd, r;

	for (size_t i = 0; i < plan->n_entries; i++) {
		const struct pkg_entry *e = &plan->entries[i];

		if (!is_due(job, e) || !S_ISDIR(e->mode))
			continue;
		dir_fd = cursor_open(&w->to, e->path, &name, err);
		if (dir_fd < 0)
			return err_add(err, "'/%s'", e->path);
		r = make_directory(e, dir_fd, name, err);
		if (r < 0)
			return r;
		count_entry(w, e);
	}
	return 0;
}

/* Second names of files that are there now. */
static int
copy_twins(struct job *job, struct worker *w, struct err *err)
{
	const struct pkg_plan *plan = job->plan;
	auto_close int first_fd = -EBADF;
	const char *name, *first;
	int dir_fd, r;

	for (size_t i = 0; i < plan->n_entries; i++) {
		const struct pkg_entry *e = &plan->entries[i];

		if (!is_due(job, e) || e->twin == PKG_NO_TWIN)
			continue;
		dir_fd = cursor_open(&w->to, plan->entries[e->twin].path, &first, err);
		if (dir_fd < 0)
			return dir_fd;
		(void)fd_close(first_fd);
		first_fd = fcntl(dir_fd, F_DUPFD_CLOEXEC, 3);
		if (first_fd < 0)
			return entry_failed(e, "link", err);
		dir_fd = cursor_open(&w->to, e->path, &name, err);
		if (dir_fd < 0)
			return dir_fd;
		r = linkat(first_fd, first, dir_fd, name, 0);
		if (r < 0 && errno == EEXIST && unlinkat(dir_fd, name, 0) == 0)
			r = linkat(first_fd, first, dir_fd, name, 0);
		if (r < 0)
			return entry_failed(e, "link", err);
		count_entry(w, e);
	}
	return 0;
}

/* What was made inside a directory changed its time. */
static int
set_directory_times(struct job *job, struct worker *w, struct err *err)
{
	const struct pkg_plan *plan = job->plan;
	const char *name;
	int dir_fd;

	for (size_t i = 0; i < plan->n_entries; i++) {
		const struct pkg_entry *e = &plan->entries[i];
		struct timespec times[2] = {e->mtime, e->mtime};

		if (!is_due(job, e) || !S_ISDIR(e->mode) || !(e->flags & PKG_ENTRY_PARENT))
			continue;
		dir_fd = cursor_open(&w->to, e->path, &name, err);
		if (dir_fd < 0)
			return dir_fd;
		if (utimensat(dir_fd, name, times, AT_SYMLINK_NOFOLLOW) < 0)
			return entry_failed(e, "set the time of", err);
	}
	return 0;
}

int
pkg_copy_level(const struct pkg_plan *plan, unsigned level, int root_fd,
	       const struct pkg_progress *progress, struct err *err)
{
	struct job job = {.plan = plan, .level = level, .root_fd = root_fd};
	struct worker w;
	int r;

	if (fault_point("pkg_copy"))
		return err_set(err, ZE_IO, errno, "copy files to the zone");
	worker_init(&w, &job);
	r = copy_directories(&job, &w, err);
	if (r == 0)
		r = copy_files(&job, progress, err);
	if (r == 0)
		r = copy_twins(&job, &w, err);
	if (r == 0)
		r = set_directory_times(&job, &w, err);
	worker_done(&w);
	if (r == 0 && progress && progress->fn &&
	    !progress->fn(progress->arg, job.done_bytes, job.done_files))
		return err_set(err, ZE_INTR, 0, "interrupted");
	return r;
}

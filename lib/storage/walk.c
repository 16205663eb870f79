/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories wait on a stack, so that the walk goes deep first and few of them are open. One stays
 * open until its last child directory has been opened relative to it; so no path is ever built, no
 * depth is too much, and a chain of directories needs two of them at a time.
 */
#include "walk.h"

#include "base/err.h"
#include "base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define OPEN_DIR    (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK)
#define PATH_SHOWN  512
#define HELPERS_MAX 3

const char *
walk_path(const struct walk_dir *dir, const char *name, char *buf, size_t size)
{
	char *p = buf + size - 1;
	size_t len;

	*p = '\0';
	for (;;) {
		len = strlen(name);
		if (len + 1 > (size_t)(p - buf))
			break;
		p -= len;
		memcpy(p, name, len);
		*--p = '/';
		if (!dir || !dir->parent)
			break;
		name = dir->name;
		dir = dir->parent;
	}
	return p;
}

static int
fail_at(const struct walk_dir *dir, const char *name, const char *what, struct err *err)
{
	char buf[PATH_SHOWN];

	return err_set(err, ZE_STORAGE, errno, "%s '%s'", what,
		       walk_path(dir, name, buf, sizeof(buf)));
}

/* The lock is held. */
static void
drop_fds(struct walk_dir *dir)
{
	if (--dir->fd_users > 0)
		return;
	dir->src_fd = fd_close(dir->src_fd);
	dir->dst_fd = fd_close(dir->dst_fd);
}

/* The lock is held. */
static void
drop_ref(struct walk_dir *dir)
{
	struct walk_dir *parent;

	while (dir && --dir->refs == 0) {
		parent = dir->parent;
		free(dir);
		dir = parent;
	}
}

static int
push_dir(struct walk *w, struct walk_dir *parent, const char *name, struct err *err)
{
	size_t len = strlen(name) + 1;
	struct walk_dir *dir;

	dir = malloc(sizeof(*dir) + len);
	if (!dir)
		return err_nomem(err);
	*dir = (struct walk_dir){
	    .parent = parent, .refs = 1, .fd_users = 1, .src_fd = -EBADF, .dst_fd = -EBADF};
	memcpy(dir->name, name, len);
	(void)pthread_mutex_lock(&w->lock);
	parent->refs++;
	parent->fd_users++;
	dir->next = w->waiting;
	w->waiting = dir;
	(void)pthread_cond_signal(&w->more);
	(void)pthread_mutex_unlock(&w->lock);
	return 0;
}

static int
visit(struct walk *w, struct walk_dir *dir, const char *name, struct err *err)
{
	char buf[PATH_SHOWN];
	struct statx stx;
	int r;

	if (statx(dir->src_fd, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &stx) < 0) {
		if (errno == ENOENT || w->skip_broken)
			return 0;
		return fail_at(dir, name, "look at", err);
	}
	if (!w->allow_mounts && (stx.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return err_set(err, ZE_BUSY, 0, "something is mounted on '%s' in the zone's root",
			       walk_path(dir, name, buf, sizeof(buf)));
	r = w->entry(w, dir, name, &stx, err);
	if (r < 0)
		return r;
	if (!S_ISDIR(stx.stx_mode) || (stx.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return 0;
	return push_dir(w, dir, name, err);
}

static int
tell_progress(struct walk *w, struct err *err)
{
	if (w->progress && w->progress->fn &&
	    !w->progress->fn(w->progress->arg, w->done_bytes, w->done_files))
		return err_set(err, ZE_INTR, 0, "interrupted");
	return 0;
}

static int
read_dir(struct walk *w, struct walk_dir *dir, bool is_caller, struct err *err)
{
	_Alignas(struct dirent64) char buf[32 * 1024];
	const struct dirent64 *e;
	unsigned n_visited = 0;
	ssize_t n;
	int r;

	for (;;) {
		n = getdents64(dir->src_fd, buf, sizeof(buf));
		if (n < 0)
			return fail_at(dir->parent, dir->name, "read directory", err);
		if (n == 0)
			break;
		for (ssize_t at = 0; at < n; at += e->d_reclen) {
			e = (const struct dirent64 *)(const void *)(buf + at);
			if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
				continue;
			if (w->failed)
				return 0; /* another thread's failure */
			r = visit(w, dir, e->d_name, err);
			if (r < 0)
				return r;
			w->done_files++;
			if (is_caller && (++n_visited & 63) == 0) {
				r = tell_progress(w, err);
				if (r < 0)
					return r;
			}
		}
	}
	if (w->leave) {
		r = w->leave(w, dir, err);
		if (r < 0)
			return r;
	}
	return is_caller ? tell_progress(w, err) : 0;
}

/* Open a directory that waited; its parent may be closed afterwards. */
static int
open_dir(struct walk *w, struct walk_dir *dir, struct err *err)
{
	struct walk_dir *parent = dir->parent;
	int r = 0;

	if (!parent)
		return 0;
	dir->src_fd = openat(parent->src_fd, dir->name, OPEN_DIR | O_NOATIME | O_CLOEXEC);
	if (dir->src_fd < 0 && !w->skip_broken)
		r = fail_at(parent, dir->name, "open directory", err);
	if (r == 0 && parent->dst_fd >= 0) {
		dir->dst_fd = openat(parent->dst_fd, dir->name, OPEN_DIR | O_CLOEXEC);
		if (dir->dst_fd < 0)
			r = fail_at(parent, dir->name, "open the new directory", err);
	}
	(void)pthread_mutex_lock(&w->lock);
	drop_fds(parent);
	(void)pthread_mutex_unlock(&w->lock);
	return r;
}

static void
work_on(struct walk *w, struct walk_dir *dir, bool is_caller)
{
	struct err err;
	int r;

	r = open_dir(w, dir, &err);
	if (r == 0 && dir->src_fd >= 0)
		r = read_dir(w, dir, is_caller, &err);
	(void)pthread_mutex_lock(&w->lock);
	if (r < 0 && !w->failed) {
		w->failed = true;
		w->result = r;
		if (w->err)
			*w->err = err;
	}
	drop_fds(dir);
	drop_ref(dir);
	(void)pthread_mutex_unlock(&w->lock);
}

/* Take one that waits, or NULL when none does and none will. */
static struct walk_dir *
next_dir(struct walk *w)
{
	struct walk_dir *dir;

	(void)pthread_mutex_lock(&w->lock);
	w->busy--;
	while (!w->waiting && w->busy > 0)
		(void)pthread_cond_wait(&w->more, &w->lock);
	dir = w->waiting;
	if (dir) {
		w->waiting = dir->next;
		w->busy++;
	} else {
		(void)pthread_cond_broadcast(&w->more);
	}
	(void)pthread_mutex_unlock(&w->lock);
	return dir;
}

static void
work(struct walk *w, bool is_caller)
{
	struct walk_dir *dir;

	while ((dir = next_dir(w)) != NULL) {
		if (!w->failed) {
			work_on(w, dir, is_caller);
			continue;
		}
		(void)pthread_mutex_lock(&w->lock);
		if (dir->parent)
			drop_fds(dir->parent);
		drop_ref(dir);
		(void)pthread_mutex_unlock(&w->lock);
	}
}

static void *
helper_main(void *arg)
{
	work(arg, false);
	return NULL;
}

/* Wide trees need many descriptors at a time; gives back the limit that was. */
static struct rlimit
raise_open_files(void)
{
	struct rlimit old = {0}, high;

	if (getrlimit(RLIMIT_NOFILE, &old) == 0) {
		high = old;
		high.rlim_cur = high.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &high); /* else EMFILE tells */
	}
	return old;
}

/* Returns how many were started; fewer do as well. */
static unsigned
start_helpers(struct walk *w, pthread_t *helpers, unsigned wanted)
{
	unsigned n = 0;

	while (n < wanted) {
		(void)pthread_mutex_lock(&w->lock);
		w->busy++;
		(void)pthread_mutex_unlock(&w->lock);
		if (pthread_create(&helpers[n], NULL, helper_main, w) != 0) {
			(void)pthread_mutex_lock(&w->lock);
			w->busy--;
			(void)pthread_mutex_unlock(&w->lock);
			break;
		}
		n++;
	}
	return n;
}

int
walk_tree(struct walk *w, int src_fd, int dst_fd, struct err *err)
{
	pthread_t helpers[HELPERS_MAX];
	unsigned n_helpers = 0, wanted = w->threads > 0 ? w->threads - 1 : 0;
	struct rlimit open_files = raise_open_files();
	struct walk_dir *top;
	int fd;

	/* A position of its own: the caller's may have been read to its end. */
	fd = openat(src_fd, ".", OPEN_DIR | O_NOATIME | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, ZE_STORAGE, errno, "open the zone's root");
	top = malloc(sizeof(*top) + 1);
	if (!top) {
		(void)fd_close(fd);
		return err_nomem(err);
	}
	/* One reference and one user of its descriptors more than it has: it is freed here. */
	*top = (struct walk_dir){.refs = 2, .fd_users = 2, .src_fd = fd, .dst_fd = dst_fd};
	top->name[0] = '\0';
	w->err = err;
	w->busy = 1;
	(void)pthread_mutex_init(&w->lock, NULL);
	(void)pthread_cond_init(&w->more, NULL);
	work_on(w, top, true);
	if (w->waiting)
		n_helpers = start_helpers(w, helpers, wanted < HELPERS_MAX ? wanted : HELPERS_MAX);
	work(w, true);
	while (n_helpers > 0)
		(void)pthread_join(helpers[--n_helpers], NULL);
	(void)pthread_cond_destroy(&w->more);
	(void)pthread_mutex_destroy(&w->lock);
	free(top);
	(void)fd_close(fd);
	if (open_files.rlim_max > 0)
		(void)setrlimit(RLIMIT_NOFILE, &open_files);
	return w->result;
}

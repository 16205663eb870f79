/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tree copied with everything that its files have. The order for a file is: content, owner, mode,
 * attributes, times, since a change of owner takes away set-id bits and file capabilities.
 */
#include "storage_priv.h"

#include "attr.h"
#include "walk.h"

#include "base/copy.h"
#include "base/err.h"
#include "base/fault.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* A file with several names that has been copied: the others become links to it. */
struct link {
	uint64_t ino;
	uint32_t dev_major, dev_minor;
	char *path; /* of the copy, from the top without "/"; NULL: a free place */
};

struct copy {
	struct walk walk; /* first: the callbacks get a pointer to it */
	bool share;
	int top_fd;
	pthread_mutex_t link_lock; /* held while such a file is copied: there are few */
	struct link *links;        /* open addressing; the room is a power of two */
	size_t n_links, room;
};

static int
fail_at(const struct walk_dir *dir, const char *name, const char *what, struct err *err)
{
	char buf[512];

	return err_set(err, ZE_STORAGE, errno, "%s '%s'", what,
		       walk_path(dir, name, buf, sizeof(buf)));
}

static int
copy_regular(struct copy *c, const struct walk_dir *dir, const char *name, const struct statx *stx,
	     struct err *err)
{
	auto_close int src_fd = -EBADF, dst_fd = -EBADF;
	struct stat st;
	char buf[512];
	int r;

	src_fd = openat(dir->src_fd, name,
			O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_NOATIME | O_CLOEXEC);
	if (src_fd < 0 || fstat(src_fd, &st) < 0)
		return fail_at(dir, name, "open", err);
	if (!S_ISREG(st.st_mode) || st.st_ino != stx->stx_ino)
		return err_set(err, ZE_STORAGE, 0, "'%s' changed while it was copied",
			       walk_path(dir, name, buf, sizeof(buf)));
	dst_fd =
	    openat(dir->dst_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (dst_fd < 0)
		return fail_at(dir, name, "make", err);
	r = c->share ? file_copy(src_fd, dst_fd, (uint64_t)st.st_size, err)
		     : file_copy_unshared(src_fd, dst_fd, (uint64_t)st.st_size, err);
	if (r == 0)
		r = attr_copy(src_fd, dst_fd, stx, err);
	if (r < 0) {
		(void)err_add(err, "copy '%s'", walk_path(dir, name, buf, sizeof(buf)));
		return r;
	}
	c->walk.done_bytes += (uint64_t)st.st_size;
	return 0;
}

static int
copy_symlink(struct copy *c, const struct walk_dir *dir, const char *name, const struct statx *stx,
	     struct err *err)
{
	char target[PATH_MAX]; /* the kernel's own limit for a link's text */
	ssize_t n;

	(void)c;
	(void)stx;
	n = readlinkat(dir->src_fd, name, target, sizeof(target) - 1);
	if (n < 0)
		return fail_at(dir, name, "read link", err);
	target[n] = '\0';
	if (symlinkat(target, dir->dst_fd, name) < 0)
		return fail_at(dir, name, "make link", err);
	return 0;
}

static int
copy_node(struct copy *c, const struct walk_dir *dir, const char *name, const struct statx *stx,
	  struct err *err)
{
	(void)c;
	if (mknodat(dir->dst_fd, name, stx->stx_mode,
		    makedev(stx->stx_rdev_major, stx->stx_rdev_minor)) < 0)
		return fail_at(dir, name, "make node", err);
	return 0;
}

static int
copy_dir(struct copy *c, const struct walk_dir *dir, const char *name, const struct statx *stx,
	 struct err *err)
{
	(void)c;
	(void)stx;
	if (mkdirat(dir->dst_fd, name, 0700) < 0)
		return fail_at(dir, name, "make directory", err);
	return 0;
}

/* How each type of file is copied. Sockets are not here: they mean nothing without who made them.
 */
static const struct kind {
	int (*copy)(struct copy *c, const struct walk_dir *dir, const char *name,
		    const struct statx *stx, struct err *err);
	mode_t type;
	bool by_name; /* its attributes can only be reached by its name */
} kinds[] = {
    {copy_regular, S_IFREG, false}, {copy_dir, S_IFDIR, false}, {copy_symlink, S_IFLNK, true},
    {copy_node, S_IFCHR, true},     {copy_node, S_IFBLK, true}, {copy_node, S_IFIFO, true},
};

static int
copy_one(struct copy *c, const struct walk_dir *dir, const char *name, const struct statx *stx,
	 struct err *err)
{
	const struct kind *kind = NULL;
	char buf[512];
	int r;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].type == (stx->stx_mode & S_IFMT))
			kind = &kinds[i];
	if (!kind)
		return 0;
	if (fault_point("copy"))
		return fail_at(dir, name, "make", err);
	r = kind->copy(c, dir, name, stx, err);
	if (r < 0 || !kind->by_name)
		return r;
	r = attr_copy_at(dir->src_fd, dir->dst_fd, name, stx, err);
	if (r < 0) {
		(void)err_add(err, "copy '%s'", walk_path(dir, name, buf, sizeof(buf)));
		return r;
	}
	return 0;
}

/* ---- files with several names ---------------------------------------------------------------- */

static struct link *
link_place(struct link *links, size_t room, const struct statx *stx)
{
	size_t i = (size_t)(stx->stx_ino * 0x9e3779b97f4a7c15ULL >> 20) & (room - 1);

	while (links[i].path &&
	       (links[i].ino != stx->stx_ino || links[i].dev_major != stx->stx_dev_major ||
		links[i].dev_minor != stx->stx_dev_minor))
		i = (i + 1) & (room - 1);
	return &links[i];
}

static int
link_grow(struct copy *c, struct err *err)
{
	size_t room = c->room ? c->room * 2 : 256;
	struct statx key = {0};
	struct link *links;

	links = calloc(room, sizeof(*links));
	if (!links)
		return err_nomem(err);
	for (size_t i = 0; i < c->room; i++) {
		if (!c->links[i].path)
			continue;
		key.stx_ino = c->links[i].ino;
		key.stx_dev_major = c->links[i].dev_major;
		key.stx_dev_minor = c->links[i].dev_minor;
		*link_place(links, room, &key) = c->links[i];
	}
	free(c->links);
	c->links = links;
	c->room = room;
	return 0;
}

/* The path of a copy from the top, of any length. */
static char *
full_path(const struct walk_dir *dir, const char *name)
{
	size_t size = strlen(name) + 2;
	char *buf, *path;
	const char *p;

	for (const struct walk_dir *d = dir; d->parent; d = d->parent)
		size += strlen(d->name) + 1;
	buf = malloc(size);
	if (!buf)
		return NULL;
	p = walk_path(dir, name, buf, size);
	path = strdup(p + 1);
	free(buf);
	return path;
}

/* linkat(2) for a path of any length: on the way to its end, directories are opened. */
static int
link_below(int top_fd, const char *path, int dst_dir_fd, const char *name)
{
	auto_close int fd = -EBADF;
	char part[PATH_MAX];
	size_t len;
	int next;

	while (strlen(path) >= sizeof(part)) {
		memcpy(part, path, sizeof(part));
		part[sizeof(part) - 1] = '\0';
		len = (size_t)(strrchr(part, '/') - part); /* no name is that long */
		part[len] = '\0';
		next = openat(fd >= 0 ? fd : top_fd, part,
			      O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return -1;
		(void)fd_close(fd);
		fd = next;
		path += len + 1;
	}
	return linkat(fd >= 0 ? fd : top_fd, path, dst_dir_fd, name, 0);
}

static int
copy_linked(struct copy *c, const struct walk_dir *dir, const char *name, const struct statx *stx,
	    struct err *err)
{
	struct link *l;
	int r;

	if (c->n_links * 2 >= c->room) {
		r = link_grow(c, err);
		if (r < 0)
			return r;
	}
	l = link_place(c->links, c->room, stx);
	if (l->path) {
		if (fault_point("link") || link_below(c->top_fd, l->path, dir->dst_fd, name) < 0)
			return fail_at(dir, name, "make link", err);
		return 0;
	}
	r = copy_one(c, dir, name, stx, err);
	if (r < 0)
		return r;
	l->path = full_path(dir, name);
	if (!l->path)
		return err_nomem(err);
	l->ino = stx->stx_ino;
	l->dev_major = stx->stx_dev_major;
	l->dev_minor = stx->stx_dev_minor;
	c->n_links++;
	return 0;
}

/* ---- the walk -------------------------------------------------------------------------------- */

static int
copy_entry(struct walk *w, const struct walk_dir *dir, const char *name, const struct statx *stx,
	   struct err *err)
{
	struct copy *c = (struct copy *)w;
	int r;

	if (S_ISDIR(stx->stx_mode) || S_ISSOCK(stx->stx_mode) || stx->stx_nlink < 2)
		return copy_one(c, dir, name, stx, err);
	(void)pthread_mutex_lock(&c->link_lock);
	r = copy_linked(c, dir, name, stx, err);
	(void)pthread_mutex_unlock(&c->link_lock);
	return r;
}

static int
copy_leave(struct walk *w, const struct walk_dir *dir, struct err *err)
{
	char buf[512];
	struct statx stx;
	int r;

	(void)w;
	if (statx(dir->src_fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &stx) < 0)
		return fail_at(dir->parent, dir->name, "look at", err);
	r = attr_copy(dir->src_fd, dir->dst_fd, &stx, err);
	if (r < 0) {
		(void)err_add(err, "copy '%s'",
			      walk_path(dir->parent, dir->name, buf, sizeof(buf)));
		return r;
	}
	return 0;
}

int
tree_copy(int src_fd, int dst_fd, bool share, const struct storage_progress *progress,
	  struct err *err)
{
	struct copy c = {
	    .walk = {.entry = copy_entry, .leave = copy_leave, .threads = 2, .progress = progress},
	    .share = share,
	    .top_fd = dst_fd,
	    .link_lock = PTHREAD_MUTEX_INITIALIZER,
	};
	int r;

	r = walk_tree(&c.walk, src_fd, dst_fd, err);
	for (size_t i = 0; i < c.room; i++)
		free(c.links[i].path);
	free(c.links);
	return r;
}

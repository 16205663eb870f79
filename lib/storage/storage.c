/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which backend does it: each is asked in the order of the table, the cheapest first, the one that
 * works everywhere last.
 *
 * A crash leaves ZONEPATH/root half made, never a file under another name; storage_destroy() takes
 * it away from any such state.
 */
#include "storage_priv.h"

#include "base/err.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct storage_ops *const backends[] = {
    &storage_btrfs,
    &storage_reflink,
    &storage_copy,
};
#define BACKEND_COUNT (sizeof(backends) / sizeof(backends[0]))

static int
open_zonepath(const char *zonepath, struct err *err)
{
	int fd;

	fd = open(zonepath, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, errno == ENOENT ? ZE_NOENT : ZE_IO, errno, "open '%s'",
			       zonepath);
	return fd;
}

static int
open_root(const char *zonepath, struct err *err)
{
	auto_close int dir_fd = -EBADF;
	int fd;

	dir_fd = open_zonepath(zonepath, err);
	if (dir_fd < 0)
		return dir_fd;
	fd = openat(dir_fd, STORAGE_ROOT, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, errno == ENOENT ? ZE_NOENT : ZE_IO, errno, "open '%s/%s'",
			       zonepath, STORAGE_ROOT);
	return fd;
}

int
storage_root_make(int dir_fd, const char **ret_backend, struct err *err)
{
	struct stat st;
	int r = -ZE_NOTSUP;

	if (fstatat(dir_fd, STORAGE_ROOT, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return err_set(err, ZE_EXIST, 0, "there is a '%s' already", STORAGE_ROOT);
	for (size_t i = 0; i < BACKEND_COUNT && r == -ZE_NOTSUP; i++) {
		if (!backends[i]->create)
			continue;
		err_clear(err);
		r = backends[i]->create(dir_fd, err);
		if (r == 0 && ret_backend)
			*ret_backend = backends[i]->way.name;
	}
	return r;
}

int
storage_create(const char *zonepath, const char **ret_backend, struct err *err)
{
	auto_close int dir_fd = -EBADF;
	int r;

	dir_fd = open_zonepath(zonepath, err);
	if (dir_fd < 0)
		return dir_fd;
	r = storage_root_make(dir_fd, ret_backend, err);
	if (r < 0)
		return err_add(err, "make a root in '%s'", zonepath);
	return 0;
}

/* The first backend from @from on that says it can. */
static int
find_backend(int src_fd, int dst_dir_fd, enum storage_method method, size_t *from, struct err *err)
{
	int r = -ZE_NOTSUP;

	for (; *from < BACKEND_COUNT; (*from)++) {
		if (method == STORAGE_COPY && backends[*from] != &storage_copy)
			continue;
		err_clear(err);
		r = backends[*from]->can_clone(src_fd, dst_dir_fd, err);
		if (r != -ZE_NOTSUP)
			return r;
		log_debug("storage", "%s: %s", backends[*from]->way.name, err->msg);
	}
	return r;
}

int
storage_clone_method(const char *src_zonepath, const char *dst_zonepath, enum storage_method method,
		     const struct storage_way **ret_way, struct err *err)
{
	auto_close int src_fd = -EBADF, dst_dir_fd = -EBADF;
	size_t i = 0;
	int r;

	src_fd = open_root(src_zonepath, err);
	if (src_fd < 0)
		return src_fd;
	dst_dir_fd = open_zonepath(dst_zonepath, err);
	if (dst_dir_fd < 0)
		return dst_dir_fd;
	r = find_backend(src_fd, dst_dir_fd, method, &i, err);
	if (r < 0)
		return r;
	*ret_way = &backends[i]->way;
	return 0;
}

/* Remove @name as the backends like it, and what they leave as a tree. */
static int
remove_root(int dir_fd, const char *name, struct err *err)
{
	int r;

	for (size_t i = 0; i < BACKEND_COUNT; i++) {
		if (!backends[i]->destroy)
			continue;
		r = backends[i]->destroy(dir_fd, name, err);
		if (r < 0 && r != -ZE_NOTSUP)
			return r;
		err_clear(err);
	}
	return path_rm_tree_at(dir_fd, name, err);
}

static int
clone_by_first(int src_fd, int dst_dir_fd, enum storage_method method,
	       const struct storage_progress *progress, const struct storage_way **ret_way,
	       struct err *err)
{
	struct err ignored;
	int r;

	for (size_t i = 0;; i++) {
		r = find_backend(src_fd, dst_dir_fd, method, &i, err);
		if (r < 0)
			return r;
		*ret_way = &backends[i]->way;
		r = backends[i]->clone(src_fd, dst_dir_fd, progress, err);
		if (r == 0)
			return 0;
		if (r != -ZE_NOTSUP)
			break;
	}
	/* The failure that is told is the first one; what cannot be removed stays for uninstall. */
	(void)remove_root(dst_dir_fd, STORAGE_ROOT, &ignored);
	return r;
}

int
storage_clone(const char *src_zonepath, const char *dst_zonepath, enum storage_method method,
	      const struct storage_progress *progress, const struct storage_way **ret_way,
	      struct err *err)
{
	auto_close int src_fd = -EBADF, dst_dir_fd = -EBADF;
	const struct storage_way *way = NULL;
	struct stat st;
	int r;

	src_fd = open_root(src_zonepath, err);
	if (src_fd < 0)
		return src_fd;
	dst_dir_fd = open_zonepath(dst_zonepath, err);
	if (dst_dir_fd < 0)
		return dst_dir_fd;
	r = storage_mounts_check(src_zonepath, err);
	if (r < 0)
		return r;
	if (fstatat(dst_dir_fd, STORAGE_ROOT, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return err_set(err, ZE_EXIST, 0, "'%s/%s' exists already", dst_zonepath,
			       STORAGE_ROOT);
	r = clone_by_first(src_fd, dst_dir_fd, method, progress, &way, err);
	if (r < 0)
		return err_add(err, "clone '%s/%s' as '%s/%s'", src_zonepath, STORAGE_ROOT,
			       dst_zonepath, STORAGE_ROOT);
	if (ret_way)
		*ret_way = way;
	return 0;
}

/* Remove ZONEPATH if it is empty. A mount point of its own stays, and counts as gone. */
static int
remove_zonepath(const char *zonepath, bool *ret_kept, struct err *err)
{
	if (fault_point("rmdir zonepath"))
		return err_set(err, ZE_IO, errno, "remove directory '%s'", zonepath);
	if (rmdir(zonepath) == 0 || errno == ENOENT || errno == EBUSY)
		return 0;
	if (errno != ENOTEMPTY && errno != EEXIST)
		return err_set(err, ZE_IO, errno, "remove directory '%s'", zonepath);
	*ret_kept = true;
	return 0;
}

int
storage_destroy(const char *zonepath, bool *ret_kept, struct err *err)
{
	auto_close int dir_fd = -EBADF;
	struct stat st, host;
	bool kept = false;
	int r;

	dir_fd = open_zonepath(zonepath, err);
	if (dir_fd == -ZE_NOENT) {
		err_clear(err);
		if (ret_kept)
			*ret_kept = false;
		return 0;
	}
	if (dir_fd < 0)
		return dir_fd;
	/* An index edited by hand may say "/", and /root is the home of root. */
	if (fstat(dir_fd, &st) < 0 || stat("/", &host) < 0)
		return err_set(err, ZE_IO, errno, "look at '%s'", zonepath);
	if (st.st_dev == host.st_dev && st.st_ino == host.st_ino)
		return err_set(err, ZE_INVAL, 0, "'%s' cannot be a zonepath", zonepath);
	r = storage_mounts_check(zonepath, err);
	if (r < 0)
		return r;
	r = remove_root(dir_fd, STORAGE_ROOT, err);
	if (r < 0)
		return err_add(err, "remove '%s/%s'", zonepath, STORAGE_ROOT);
	if (syncfs(dir_fd) < 0)
		return err_set(err, ZE_IO, errno, "sync the file system of '%s'", zonepath);
	if (!ret_kept)
		return 0;
	r = remove_zonepath(zonepath, &kept, err);
	if (r < 0)
		return r;
	*ret_kept = kept;
	return 0;
}

int
storage_usage(const char *zonepath, struct storage_usage *ret, struct err *err)
{
	auto_close int root_fd = -EBADF;
	int r;

	root_fd = open_root(zonepath, err);
	if (root_fd < 0)
		return root_fd;
	r = tree_usage(root_fd, ret, err);
	if (r < 0)
		return err_add(err, "add up '%s/%s'", zonepath, STORAGE_ROOT);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * btrfs: a root is a subvolume, a clone is a snapshot of it. Subvolumes that the zone has made
 * below its root (any user may, where he may write) are part of it: they are cloned and destroyed
 * with it.
 */
#include "storage_priv.h"

#include "base/err.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/path.h"

#include <btrfsutil.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

static bool
is_btrfs(int fd)
{
	struct statfs sfs;

	return fstatfs(fd, &sfs) == 0 && (unsigned)sfs.f_type == BTRFS_SUPER_MAGIC;
}

bool
btrfs_same_fs(int a_fd, int b_fd)
{
	struct btrfs_ioctl_fs_info_args a = {0}, b = {0};

	return is_btrfs(a_fd) && is_btrfs(b_fd) && ioctl(a_fd, BTRFS_IOC_FS_INFO, &a) == 0 &&
	       ioctl(b_fd, BTRFS_IOC_FS_INFO, &b) == 0 && !memcmp(a.fsid, b.fsid, sizeof(a.fsid));
}

/* libbtrfsutil's failure as ours; errno is that of the call that failed. */
static int
fail(enum btrfs_util_error be, const char *what, struct err *err)
{
	return err_set(err, ZE_STORAGE, errno, "%s: %s", what, btrfs_util_strerror(be));
}

static int
btrfs_create(int dir_fd, struct err *err)
{
	enum btrfs_util_error be;
	auto_close int fd = -EBADF;

	if (!is_btrfs(dir_fd))
		return err_set(err, ZE_NOTSUP, 0, "not on btrfs");
	if (fault_point("btrfs subvolume"))
		return err_set(err, ZE_STORAGE, errno, "make a subvolume");
	be = btrfs_util_create_subvolume_fd(dir_fd, STORAGE_ROOT, 0, NULL, NULL);
	if (be != BTRFS_UTIL_OK)
		return fail(be, "make a subvolume", err);
	fd = openat(dir_fd, STORAGE_ROOT, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fchmod(fd, 0755) < 0)
		return err_set(err, ZE_STORAGE, errno, "set the mode of the new subvolume");
	return 0;
}

static int
btrfs_can_clone(int src_fd, int dst_dir_fd, struct err *err)
{
	if (!btrfs_same_fs(src_fd, dst_dir_fd))
		return err_set(err, ZE_NOTSUP, 0, "not on one btrfs");
	if (btrfs_util_is_subvolume_fd(src_fd) != BTRFS_UTIL_OK)
		return err_set(err, ZE_NOTSUP, 0, "not a btrfs subvolume");
	return 0;
}

/* Paths come without links from the file system, but whoever else holds the tree may plant one. */
static int
open_below(int top_fd, const char *path)
{
	return path_open_in_root(top_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, NULL);
}

/* The directory of @path below @top_fd; a pointer to the last component in @ret_name. */
static int
open_parent_below(int top_fd, const char *path, const char **ret_name, struct err *err)
{
	const char *slash = strrchr(path, '/');
	auto_free char *dir = slash ? strndup(path, (size_t)(slash - path)) : strdup(".");
	int fd;

	if (!dir)
		return err_nomem(err);
	fd = open_below(top_fd, dir);
	if (fd < 0)
		return err_set(err, errno == ENAMETOOLONG ? ZE_NOTSUP : ZE_STORAGE, errno,
			       "open the directory of subvolume '%s'", path);
	if (ret_name)
		*ret_name = slash ? slash + 1 : path;
	return fd;
}

static int
fail_list(enum btrfs_util_error be, struct err *err)
{
	return errno == ENAMETOOLONG ? err_set(err, ZE_NOTSUP, errno, "list subvolumes")
				     : fail(be, "list subvolumes", err);
}

/*
 * Call @fn for every subvolume below one, the deepest first. The paths come from the file system's
 * own tree of subvolumes, so they hold no symbolic link. -ZE_NOTSUP: one of them is so deep below
 * directories that the kernel does not tell its path; the zone's users can make such.
 */
static int
for_each_below(int top_fd, int (*fn)(int top_fd, const char *path, int arg_fd, struct err *err),
	       int arg_fd, struct err *err)
{
	struct btrfs_util_subvolume_iterator *iter;
	enum btrfs_util_error be;
	char *path;
	int r = 0;

	be = btrfs_util_create_subvolume_iterator_fd(
	    top_fd, 0, BTRFS_UTIL_SUBVOLUME_ITERATOR_POST_ORDER, &iter);
	if (be != BTRFS_UTIL_OK)
		return fail_list(be, err);
	while (r == 0) {
		be = btrfs_util_subvolume_iterator_next(iter, &path, NULL);
		if (be != BTRFS_UTIL_OK)
			break;
		r = fn(top_fd, path, arg_fd, err);
		free(path);
	}
	btrfs_util_destroy_subvolume_iterator(iter);
	if (r == 0 && be != BTRFS_UTIL_ERROR_STOP_ITERATION)
		return fail_list(be, err);
	return r;
}

/* Putting a snapshot in its place has changed the times of the directory that it is in. */
static int
make_alike(int src_fd, const char *path, int dst_fd, struct err *err)
{
	auto_close int src = -EBADF, dst = -EBADF, src_dir = -EBADF, dst_dir = -EBADF;
	struct timespec times[2];
	bool read_only = false;
	struct stat st;

	src_dir = open_parent_below(src_fd, path, NULL, err);
	if (src_dir < 0)
		return src_dir;
	dst_dir = open_parent_below(dst_fd, path, NULL, err);
	if (dst_dir < 0)
		return dst_dir;
	src = open_below(src_fd, path);
	dst = open_below(dst_fd, path);
	if (src < 0 || dst < 0 || fstat(src_dir, &st) < 0)
		return err_set(err, ZE_STORAGE, errno, "open subvolume '%s'", path);
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	if (futimens(dst_dir, times) < 0)
		return err_set(err, ZE_STORAGE, errno, "set the times of the directory of '%s'",
			       path);
	if (btrfs_util_get_subvolume_read_only_fd(src, &read_only) != BTRFS_UTIL_OK ||
	    (read_only && btrfs_util_set_subvolume_read_only_fd(dst, true) != BTRFS_UTIL_OK))
		return err_set(err, ZE_STORAGE, errno, "make subvolume '%s' read-only", path);
	return 0;
}

static int
btrfs_clone(int src_fd, int dst_dir_fd, const struct storage_progress *progress, struct err *err)
{
	auto_close int dst_fd = -EBADF;
	enum btrfs_util_error be;

	(void)progress;
	if (fault_point("btrfs snapshot"))
		return err_set(err, ZE_STORAGE, errno, "make a snapshot");
	be = btrfs_util_create_snapshot_fd2(src_fd, dst_dir_fd, STORAGE_ROOT,
					    BTRFS_UTIL_CREATE_SNAPSHOT_RECURSIVE, NULL, NULL);
	if (be != BTRFS_UTIL_OK && errno == EXDEV)
		return err_set(err, ZE_NOTSUP, errno, "make a snapshot");
	if (be != BTRFS_UTIL_OK && errno == ENAMETOOLONG)
		return err_set(err, ZE_STORAGE, errno,
			       "a subvolume in it is too deep for a snapshot; use 'clone -m copy'");
	if (be != BTRFS_UTIL_OK)
		return fail(be, "make a snapshot", err);
	dst_fd = open_below(dst_dir_fd, STORAGE_ROOT);
	if (dst_fd < 0)
		return err_set(err, ZE_STORAGE, errno, "open the snapshot");
	return for_each_below(src_fd, make_alike, dst_fd, err);
}

/* ---- removing -------------------------------------------------------------------------------- */

/* A read-only subvolume keeps those below it from being removed. */
static void
make_writable(int fd)
{
	bool read_only;

	if (btrfs_util_get_subvolume_read_only_fd(fd, &read_only) == BTRFS_UTIL_OK && read_only)
		(void)btrfs_util_set_subvolume_read_only_fd(fd, false); /* else removal tells */
}

static int
unlock_below(int top_fd, const char *path, int unused_fd, struct err *err)
{
	auto_close int fd = open_below(top_fd, path);

	(void)unused_fd;
	(void)err;
	if (fd >= 0)
		make_writable(fd);
	return 0;
}

static int
remove_below(int top_fd, const char *path, int unused_fd, struct err *err)
{
	auto_close int dir_fd = -EBADF;
	const char *name;

	(void)unused_fd;
	dir_fd = open_parent_below(top_fd, path, &name, err);
	if (dir_fd < 0)
		return dir_fd;
	if (fault_point("btrfs delete") ||
	    btrfs_util_delete_subvolume_fd(dir_fd, name, 0) != BTRFS_UTIL_OK)
		return err_set(err, ZE_STORAGE, errno, "remove subvolume '%s'", path);
	return 0;
}

static int
btrfs_destroy(int dir_fd, const char *name, struct err *err)
{
	auto_close int fd = -EBADF;
	int r;

	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || !is_btrfs(fd) || btrfs_util_is_subvolume_fd(fd) != BTRFS_UTIL_OK)
		return err_set(err, ZE_NOTSUP, 0, "not a btrfs subvolume");
	/* All must be writable before the first is removed: it is removed from the one above it. */
	make_writable(fd);
	r = for_each_below(fd, unlock_below, -EBADF, err);
	if (r < 0)
		return r;
	r = for_each_below(fd, remove_below, -EBADF, err);
	if (r < 0)
		return r;
	if (fault_point("btrfs delete"))
		return err_set(err, ZE_STORAGE, errno, "remove subvolume '%s'", name);
	if (btrfs_util_delete_subvolume_fd(dir_fd, name, 0) == BTRFS_UTIL_OK)
		return 0;
	if (errno == EPERM)
		return err_set(err, ZE_NOTSUP, errno, "remove subvolume '%s'", name);
	return err_set(err, ZE_STORAGE, errno, "remove subvolume '%s'", name);
}

const struct storage_ops storage_btrfs = {
    .way = {.name = "btrfs",
	    .is_snapshot = true,
	    .note = "Instead of copying, a btrfs clone has been created for this zone."},
    .can_clone = btrfs_can_clone,
    .clone = btrfs_clone,
    .create = btrfs_create,
    .destroy = btrfs_destroy,
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copying a tree: with shared blocks where one file system can (xfs, bcachefs, btrfs within a
 * subvolume), else byte by byte, which works everywhere.
 */
#include "storage_priv.h"

#include "base/err.h"
#include "base/fault.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static int
directory_create(int dir_fd, struct err *err)
{
	auto_close int fd = -EBADF;

	if (fault_point("mkdir root") || mkdirat(dir_fd, STORAGE_ROOT, 0700) < 0)
		return err_set(err, ZE_STORAGE, errno, "make directory '%s'", STORAGE_ROOT);
	fd = openat(dir_fd, STORAGE_ROOT, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fchmod(fd, 0755) < 0)
		return err_set(err, ZE_STORAGE, errno, "set the mode of '%s'", STORAGE_ROOT);
	return 0;
}

static bool
same_fs(int a_fd, int b_fd)
{
	struct stat a, b;

	if (fstat(a_fd, &a) == 0 && fstat(b_fd, &b) == 0 && a.st_dev == b.st_dev)
		return true;
	return btrfs_same_fs(a_fd, b_fd);
}

/* Tried with two nameless files, which are gone when they are closed. */
static int
reflink_can_clone(int src_fd, int dst_dir_fd, struct err *err)
{
	auto_close int a_fd = -EBADF, b_fd = -EBADF;
	static const char block[4096];

	if (!same_fs(src_fd, dst_dir_fd))
		return err_set(err, ZE_NOTSUP, 0, "not on one file system");
	a_fd = openat(dst_dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	b_fd = openat(dst_dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (a_fd < 0 || b_fd < 0 || fd_write_all(a_fd, block, sizeof(block)) < 0 ||
	    ioctl(b_fd, FICLONE, a_fd) < 0)
		return err_set(err, ZE_NOTSUP, errno, "files cannot share blocks here");
	return 0;
}

static int
copy_can_clone(int src_fd, int dst_dir_fd, struct err *err)
{
	(void)src_fd;
	(void)dst_dir_fd;
	(void)err;
	return 0;
}

static int
clone_tree(int src_fd, int dst_dir_fd, bool share, const struct storage_progress *progress,
	   struct err *err)
{
	auto_close int dst_fd = -EBADF;
	int r;

	/* As its file system likes it, so that a clone of the copy may be a snapshot. */
	r = storage_root_make(dst_dir_fd, NULL, err);
	if (r < 0)
		return r;
	dst_fd = openat(dst_dir_fd, STORAGE_ROOT, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dst_fd < 0)
		return err_set(err, ZE_STORAGE, errno, "open the new root");
	return tree_copy(src_fd, dst_fd, share, progress, err);
}

static int
reflink_clone(int src_fd, int dst_dir_fd, const struct storage_progress *progress, struct err *err)
{
	return clone_tree(src_fd, dst_dir_fd, true, progress, err);
}

static int
copy_clone(int src_fd, int dst_dir_fd, const struct storage_progress *progress, struct err *err)
{
	return clone_tree(src_fd, dst_dir_fd, false, progress, err);
}

const struct storage_ops storage_reflink = {
    .way = {.name = "reflink", .note = "The copy shares its blocks with the original."},
    .can_clone = reflink_can_clone,
    .clone = reflink_clone,
};

const struct storage_ops storage_copy = {
    .way = {.name = "copy", .needs_space = true},
    .can_clone = copy_can_clone,
    .clone = copy_clone,
    .create = directory_create,
};

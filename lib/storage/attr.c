/* SPDX-License-Identifier: Apache-2.0 */
#include "attr.h"

#include "base/err.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* Attributes of a file by descriptor, or (when @path is set) of the file of that name itself. */
struct place {
	int fd;
	const char *path;
};

static ssize_t
list(const struct place *p, char *buf, size_t size)
{
	return p->path ? llistxattr(p->path, buf, size) : flistxattr(p->fd, buf, size);
}

static ssize_t
get(const struct place *p, const char *name, void *buf, size_t size)
{
	return p->path ? lgetxattr(p->path, name, buf, size) : fgetxattr(p->fd, name, buf, size);
}

static int
set(const struct place *p, const char *name, const void *value, size_t size)
{
	return p->path ? lsetxattr(p->path, name, value, size, 0)
		       : fsetxattr(p->fd, name, value, size, 0);
}

/* Settings of one file system or security module: nothing of the file is lost without them. */
static bool
may_be_lost(const char *name)
{
	static const char *const prefixes[] = {"btrfs.", "bcachefs", "security.selinux",
					       "security.SMACK64", "system.nfs4_acl"};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (!strncmp(name, prefixes[i], strlen(prefixes[i])))
			return true;
	return false;
}

static int
xattr_copy_one(const struct place *src, const struct place *dst, const char *name, struct err *err)
{
	auto_free char *value = NULL;
	ssize_t size;

	size = get(src, name, NULL, 0);
	if (size < 0 && (errno == ENODATA || errno == EOPNOTSUPP))
		return 0;
	if (size < 0)
		return err_set(err, ZE_STORAGE, errno, "read attribute '%s'", name);
	value = malloc((size_t)size + 1);
	if (!value)
		return err_nomem(err);
	size = get(src, name, value, (size_t)size);
	if (size < 0)
		return err_set(err, ZE_STORAGE, errno, "read attribute '%s'", name);
	if (set(dst, name, value, (size_t)size) < 0) {
		if (may_be_lost(name))
			return 0;
		if (errno == EOPNOTSUPP)
			return err_set(err, ZE_STORAGE, 0,
				       "attribute '%s' is not supported by the copy's file system; "
				       "choose another",
				       name);
		return err_set(err, ZE_STORAGE, errno, "write attribute '%s'", name);
	}
	return 0;
}

static int
xattrs_copy(const struct place *src, const struct place *dst, struct err *err)
{
	auto_free char *names = NULL;
	ssize_t size;
	int r;

	size = list(src, NULL, 0);
	if (size == 0 || (size < 0 && errno == EOPNOTSUPP))
		return 0;
	if (size < 0)
		return err_set(err, ZE_STORAGE, errno, "list attributes");
	names = malloc((size_t)size);
	if (!names)
		return err_nomem(err);
	size = list(src, names, (size_t)size);
	if (size < 0)
		return err_set(err, ZE_STORAGE, errno, "list attributes");
	for (const char *n = names; n < names + size; n += strlen(n) + 1) {
		r = xattr_copy_one(src, dst, n, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static void
fill_times(const struct statx *stx, struct timespec times[2])
{
	times[0].tv_sec = stx->stx_atime.tv_sec;
	times[0].tv_nsec = stx->stx_atime.tv_nsec;
	times[1].tv_sec = stx->stx_mtime.tv_sec;
	times[1].tv_nsec = stx->stx_mtime.tv_nsec;
}

int
attr_copy(int src_fd, int dst_fd, const struct statx *stx, struct err *err)
{
	struct place src = {.fd = src_fd}, dst = {.fd = dst_fd};
	struct timespec times[2];
	int r;

	if (fchown(dst_fd, stx->stx_uid, stx->stx_gid) < 0)
		return err_set(err, ZE_STORAGE, errno, "set the owner");
	if (fchmod(dst_fd, stx->stx_mode & 07777) < 0)
		return err_set(err, ZE_STORAGE, errno, "set the mode");
	r = xattrs_copy(&src, &dst, err);
	if (r < 0)
		return r;
	fill_times(stx, times);
	if (futimens(dst_fd, times) < 0)
		return err_set(err, ZE_STORAGE, errno, "set the times");
	return 0;
}

int
attr_copy_at(int src_dir_fd, int dst_dir_fd, const char *name, const struct statx *stx,
	     struct err *err)
{
	auto_free char *src_path = NULL, *dst_path = NULL;
	struct place src = {.fd = -EBADF}, dst = {.fd = -EBADF};
	struct timespec times[2];
	int r;

	if (fchownat(dst_dir_fd, name, stx->stx_uid, stx->stx_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_set(err, ZE_STORAGE, errno, "set the owner");
	if (!S_ISLNK(stx->stx_mode) && fchmodat(dst_dir_fd, name, stx->stx_mode & 07777, 0) < 0)
		return err_set(err, ZE_STORAGE, errno, "set the mode");
	/* There are no l*xattrat() calls before Linux 6.13; the directory's magic link stands in.
	 */
	if (asprintf(&src_path, "/proc/self/fd/%d/%s", src_dir_fd, name) < 0) {
		src_path = NULL;
		return err_nomem(err);
	}
	if (asprintf(&dst_path, "/proc/self/fd/%d/%s", dst_dir_fd, name) < 0) {
		dst_path = NULL;
		return err_nomem(err);
	}
	src.path = src_path;
	dst.path = dst_path;
	r = xattrs_copy(&src, &dst, err);
	if (r < 0)
		return r;
	fill_times(stx, times);
	if (utimensat(dst_dir_fd, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return err_set(err, ZE_STORAGE, errno, "set the times");
	return 0;
}

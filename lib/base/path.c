/* SPDX-License-Identifier: Apache-2.0 */
#include "base/path.h"

#include "base/err.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Deeper directories than this are moved up to the top before they are emptied: one descriptor is
 * open a level. */
#define RM_DEPTH_MAX 64

static int
sys_openat2(int dir_fd, const char *path, int flags, mode_t mode, unsigned long long resolve)
{
	struct open_how how = {
	    .flags = (unsigned long long)(unsigned)flags | O_CLOEXEC,
	    .mode = mode,
	    .resolve = resolve,
	};
	int fd;

	/* EAGAIN: a rename or mount raced with the kernel's check of "..". A zone can provoke it
	 * for ever. */
	for (int tries = 0; tries < 128; tries++) {
		fd = (int)syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	return fd;
}

int
path_open_in_root(int root_fd, const char *path, int flags, mode_t mode, struct err *err)
{
	int fd;

	fd = sys_openat2(root_fd, path, flags, mode, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	if (fd < 0)
		return err_set(err, errno == ENOENT ? ZE_NOENT : ZE_IO, errno,
			       "open '%s' in the zone", path);
	return fd;
}

/* Open the directory made of the first @len bytes of @path, making what is missing. */
static int
open_dir_making(int root_fd, const char *path, size_t len, mode_t mode, bool create,
		struct err *err)
{
	auto_free char *dir = strndup(path, len);
	auto_close int parent_fd = -EBADF;
	const char *name;
	int fd;

	if (!dir)
		return err_nomem(err);
	fd = path_open_in_root(root_fd, *dir ? dir : "/", O_RDONLY | O_DIRECTORY | O_NONBLOCK, 0,
			       err);
	if (fd != -ZE_NOENT || !create)
		return fd;
	err_clear(err);
	parent_fd = path_open_parent_in_root(root_fd, dir, true, &name, err);
	if (parent_fd < 0)
		return parent_fd;
	if (fault_point("mkdir") || (mkdirat(parent_fd, name, mode) < 0 && errno != EEXIST))
		return err_set(err, ZE_IO, errno, "make directory '%s' in the zone", dir);
	fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, ZE_IO, errno, "open directory '%s' in the zone", dir);
	return fd;
}

int
path_open_parent_in_root(int root_fd, const char *path, bool create, const char **ret_name,
			 struct err *err)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	int fd;

	if (!*name || !strcmp(name, "..") || !strcmp(name, "."))
		return err_set(err, ZE_INVAL, 0, "'%s' does not name a file", path);
	fd = open_dir_making(root_fd, path, slash ? (size_t)(slash - path) : 0, 0755, create, err);
	if (fd >= 0)
		*ret_name = name;
	return fd;
}

int
path_mkdir_in_root(int root_fd, const char *path, mode_t mode, struct err *err)
{
	size_t len = strlen(path);

	while (len > 0 && path[len - 1] == '/')
		len--;
	return open_dir_making(root_fd, path, len, mode, true, err);
}

int
path_mkdir_p(const char *path, mode_t mode, struct err *err)
{
	auto_free char *copy = strdup(path);
	int r;

	if (!copy)
		return err_nomem(err);
	r = fault_point("mkdir_p") ? -1 : mkdir(path, mode);
	if (r == 0 || errno == EEXIST)
		return 0;
	if (errno != ENOENT)
		return err_set(err, ZE_IO, errno, "make directory '%s'", path);
	for (char *p = copy + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(copy, 0755) < 0 && errno != EEXIST)
			return err_set(err, ZE_IO, errno, "make directory '%s'", copy);
		*p = '/';
	}
	if (mkdir(copy, mode) < 0 && errno != EEXIST)
		return err_set(err, ZE_IO, errno, "make directory '%s'", path);
	return 0;
}

static int
read_regular(int fd, const char *path, size_t max_bytes, char **ret_buf, size_t *ret_size_bytes,
	     struct err *err)
{
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return err_set(err, ZE_IO, errno, "stat '%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ZE_FORMAT, 0, "'%s' is not a regular file", path);
	r = fd_read_all(fd, max_bytes, ret_buf, ret_size_bytes, err);
	if (r < 0)
		return err_add(err, "'%s'", path);
	return 0;
}

int
path_file_read(const char *path, size_t max_bytes, char **ret_buf, size_t *ret_size_bytes,
	       struct err *err)
{
	auto_close int fd = -EBADF;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_set(err, errno == ENOENT ? ZE_NOENT : ZE_IO, errno, "open '%s'", path);
	return read_regular(fd, path, max_bytes, ret_buf, ret_size_bytes, err);
}

int
path_file_read_in_root(int root_fd, const char *path, size_t max_bytes, char **ret_buf,
		       size_t *ret_size_bytes, struct err *err)
{
	auto_close int fd = -EBADF;

	fd = path_open_in_root(root_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, err);
	if (fd < 0)
		return fd;
	return read_regular(fd, path, max_bytes, ret_buf, ret_size_bytes, err);
}

/* Make a temporary beside @name and fill it; unlinks it on failure. */
static int
write_temporary(int dir_fd, const char *tmp, const void *content, size_t size_bytes, mode_t mode,
		bool sync)
{
	static const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	auto_close int fd = -EBADF;

	if (fault_point("write"))
		return -1;
	fd = openat(dir_fd, tmp, flags, 0600);
	if (fd < 0 && errno == EEXIST) {
		/* Left by a process of the same number that was killed. */
		(void)unlinkat(dir_fd, tmp, 0);
		fd = openat(dir_fd, tmp, flags, 0600);
	}
	if (fd < 0)
		return -1;
	if (fd_write_all(fd, content, size_bytes) < 0 || fchmod(fd, mode) < 0 ||
	    (sync && fsync(fd) < 0)) {
		(void)unlinkat(dir_fd, tmp, 0);
		return -1;
	}
	return 0;
}

static int
replace_at(int dir_fd, const char *name, const void *content, size_t size_bytes, mode_t mode,
	   bool sync, struct err *err)
{
	auto_free char *tmp = NULL;

	if (asprintf(&tmp, ".%s.%d", name, getpid()) < 0)
		return err_nomem(err);
	if (write_temporary(dir_fd, tmp, content, size_bytes, mode, sync) < 0)
		return err_set(err, ZE_IO, errno, "write '%s'", name);
	if (fault_point("rename") || renameat(dir_fd, tmp, dir_fd, name) < 0) {
		(void)err_set(err, ZE_IO, errno, "replace '%s'", name);
		(void)unlinkat(dir_fd, tmp, 0);
		return -ZE_IO;
	}
	if (sync && fsync(dir_fd) < 0)
		return err_set(err, ZE_IO, errno, "sync the directory of '%s'", name);
	return 0;
}

int
path_file_replace_at(int dir_fd, const char *name, const void *content, size_t size_bytes,
		     mode_t mode, struct err *err)
{
	return replace_at(dir_fd, name, content, size_bytes, mode, true, err);
}

int
path_file_replace(const char *path, const void *content, size_t size_bytes, mode_t mode,
		  struct err *err)
{
	const char *slash = strrchr(path, '/');
	auto_free char *dir = NULL;
	auto_close int dir_fd = -EBADF;
	int r;

	dir = slash ? strndup(path, (size_t)(slash - path + 1)) : strdup(".");
	if (!dir)
		return err_nomem(err);
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return err_set(err, ZE_IO, errno, "open '%s'", dir);
	r = path_file_replace_at(dir_fd, slash ? slash + 1 : path, content, size_bytes, mode, err);
	if (r < 0)
		return err_add(err, "in '%s'", dir);
	return 0;
}

int
path_file_write_in_root(int root_fd, const char *path, const void *content, size_t size_bytes,
			mode_t mode, struct err *err)
{
	auto_close int dir_fd = -EBADF;
	const char *name;
	int r;

	dir_fd = path_open_parent_in_root(root_fd, path, true, &name, err);
	if (dir_fd < 0)
		return dir_fd;
	r = replace_at(dir_fd, name, content, size_bytes, mode, false, err);
	if (r < 0)
		return err_add(err, "'%s' in the zone", path);
	return 0;
}

/* ---- removing ------------------------------------------------------------------------------- */

bool
path_unlock_at(int dir_fd, const char *name, int *ret_flags)
{
	auto_close int fd = -EBADF;
	struct stat st;
	int flags;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
		return false;
	fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0 ||
	    !(flags & (FS_IMMUTABLE_FL | FS_APPEND_FL)))
		return false;
	if (ret_flags)
		*ret_flags = flags;
	flags &= ~(FS_IMMUTABLE_FL | FS_APPEND_FL);
	return ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0;
}

struct rm_walk {
	int top_fd;     /* directory that deep subtrees are moved to */
	unsigned moved; /* how many were moved so far; names them */
	struct err *err;
};

/* Returns 0 when @name is gone, 1 when it is a directory. */
static int
rm_file(int dir_fd, const char *name, struct err *err)
{
	if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno == EPERM) {
		if (dir_fd != AT_FDCWD) /* else @name is a path, and not in "." */
			(void)path_unlock_at(dir_fd, ".", NULL);
		(void)path_unlock_at(dir_fd, name, NULL);
		if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
			return 0;
	}
	if (errno == EISDIR)
		return 1;
	return err_set(err, ZE_IO, errno, "remove '%s'", name);
}

/* A directory to be emptied: no mount point, and no read-only subvolume of btrfs. */
static int
rm_open(int dir_fd, const char *name, struct err *err)
{
	auto_close int fd = -EBADF;
	struct statx stx;
	uint64_t flags;

	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, ZE_IO, errno, "open '%s'", name);
	if (statx(fd, "", AT_EMPTY_PATH, STATX_TYPE | STATX_INO, &stx) < 0 ||
	    (stx.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return err_set(err, ZE_BUSY, 0, "something is mounted on '%s'", name);
	if (stx.stx_ino == BTRFS_FIRST_FREE_OBJECTID &&
	    ioctl(fd, BTRFS_IOC_SUBVOL_GETFLAGS, &flags) == 0 && (flags & BTRFS_SUBVOL_RDONLY)) {
		flags &= ~BTRFS_SUBVOL_RDONLY;
		(void)ioctl(fd, BTRFS_IOC_SUBVOL_SETFLAGS, &flags); /* else the removal tells */
	}
	return fd_take(&fd);
}

/* Move a directory up to the top, under a name that nobody has planted there. */
static bool
rm_move_aside(struct rm_walk *walk, int dir_fd, const char *name)
{
	char aside[32];

	do {
		(void)snprintf(aside, sizeof(aside), ".zones-rm-%u", walk->moved++);
		if (renameat(dir_fd, name, walk->top_fd, aside) == 0)
			return true;
	} while (errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR);
	return false;
}

static int rm_directory(struct rm_walk *walk, int dir_fd, const char *name, int depth);

/* Empty an open directory. Takes @fd over. */
static int
rm_content(struct rm_walk *walk, int fd, int depth)
{
	auto_closedir DIR *dir = fdopendir(fd);
	struct dirent *de;
	int r;

	if (!dir) {
		(void)fd_close(fd);
		return err_set(walk->err, ZE_IO, errno, "read directory");
	}
	for (;;) {
		errno = 0;
		de = readdir(dir);
		if (!de)
			break;
		if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, ".."))
			continue;
		r = rm_file(dirfd(dir), de->d_name, walk->err);
		if (r > 0)
			r = rm_directory(walk, dirfd(dir), de->d_name, depth + 1);
		if (r < 0)
			return r;
	}
	if (errno)
		return err_set(walk->err, ZE_IO, errno, "read directory");
	return 0;
}

static int
rm_directory(struct rm_walk *walk, int dir_fd, const char *name, int depth)
{
	int fd, r;

	fd = rm_open(dir_fd, name, walk->err);
	if (fd < 0)
		return fd;
	if (depth > RM_DEPTH_MAX && rm_move_aside(walk, dir_fd, name)) {
		(void)fd_close(fd);
		return 0; /* the top directory is read again until it is empty */
	}
	r = rm_content(walk, fd, depth);
	if (r < 0)
		return r;
	if (unlinkat(dir_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return err_set(walk->err, ZE_IO, errno, "remove directory '%s'", name);
	return 0;
}

int
path_rm_tree_at(int dir_fd, const char *name, struct err *err)
{
	struct rm_walk walk = {.err = err};
	auto_close int top_fd = -EBADF;
	int fd, r;

	if (fault_point("rm_tree"))
		return err_set(err, ZE_IO, errno, "remove '%s'", name);
	r = rm_file(dir_fd, name, err);
	if (r <= 0)
		return r;
	top_fd = rm_open(dir_fd, name, err);
	if (top_fd < 0)
		return top_fd;
	walk.top_fd = top_fd;
	do {
		walk.moved = 0;
		fd = openat(top_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			return err_set(err, ZE_IO, errno, "open '%s'", name);
		r = rm_content(&walk, fd, 0);
		if (r < 0) {
			(void)err_add(err, "remove '%s'", name);
			return r;
		}
	} while (walk.moved > 0);
	if (unlinkat(dir_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return err_set(err, errno == EBUSY ? ZE_BUSY : ZE_IO, errno,
			       "remove directory '%s'", name);
	return 0;
}

int
path_sibling_program(const char *name, char **ret_path, struct err *err)
{
	static const char *const places[] = {"", "/../lib/zones"};
	char self[4096];
	ssize_t n;

	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n < 0)
		return err_set(err, ZE_IO, errno, "read /proc/self/exe");
	self[n] = '\0';
	*strrchr(self, '/') = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		auto_free char *path = NULL;

		if (asprintf(&path, "%s%s/%s", self, places[i], name) < 0) {
			path = NULL; /* undefined after a failure */
			return err_nomem(err);
		}
		if (access(path, X_OK) == 0) {
			*ret_path = ptr_take(&path);
			return 0;
		}
	}
	return err_set(err, ZE_NOENT, 0, "program '%s' is neither in '%s' nor in '%s/../lib/zones'",
		       name, self, self);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts as descriptors: made and changed while nobody can see them, then put in their place. No
 * path is joined and none is resolved twice.
 */
#include "runtime/runtime_priv.h"

#include "base/err.h"
#include "base/fault.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static int
setattr_error(bool idmap, const char *what, struct err *err)
{
	if (!idmap)
		return err_set(err, ZE_IO, errno, "change the mount of '%s'", what);
	if (errno != EINVAL)
		return err_set(err, ZE_IO, errno, "idmap '%s'", what);
	return err_set(
	    err, ZE_NOTSUP, 0,
	    "the file system of '%s' cannot be idmapped; 'set idmap=shared' does without", what);
}

int
runtime_mount_clone(int dir_fd, const char *path, int userns_fd, bool recursive, uint64_t attrs,
		    struct err *err)
{
	auto_close int fd = -EBADF;
	unsigned recurse = recursive ? AT_RECURSIVE : 0;
	struct mount_attr attr = {.attr_set = attrs};

	fd = fault_point("open_tree")
		 ? -1
		 : open_tree(dir_fd, path,
			     OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH |
				 AT_SYMLINK_NOFOLLOW | recurse);
	if (fd < 0)
		return err_set(err, errno == ENOENT ? ZE_NOENT : ZE_IO, errno, "bind '%s'", path);
	if (userns_fd >= 0) {
		attr.attr_set |= MOUNT_ATTR_IDMAP;
		attr.userns_fd = (uint64_t)userns_fd;
	}
	if (attr.attr_set &&
	    mount_setattr(fd, "", AT_EMPTY_PATH | recurse, &attr, sizeof(attr)) < 0)
		return setattr_error(userns_fd >= 0, path, err);
	return fd_take(&fd);
}

/* The kernel explains what it does not like about an option in messages on the descriptor. */
static int
fs_error(int fs_fd, const char *fs_type, const char *what, struct err *err)
{
	int saved_errno = errno;
	char msg[256];
	ssize_t n;

	n = read(fs_fd, msg, sizeof(msg) - 1);
	if (n <= 2)
		return err_set(err, ZE_IO, saved_errno, "mount %s: %s", fs_type, what);
	msg[n] = '\0';
	msg[strcspn(msg, "\n")] = '\0';
	return err_set(err, ZE_IO, saved_errno, "mount %s: %s: %s", fs_type, what, msg + 2);
}

static int
fs_option(int fs_fd, const char *option)
{
	const char *eq = strchr(option, '=');
	auto_free char *key = NULL;

	if (!eq)
		return fsconfig(fs_fd, FSCONFIG_SET_FLAG, option, NULL, 0);
	key = strndup(option, (size_t)(eq - option));
	if (!key)
		return -1;
	return fsconfig(fs_fd, FSCONFIG_SET_STRING, key, eq + 1, 0);
}

int
runtime_mount_created(int fs_fd, const char *fs_type, uint64_t attrs, struct err *err)
{
	int fd = fsmount(fs_fd, FSMOUNT_CLOEXEC, (unsigned)attrs);

	if (fd < 0)
		return fs_error(fs_fd, fs_type, "fsmount", err);
	return fd;
}

int
runtime_mount_new(const char *fs_type, const char *const *options, uint64_t attrs, struct err *err)
{
	auto_close int fs_fd = -EBADF;

	fs_fd = fault_point("fsopen") ? -1 : fsopen(fs_type, FSOPEN_CLOEXEC);
	if (fs_fd < 0)
		return err_set(err, ZE_IO, errno, "mount %s", fs_type);
	for (; options && *options; options++) {
		if (fs_option(fs_fd, *options) < 0)
			return fs_error(fs_fd, fs_type, *options, err);
	}
	if (fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return fs_error(fs_fd, fs_type, "create", err);
	return runtime_mount_created(fs_fd, fs_type, attrs, err);
}

int
runtime_mount_idmap(int mount_fd, int userns_fd, const char *what, struct err *err)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)userns_fd};

	if (mount_setattr(mount_fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return setattr_error(true, what, err);
	return 0;
}

int
runtime_mount_attach(int mount_fd, int dir_fd, const char *path, struct err *err)
{
	unsigned flags = MOVE_MOUNT_F_EMPTY_PATH | (*path ? 0 : MOVE_MOUNT_T_EMPTY_PATH);

	if (fault_point("move_mount") || move_mount(mount_fd, "", dir_fd, path, flags) < 0)
		return err_set(err, ZE_IO, errno, "mount on '%s'", *path ? path : "it");
	return 0;
}

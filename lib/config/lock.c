/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locks: open file description locks on files below /run/zones, which live until the next boot of
 * the host and are never unlinked. Order: a zone's lock before the lock of the index. The name of
 * the index's begins with a dot: beside it are the directories of zones, whose names cannot.
 */
#include "config/config_priv.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int
lock_file(const char *path, bool wait, struct config_lock *ret, struct err *err)
{
	struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	auto_close int fd = -EBADF;

	fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(err, errno == EACCES ? ZE_PERM : ZE_IO, errno, "open lock '%s'",
			       path);
	if (fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &fl) < 0)
		return err_set(err,
			       errno == EINTR    ? ZE_INTR
			       : errno == EAGAIN ? ZE_BUSY
						 : ZE_IO,
			       errno, "lock '%s'", path);
	ret->fd = fd_take(&fd);
	return 0;
}

/* Make ROOT/run/zones, or ROOT/run/zones/NAME, and lock the file in it. */
static int
lock(const char *root, const char *name, bool wait, struct config_lock *ret, struct err *err)
{
	auto_free char *dir = NULL, *path = NULL;
	int r;

	if (asprintf(&dir, "%s" CONFIG_RUN, root) < 0) {
		dir = NULL; /* undefined after a failure */
		return err_nomem(err);
	}
	if (asprintf(&path, "%s%s%s/%s", dir, name ? "/" : "", name ? name : "",
		     name ? "lock" : ".index.lock") < 0) {
		path = NULL;
		return err_nomem(err);
	}
	r = path_mkdir_p(dir, 0700, err);
	if (r == 0 && name) {
		auto_free char *zone_dir = NULL;

		if (asprintf(&zone_dir, "%s/%s", dir, name) < 0) {
			zone_dir = NULL;
			return err_nomem(err);
		}
		r = path_mkdir_p(zone_dir, 0700, err);
	}
	return r < 0 ? r : lock_file(path, wait, ret, err);
}

int
config_lock_zone(const char *root, const char *name, struct config_lock *ret, struct err *err)
{
	int r;

	r = config_name_check(name, err);
	return r < 0 ? r : lock(root, name, true, ret, err);
}

int
config_trylock_zone(const char *root, const char *name, struct config_lock *ret, struct err *err)
{
	int r;

	r = config_name_check(name, err);
	return r < 0 ? r : lock(root, name, false, ret, err);
}

int
config_lock_index(const char *root, struct config_lock *ret, struct err *err)
{
	return lock(root, NULL, true, ret, err);
}

void
config_unlock(struct config_lock *locked)
{
	locked->fd = fd_close(locked->fd);
}

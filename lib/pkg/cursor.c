/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/pkg_priv.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

static int
open_dir(const struct cursor *cursor, struct err *err)
{
	const char *dir = *cursor->dir ? cursor->dir : ".";
	int fd;

	if (cursor->in_zone)
		return path_open_in_root(cursor->root_fd, dir, O_PATH | O_DIRECTORY, 0, err);
	fd = openat(cursor->root_fd, dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, errno == ENOENT || errno == ENOTDIR ? ZE_NOENT : ZE_IO, errno,
			       "open directory '/%s'", cursor->dir);
	return fd;
}

int
cursor_open(struct cursor *cursor, const char *path, const char **ret_name, struct err *err)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;

	*ret_name = slash ? slash + 1 : path;
	if (cursor->dir_fd >= 0 && cursor->dir_len == len && !memcmp(cursor->dir, path, len))
		return cursor->dir_fd;
	cursor_close(cursor);
	cursor->dir = strndup(path, len);
	if (!cursor->dir)
		return err_nomem(err);
	cursor->dir_len = len;
	cursor->dir_fd = open_dir(cursor, err);
	return cursor->dir_fd;
}

void
cursor_close(struct cursor *cursor)
{
	cursor->dir_fd = fd_close(cursor->dir_fd);
	fd_freep(&cursor->dir);
	cursor->dir = NULL;
	cursor->dir_len = 0;
}

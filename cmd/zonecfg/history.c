/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ~/.zonecfg_history. zonecfg runs as root, perhaps with the home directory of somebody else, who
 * must not be able to lead it anywhere: only a regular file of our own with a single name is used,
 * and a symbolic link is never followed.
 */
#include "zonecfg.h"

#include "base/fd.h"
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Lines that are kept; the file is cut when it has twice as many. */
#define HISTORY_LINES 1024

#define HISTORY_MAX_BYTES ((size_t)4 << 20)

static char *
history_path(void)
{
	const char *home = getenv("HOME");
	char *path;

	if (!home || *home != '/' || asprintf(&path, "%s/.zonecfg_history", home) < 0)
		return NULL;
	return path;
}

static int
history_open(const char *path)
{
	auto_close int fd = -EBADF;
	struct stat st;

	fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -EBADF;
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_nlink != 1)
		return -EBADF;
	return fd_take(&fd);
}

/* Returns 1 when the file has become too long. */
static int
split_lines(char *text, struct strv *ret)
{
	size_t n = 0;
	char *line, *end;

	for (const char *p = text; *p; p++)
		n += *p == '\n';
	line = text;
	for (size_t i = 0; (end = strchr(line, '\n')); i++) {
		*end = '\0';
		if (*line && i + HISTORY_LINES >= n && strv_add(ret, line) < 0)
			break;
		line = end + 1;
	}
	return n > (size_t)2 * HISTORY_LINES;
}

static void
history_rewrite(const char *path, const struct strv *lines)
{
	auto_str struct str text = {0};

	for (size_t i = 0; i < lines->n; i++)
		if (str_addf(&text, "%s\n", lines->v[i]) < 0)
			return;
	if (text.len)
		(void)path_file_replace(path, text.s, text.len, 0600, NULL); /* next time, then */
}

void
history_load(struct strv *ret, int *ret_fd)
{
	auto_free char *path = history_path(), *text = NULL;
	auto_close int fd = -EBADF;
	size_t size;

	*ret_fd = -EBADF;
	if (!path)
		return;
	fd = history_open(path);
	if (fd < 0 || fd_read_all(fd, HISTORY_MAX_BYTES, &text, &size, NULL) < 0)
		return;
	if (split_lines(text, ret)) {
		history_rewrite(path, ret);
		fd = fd_close(fd);
		fd = history_open(path);
	}
	*ret_fd = fd_take(&fd);
}

void
history_add(int fd, const char *line)
{
	auto_str struct str text = {0};

	if (fd < 0 || str_addf(&text, "%s\n", line) < 0)
		return;
	(void)fd_write_all(fd, text.s, text.len); /* a full disk is no reason to disturb the user */
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ZONEPATH itself: who may own it and its parents, and what is mounted below it. These are
 * directories of the administrator of the host, not of a zone.
 */
#include "storage_priv.h"

#include "base/err.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Append what is wrong with one directory of the path. */
static int
check_directory(const char *dir, const struct stat *st, bool is_zonepath, struct strv *problems)
{
	if (S_ISLNK(st->st_mode))
		return strv_addf(problems,
				 "'%s' is a symbolic link; a zonepath must be named by its real "
				 "path",
				 dir);
	if (!S_ISDIR(st->st_mode))
		return strv_addf(problems, "'%s' is not a directory", dir);
	if (st->st_uid != 0)
		return strv_addf(problems, "'%s' belongs to user %u; it must belong to root", dir,
				 st->st_uid);
	if (is_zonepath && (st->st_mode & 07777) != 0700)
		return strv_addf(problems,
				 "'%s' has mode %04o; it must be 0700, or users of the host reach "
				 "the zone's files",
				 dir, st->st_mode & 07777);
	if (!is_zonepath && (st->st_mode & 0700) != 0700)
		return strv_addf(problems, "'%s' has mode %04o; its owner must have all rights",
				 dir, st->st_mode & 07777);
	if (!is_zonepath && (st->st_mode & 0022))
		return strv_addf(problems,
				 "'%s' has mode %04o; nobody but root may be able to write to it",
				 dir, st->st_mode & 07777);
	return 0;
}

int
storage_zonepath_check(const char *zonepath, struct strv *problems, bool *ret_exists,
		       struct err *err)
{
	auto_free char *copy = strdup(zonepath);
	size_t before = problems->n;
	struct stat st;
	char *p, end;

	if (!copy)
		return err_nomem(err);
	*ret_exists = false;
	if (*copy != '/')
		return err_set(err, ZE_INVAL, 0, "'%s' is not an absolute path", zonepath);
	for (p = copy + 1;; p++) {
		if (*p && *p != '/')
			continue;
		end = *p;
		*p = '\0';
		if (lstat(copy, &st) < 0 && errno == ENOENT)
			return 0;
		if (lstat(copy, &st) < 0)
			return err_set(err, ZE_IO, errno, "look at '%s'", copy);
		if (check_directory(copy, &st, !end, problems) < 0)
			return err_nomem(err);
		*p = end;
		if (!end)
			break;
		if (problems->n > before && !S_ISDIR(st.st_mode))
			return 0; /* what is below it cannot be reached this way */
	}
	*ret_exists = true;
	return 0;
}

int
storage_zonepath_make(const char *zonepath, bool *ret_made, struct err *err)
{
	auto_strv struct strv problems = {0};
	bool exists;
	int r;

	r = storage_zonepath_check(zonepath, &problems, &exists, err);
	if (r < 0)
		return r;
	if (problems.n > 0)
		return err_set(err, ZE_VERIFY, 0, "%s", problems.v[0]);
	if (!exists) {
		r = path_mkdir_p(zonepath, 0700, err);
		if (r < 0)
			return r;
	}
	if (ret_made)
		*ret_made = !exists;
	return 0;
}

/* Undo the kernel's \ooo in a field of mountinfo, in place. */
static void
unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' &&
		    s[3] >= '0' && s[3] <= '7') {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

/* The fifth field of a line of mountinfo: the mount point. */
static char *
mount_point(char *line)
{
	char *save = NULL, *field = strtok_r(line, " ", &save);

	for (int i = 1; field && i < 5; i++)
		field = strtok_r(NULL, " ", &save);
	if (field)
		unescape(field);
	return field;
}

int
storage_mounts_check(const char *dir, struct err *err)
{
	auto_fclose FILE *f = NULL;
	auto_free char *real = realpath(dir, NULL), *line = NULL;
	size_t room = 0, len;
	char *at;

	if (!real && errno == ENOENT)
		return 0;
	if (!real)
		return err_set(err, ZE_IO, errno, "look at '%s'", dir);
	len = strlen(real);
	f = fopen("/proc/self/mountinfo", "re");
	if (!f)
		return err_set(err, ZE_IO, errno, "open '/proc/self/mountinfo'");
	while (getline(&line, &room, f) > 0) {
		at = mount_point(line);
		if (!at || strncmp(at, real, len) != 0 || at[len] != '/' || !at[len + 1])
			continue;
		return err_set(err, ZE_BUSY, 0, "something is mounted on '%s'; unmount it first",
			       at);
	}
	if (ferror(f))
		return err_set(err, ZE_IO, errno, "read '/proc/self/mountinfo'");
	return 0;
}

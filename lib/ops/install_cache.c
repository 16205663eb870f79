/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finished roots, kept beside the zones where the file system can make copies in no time: the next
 * zone of the same packages is a copy of one. A root is kept under a digest of all that it depends
 * on, before it gets an identity. It is a help and nothing more: whatever fails here, the zone is
 * made the long way, or the root is not kept.
 *
 *	DIR/.zones-cache/	0700; locked (flock) by who changes it, and by who copies from it
 *	    KEY/root		the root
 *	    KEY/notes		what its installation had to tell: a letter and a line each
 *	    new/		one that is being made, or was when a kill came
 */
#include "install_priv.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/path.h"
#include "storage/storage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define CACHE_NAME      ".zones-cache"
#define CACHE_KEEP      2 /* entries */
#define NOTES_MAX_BYTES (4u << 20)

/* Copies of an entry in the make: the name is no key. */
#define ENTRY_NEW "new"

static void
not_kept(struct install *in, const struct err *err)
{
	install_log_line(&in->log, "This root is not kept for the next zone: %s", err->msg);
}

/* Our own programs take part in the result. */
static int
own_part(const struct install *in, struct str *ret, struct err *err)
{
	const struct pkg_standin *standins;
	size_t n = pkg_standins(in->plan, &standins);
	struct stat st;

	if (stat("/proc/self/exe", &st) < 0)
		return err_set(err, ZE_IO, errno, "look at this program");
	if (str_addf(ret, "%ju %jd.%09ld\n", (uintmax_t)st.st_size, (intmax_t)st.st_mtim.tv_sec,
		     st.st_mtim.tv_nsec) < 0)
		return err_nomem(err);
	for (size_t i = 0; i < n; i++) {
		auto_free char *path = NULL;
		int r;

		r = path_sibling_program(standins[i].program, &path, err);
		if (r < 0)
			return r;
		if (stat(path, &st) < 0)
			return err_set(err, ZE_IO, errno, "look at '%s'", path);
		if (str_addf(ret, "%s %s %ju %jd.%09ld\n", standins[i].program, standins[i].target,
			     (uintmax_t)st.st_size, (intmax_t)st.st_mtim.tv_sec,
			     st.st_mtim.tv_nsec) < 0)
			return err_nomem(err);
	}
	for (const char **dir = in->inherit_dirs; dir && *dir; dir++)
		if (str_addf(ret, "inherit %s\n", *dir) < 0)
			return err_nomem(err);
	return 0;
}

static int
make_key(struct install *in, struct err *err)
{
	auto_str struct str extra = {0};
	int r;

	r = own_part(in, &extra, err);
	return r < 0 ? r : pkg_plan_key(in->plan, extra.s, in->cache_key, err);
}

static int
cache_path(const struct install *in, const char *entry, char **ret, struct err *err)
{
	const char *zonepath = in->entry.zonepath;
	int dir_len = (int)(strrchr(zonepath, '/') - zonepath);

	if (asprintf(ret, "%.*s/" CACHE_NAME "%s%s", dir_len, zonepath, *entry ? "/" : "", entry) <
	    0) {
		*ret = NULL; /* undefined after a failure */
		return err_nomem(err);
	}
	return 0;
}

/* A directory that another user could have made is none of ours. Returns it, locked. */
static int
cache_open(const char *path, int lock, struct err *err)
{
	auto_close int fd = -EBADF;
	struct stat st;

	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, errno == ENOENT ? ZE_NOENT : ZE_IO, errno, "open '%s'", path);
	if (fstat(fd, &st) < 0 || st.st_uid != 0 || (st.st_mode & 07777) != 0700)
		return err_set(err, ZE_PERM, 0, "'%s' is not root's alone", path);
	/* Who is there first may work for a while; the long way is open. */
	if (flock(fd, lock | LOCK_NB) < 0)
		return err_set(err, errno == EWOULDBLOCK ? ZE_BUSY : ZE_IO, errno, "lock '%s'",
			       path);
	return fd_take(&fd);
}

/* ---- using ---------------------------------------------------------------------------------- */

static int
read_notes(struct install *in, int dir_fd, struct err *err)
{
	auto_close int fd = openat(dir_fd, "notes", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	auto_free char *text = NULL;
	char *save = NULL;
	size_t size;
	int r;

	if (fd < 0)
		return err_set(err, ZE_IO, errno, "open the notes");
	r = fd_read_all(fd, NOTES_MAX_BYTES, &text, &size, err);
	if (r < 0)
		return r;
	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		struct strv *list = *l == 'w' ? &in->warned : *l == 'c' ? &in->changed : NULL;

		if (list && strv_add(list, l + 1) < 0)
			return err_nomem(err);
	}
	return 0;
}

static int
use(struct install *in, const char *entry_path, int cache_fd, struct err *err)
{
	auto_close int dir_fd =
	    openat(cache_fd, in->cache_key, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	const struct storage_way *way;
	int r;

	if (dir_fd < 0)
		return err_set(err, errno == ENOENT ? ZE_NOENT : ZE_IO, errno, "open '%s'",
			       entry_path);
	r = storage_clone_method(entry_path, in->entry.zonepath, STORAGE_AUTO, &way, err);
	if (r == 0 && !way->is_snapshot)
		r = err_set(err, ZE_NOTSUP, 0, "'%s' would have to be copied", entry_path);
	if (r == 0)
		r = storage_clone(entry_path, in->entry.zonepath, STORAGE_AUTO, NULL, NULL, err);
	if (r < 0)
		return r;
	/* The one that was used last is kept longest; it is only a wish. */
	(void)futimens(dir_fd, NULL);
	r = read_notes(in, dir_fd, err);
	if (r < 0)
		(void)storage_destroy(in->entry.zonepath, NULL, NULL);
	return r;
}

int
install_cache_use(struct install *in)
{
	auto_free char *path = NULL, *entry_path = NULL;
	auto_close int cache_fd = -EBADF;
	struct err err = {0};
	int r;

	r = make_key(in, &err);
	if (r < 0) {
		in->cache_key[0] = '\0';
		not_kept(in, &err);
		return 0;
	}
	r = cache_path(in, "", &path, &err);
	if (r == 0)
		r = cache_path(in, in->cache_key, &entry_path, &err);
	if (r == 0)
		r = cache_fd = cache_open(path, LOCK_SH, &err);
	if (r >= 0)
		r = use(in, entry_path, cache_fd, &err);
	if (r < 0 && r != -ZE_NOENT)
		install_log_line(&in->log, "No kept root is used: %s", err.msg);
	return r >= 0;
}

/* ---- keeping -------------------------------------------------------------------------------- */

static int
remove_entry(const struct install *in, const char *name, struct err *err)
{
	auto_free char *path = NULL, *notes = NULL;
	bool kept = false;
	int r;

	r = cache_path(in, name, &path, err);
	if (r < 0)
		return r;
	/* The notes first: then nothing but the root is there, and the directory goes with it. */
	if (asprintf(&notes, "%s/notes", path) < 0) {
		notes = NULL; /* undefined after a failure */
		return err_nomem(err);
	}
	if (unlink(notes) < 0 && errno != ENOENT && errno != ENOTDIR)
		return err_set(err, ZE_IO, errno, "remove '%s'", notes);
	return storage_destroy(path, &kept, err);
}

static bool
older(struct timespec a, struct timespec b)
{
	return a.tv_sec < b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec < b.tv_nsec);
}

/* How many entries there are, and which was used least recently. */
static int
look_through(int cache_fd, char ret_oldest[PKG_KEY_LEN + 1], struct err *err)
{
	int n = 0, fd = openat(cache_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_closedir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct timespec oldest = {0};
	struct dirent *de;
	struct stat st;

	if (!dir) {
		n = err_set(err, ZE_IO, errno, "read the kept roots");
		(void)fd_close(fd);
		return n;
	}
	while ((de = readdir(dir))) {
		if (strlen(de->d_name) != PKG_KEY_LEN ||
		    fstatat(cache_fd, de->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (n++ > 0 && !older(st.st_mtim, oldest))
			continue;
		oldest = st.st_mtim;
		memcpy(ret_oldest, de->d_name, PKG_KEY_LEN + 1);
	}
	return n;
}

/* Remove the least recently used until @keep are left. */
static int
prune(const struct install *in, int cache_fd, int keep, struct err *err)
{
	char oldest[PKG_KEY_LEN + 1] = "";
	int n, r;

	for (;;) {
		n = look_through(cache_fd, oldest, err);
		if (n <= keep)
			return n < 0 ? n : 0;
		r = remove_entry(in, oldest, err);
		if (r < 0)
			return r;
	}
}

static int
write_notes(const struct install *in, const char *new_path, struct err *err)
{
	auto_str struct str text = {0};
	auto_free char *path = NULL;

	for (size_t i = 0; i < in->warned.n; i++)
		if (str_addf(&text, "w%s\n", in->warned.v[i]) < 0)
			return err_nomem(err);
	for (size_t i = 0; i < in->changed.n; i++)
		if (str_addf(&text, "c%s\n", in->changed.v[i]) < 0)
			return err_nomem(err);
	if (asprintf(&path, "%s/notes", new_path) < 0) {
		path = NULL; /* undefined after a failure */
		return err_nomem(err);
	}
	return path_file_replace(path, text.s ? text.s : "", text.len, 0600, err);
}

static int
keep_in(struct install *in, const char *path, int cache_fd, struct err *err)
{
	auto_free char *new_path = NULL;
	const struct storage_way *way;
	int r;

	r = storage_clone_method(in->entry.zonepath, path, STORAGE_AUTO, &way, err);
	if (r < 0)
		return r;
	if (!way->is_snapshot)
		return err_set(err, ZE_NOTSUP, 0, "the file system would have to copy it");
	r = cache_path(in, ENTRY_NEW, &new_path, err);
	if (r == 0)
		r = remove_entry(in, ENTRY_NEW, err);
	if (r == 0)
		r = prune(in, cache_fd, CACHE_KEEP - 1, err);
	if (r < 0)
		return r;
	if (mkdirat(cache_fd, ENTRY_NEW, 0700) < 0)
		return err_set(err, ZE_IO, errno, "make '%s'", new_path);
	r = storage_clone(in->entry.zonepath, new_path, STORAGE_AUTO, NULL, NULL, err);
	if (r == 0)
		r = write_notes(in, new_path, err);
	if (r == 0 && renameat(cache_fd, ENTRY_NEW, cache_fd, in->cache_key) < 0)
		r = err_set(err, ZE_IO, errno, "rename '%s'", new_path);
	if (r < 0)
		(void)remove_entry(in, ENTRY_NEW, NULL); /* the next one removes it as well */
	return r;
}

void
install_cache_keep(struct install *in)
{
	auto_free char *path = NULL;
	auto_close int cache_fd = -EBADF;
	struct err err = {0};
	int r;

	if (!in->cache_key[0] || in->missing.n)
		return;
	r = pkg_plan_is_fresh(in->plan, &err);
	if (r == 0)
		r = err_set(&err, ZE_BUSY, 0, "files of this host changed meanwhile");
	if (r > 0)
		r = cache_path(in, "", &path, &err);
	if (r == 0)
		r = path_mkdir_p(path, 0700, &err);
	if (r == 0)
		r = cache_fd = cache_open(path, LOCK_EX, &err);
	if (r >= 0)
		r = keep_in(in, path, cache_fd, &err);
	if (r < 0)
		not_kept(in, &err);
}

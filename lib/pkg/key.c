/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A digest of all that the root made by a plan depends on, so that a finished root can be used
 * again while nothing of it has changed. Files count by size and times: the change time is the
 * kernel's, and nobody can set it back.
 */
#include "pkg_priv.h"

#include "base/err.h"
#include "base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A string with its end: "ab" "c" is not "a" "bc". */
static void
add_string(SHA2_CTX *sha, const char *s)
{
	if (s)
		SHA256Update(sha, (const uint8_t *)s, strlen(s) + 1);
	else
		SHA256Update(sha, (const uint8_t *)"\1", 1);
}

static void
add_strings(SHA2_CTX *sha, const char *const *list)
{
	for (; list && *list; list++)
		add_string(sha, *list);
	add_string(sha, NULL);
}

static void
add_number(SHA2_CTX *sha, uint64_t n)
{
	SHA256Update(sha, (const uint8_t *)&n, sizeof(n));
}

static void
add_time(SHA2_CTX *sha, struct timespec t)
{
	add_number(sha, (uint64_t)t.tv_sec);
	add_number(sha, (uint64_t)t.tv_nsec);
}

static void
add_file(SHA2_CTX *sha, int dir_fd, const char *name)
{
	struct stat st = {0};

	add_string(sha, name);
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		st = (struct stat){0}; /* not being there counts like any other state */
	add_number(sha, st.st_ino);
	add_number(sha, st.st_mode);
	add_number(sha, (uint64_t)st.st_size);
	add_time(sha, st.st_mtim);
	add_time(sha, st.st_ctim);
}

static int
name_cmp(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* A directory with what is in it, by name. */
static int
add_directory(SHA2_CTX *sha, int root_fd, const char *path, struct err *err)
{
	auto_close int dir_fd = -EBADF;
	struct dirent **names;
	int n;

	add_string(sha, path);
	dir_fd = openat(root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return errno == ENOENT ? 0 : err_set(err, ZE_IO, errno, "open '%s'", path);
	n = scandirat(dir_fd, ".", &names, NULL, name_cmp);
	if (n < 0)
		return err_set(err, ZE_IO, errno, "read '%s'", path);
	for (int i = 0; i < n; i++) {
		if (strcmp(names[i]->d_name, ".") != 0 && strcmp(names[i]->d_name, "..") != 0)
			add_file(sha, dir_fd, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	return 0;
}

/* What the backend reads besides the files of the plan. */
static int
host_digest(const struct pkg_plan *plan, uint8_t ret[SHA256_DIGEST_LENGTH], struct err *err)
{
	SHA2_CTX sha;
	int r = 0;

	SHA256Init(&sha);
	for (const char *const *p = plan->backend->key_paths; r == 0 && *p; p++) {
		if ((*p)[strlen(*p) - 1] == '/')
			r = add_directory(&sha, plan->host->root_fd, *p, err);
		else
			add_file(&sha, plan->host->root_fd, *p);
	}
	SHA256Final(ret, &sha);
	return r;
}

static void
add_entry(SHA2_CTX *sha, const struct pkg_entry *e)
{
	const uint64_t numbers[] = {e->size_bytes, e->mode,     e->host_mode, e->uid,   e->host_uid,
				    e->gid,        e->host_gid, e->twin,      e->flags, e->level};

	add_string(sha, e->path);
	add_string(sha, e->source);
	add_string(sha, e->content);
	add_string(sha, e->md5);
	SHA256Update(sha, (const uint8_t *)numbers, sizeof(numbers));
	/* Those of a directory of the host change with every file in it. */
	if (S_ISDIR(e->mode))
		return;
	add_time(sha, e->mtime);
	add_time(sha, e->ctime);
}

int
pkg_plan_key(struct pkg_plan *plan, const char *extra, char ret[PKG_KEY_LEN + 1], struct err *err)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	SHA2_CTX sha;
	int r;

	_Static_assert(PKG_KEY_LEN == 2 * SHA256_DIGEST_LENGTH,
		       "the key is a digest in hexadecimal");
	r = host_digest(plan, plan->host_digest, err);
	if (r < 0)
		return r;
	SHA256Init(&sha);
	add_string(&sha, ZONES_VERSION);
	add_string(&sha, extra);
	SHA256Update(&sha, plan->host_digest, sizeof(plan->host_digest));
	for (size_t i = 0; i < plan->facts.packages; i++) {
		const char *version = NULL;

		add_string(&sha, plan->backend->plan_package(plan, i, &version));
		add_string(&sha, version);
	}
	for (size_t i = 0; i < plan->n_entries; i++) {
		if (plan->entries[i].flags & PKG_ENTRY_PENDING)
			return err_set(err, ZE_NOTSUP, 0, "the content of '/%s' is not yet known",
				       plan->entries[i].path);
		add_entry(&sha, &plan->entries[i]);
	}
	for (size_t i = 0; i < plan->n_steps; i++) {
		add_string(&sha, plan->steps[i].package);
		add_string(&sha, plan->steps[i].what);
		add_strings(&sha, plan->steps[i].argv);
		add_strings(&sha, plan->steps[i].envp);
	}
	SHA256Final(digest, &sha);
	for (size_t i = 0; i < sizeof(digest); i++)
		(void)snprintf(ret + 2 * i, 3, "%02x", digest[i]);
	return 0;
}

int
pkg_plan_is_fresh(const struct pkg_plan *plan, struct err *err)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	int r;

	r = host_digest(plan, digest, err);
	if (r < 0)
		return r;
	if (memcmp(digest, plan->host_digest, sizeof(digest)) != 0)
		return 0;
	for (size_t i = 0; i < plan->n_entries; i++) {
		const struct pkg_entry *e = &plan->entries[i];
		struct stat st;

		if (!e->ctime.tv_sec || S_ISDIR(e->mode))
			continue;
		if (fstatat(plan->host->root_fd, e->source, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    st.st_ctim.tv_sec != e->ctime.tv_sec || st.st_ctim.tv_nsec != e->ctime.tv_nsec)
			return 0;
	}
	return 1;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packaged files that somebody changed on the host: a library dropped over a packaged one, a
 * patched script. Hashing everything would cost more than copying it. A file whose inode changed
 * after its package was unpacked is hashed; on a host that was itself restored from a copy this is
 * true of nearly every file and tells nothing, so there the time of the content decides.
 */
#include "pkg/dpkg_priv.h"

#include "base/err.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <md5.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLACK_SECONDS   60
#define RESTORED_AT_MIN 500 /* fewer files than this are hashed whatever they tell */

void
dpkg_md5(const void *bytes, size_t len, char ret[33])
{
	MD5_CTX ctx;

	MD5Init(&ctx);
	MD5Update(&ctx, bytes, len);
	(void)MD5End(&ctx, ret);
}

struct search {
	struct dpkg_plan *plan;
	struct cursor cursor;
	struct strmap digests; /* of the package in work: path to its place in @lines */
	const char **lines;
	size_t n_lines;
	bool by_content_time;
};

static bool
is_candidate(const struct pkg_entry *e)
{
	return S_ISREG(e->mode) && e->twin == PKG_NO_TWIN &&
	       !(e->flags & (PKG_ENTRY_SKIP | PKG_ENTRY_DATABASE | PKG_ENTRY_CONFFILE));
}

static bool
is_suspicious(const struct search *s, const struct pkg_entry *e)
{
	const struct dpkg_pkg *pkg = &s->plan->host->pkgs[e->package];
	time_t t = s->by_content_time ? e->mtime.tv_sec : e->ctime.tv_sec;

	return is_candidate(e) && t > pkg->list_mtime + SLACK_SECONDS;
}

/* "digest  path" lines of a package, found by path afterwards. */
static int
load_digests(struct search *s, const struct dpkg_pkg *pkg, struct err *err)
{
	struct dpkg_plan *plan = s->plan;
	char *text, *p, *eol;
	const char *path;
	size_t len, room = 1;
	int r;

	strmap_free(&s->digests);
	s->n_lines = 0;
	if (!dpkg_info_has(pkg, "md5sums"))
		return 0;
	r = dpkg_info_read(plan->host, pkg, "md5sums", &text, &len, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < len; i++)
		room += text[i] == '\n';
	s->lines = arena_alloc(&plan->base.arena, room * sizeof(*s->lines));
	if (!s->lines)
		return err_nomem(err);
	for (p = text; p < text + len; p = eol + 1) {
		eol = memchr(p, '\n', (size_t)(text + len - p));
		if (!eol)
			eol = text + len; /* there is a NUL */
		*eol = '\0';
		if (strspn(p, "0123456789abcdef") != 32 || p[32] != ' ' || !p[33] || !p[34])
			return err_set(err, ZE_PKG, 0,
				       "/" DPKG_ADMINDIR
				       "/info/%s.md5sums: not a digest and a path",
				       pkg->key);
		path = dpkg_path_resolve(plan->host, &plan->base.arena, p + 34);
		if (!path ||
		    strmap_put(&s->digests, path, strlen(path), (uint32_t)s->n_lines, NULL) < 0)
			return err_nomem(err);
		s->lines[s->n_lines++] = p;
	}
	return 0;
}

/* -ZE_NOENT: gone meanwhile. */
static int
hash_file(struct search *s, const struct pkg_entry *e, char ret[33], struct err *err)
{
	auto_close int fd = -EBADF;
	auto_free char *buf = malloc(65536);
	const char *name;
	MD5_CTX ctx;
	ssize_t n;
	int dir_fd;

	if (!buf)
		return err_nomem(err);
	dir_fd = cursor_open(&s->cursor, e->source, &name, err);
	if (dir_fd < 0)
		return dir_fd;
	fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, errno == ENOENT ? ZE_NOENT : ZE_IO, errno, "open '/%s'",
			       e->source);
	MD5Init(&ctx);
	while ((n = read(fd, buf, 65536)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, ZE_IO, errno, "read '/%s'", e->source);
		MD5Update(&ctx, (const uint8_t *)buf, (size_t)n);
	}
	(void)MD5End(&ctx, ret);
	return 0;
}

static int
check_file(struct search *s, const struct pkg_entry *e, struct err *err)
{
	uint32_t line = strmap_get(&s->digests, e->path, strlen(e->path));
	char digest[33];
	int r;

	if (line == STRMAP_NONE)
		return 0;
	r = hash_file(s, e, digest, err);
	if (r < 0)
		return r;
	if (!memcmp(digest, s->lines[line], 32))
		return 0;
	if (strv_addf(&s->plan->base.changed, "/%s: changed on the host (package %s)", e->source,
		      dpkg_label(&s->plan->host->pkgs[e->package])) < 0)
		return err_nomem(err);
	return 0;
}

static int
compare_by_package(const void *a, const void *b, void *arg)
{
	const struct pkg_entry *entries = arg;
	const uint32_t *ia = a, *ib = b;

	if (entries[*ia].package != entries[*ib].package)
		return entries[*ia].package < entries[*ib].package ? -1 : 1;
	return *ia < *ib ? -1 : *ia > *ib;
}

static size_t
find_suspicious(const struct search *s, uint32_t *ret)
{
	size_t n = 0;

	for (uint32_t i = 0; i < s->plan->base.n_entries; i++)
		if (is_suspicious(s, &s->plan->base.entries[i]))
			ret[n++] = i;
	return n;
}

static int
check_files(struct search *s, const uint32_t *which, size_t n, struct err *err)
{
	const struct pkg_entry *entries = s->plan->base.entries, *e;
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		e = &entries[which[i]];
		if (i == 0 || e->package != entries[which[i - 1]].package)
			r = load_digests(s, &s->plan->host->pkgs[e->package], err);
		if (r == 0)
			r = check_file(s, e, err);
	}
	return r;
}

int
dpkg_changed_find(struct dpkg_plan *plan, struct err *err)
{
	auto_free uint32_t *which = calloc(plan->base.n_entries + 1, sizeof(*which));
	struct search s = {.plan = plan,
			   .cursor = {.root_fd = plan->host->base.root_fd, .dir_fd = -EBADF}};
	size_t n, n_files = 0;
	int r;

	if (!which)
		return err_nomem(err);
	for (size_t i = 0; i < plan->base.n_entries; i++)
		n_files += is_candidate(&plan->base.entries[i]);
	n = find_suspicious(&s, which);
	if (n > RESTORED_AT_MIN && n > n_files / 4) {
		s.by_content_time = true;
		n = find_suspicious(&s, which);
	}
	qsort_r(which, n, sizeof(*which), compare_by_package, plan->base.entries);
	r = check_files(&s, which, n, err);
	strmap_free(&s.digests);
	cursor_close(&s.cursor);
	return r;
}

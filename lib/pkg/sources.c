/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a zone needs to install packages of its own: apt's sources and keys, which are nobody's
 * configuration files, the marks of packages that were asked for, and dpkg's filters. A source with
 * a user or password in it, one that only this machine can reach, or a file that not everybody may
 * read stays behind, and the log says so without repeating it.
 */
#include "pkg/dpkg_priv.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define SOURCES_MAX_BYTES ((size_t)1024 * 1024)
#define STATES            "var/lib/apt/extended_states"

struct sources {
	struct dpkg_plan *plan;
	int root_fd;
	struct pkg_notes *notes;
	struct strv keys; /* that sources name, relative */
	struct err *err;
};

static int
note(struct sources *s, const char *path, unsigned line, const char *why)
{
	if (!s->notes->log)
		return 0;
	if ((line ? strv_addf(s->notes->log, "/%s:%u: left out: %s", path, line, why)
		  : strv_addf(s->notes->log, "/%s: left out: %s", path, why)) < 0)
		return err_nomem(s->err);
	return 0;
}

/* Why the zone does not get a source with this text in it, or NULL. */
static const char *
why_private(const char *text, size_t len)
{
	static const char *const local[] = {"file:", "copy:", "cdrom:", "mirror+file:"};
	const char *end = text + len, *host, *stop;

	for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++)
		if (memmem(text, len, local[i], strlen(local[i])))
			return "only this host can reach it";
	for (const char *p = text; (p = memmem(p, (size_t)(end - p), "://", 3)); p = host) {
		host = p + 3;
		for (stop = host; stop < end && !strchr("/ \t\n", *stop); stop++)
			if (*stop == '@')
				return "it has credentials";
	}
	return NULL;
}

/* Remember keys in "signed-by=..." or the value of Signed-By. */
static int
take_keys(struct sources *s, const char *text, size_t len)
{
	const char *end = text + len, *start;

	for (const char *p = text; p < end; p++) {
		auto_free char *path = NULL;

		if (*p != '/' || (p > text && !strchr("=, \t", p[-1])))
			continue;
		for (start = p; p < end && !strchr(", \t\n]", *p); p++)
			;
		path = strndup(start, (size_t)(p - start));
		if (!path)
			return err_nomem(s->err);
		if (!dpkg_path_check(path, strlen(path)) && !strv_has(&s->keys, path + 1) &&
		    strv_add(&s->keys, path + 1) < 0)
			return err_nomem(s->err);
	}
	return 0;
}

/* One line a source. */
static int
filter_list(struct sources *s, const char *path, const char *text, size_t len, struct str *out)
{
	const char *end = text + len, *eol, *why, *key, *stop;
	unsigned line = 1;
	int r = 0;

	for (const char *p = text; p < end && r == 0; p = eol, line++) {
		eol = memchr(p, '\n', (size_t)(end - p));
		eol = eol ? eol + 1 : end;
		why = why_private(p, (size_t)(eol - p));
		if (why) {
			r = note(s, path, line, why);
			continue;
		}
		key = memmem(p, (size_t)(eol - p), "signed-by=", 10);
		stop = key ? memchr(key, ']', (size_t)(eol - key)) : NULL;
		if (stop && *p != '#')
			r = take_keys(s, key, (size_t)(stop - key));
		if (r == 0 && str_add(out, p, (size_t)(eol - p)) < 0)
			r = err_nomem(s->err);
	}
	return r;
}

/* Paragraphs; one is kept or left out as a whole. */
static int
filter_deb822(struct sources *s, const char *path, const char *text, size_t len, struct str *out)
{
	struct deb822 d = {.file = path, .p = text, .end = text + len, .comments = true};
	struct deb822_field f;
	const char *start = text, *why;
	unsigned line;
	int r = 0;

	while (deb822_next(&d)) {
		why = NULL;
		line = d.line;
		while ((r = deb822_field(&d, &f, s->err)) > 0) {
			if (!why)
				why = why_private(f.raw, f.raw_len);
			if (deb822_is(&f, "Signed-By"))
				r = take_keys(s, f.value, f.value_len);
			if (r < 0)
				return r;
		}
		/* apt would refuse the whole file as well. */
		if (r < 0) {
			why = "it cannot be read";
			err_clear(s->err);
			out->len = 0;
			return note(s, path, line, why);
		}
		if (why)
			r = note(s, path, line, why);
		else if (str_add(out, start, (size_t)(d.p - start)) < 0 ||
			 str_add(out, "\n", 1) < 0)
			r = err_nomem(s->err);
		if (r < 0)
			return r;
		start = d.p;
	}
	return 0;
}

static bool
ends_with(const char *s, const char *tail)
{
	size_t len = strlen(s), tail_len = strlen(tail);

	return len > tail_len && !strcmp(s + len - tail_len, tail);
}

/* A file of the host that everybody may read: its content, or NULL in @ret_text. */
static int
read_public(struct sources *s, const char *path, char **ret_text, size_t *ret_len)
{
	auto_close int fd = -EBADF;
	struct stat st;

	*ret_text = NULL;
	fd = path_open_in_root(s->plan->host->base.root_fd, path, O_RDONLY | O_NONBLOCK, 0, NULL);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	if (!(st.st_mode & S_IROTH))
		return note(s, path, 0, "not everybody may read it");
	return fd_read_all(fd, SOURCES_MAX_BYTES, ret_text, ret_len, s->err);
}

static bool
is_planned(const struct sources *s, const char *path)
{
	uint32_t i = strmap_get(&s->plan->by_path, path, strlen(path));

	return i != STRMAP_NONE && !(s->plan->base.entries[i].flags & PKG_ENTRY_SKIP);
}

static int
copy_sources_file(struct sources *s, const char *path)
{
	auto_free char *text = NULL;
	auto_str struct str out = {0};
	size_t len;
	int r;

	r = read_public(s, path, &text, &len);
	if (r < 0 || !text)
		return r;
	r = ends_with(path, ".sources") ? filter_deb822(s, path, text, len, &out)
					: filter_list(s, path, text, len, &out);
	if (r < 0 || !out.len || is_planned(s, path))
		return r;
	return path_file_write_in_root(s->root_fd, path, out.s, out.len, 0644, s->err);
}

static int
copy_plain_file(struct sources *s, const char *path)
{
	auto_free char *text = NULL;
	size_t len;
	int r;

	if (is_planned(s, path) || dpkg_plan_inherits(s->plan, path))
		return 0;
	r = read_public(s, path, &text, &len);
	if (r < 0 || !text)
		return r;
	return path_file_write_in_root(s->root_fd, path, text, len, 0644, s->err);
}

static int
leave_credentials(struct sources *s, const char *path)
{
	return note(s, path, 0, "it has credentials");
}

/* Every file of a directory of the host that ends in @tail, in the order of names. */
static int
each_file(struct sources *s, const char *dir, const char *tail,
	  int (*fn)(struct sources *s, const char *path))
{
	struct dirent **names;
	int n, r = 0;

	n = scandirat(s->plan->host->base.root_fd, dir, &names, NULL, alphasort);
	if (n < 0 && errno != ENOENT && errno != ENOTDIR)
		return err_set(s->err, ZE_IO, errno, "read '/%s'", dir);
	for (int i = 0; i < n; i++) {
		auto_str struct str path = {0};

		if (r == 0 && names[i]->d_name[0] != '.' && ends_with(names[i]->d_name, tail)) {
			r = str_addf(&path, "%s/%s", dir, names[i]->d_name) < 0 ? err_nomem(s->err)
										: 0;
			if (r == 0)
				r = fn(s, path.s);
		}
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	return r;
}

static int
copy_apt(struct sources *s)
{
	static const struct {
		const char *dir, *tail;
		int (*fn)(struct sources *s, const char *path);
	} dirs[] = {
	    {"etc/apt/sources.list.d", ".list", copy_sources_file},
	    {"etc/apt/sources.list.d", ".sources", copy_sources_file},
	    {"etc/apt/trusted.gpg.d", ".gpg", copy_plain_file},
	    {"etc/apt/trusted.gpg.d", ".asc", copy_plain_file},
	    {"etc/apt/keyrings", ".gpg", copy_plain_file},
	    {"etc/apt/keyrings", ".asc", copy_plain_file},
	    {"etc/apt/auth.conf.d", ".conf", leave_credentials},
	};
	int r;

	r = copy_sources_file(s, "etc/apt/sources.list");
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]) && r == 0; i++)
		r = each_file(s, dirs[i].dir, dirs[i].tail, dirs[i].fn);
	if (r == 0)
		r = copy_plain_file(s, "etc/apt/trusted.gpg");
	if (r == 0 && dpkg_host_has(s->plan->host, "/etc/apt/auth.conf"))
		r = leave_credentials(s, "etc/apt/auth.conf");
	for (size_t i = 0; i < s->keys.n && r == 0; i++)
		r = copy_plain_file(s, s->keys.v[i]);
	return r;
}

/* ---- apt's marks ---- */

static bool
is_automatic_choice(const struct dpkg_plan *plan, const char *name, const char *arch)
{
	const struct dpkg_host *host = plan->host;

	for (uint32_t i = strmap_get(&host->by_name, name, strlen(name)); i != STRMAP_NONE;
	     i = host->pkgs[i].next_same_name)
		if (plan->choices[i].chosen && !plan->choices[i].wanted &&
		    (!strcmp(host->pkgs[i].arch, arch) || !strcmp(host->pkgs[i].arch, "all")))
			return true;
	return false;
}

/* Packages that were asked for are manual; the others as on the host. */
static int
write_states(struct sources *s)
{
	auto_free char *text = NULL;
	auto_str struct str out = {0};
	struct deb822 d = {.file = "/" STATES};
	struct deb822_field f;
	size_t len;
	int r;

	r = read_public(s, STATES, &text, &len);
	if (r < 0 || !text)
		return r;
	d.p = text;
	d.end = text + len;
	while (deb822_next(&d)) {
		char name[256] = "", arch[64] = "";
		bool automatic = false;

		while ((r = deb822_field(&d, &f, s->err)) > 0) {
			if (deb822_is(&f, "Package") && f.value_len < sizeof(name))
				memcpy(name, f.value, f.value_len);
			if (deb822_is(&f, "Architecture") && f.value_len < sizeof(arch))
				memcpy(arch, f.value, f.value_len);
			if (deb822_is(&f, "Auto-Installed"))
				automatic = f.value_len == 1 && *f.value == '1';
		}
		if (r < 0)
			return r;
		if (automatic && is_automatic_choice(s->plan, name, arch) &&
		    str_addf(&out, "Package: %s\nArchitecture: %s\nAuto-Installed: 1\n\n", name,
			     arch) < 0)
			return err_nomem(s->err);
	}
	return path_file_write_in_root(s->root_fd, STATES, out.s ? out.s : "", out.len, 0644,
				       s->err);
}

int
dpkg_sources_write(struct dpkg_plan *plan, int root_fd, struct pkg_notes *notes, struct err *err)
{
	struct sources s = {.plan = plan, .root_fd = root_fd, .notes = notes, .err = err};
	int r = 0;

	if (is_planned(&s, "usr/bin/apt-get") || plan->sparse) {
		r = copy_apt(&s);
		if (r == 0)
			r = write_states(&s);
	}
	for (size_t i = 0; i < plan->host->filters.files.n && r == 0; i++)
		r = copy_plain_file(&s, plan->host->filters.files.v[i]);
	strv_free(&s.keys);
	return r;
}

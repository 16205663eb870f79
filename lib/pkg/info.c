/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands beside the status file: the files of info/, diversions, stat overrides; and the links
 * of merged /usr, which make one file of two listed paths.
 */
#include "pkg/dpkg_priv.h"

#include "base/err.h"
#include "base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define INFO_DIR DPKG_ADMINDIR "/info"

const char *
dpkg_path_check(const char *path, size_t len)
{
	const char *p = path, *end = path + len, *slash;

	if (!len || *p != '/')
		return "is not absolute";
	if (len >= PATH_MAX)
		return "is too long";
	if (memchr(path, '\0', len))
		return "has a NUL byte";
	while (p < end) {
		p++; /* the slash */
		slash = memchr(p, '/', (size_t)(end - p));
		if (!slash)
			slash = end;
		if (slash == p)
			return "has an empty part";
		if ((slash - p == 1 && p[0] == '.') ||
		    (slash - p == 2 && p[0] == '.' && p[1] == '.'))
			return "has a part '.' or '..'";
		p = slash;
	}
	return NULL;
}

const char *
dpkg_path_resolve(const struct dpkg_host *host, struct arena *arena, const char *path)
{
	const char *rel = path + (*path == '/');
	size_t len = strlen(rel);

	for (size_t i = 0; i < host->n_aliases; i++) {
		const struct dpkg_alias *a = &host->aliases[i];
		char *resolved;

		if (len <= a->name_len || rel[a->name_len] != '/' ||
		    memcmp(rel, a->name, a->name_len) != 0)
			continue;
		resolved = arena_alloc(arena, a->target_len + len - a->name_len + 1);
		if (!resolved)
			return NULL;
		memcpy(resolved, a->target, a->target_len);
		memcpy(resolved + a->target_len, rel + a->name_len, len - a->name_len);
		return resolved;
	}
	return rel;
}

bool
dpkg_host_has(const struct dpkg_host *host, const char *path)
{
	return faccessat(host->base.root_fd, path + 1, F_OK, 0) == 0;
}

/* Top-level links into /usr: "bin -> usr/bin". Another link is the administrator's business. */
static int
read_aliases(struct dpkg_host *host, struct err *err)
{
	auto_closedir DIR *dir = NULL;
	struct dirent *de;
	int fd;

	fd = openat(host->base.root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		(void)err_set(err, ZE_IO, errno, "read the root directory");
		(void)fd_close(fd);
		return -ZE_IO;
	}
	while ((de = readdir(dir)) && host->n_aliases < DPKG_ALIAS_MAX) {
		struct dpkg_alias *a = &host->aliases[host->n_aliases];
		char target[256];
		const char *to = target;
		ssize_t n;

		if (de->d_type != DT_LNK && de->d_type != DT_UNKNOWN)
			continue;
		n = readlinkat(fd, de->d_name, target, sizeof(target) - 1);
		if (n <= 0)
			continue;
		target[n] = '\0';
		to += *to == '/';
		if (strncmp(to, "usr/", 4) != 0 || strcmp(to + 4, de->d_name) != 0)
			continue;
		a->name = arena_strndup(&host->base.arena, de->d_name, strlen(de->d_name));
		a->target = arena_strndup(&host->base.arena, to, strlen(to));
		if (!a->name || !a->target)
			return err_nomem(err);
		a->name_len = strlen(a->name);
		a->target_len = strlen(a->target);
		host->n_aliases++;
	}
	return 0;
}

/* ---- info/ ---- */

static const struct {
	const char *kind;
	enum dpkg_script script;
} script_kinds[] = {{"preinst", DPKG_PREINST}, {"postinst", DPKG_POSTINST}};

/* Give a file of info/ to its package. Files of packages that are not installed are nobody's. */
static int
add_info(struct dpkg_host *host, const char *file, struct err *err)
{
	const char *dot = strrchr(file, '.');
	struct dpkg_pkg *pkg;
	const char **bigger, *kind;
	uint32_t i;

	if (!dot)
		return 0;
	i = strmap_get(&host->by_key, file, (size_t)(dot - file));
	if (i == STRMAP_NONE)
		return 0;
	pkg = &host->pkgs[i];
	kind = arena_strndup(&host->base.arena, dot + 1, strlen(dot + 1));
	if (!kind)
		return err_nomem(err);
	if (pkg->n_info % 8 == 0) {
		bigger = arena_alloc(&host->base.arena, (pkg->n_info + 8) * sizeof(*bigger));
		if (!bigger)
			return err_nomem(err);
		if (pkg->n_info)
			memcpy(bigger, pkg->info, pkg->n_info * sizeof(*bigger));
		pkg->info = bigger;
	}
	pkg->info[pkg->n_info++] = kind;
	for (size_t k = 0; k < sizeof(script_kinds) / sizeof(script_kinds[0]); k++)
		if (!strcmp(kind, script_kinds[k].kind))
			pkg->scripts |= script_kinds[k].script;
	return 0;
}

static int
compare_strings(const void *a, const void *b)
{
	const char *const *sa = a, *const *sb = b;

	return strcmp(*sa, *sb);
}

static int
read_info_names(struct dpkg_host *host, struct err *err)
{
	auto_closedir DIR *dir = NULL;
	struct dirent *de;
	int fd, r;

	host->info_fd = openat(host->base.root_fd, INFO_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = host->info_fd < 0 ? -1 : fcntl(host->info_fd, F_DUPFD_CLOEXEC, 3);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		(void)err_set(err, ZE_PKG, errno, "read '/" INFO_DIR "'");
		(void)fd_close(fd);
		return -ZE_PKG;
	}
	while ((de = readdir(dir))) {
		r = add_info(host, de->d_name, err);
		if (r < 0)
			return r;
	}
	/* Directories have no order; two installations of one set shall be the same. */
	for (size_t i = 0; i < host->n_pkgs; i++)
		if (host->pkgs[i].n_info)
			qsort(host->pkgs[i].info, host->pkgs[i].n_info, sizeof(*host->pkgs[i].info),
			      compare_strings);
	return 0;
}

bool
dpkg_info_has(const struct dpkg_pkg *pkg, const char *kind)
{
	for (size_t i = 0; i < pkg->n_info; i++)
		if (!strcmp(pkg->info[i], kind))
			return true;
	return false;
}

/* A file below @dir_fd in the host's arena, with a NUL behind it; -ZE_NOENT if there is none. */
static int
read_at(struct dpkg_host *host, int dir_fd, const char *name, const char *shown, char **ret_text,
	size_t *ret_len, struct stat *ret_st, struct err *err)
{
	auto_close int fd = -EBADF;
	size_t len = 0;
	struct stat st;
	char *text;
	ssize_t n;

	fd = openat(dir_fd, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, errno == ENOENT ? ZE_NOENT : ZE_IO, errno, "open '%s%s'", shown,
			       name);
	if (fstat(fd, &st) < 0)
		return err_set(err, ZE_IO, errno, "stat '%s%s'", shown, name);
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > DPKG_FILE_MAX_BYTES)
		return err_set(err, ZE_PKG, 0, "'%s%s' is not a file of a sensible size", shown,
			       name);
	text = arena_alloc(&host->base.arena, (size_t)st.st_size + 1);
	if (!text)
		return err_nomem(err);
	while (len < (size_t)st.st_size) {
		n = read(fd, text + len, (size_t)st.st_size - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, ZE_IO, errno, "read '%s%s'", shown, name);
		if (n == 0)
			break;
		len += (size_t)n;
	}
	*ret_text = text;
	*ret_len = len;
	if (ret_st)
		*ret_st = st;
	return 0;
}

int
dpkg_info_read(struct dpkg_host *host, const struct dpkg_pkg *pkg, const char *kind,
	       char **ret_text, size_t *ret_len, struct err *err)
{
	auto_str struct str name = {0};

	if (str_addf(&name, "%s.%s", pkg->key, kind) < 0)
		return err_nomem(err);
	return read_at(host, host->info_fd, name.s, "/" INFO_DIR "/", ret_text, ret_len, NULL, err);
}

/* ---- lists ---- */

int
dpkg_list_parse(struct arena *arena, const char *file, char *text, size_t len,
		const char ***ret_paths, size_t *ret_n, struct err *err)
{
	char *p = text, *end = text + len, *eol;
	const char **paths, *wrong;
	size_t room = 1, n = 0;
	unsigned line = 1;

	for (const char *q = text; q < end && (q = memchr(q, '\n', (size_t)(end - q))); q++)
		room++;
	paths = arena_alloc(arena, room * sizeof(*paths));
	if (!paths)
		return err_nomem(err);
	for (; p < end; p = eol + 1, line++) {
		eol = memchr(p, '\n', (size_t)(end - p));
		if (!eol)
			eol = end; /* the NUL behind the text */
		if (eol - p == 2 && !memcmp(p, "/.", 2))
			continue;
		wrong = dpkg_path_check(p, (size_t)(eol - p));
		if (wrong)
			return err_set(err, ZE_PKG, 0, "%s:%u: the path %s", file, line, wrong);
		*eol = '\0';
		paths[n++] = p;
	}
	*ret_paths = paths;
	*ret_n = n;
	return 0;
}

int
dpkg_info_lists(struct dpkg_host *host, struct err *err)
{
	auto_str struct str name = {0}, shown = {0};
	struct stat st;
	size_t len;
	char *text;
	int r;

	if (host->has_lists)
		return 0;
	for (size_t i = 0; i < host->n_pkgs; i++) {
		struct dpkg_pkg *pkg = &host->pkgs[i];

		name.len = shown.len = 0;
		if (str_addf(&name, "%s.list", pkg->key) < 0 ||
		    str_addf(&shown, "/" INFO_DIR "/%s", name.s) < 0)
			return err_nomem(err);
		r = read_at(host, host->info_fd, name.s, "/" INFO_DIR "/", &text, &len, &st, err);
		if (r == -ZE_NOENT)
			/* dpkg goes on with a warning; a zone without the files would be broken. */
			return err_set(err, ZE_PKG, 0,
				       "'%s' is missing: the files of package '%s' are not known; "
				       "reinstall it",
				       shown.s, dpkg_label(pkg));
		if (r < 0)
			return r;
		pkg->list_mtime = st.st_mtime;
		r = dpkg_list_parse(&host->base.arena, shown.s, text, len, &pkg->paths,
				    &pkg->n_paths, err);
		if (r < 0)
			return r;
	}
	host->has_lists = true;
	return 0;
}

/* ---- diversions and overrides ---- */

/* A text of the database, or NULL if there is no such file. */
static int
read_optional(struct dpkg_host *host, const char *name, char **ret_text, size_t *ret_len,
	      struct err *err)
{
	int r;

	*ret_text = NULL;
	r = read_at(host, host->base.root_fd, name, "/", ret_text, ret_len, NULL, err);
	if (r == -ZE_NOENT) {
		err_clear(err);
		return 0;
	}
	if (r == 0 && memchr(*ret_text, '\0', *ret_len))
		return err_set(err, ZE_PKG, 0, "'/%s' has a NUL byte", name);
	return r;
}

/* Cut the next line off; NULL at the end. */
static char *
next_line(char **p)
{
	char *line = *p, *eol;

	if (!line || !*line)
		return NULL;
	eol = strchr(line, '\n');
	*p = eol ? eol + 1 : NULL;
	if (eol)
		*eol = '\0';
	return line;
}

static int
add_diversion(struct dpkg_host *host, const char *from, const char *to, const char *package,
	      unsigned line, struct err *err)
{
	struct dpkg_diversion *d = &host->diversions[host->n_diversions];

	if (dpkg_path_check(from, strlen(from)) || dpkg_path_check(to, strlen(to)) || !*package)
		return err_set(err, ZE_PKG, 0,
			       "/" DPKG_ADMINDIR "/diversions:%u: not two paths and a package",
			       line);
	d->from_listed = from;
	d->to_listed = to;
	d->from = dpkg_path_resolve(host, &host->base.arena, from);
	d->to = dpkg_path_resolve(host, &host->base.arena, to);
	d->package = strcmp(package, ":") ? package : NULL;
	if (!d->from || !d->to ||
	    strmap_put(&host->by_diverted, d->from, strlen(d->from), (uint32_t)host->n_diversions,
		       NULL) < 0)
		return err_nomem(err);
	host->n_diversions++;
	return 0;
}

static int
read_diversions(struct dpkg_host *host, struct err *err)
{
	char *text, *from, *to, *package;
	unsigned line = 1;
	size_t len, room = 1;
	int r;

	r = read_optional(host, DPKG_ADMINDIR "/diversions", &text, &len, err);
	if (r < 0 || !text)
		return r;
	for (size_t i = 0; i < len; i++)
		room += text[i] == '\n';
	host->diversions =
	    arena_alloc(&host->base.arena, (room / 3 + 1) * sizeof(*host->diversions));
	if (!host->diversions)
		return err_nomem(err);
	while ((from = next_line(&text))) {
		to = next_line(&text);
		package = to ? next_line(&text) : NULL;
		if (!package)
			return err_set(
			    err, ZE_PKG, 0,
			    "/" DPKG_ADMINDIR "/diversions:%u: the last entry is cut off", line);
		r = add_diversion(host, from, to, package, line, err);
		if (r < 0)
			return r;
		line += 3;
	}
	return 0;
}

/* "user group mode path": only the paths are of interest. */
static int
read_overrides(struct dpkg_host *host, struct err *err)
{
	char *text, *line, *path;
	const char *resolved;
	size_t len;
	int r;

	r = read_optional(host, DPKG_ADMINDIR "/statoverride", &text, &len, err);
	if (r < 0)
		return r;
	while ((line = next_line(&text))) {
		path = strchr(line, '/');
		if (!path || dpkg_path_check(path, strlen(path)))
			return err_set(err, ZE_PKG, 0,
				       "/" DPKG_ADMINDIR "/statoverride: no path in '%s'", line);
		resolved = dpkg_path_resolve(host, &host->base.arena, path);
		if (!resolved ||
		    strmap_put(&host->overridden, resolved, strlen(resolved), 1, NULL) < 0)
			return err_nomem(err);
	}
	return 0;
}

static int
check_format(struct dpkg_host *host, struct err *err)
{
	char *text;
	size_t len;
	int r;

	r = read_at(host, host->info_fd, "format", "/" INFO_DIR "/", &text, &len, NULL, err);
	if (r == -ZE_NOENT) {
		err_clear(err);
		return 0; /* dpkg before 1.16.2 wrote none; it means 0, of the same names */
	}
	if (r < 0)
		return r;
	if (strcmp(text, "1\n") != 0 && strcmp(text, "0\n") != 0)
		return err_set(err, ZE_NOTSUP, 0,
			       "'/" INFO_DIR "/format' says a format that is not known here");
	return 0;
}

int
dpkg_info_open(struct dpkg_host *host, struct err *err)
{
	int r;

	r = read_aliases(host, err);
	if (r == 0)
		r = read_info_names(host, err);
	if (r == 0)
		r = check_format(host, err);
	if (r == 0)
		r = read_diversions(host, err);
	if (r == 0)
		r = read_overrides(host, err);
	if (r == 0)
		r = dpkg_filters_read(host->base.root_fd, &host->base.arena, &host->filters, err);
	return r;
}

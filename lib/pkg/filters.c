/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dpkg's path filters. Images for containers and clouds leave out documentation and translations
 * that way: such paths are listed and missing, and nothing is wrong with it.
 */
#include "pkg/dpkg_priv.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#define CFG_MAX_BYTES ((size_t)1024 * 1024)
#define CFG_DIR       "etc/dpkg/dpkg.cfg.d"

static int
add_filter(struct dpkg_filters *filters, struct arena *arena, bool exclude, const char *glob,
	   struct err *err)
{
	struct dpkg_filter *bigger;
	size_t room;

	if (filters->n == filters->room) {
		room = filters->room ? filters->room * 2 : 16;
		bigger = reallocarray(filters->v, room, sizeof(*bigger));
		if (!bigger)
			return err_nomem(err);
		filters->v = bigger;
		filters->room = room;
	}
	filters->v[filters->n].exclude = exclude;
	filters->v[filters->n].glob = arena_strndup(arena, glob, strlen(glob));
	if (!filters->v[filters->n].glob)
		return err_nomem(err);
	filters->n++;
	return 0;
}

/* "path-exclude=GLOB" or "path-exclude GLOB"; every other line is not for us. */
static int
parse_line(struct dpkg_filters *filters, struct arena *arena, char *line, struct err *err)
{
	static const struct {
		const char *name;
		bool exclude;
	} options[] = {{"path-exclude", true}, {"path-include", false}};
	char *end;
	size_t len;

	line += strspn(line, " \t");
	for (end = line + strlen(line); end > line && strchr(" \t", end[-1]); end--)
		end[-1] = '\0';
	for (size_t i = 0; i < 2; i++) {
		len = strlen(options[i].name);
		if (strncmp(line, options[i].name, len) != 0 || !line[len] ||
		    !strchr("= \t", line[len]))
			continue;
		line += len + strspn(line + len, "= \t");
		return *line ? add_filter(filters, arena, options[i].exclude, line, err) : 0;
	}
	return 0;
}

static int
read_file(struct dpkg_filters *filters, struct arena *arena, int root_fd, const char *name,
	  struct err *err)
{
	auto_free char *text = NULL;
	size_t len, before = filters->n;
	char *line, *rest;
	int r;

	r = path_file_read_in_root(root_fd, name, CFG_MAX_BYTES, &text, &len, err);
	if (r == -ZE_NOENT || r == -ZE_FORMAT) {
		err_clear(err);
		return 0; /* dpkg does not read it either */
	}
	if (r < 0)
		return r;
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		r = parse_line(filters, arena, line, err);
		if (r < 0)
			return r;
	}
	if (filters->n > before && strv_add(&filters->files, name) < 0)
		return err_nomem(err);
	return 0;
}

/* Names of letters, digits, "_" and "-", as dpkg takes them. */
static int
is_config_name(const struct dirent *de)
{
	return de->d_name[strspn(de->d_name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					     "0123456789_-")] == '\0';
}

int
dpkg_filters_read(int root_fd, struct arena *arena, struct dpkg_filters *ret, struct err *err)
{
	struct dirent **names;
	int n, r = 0;

	n = scandirat(root_fd, CFG_DIR, &names, is_config_name, alphasort);
	if (n < 0 && errno != ENOENT)
		return err_set(err, ZE_IO, errno, "read '/" CFG_DIR "'");
	for (int i = 0; i < n; i++) {
		auto_free char *name = NULL;

		if (r == 0 && asprintf(&name, CFG_DIR "/%s", names[i]->d_name) < 0) {
			name = NULL; /* undefined after a failure */
			r = err_nomem(err);
		}
		if (r == 0)
			r = read_file(ret, arena, root_fd, name, err);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	if (r == 0)
		r = read_file(ret, arena, root_fd, "etc/dpkg/dpkg.cfg", err);
	return r;
}

bool
dpkg_filters_exclude(const struct dpkg_filters *filters, const char *path)
{
	auto_free char *absolute = NULL;

	if (!filters->n)
		return false;
	if (asprintf(&absolute, "/%s", path) < 0) {
		absolute = NULL; /* undefined after a failure */
		return false;
	}
	for (size_t i = filters->n; i-- > 0;)
		if (fnmatch(filters->v[i].glob, absolute, 0) == 0)
			return filters->v[i].exclude;
	return false;
}

void
dpkg_filters_free(struct dpkg_filters *filters)
{
	free(filters->v);
	strv_free(&filters->files);
	*filters = (struct dpkg_filters){0};
}

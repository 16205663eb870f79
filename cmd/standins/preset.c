/* SPDX-License-Identifier: Apache-2.0 */
#include "preset.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "unit.h"

#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PRESET_MAX_BYTES (256 * 1024)

/* The first of two directories wins with files of one name. */
static const char *const preset_dirs[] = {
    "/etc/systemd",
    "/run/systemd",
    "/usr/local/lib/systemd",
    "/usr/lib/systemd",
};

struct file {
	char *name, *path;
};

struct files {
	struct file *v;
	size_t n;
};

static void
files_free(struct files *files)
{
	for (size_t i = 0; i < files->n; i++) {
		free(files->v[i].name);
		free(files->v[i].path);
	}
	free(files->v);
}

static int
files_add(struct files *files, const char *dir, const char *name, struct err *err)
{
	struct file *v, *f;

	for (size_t i = 0; i < files->n; i++)
		if (strcmp(files->v[i].name, name) == 0)
			return 0;
	v = reallocarray(files->v, files->n + 1, sizeof(*v));
	if (!v)
		return err_nomem(err);
	files->v = v;
	f = &v[files->n];
	f->name = strdup(name);
	if (!f->name || asprintf(&f->path, "%s/%s", dir, name) < 0) {
		free(f->name);
		return err_nomem(err);
	}
	files->n++;
	return 0;
}

static int
file_cmp(const void *a, const void *b)
{
	return strcmp(((const struct file *)a)->name, ((const struct file *)b)->name);
}

static int
find_files(const char *scope, struct files *files, struct err *err)
{
	for (size_t i = 0; i < sizeof(preset_dirs) / sizeof(preset_dirs[0]); i++) {
		auto_closedir DIR *dir = NULL;
		auto_free char *path = NULL;
		struct dirent *de;
		int r;

		if (asprintf(&path, "%s/%s-preset", preset_dirs[i], scope) < 0)
			return err_nomem(err);
		dir = opendir(path);
		if (!dir)
			continue;
		while ((de = readdir(dir))) {
			if (fnmatch("*.preset", de->d_name, FNM_PERIOD) != 0)
				continue;
			r = files_add(files, path, de->d_name, err);
			if (r < 0)
				return r;
		}
	}
	if (files->n)
		qsort(files->v, files->n, sizeof(*files->v), file_cmp);
	return 0;
}

/* One rule. Returns 1: it is about @name and says *@ret_enable; 0: it is not. */
static int
read_rule(char *line, const char *name, bool *ret_enable, struct err *err)
{
	char *save = NULL, *word, *pattern;

	word = strtok_r(line, " \t\r", &save);
	if (!word || strchr("#;", *word))
		return 0;
	pattern = strtok_r(NULL, " \t\r", &save);
	if (!pattern || strtok_r(NULL, " \t\r", &save))
		return err_set(err, ZE_NOTSUP, 0, "a preset has an unusual rule");
	*ret_enable = strcmp(word, "enable") == 0;
	if (!*ret_enable && strcmp(word, "disable") != 0)
		return err_set(err, ZE_NOTSUP, 0, "a preset says '%s'", word);
	return fnmatch(pattern, name, FNM_NOESCAPE) == 0;
}

/* Returns 1 when the presets let the unit be enabled, which they do when none is about it. */
static int
wanted(const char *scope, const char *name, struct err *err)
{
	__attribute__((cleanup(files_free))) struct files files = {0};
	int r;

	r = find_files(scope, &files, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < files.n; i++) {
		auto_free char *content = NULL;
		char *save = NULL;
		bool enable = false;
		size_t size;

		r = path_file_read(files.v[i].path, PRESET_MAX_BYTES, &content, &size, err);
		if (r < 0)
			return err_set(err, ZE_NOTSUP, 0, "'%s' is not plain", files.v[i].path);
		for (char *l = strtok_r(content, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
			r = read_rule(l, name, &enable, err);
			if (r < 0)
				return r;
			if (r > 0)
				return enable;
		}
	}
	return 1;
}

/* Plan one link: "PATH" and, behind it in @links, what it points to. */
static int
plan_link(const char *path, const char *target, struct strv *links, struct err *err)
{
	char now[PATH_MAX];
	ssize_t n;

	n = readlink(path, now, sizeof(now) - 1);
	if (n >= 0) {
		now[n] = '\0';
		if (strcmp(now, target) == 0)
			return 0;
	}
	if (n >= 0 || errno != ENOENT)
		return err_set(err, ZE_NOTSUP, 0, "'%s' is there already", path);
	if (strv_add(links, path) < 0 || strv_add(links, target) < 0)
		return err_nomem(err);
	return 0;
}

static int
plan_line(const char *scope, const struct unit *unit, const struct unit_line *line,
	  const char *target, struct strv *links, struct err *err)
{
	auto_free char *target_name = NULL;
	auto_strv struct strv words = {0};
	int r = 0;

	if (unit_words(line, &words) < 0)
		return err_nomem(err);
	if (line->key != UNIT_ALIAS)
		r = unit_target_name(unit, &target_name, err);
	for (size_t i = 0; r == 0 && i < words.n; i++) {
		auto_free char *dir = NULL, *path = NULL;
		const char *word = words.v[i];

		if (strchr(word, '/') || !strchr(word, '.') || strchr(word, '@') ||
		    (line->key == UNIT_ALIAS &&
		     (strcmp(word, unit->name) == 0 ||
		      strcmp(strrchr(word, '.'), strrchr(unit->name, '.')) != 0)))
			return err_set(err, ZE_NOTSUP, 0, "'%s' names '%s'", unit->name, word);
		dir = line->key == UNIT_ALIAS ? NULL : unit_wants_dir(line, word);
		if (asprintf(&path, "/etc/systemd/%s/%s%s%s", scope, dir ? dir : word,
			     dir ? "/" : "", dir ? target_name : "") < 0)
			return err_nomem(err);
		r = plan_link(path, target, links, err);
	}
	return r;
}

static int
plan_unit(const char *scope, const char *name, struct strv *queue, struct strv *links,
	  struct err *err)
{
	auto_unit struct unit unit = {0};
	auto_free char *target = NULL;
	int r;

	r = unit_load(scope, name, &unit, err);
	if (r < 0)
		return r;
	/* systemd looks for system units in /lib first, and knows no /lib for user units. */
	if (asprintf(&target, "%s/systemd/%s/%s", strcmp(scope, "user") == 0 ? "/usr/lib" : "/lib",
		     scope, name) < 0)
		return err_nomem(err);
	for (size_t i = 0; r == 0 && i < unit.n_lines; i++) {
		const struct unit_line *line = &unit.lines[i];

		if (line->key == UNIT_ALSO) {
			auto_strv struct strv words = {0};

			if (unit_words(line, &words) < 0)
				return err_nomem(err);
			for (size_t j = 0; j < words.n; j++)
				if (!strv_has(queue, words.v[j]) && strv_add(queue, words.v[j]) < 0)
					return err_nomem(err);
		} else if (line->key != UNIT_DEFAULT_INSTANCE) {
			r = plan_line(scope, &unit, line, target, links, err);
		}
	}
	return r;
}

int
preset_enable(const char *scope, const char *name, struct err *err)
{
	auto_strv struct strv queue = {0}, links = {0};
	int r;

	if (strv_add(&queue, name) < 0)
		return err_nomem(err);
	for (size_t i = 0; i < queue.n; i++) {
		r = plan_unit(scope, queue.v[i], &queue, &links, err);
		if (r < 0)
			return r;
	}
	r = wanted(scope, name, err);
	if (r <= 0)
		return r;
	for (size_t i = 0; i < links.n; i += 2) {
		auto_free char *dir = strdup(links.v[i]);

		if (!dir)
			return err_nomem(err);
		*strrchr(dir, '/') = '\0';
		r = path_mkdir_p(dir, 0755, err);
		if (r < 0)
			return r;
		/* Two lines may ask for one link. */
		if (symlink(links.v[i + 1], links.v[i]) < 0 && errno != EEXIST)
			return err_set(err, ZE_IO, errno, "make the link '%s'", links.v[i]);
		(void)fprintf(stderr, "Created symlink %s \xe2\x86\x92 %s.\n", links.v[i],
			      links.v[i + 1]);
	}
	return 0;
}

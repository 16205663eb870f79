/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define UNIT_MAX_BYTES (256 * 1024)

static const char *const key_names[UNIT_KEY_COUNT] = {
    [UNIT_ALIAS] = "Alias",
    [UNIT_ALSO] = "Also",
    [UNIT_DEFAULT_INSTANCE] = "DefaultInstance",
    [UNIT_REQUIRED_BY] = "RequiredBy",
    [UNIT_WANTED_BY] = "WantedBy",
};

/* Where a file of the unit's name would win over the one of its package. */
static const char *const earlier_dirs[] = {
    "/etc/systemd/%s.control",
    "/run/systemd/%s.control",
    "/run/systemd/transient",
    "/run/systemd/%s",
    "/run/systemd/generator.early",
    "/run/systemd/generator",
    "/etc/systemd/%s.attached",
    "/run/systemd/%s.attached",
    "/etc/systemd/%s",
    "/usr/local/share/systemd/%s",
    "/usr/share/systemd/%s",
    "/usr/local/lib/systemd/%s",
};

/* Where drop-ins of packages are, besides the directories above. */
static const char *const vendor_dirs[] = {"/lib/systemd/%s", "/usr/lib/systemd/%s"};

static int
not_plain(const char *name, const char *why, struct err *err)
{
	return err_set(err, ZE_NOTSUP, 0, "unit '%s' %s", name, why);
}

/* 1: DIR/NAME exists in one of @dirs; 0: in none. */
static int
exists_in(const char *const *dirs, size_t n, const char *scope, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		auto_str struct str path = {0};
		const char *at = strstr(dirs[i], "%s");
		struct stat st;

		if (str_add(&path, dirs[i], at ? (size_t)(at - dirs[i]) : strlen(dirs[i])) < 0 ||
		    str_addf(&path, "%s%s/%s", at ? scope : "", at ? at + 2 : "", name) < 0)
			return -ZE_NOMEM;
		if (lstat(path.s, &st) == 0)
			return 1;
	}
	return 0;
}

static int
dropin_exists(const char *scope, const char *name)
{
	size_t n_earlier = sizeof(earlier_dirs) / sizeof(earlier_dirs[0]);
	int r;

	r = exists_in(earlier_dirs, n_earlier, scope, name);
	return r ? r : exists_in(vendor_dirs, 2, scope, name);
}

/* foo-bar.service is extended by foo-bar.service.d, foo-.service.d and service.d. */
static int
has_dropins(const char *scope, const char *name, struct err *err)
{
	const char *suffix = strrchr(name, '.');
	auto_strv struct strv dirs = {0};
	int r;

	if (strv_addf(&dirs, "%s.d", name) < 0 || strv_addf(&dirs, "%s.d", suffix + 1) < 0)
		return err_nomem(err);
	for (const char *dash = strchr(name, '-'); dash && dash < suffix;
	     dash = strchr(dash + 1, '-'))
		if (strv_addf(&dirs, "%.*s%s.d", (int)(dash - name + 1), name, suffix) < 0)
			return err_nomem(err);
	for (size_t i = 0; i < dirs.n; i++) {
		r = dropin_exists(scope, dirs.v[i]);
		if (r < 0)
			return err_nomem(err);
		if (r)
			return not_plain(name, "has drop-ins", err);
	}
	return 0;
}

static int
add_line(struct unit *unit, enum unit_key key, const char *text, struct err *err)
{
	struct unit_line *lines;

	lines = reallocarray(unit->lines, unit->n_lines + 1, sizeof(*lines));
	if (!lines)
		return err_nomem(err);
	unit->lines = lines;
	lines[unit->n_lines].key = key;
	lines[unit->n_lines].text = strdup(text);
	if (!lines[unit->n_lines].text)
		return err_nomem(err);
	unit->n_lines++;
	return 0;
}

/*
 * One line. The two programs that read unit files at an installation differ in what they make of
 * unusual writing (blanks, case, a key outside [Install]), so only the usual one is taken.
 */
static int
read_line(struct unit *unit, const char *line, bool in_install, struct err *err)
{
	const char *text = line + strspn(line, " \t");
	size_t len = strlen(line), key;

	for (key = 0; key < UNIT_KEY_COUNT; key++)
		if (strncasecmp(text, key_names[key], strlen(key_names[key])) == 0 &&
		    strchr("= \t", text[strlen(key_names[key])]))
			break;
	if (in_install && len && line[len - 1] == '\\')
		return not_plain(unit->name, "continues a line", err);
	if (key == UNIT_KEY_COUNT || *text == '#' || *text == ';')
		return 0;
	text += strlen(key_names[key]);
	if (!in_install || strncmp(line, key_names[key], strlen(key_names[key])) != 0 ||
	    *text != '=' || !text[1] || strchr(" \t", text[1]) || strchr(" \t\r", line[len - 1]) ||
	    strpbrk(text + 1, "\"'\\%"))
		return not_plain(unit->name, "has an unusual [Install] section", err);
	for (size_t i = 0; key == UNIT_DEFAULT_INSTANCE && i < unit->n_lines; i++)
		if (unit->lines[i].key == UNIT_DEFAULT_INSTANCE)
			return not_plain(unit->name, "has two default instances", err);
	return add_line(unit, (enum unit_key)key, text + 1, err);
}

int
unit_load(const char *scope, const char *name, struct unit *ret, struct err *err)
{
	auto_unit struct unit unit = {0};
	auto_free char *path = NULL, *content = NULL;
	const char *suffix = strrchr(name, '.');
	bool in_install = false;
	struct stat st;
	size_t size;
	char *line, *save = NULL;
	int r;

	unit.name = strdup(name);
	if (!unit.name || asprintf(&path, "/lib/systemd/%s/%s", scope, name) < 0)
		return err_nomem(err);
	if (strchr(name, '/') || !suffix || suffix == name)
		return not_plain(name, "has an unusual name", err);
	if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
		return not_plain(name, "is not a file of a package", err);
	r = exists_in(earlier_dirs, sizeof(earlier_dirs) / sizeof(earlier_dirs[0]), scope, name);
	if (r < 0)
		return err_nomem(err);
	if (r > 0)
		return not_plain(name, "is replaced", err);
	r = has_dropins(scope, name, err);
	if (r < 0)
		return r;
	r = path_file_read(path, UNIT_MAX_BYTES, &content, &size, err);
	if (r < 0)
		return not_plain(name, "cannot be read", err);
	if (strlen(content) != size)
		return not_plain(name, "is no text", err);
	for (line = strtok_r(content, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (line[0] == '[')
			in_install = strcmp(line, "[Install]") == 0;
		r = read_line(&unit, line, in_install, err);
		if (r < 0)
			return r;
	}
	*ret = unit;
	unit = (struct unit){0};
	return 0;
}

void
unit_free(struct unit *unit)
{
	for (size_t i = 0; i < unit->n_lines; i++)
		free(unit->lines[i].text);
	free(unit->lines);
	free(unit->name);
	*unit = (struct unit){0};
}

int
unit_target_name(const struct unit *unit, char **ret, struct err *err)
{
	const char *suffix = strrchr(unit->name, '.'), *instance = NULL;
	int stem = (int)(suffix - unit->name);

	for (size_t i = 0; i < unit->n_lines; i++)
		if (unit->lines[i].key == UNIT_DEFAULT_INSTANCE)
			instance = unit->lines[i].text;
	if (unit->name[stem - 1] != '@') {
		if (instance || strchr(unit->name, '@'))
			return not_plain(unit->name, "is an instance", err);
		*ret = strdup(unit->name);
		return *ret ? 0 : err_nomem(err);
	}
	if (!instance)
		return not_plain(unit->name, "has no default instance", err);
	if (asprintf(ret, "%.*s%s%s", stem, unit->name, instance, suffix) < 0)
		return err_nomem(err);
	return 0;
}

int
unit_words(const struct unit_line *line, struct strv *ret)
{
	for (const char *p = line->text; *p;) {
		size_t len = strcspn(p, " \t");

		if (len && strv_addf(ret, "%.*s", (int)len, p) < 0)
			return -ZE_NOMEM;
		p += len + (p[len] != '\0');
	}
	return 0;
}

char *
unit_wants_dir(const struct unit_line *line, const char *word)
{
	char *dir;

	if (asprintf(&dir, "%s.%s", word, line->key == UNIT_WANTED_BY ? "wants" : "requires") < 0)
		return NULL;
	return dir;
}

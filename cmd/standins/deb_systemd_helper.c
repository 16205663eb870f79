/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands in for deb-systemd-helper, a perl program that takes 35 ms each time and starts systemctl
 * for as long again. It does what package scripts ask for on a first installation: unmask, enable,
 * was-enabled, debian-installed, update-state, each for units with plain files. Links and state
 * files are byte for byte those of the real program, which gets every other request.
 *
 * The state of unit U: STATE/U.dsh-also lists the links that enabling U makes, one path a line, and
 * for each link /etc/systemd/SCOPE/PATH there is an empty file STATE/PATH.
 *
 * Source: deb-systemd-helper(1p).
 */
#include "base/err.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "covered.h"
#include "preset.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME            "deb-systemd-helper"
#define STATE_MAX_BYTES (1024 * 1024)
#define DEPTH_MAX       16

struct scope {
	const char *name;
	const char *enabled_dir, *masked_dir;
};

static const struct scope scopes[] = {
    {"system", "/var/lib/systemd/deb-systemd-helper-enabled",
     "/var/lib/systemd/deb-systemd-helper-masked"},
    {"user", "/var/lib/systemd/deb-systemd-user-helper-enabled",
     "/var/lib/systemd/deb-systemd-user-helper-masked"},
};

/* Links that enabling a unit makes: pairs of a path and what it points to, repetitions included. */
struct closure {
	const struct scope *scope;
	struct strv links;
};

static bool
is_link(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

static int
add_link(struct closure *c, const char *dir, const char *name, const char *unit)
{
	if (strv_addf(&c->links, "/etc/systemd/%s/%s%s%s", c->scope->name, dir ? dir : "",
		      dir ? "/" : "", name) < 0)
		return -ZE_NOMEM;
	return strv_addf(&c->links, "/lib/systemd/%s/%s", c->scope->name, unit);
}

static int closure_unit(struct closure *c, const char *name, const struct strv *visited, int depth,
			struct err *err);

/* Units named by Also=: their links come where the line stands. */
static int
closure_also(struct closure *c, const struct unit *unit, const struct strv *words,
	     struct strv *visited, int depth, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < words->n; i++) {
		if (strcmp(words->v[i], unit->name) == 0 || strv_has(visited, words->v[i]))
			continue;
		if (strv_add(visited, words->v[i]) < 0)
			return err_nomem(err);
		r = closure_unit(c, words->v[i], visited, depth + 1, err);
	}
	return r;
}

static int
closure_aliases(struct closure *c, const struct unit *unit, const struct unit_line *line,
		const struct strv *words, struct err *err)
{
	/* The real program names the link by the whole line, so more than one word is its to do. */
	if (words->n != 1)
		return err_set(err, ZE_NOTSUP, 0, "unit '%s' has several aliases in a line",
			       unit->name);
	if (strcmp(words->v[0], unit->name) != 0 && add_link(c, NULL, line->text, unit->name) < 0)
		return err_nomem(err);
	return 0;
}

/* Links in .wants and .requires directories come last, whatever the order of the lines. */
static int
closure_wants(struct closure *c, const struct unit *unit, struct err *err)
{
	auto_free char *target = NULL;
	int r;

	for (size_t i = 0; i < unit->n_lines; i++) {
		const struct unit_line *line = &unit->lines[i];
		auto_strv struct strv words = {0};

		if (line->key != UNIT_WANTED_BY && line->key != UNIT_REQUIRED_BY)
			continue;
		if (unit_words(line, &words) < 0)
			return err_nomem(err);
		if (!target) {
			r = unit_target_name(unit, &target, err);
			if (r < 0)
				return r;
		}
		for (size_t j = 0; j < words.n; j++) {
			auto_free char *dir = unit_wants_dir(line, words.v[j]);

			if (!dir || add_link(c, dir, target, unit->name) < 0)
				return err_nomem(err);
		}
	}
	return 0;
}

static int
closure_unit(struct closure *c, const char *name, const struct strv *visited, int depth,
	     struct err *err)
{
	auto_unit struct unit unit = {0};
	auto_strv struct strv seen = {0};
	int r;

	if (depth > DEPTH_MAX)
		return err_set(err, ZE_NOTSUP, 0, "unit '%s' is deep in Also= lines", name);
	r = unit_load(c->scope->name, name, &unit, err);
	if (r < 0)
		return r;
	for (size_t i = 0; visited && i < visited->n; i++)
		if (strv_add(&seen, visited->v[i]) < 0)
			return err_nomem(err);
	for (size_t i = 0; r == 0 && i < unit.n_lines; i++) {
		auto_strv struct strv words = {0};

		if (unit_words(&unit.lines[i], &words) < 0)
			return err_nomem(err);
		if (unit.lines[i].key == UNIT_ALSO)
			r = closure_also(c, &unit, &words, &seen, depth, err);
		else if (unit.lines[i].key == UNIT_ALIAS)
			r = closure_aliases(c, &unit, &unit.lines[i], &words, err);
	}
	return r < 0 ? r : closure_wants(c, &unit, err);
}

/* The lines of a unit's state file; none when there is no such file. */
static int
state_read(const struct scope *scope, const char *unit, struct strv *ret, struct err *err)
{
	auto_free char *path = NULL, *content = NULL;
	char *save = NULL;
	size_t size;
	int r;

	if (asprintf(&path, "%s/%s.dsh-also", scope->enabled_dir, unit) < 0)
		return err_nomem(err);
	r = path_file_read(path, STATE_MAX_BYTES, &content, &size, err);
	if (r == -ZE_NOENT) {
		err_clear(err);
		return 0;
	}
	if (r < 0)
		return r;
	for (char *l = strtok_r(content, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		if (strv_add(ret, l) < 0)
			return err_nomem(err);
	return 0;
}

static int
state_write(const struct scope *scope, const char *unit, const struct strv *lines, struct err *err)
{
	auto_free char *path = NULL;
	auto_str struct str text = {0};
	int r;

	for (size_t i = 0; i < lines->n; i++)
		if (str_addf(&text, "%s\n", lines->v[i]) < 0)
			return err_nomem(err);
	if (asprintf(&path, "%s/%s.dsh-also", scope->enabled_dir, unit) < 0)
		return err_nomem(err);
	r = path_mkdir_p(scope->enabled_dir, 0755, err);
	if (r < 0)
		return r;
	return path_file_replace(path, text.s ? text.s : "", text.len, 0644, err);
}

static int
do_update_state(const struct scope *scope, const char *unit, struct err *err)
{
	struct closure c = {.scope = scope};
	auto_strv struct strv lines = {0};
	int r;

	r = closure_unit(&c, unit, NULL, 0, err);
	for (size_t i = 0; r == 0 && i < c.links.n; i += 2)
		r = strv_add(&lines, c.links.v[i]) < 0 ? err_nomem(err) : 0;
	strv_free(&c.links);
	return r < 0 ? r : state_write(scope, unit, &lines, err);
}

static int
make_parent(const char *path, struct err *err)
{
	auto_free char *dir = strdup(path);

	if (!dir)
		return err_nomem(err);
	*strrchr(dir, '/') = '\0';
	return path_mkdir_p(dir, 0755, err);
}

/* Remember that a link was made once, and make it if @create says so. */
static int
enable_link(const struct scope *scope, const char *link, const char *target, bool create,
	    struct err *err)
{
	const char *rest = link + strlen("/etc/systemd/") + strlen(scope->name);
	auto_free char *mark = NULL;
	auto_close int fd = -EBADF;
	int r;

	if (asprintf(&mark, "%s%s", scope->enabled_dir, rest) < 0)
		return err_nomem(err);
	if (access(mark, F_OK) == 0)
		return 0;
	if (create && !is_link(link)) {
		r = make_parent(link, err);
		if (r < 0)
			return r;
		if (symlink(target, link) < 0)
			return err_set(err, ZE_IO, errno, "make the link '%s'", link);
	}
	r = make_parent(mark, err);
	if (r < 0)
		return r;
	fd = open(mark, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	return fd < 0 ? err_set(err, ZE_IO, errno, "make '%s'", mark) : 0;
}

static int
enable_links(const struct scope *scope, const char *unit, const struct strv *links, bool create,
	     struct err *err)
{
	auto_strv struct strv state = {0};
	int r;

	r = state_read(scope, unit, &state, err);
	for (size_t i = 0; r == 0 && i < links->n; i += 2)
		if (!strv_has(&state, links->v[i]) && strv_add(&state, links->v[i]) < 0)
			r = err_nomem(err);
	if (r == 0 && links->n)
		r = state_write(scope, unit, &state, err);
	for (size_t i = 0; r == 0 && i < links->n; i += 2)
		r = enable_link(scope, links->v[i], links->v[i + 1], create, err);
	return r;
}

static bool
state_exists(const struct scope *scope, const char *unit)
{
	auto_free char *path = NULL;
	struct stat st;

	if (asprintf(&path, "%s/%s.dsh-also", scope->enabled_dir, unit) < 0)
		return false;
	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/*
 * The first time, the presets decide with systemd's own rules which links there are; afterwards a
 * link that is new in the unit is made only if the unit is not disabled.
 */
static int
do_enable(const struct scope *scope, const char *unit, struct err *err)
{
	struct closure c = {.scope = scope};
	bool create = false;
	int r;

	r = closure_unit(&c, unit, NULL, 0, err);
	if (r == 0 && access("/bin/systemctl", X_OK) < 0)
		r = err_set(err, ZE_NOTSUP, 0, "there is no systemctl");
	if (r == 0 && state_exists(scope, unit)) {
		for (size_t i = 0; i < c.links.n; i += 2)
			create = create || is_link(c.links.v[i]);
	} else if (r == 0) {
		r = preset_enable(scope->name, unit, err);
	}
	if (r == 0)
		r = enable_links(scope, unit, &c.links, create, err);
	strv_free(&c.links);
	return r;
}

/* Nothing is masked on a first installation; where something is, the real program is at work. */
static int
do_unmask(const struct scope *scope, const char *unit, struct err *err)
{
	auto_free char *path = NULL;
	struct stat st;

	if (asprintf(&path, "/etc/systemd/%s/%s", scope->name, unit) < 0)
		return err_nomem(err);
	if (strchr(unit, '/') || lstat(path, &st) == 0 || lstat(scopes[0].masked_dir, &st) == 0 ||
	    lstat(scopes[1].masked_dir, &st) == 0)
		return err_set(err, ZE_NOTSUP, 0, "something is masked");
	return 0;
}

/* Returns 1 for yes, 0 for no. */
static int
do_was_enabled(const struct scope *scope, const char *unit, struct err *err)
{
	auto_strv struct strv links = {0};
	int r;

	r = state_read(scope, unit, &links, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < links.n; i++)
		if (!is_link(links.v[i]))
			return 0;
	return 1;
}

static int
do_debian_installed(const struct scope *scope, const char *unit, struct err *err)
{
	(void)err;
	return state_exists(scope, unit);
}

struct action {
	const char *name;
	int (*fn)(const struct scope *scope, const char *unit, struct err *err);
	bool question; /* the exit status is 0 if the answer is yes for one unit at least */
	bool says;     /* prints the answer unless --quiet */
};

static const struct action actions[] = {
    {"unmask", do_unmask, false, false},
    {"enable", do_enable, false, false},
    {"update-state", do_update_state, false, false},
    {"was-enabled", do_was_enabled, true, true},
    {"debian-installed", do_debian_installed, true, false},
};

struct request {
	const struct action *action;
	const struct scope *scope;
	bool quiet;
	int first_unit; /* index into argv */
};

/* Only options before the action and units behind it: what package scripts write. */
static bool
request_parse(int argc, char **argv, struct request *req)
{
	const char *root = getenv("DPKG_ROOT");
	struct stat st;
	int i = 1;

	*req = (struct request){.scope = &scopes[0]};
	if (!getenv("DPKG_MAINTSCRIPT_PACKAGE") || getenv("_DEB_SYSTEMD_HELPER_DEBUG") ||
	    getenv("_DEB_SYSTEMD_HELPER_PURGE") || (root && *root) ||
	    lstat("/run/systemd/system", &st) == 0)
		return false;
	for (; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "--quiet") == 0)
			req->quiet = true;
		else if (strcmp(argv[i], "--user") == 0)
			req->scope = &scopes[1];
		else if (strcmp(argv[i], "--system") != 0)
			return false;
	}
	for (size_t a = 0; i < argc && a < sizeof(actions) / sizeof(actions[0]); a++)
		if (strcmp(actions[a].name, argv[i]) == 0)
			req->action = &actions[a];
	req->first_unit = i + 1;
	for (i++; i < argc; i++)
		if (argv[i][0] == '-' || strchr(argv[i], '/'))
			return false;
	return req->action != NULL;
}

/* Units before @unit are done: the real program gets the others. */
static int
hand_over(char **argv, const struct request *req, int unit)
{
	if (req->action && !req->action->question) {
		int keep = req->first_unit;

		while ((argv[keep++] = argv[unit++]))
			;
	}
	return covered_exec(NAME, argv);
}

int
main(int argc, char **argv)
{
	struct request req;
	struct err err = {0};
	bool yes = false;
	int r;

	if (!request_parse(argc, argv, &req))
		return covered_exec(NAME, argv);
	for (int i = req.first_unit; i < argc; i++) {
		r = req.action->fn(req.scope, argv[i], &err);
		if (r == -ZE_NOTSUP)
			return hand_over(argv, &req, i);
		if (r < 0) {
			(void)fprintf(stderr, NAME ": %s\n", err.msg);
			return 1;
		}
		if (req.action->says && !req.quiet)
			(void)fprintf(stderr, "%s\n", r ? "enabled" : "disabled");
		yes = yes || r > 0;
	}
	return req.action->question && !yes;
}

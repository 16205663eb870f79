/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scripts of a zone's packages, in the order of Debian's own bootstrap:
 *
 *   1. preinst of the early packages (essential ones and what a preinst relies on), whose files are
 *      there already; then their postinst, base-passwd and base-files first
 *   2. level by level, the preinst of late packages, then their files: a preinst may make the user
 *      that owns them
 *   3. postinst of the late packages, each after those it needs
 *   4. the database says installed, with the triggers that all this set off; dpkg processes them
 *
 * Scripts are run directly, as dpkg would: its own run takes several times as long, most of it for
 * writing its database after every package.
 */
#include "pkg/dpkg_priv.h"

#include "base/err.h"
#include "base/fd.h"

#include <stdlib.h>
#include <string.h>

#define SCRIPT_TIMEOUT_MS   (10 * 60 * 1000)
#define TRIGGERS_TIMEOUT_MS (30 * 60 * 1000)

static const char *const common_env[] = {
    "DPKG_ROOT=",
    ("DPKG_ADMINDIR=/" DPKG_ADMINDIR),
    "DPKG_MAINTSCRIPT_DEBUG=0",
    "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME=/root",
    "LC_ALL=C.UTF-8",
    "TERM=dumb",
    "DEBIAN_FRONTEND=noninteractive",
    "DEBCONF_NONINTERACTIVE_SEEN=true",
};
#define N_COMMON (sizeof(common_env) / sizeof(common_env[0]))

/* Scripts whose work is done by the way a zone is made. */
static const struct {
	const char *package, *script;
} done_scripts[] = {
    {"usrmerge", "preinst"}, /* the zone's /usr is merged or not as the host's is */
};

/* Programs that take long for nothing in a zone that is being made, and what stands in for them. */
static const struct {
	struct pkg_standin standin;
	bool sparse_only; /* it writes below /usr alone: of the host, and thrown away */
} standins[] = {
    {{"zones-noop", "/usr/bin/mandb"}, false},        /* a timer rebuilds the index every day */
    {{"zones-noop", "/usr/bin/systemd-hwdb"}, false}, /* no zone has a udev */
    {{"zones-maintscript-helper", "/usr/bin/dpkg-maintscript-helper"}, false},
    {{"zones-deb-systemd-helper", "/usr/bin/deb-systemd-helper"}, false},
    {{"zones-noop", "/usr/bin/py3compile"}, true},
    {{"zones-noop", "/usr/bin/update-mime-database"}, true},
    {{"zones-noop", "/usr/bin/gtk-update-icon-cache"}, true},
};
#define N_STANDINS (sizeof(standins) / sizeof(standins[0]))

/* ---- scripts that do nothing ---- */

/* "dpkg-maintscript-helper ACTION words -- "$@"", with no word that the shell would look at. */
static bool
is_helper_call(const char *line, size_t len)
{
	static const char *const actions[] = {"rm_conffile", "mv_conffile", "symlink_to_dir",
					      "dir_to_symlink"};
	static const char name[] = "dpkg-maintscript-helper ", tail[] = " -- \"$@\"";
	const size_t name_len = sizeof(name) - 1, tail_len = sizeof(tail) - 1;
	const char *rest = line + name_len;

	if (len < name_len + tail_len || memcmp(line, name, name_len) != 0 ||
	    memcmp(line + len - tail_len, tail, tail_len) != 0)
		return false;
	for (size_t i = 0; i < len - tail_len; i++)
		if (strchr(";&|<>`$\\(){}*?[]!\n", line[i]))
			return false;
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (!strncmp(rest, actions[i], strlen(actions[i])) &&
		    rest[strlen(actions[i])] == ' ')
			return true;
	return false;
}

static bool
is_idle_line(const char *line, size_t len)
{
	static const char *const idle[] = {"", "set -e", "set -eu", "exit 0", ":"};

	while (len > 0 && (*line == ' ' || *line == '\t')) {
		line++;
		len--;
	}
	while (len > 0 && (line[len - 1] == ' ' || line[len - 1] == '\t'))
		len--;
	/* A comment that ends in a backslash does not go on in the next line. */
	if (len > 0 && *line == '#')
		return true;
	for (size_t i = 0; i < sizeof(idle) / sizeof(idle[0]); i++)
		if (len == strlen(idle[i]) && !memcmp(line, idle[i], len))
			return true;
	return is_helper_call(line, len);
}

bool
dpkg_script_is_empty(const char *text, size_t len)
{
	static const char *const shells[] = {"#!/bin/sh", "#! /bin/sh", "#!/bin/bash",
					     "#!/usr/bin/sh"};
	const char *end = text + len, *eol;
	bool shell = false;

	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++)
		shell |= len > strlen(shells[i]) && !memcmp(text, shells[i], strlen(shells[i])) &&
			 strchr("\n ", text[strlen(shells[i])]);
	if (!shell)
		return false;
	for (const char *p = text; p < end; p = eol + 1) {
		eol = memchr(p, '\n', (size_t)(end - p));
		if (!eol)
			eol = end;
		if (!is_idle_line(p, (size_t)(eol - p)))
			return false;
	}
	return true;
}

/* ---- the list ---- */

struct builder {
	struct dpkg_plan *plan;
	size_t room;
	struct err *err;
};

static int
add_step(struct builder *b, const struct pkg_step *step, enum dpkg_action_kind kind, uint8_t level)
{
	struct pkg_plan *base = &b->plan->base;
	struct dpkg_action *actions;
	struct pkg_step *steps;
	size_t room;

	if (base->n_steps == b->room) {
		room = b->room ? b->room * 2 : 256;
		steps = reallocarray(base->steps, room, sizeof(*steps));
		if (!steps)
			return err_nomem(b->err);
		base->steps = steps;
		actions = reallocarray(b->plan->actions, room, sizeof(*actions));
		if (!actions)
			return err_nomem(b->err);
		b->plan->actions = actions;
		b->room = room;
	}
	b->plan->actions[base->n_steps] = (struct dpkg_action){.kind = kind, .level = level};
	base->steps[base->n_steps++] = *step;
	return 0;
}

static int
add_host_step(struct builder *b, const char *what, enum dpkg_action_kind kind, uint8_t level)
{
	struct pkg_step step = {.package = "", .what = what};

	return add_step(b, &step, kind, level);
}

/* dpkg's version without revision and epoch is what it calls itself. */
static const char *const *
make_env(struct builder *b, const struct dpkg_pkg *pkg, const char *script)
{
	struct arena *arena = &b->plan->base.arena;
	const char **env = arena_alloc(arena, (N_COMMON + 7) * sizeof(*env));
	const char *version = b->plan->host->dpkg_version;
	size_t n = N_COMMON;

	if (!env)
		return NULL;
	memcpy(env, common_env, sizeof(common_env));
	env[n++] =
	    arena_printf(arena, "DPKG_RUNNING_VERSION=%.*s", (int)strcspn(version, "-"), version);
	if (pkg) {
		env[n++] = arena_printf(arena, "DPKG_MAINTSCRIPT_PACKAGE=%s", pkg->name);
		env[n++] = arena_printf(arena, "DPKG_MAINTSCRIPT_ARCH=%s", pkg->arch);
		env[n++] = arena_printf(arena, "DPKG_MAINTSCRIPT_NAME=%s", script);
		env[n++] = "DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT=1";
		/* debconf reads the name of a preinst's package where dpkg unpacks it. */
		if (!strcmp(script, "preinst"))
			env[n++] = arena_printf(arena, "DEBCONF_PACKAGE=%s", pkg->name);
	}
	for (size_t i = N_COMMON; i < n; i++)
		if (!env[i])
			return NULL;
	return env;
}

static bool
is_done_script(const struct dpkg_pkg *pkg, const char *script)
{
	for (size_t i = 0; i < sizeof(done_scripts) / sizeof(done_scripts[0]); i++)
		if (!strcmp(pkg->name, done_scripts[i].package) &&
		    !strcmp(script, done_scripts[i].script))
			return true;
	return false;
}

static int
add_script(struct builder *b, uint32_t package, enum dpkg_script which)
{
	const struct dpkg_pkg *pkg = &b->plan->host->pkgs[package];
	const char *script = which == DPKG_PREINST ? "preinst" : "postinst";
	struct arena *arena = &b->plan->base.arena;
	struct pkg_step step = {
	    .package = dpkg_label(pkg), .what = script, .timeout_ms = SCRIPT_TIMEOUT_MS};
	const char **argv;
	char *text;
	size_t len;
	int r;

	if (!(pkg->scripts & which) || is_done_script(pkg, script))
		return 0;
	r = dpkg_info_read(b->plan->host, pkg, script, &text, &len, b->err);
	if (r < 0)
		return r;
	if (dpkg_script_is_empty(text, len))
		return 0;
	argv = arena_alloc(arena, 4 * sizeof(*argv));
	if (!argv)
		return err_nomem(b->err);
	argv[0] = arena_printf(arena, "/" DPKG_ADMINDIR "/info/%s.%s", pkg->key, script);
	argv[1] = which == DPKG_PREINST ? "install" : "configure";
	/* postinst: never configured before. preinst: no older version, and so no argument. */
	argv[2] = which == DPKG_PREINST ? NULL : "";
	step.argv = argv;
	step.envp = make_env(b, pkg, script);
	if (!argv[0] || !step.envp)
		return err_nomem(b->err);
	return add_step(b, &step, DPKG_RUN, 0);
}

/* One kind of script of the early or of the late packages. @level: 0 for all, else only of that. */
static int
add_scripts(struct builder *b, bool early, enum dpkg_script which, unsigned level)
{
	const struct dpkg_plan *plan = b->plan;
	int r = 0;

	for (size_t i = 0; i < plan->n_chosen && r == 0; i++) {
		uint32_t package = plan->order[i];

		if (plan->early[package] == early && (!level || plan->levels[package] == level))
			r = add_script(b, package, which);
	}
	return r;
}

static int
add_levels(struct builder *b)
{
	unsigned last = 0;
	int r = 0;

	for (size_t i = 0; i < b->plan->n_chosen; i++)
		if (b->plan->levels[b->plan->order[i]] > last)
			last = b->plan->levels[b->plan->order[i]];
	for (unsigned level = 1; level <= last && r == 0; level++) {
		r = add_scripts(b, false, DPKG_PREINST, level);
		if (r == 0)
			r = add_host_step(b, "copy", DPKG_COPY, (uint8_t)level);
	}
	return r;
}

static int
add_triggers(struct builder *b)
{
	static const char *const argv[] = {"/usr/bin/dpkg", "--force-unsafe-io", "--triggers-only",
					   "-a", NULL};
	struct pkg_step step = {
	    .package = "", .what = "triggers", .argv = argv, .timeout_ms = TRIGGERS_TIMEOUT_MS};

	step.envp = make_env(b, NULL, NULL);
	if (!step.envp)
		return err_nomem(b->err);
	return add_step(b, &step, DPKG_RUN, 0);
}

/* Only what the zone will have can be stood in for. */
static int
plan_standins(struct dpkg_plan *plan, struct err *err)
{
	struct pkg_standin *found = arena_alloc(&plan->base.arena, N_STANDINS * sizeof(*found));

	if (!found)
		return err_nomem(err);
	plan->base.standins = found;
	for (size_t i = 0; i < N_STANDINS; i++) {
		const struct pkg_standin *standin = &standins[i].standin;
		const char *path = standin->target + 1;
		uint32_t entry = strmap_get(&plan->by_path, path, strlen(path));
		bool there =
		    entry != STRMAP_NONE && !(plan->base.entries[entry].flags & PKG_ENTRY_SKIP);

		if (standins[i].sparse_only && !plan->sparse)
			continue;
		if (there ||
		    (dpkg_plan_inherits(plan, path) && dpkg_host_has(plan->host, standin->target)))
			found[plan->base.n_standins++] = *standin;
	}
	return 0;
}

int
dpkg_steps_plan(struct dpkg_plan *plan, struct err *err)
{
	struct builder b = {.plan = plan, .err = err};
	int r;

	r = add_scripts(&b, true, DPKG_PREINST, 0);
	if (r == 0)
		r = add_scripts(&b, true, DPKG_POSTINST, 0);
	if (r == 0)
		r = add_levels(&b);
	if (r == 0)
		r = add_scripts(&b, false, DPKG_POSTINST, 0);
	if (r == 0)
		r = add_host_step(&b, "status", DPKG_CONFIGURED, 0);
	if (r == 0)
		r = add_triggers(&b);
	if (r == 0)
		r = plan_standins(plan, err);
	return r;
}

int
dpkg_step(struct pkg_plan *base, size_t i, int root_fd, struct pkg_notes *notes, struct err *err)
{
	struct dpkg_plan *plan = dpkg_plan_of(base);
	const struct dpkg_action *action = &plan->actions[i];
	int r;

	(void)notes;
	switch (action->kind) {
	case DPKG_RUN:
		break;
	case DPKG_COPY:
		return pkg_copy_level(base, action->level, root_fd, NULL, err);
	case DPKG_CONFIGURED:
		r = dpkg_status_write(plan, root_fd, DPKG_STATE_INSTALLED, err);
		return r == 0 ? dpkg_triggers_settle(plan, root_fd, err) : r;
	}
	return 0;
}

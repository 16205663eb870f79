/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Triggers: who is interested in what, rebuilt from the packages of the zone, and which of them the
 * installation itself sets off. dpkg does that while it unpacks and configures; here files are
 * copied behind its back, so what it would have noted is worked out from the lists.
 */
#include "pkg/dpkg_priv.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/path.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define TRIGGERS_DIR DPKG_ADMINDIR "/triggers"

static const struct {
	const char *word;
	bool interest, noawait;
} directives[] = {
    {"interest", true, false},  {"interest-await", true, false},  {"interest-noawait", true, true},
    {"activate", false, false}, {"activate-await", false, false}, {"activate-noawait", false, true},
};

struct trigger {
	const char *name; /* a path, or a plain name */
	uint32_t package; /* of the host */
	size_t position;  /* in the order of configuration */
	bool noawait;
};

struct trigger_list {
	struct trigger *v;
	size_t n, room;
};

struct triggers {
	struct trigger_list interests, activations;
};

static int
add_trigger(struct trigger_list *list, const struct trigger *t, struct err *err)
{
	struct trigger *bigger;
	size_t room;

	if (list->n == list->room) {
		room = list->room ? list->room * 2 : 64;
		bigger = reallocarray(list->v, room, sizeof(*bigger));
		if (!bigger)
			return err_nomem(err);
		list->v = bigger;
		list->room = room;
	}
	list->v[list->n++] = *t;
	return 0;
}

/* A plain name becomes a file in triggers/, where dpkg has three of its own. */
static bool
is_trigger_name(const char *name)
{
	if (!*name || *name == '.' || !strcmp(name, "File") || !strcmp(name, "Lock") ||
	    !strcmp(name, "Unincorp"))
		return false;
	if (*name == '/')
		return !dpkg_path_check(name, strlen(name)) && !strpbrk(name, " \t");
	for (const char *p = name; *p; p++)
		if (*p <= ' ' || *p >= 0x7f || *p == '/')
			return false;
	return true;
}

static int
parse_line(struct triggers *all, const struct dpkg_pkg *pkg, char *line, struct trigger t,
	   struct err *err)
{
	char *rest = NULL, *comment = strchr(line, '#'), *word, *name;

	if (comment)
		*comment = '\0';
	word = strtok_r(line, " \t", &rest);
	if (!word)
		return 0;
	name = strtok_r(NULL, " \t", &rest);
	for (size_t i = 0; i < sizeof(directives) / sizeof(directives[0]); i++) {
		if (strcmp(word, directives[i].word) != 0)
			continue;
		if (!name || !is_trigger_name(name))
			break;
		t.name = name;
		t.noawait = directives[i].noawait;
		return add_trigger(directives[i].interest ? &all->interests : &all->activations, &t,
				   err);
	}
	return err_set(err, ZE_PKG, 0, "/" DPKG_ADMINDIR "/info/%s.triggers: '%s %s' is no trigger",
		       pkg->key, word, name ? name : "");
}

static int
read_triggers(struct dpkg_plan *plan, struct triggers *all, struct err *err)
{
	char *text, *line;
	size_t len;
	int r;

	for (size_t i = 0; i < plan->n_chosen; i++) {
		const struct dpkg_pkg *pkg = &plan->host->pkgs[plan->order[i]];
		struct trigger t = {.package = plan->order[i], .position = i};

		if (!dpkg_info_has(pkg, "triggers"))
			continue;
		r = dpkg_info_read(plan->host, pkg, "triggers", &text, &len, err);
		while (r == 0 && (line = strsep(&text, "\n")))
			r = parse_line(all, pkg, line, t, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static void
triggers_free(struct triggers *all)
{
	free(all->interests.v);
	free(all->activations.v);
}

/* ---- the zone's triggers/ ---- */

static int
compare_triggers(const void *a, const void *b)
{
	const struct trigger *ta = a, *tb = b;
	int r = strcmp(ta->name, tb->name);

	return r ? r : ta->position < tb->position ? -1 : ta->position > tb->position;
}

/* One file a plain name, and "File" for all paths. Names are sorted, so each comes in one piece. */
static int
write_interests(struct dpkg_plan *plan, const struct trigger_list *list, int root_fd,
		struct err *err)
{
	auto_str struct str files = {0};
	int r = 0;

	for (size_t i = 0, next; i < list->n && r == 0; i = next) {
		auto_str struct str who = {0}, path = {0};
		const char *name = list->v[i].name;

		for (next = i; next < list->n && !strcmp(list->v[next].name, name); next++) {
			const char *key = plan->host->pkgs[list->v[next].package].key;
			const char *how = list->v[next].noawait ? "/noawait" : "";

			r = *name == '/' ? str_addf(&files, "%s %s%s\n", name, key, how)
					 : str_addf(&who, "%s%s\n", key, how);
			if (r < 0)
				return err_nomem(err);
		}
		if (*name == '/')
			continue;
		if (str_addf(&path, TRIGGERS_DIR "/%s", name) < 0)
			return err_nomem(err);
		r = path_file_write_in_root(root_fd, path.s, who.s, who.len, 0644, err);
	}
	if (r == 0)
		r = path_file_write_in_root(root_fd, TRIGGERS_DIR "/File", files.s ? files.s : "",
					    files.len, 0644, err);
	return r;
}

int
dpkg_triggers_write(struct dpkg_plan *plan, int root_fd, struct err *err)
{
	struct triggers all = {0};
	int r;

	r = read_triggers(plan, &all, err);
	if (r == 0 && all.interests.n)
		qsort(all.interests.v, all.interests.n, sizeof(*all.interests.v), compare_triggers);
	if (r == 0)
		r = write_interests(plan, &all.interests, root_fd, err);
	if (r == 0)
		r = path_file_write_in_root(root_fd, TRIGGERS_DIR "/Unincorp", "", 0, 0644, err);
	triggers_free(&all);
	return r;
}

/* ---- what the installation sets off ---- */

/* Files of late packages were copied after the early ones were configured. */
static bool
late_files_below(const struct dpkg_plan *plan, const char *dir)
{
	size_t len = strlen(dir);

	for (size_t i = 0; i < plan->n_chosen; i++) {
		const struct dpkg_pkg *pkg = &plan->host->pkgs[plan->order[i]];

		if (plan->early[plan->order[i]])
			continue;
		for (size_t p = 0; p < pkg->n_paths; p++)
			if (!strncmp(pkg->paths[p], dir, len) &&
			    (pkg->paths[p][len] == '/' || !pkg->paths[p][len]))
				return true;
	}
	return false;
}

static bool
activated_later(const struct triggers *all, const struct trigger *interest)
{
	for (size_t i = 0; i < all->activations.n; i++)
		if (all->activations.v[i].position > interest->position &&
		    !strcmp(all->activations.v[i].name, interest->name))
			return true;
	return false;
}

int
dpkg_triggers_pending(struct dpkg_plan *plan, const char **pending, struct err *err)
{
	struct triggers all = {0};
	int r;

	r = read_triggers(plan, &all, err);
	for (size_t i = 0; i < all.interests.n && r == 0; i++) {
		const struct trigger *t = &all.interests.v[i];
		const char **names = &pending[t->package];

		if (*t->name == '/' ? !plan->early[t->package] || !late_files_below(plan, t->name)
				    : !activated_later(&all, t))
			continue;
		*names = arena_printf(&plan->base.arena, "%s%s%s", *names ? *names : "",
				      *names ? " " : "", t->name);
		if (!*names)
			r = err_nomem(err);
	}
	triggers_free(&all);
	return r;
}

/* ---- triggers that do nothing ---- */

/* Triggers that scripts of their own package activate after having done the same work already, but
 * for hooks that other packages may have put into a directory. */
static const struct {
	const char *trigger, *package, *hooks;
} idle_triggers[] = {
    {"update-ca-certificates", "ca-certificates", "etc/ca-certificates/update.d"},
};

static bool
has_hooks(int root_fd, const char *dir)
{
	auto_closedir DIR *d = NULL;
	struct dirent *de;
	int fd;

	fd = path_open_in_root(root_fd, dir, O_RDONLY | O_DIRECTORY | O_NONBLOCK, 0, NULL);
	if (fd == -ZE_NOENT)
		return false;
	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		(void)fd_close(fd);
		return true; /* not known: run it */
	}
	while ((de = readdir(d)))
		if (de->d_name[0] != '.')
			return true;
	return false;
}

/* Whether a script of another package speaks of the trigger. */
static bool
others_activate(struct dpkg_plan *plan, const char *trigger, const char *package)
{
	char *text;
	size_t len;

	for (size_t i = 0; i < plan->n_chosen; i++) {
		const struct dpkg_pkg *pkg = &plan->host->pkgs[plan->order[i]];

		if (!(pkg->scripts & DPKG_POSTINST) || !strcmp(pkg->name, package))
			continue;
		if (dpkg_info_read(plan->host, pkg, "postinst", &text, &len, NULL) < 0 ||
		    memmem(text, len, trigger, strlen(trigger)))
			return true;
	}
	return false;
}

static bool
is_idle_trigger(struct dpkg_plan *plan, int root_fd, const char *line)
{
	size_t len = strcspn(line, " ");

	for (size_t i = 0; i < sizeof(idle_triggers) / sizeof(idle_triggers[0]); i++)
		if (strlen(idle_triggers[i].trigger) == len &&
		    !memcmp(line, idle_triggers[i].trigger, len))
			return !has_hooks(root_fd, idle_triggers[i].hooks) &&
			       !others_activate(plan, idle_triggers[i].trigger,
						idle_triggers[i].package);
	return false;
}

int
dpkg_triggers_settle(struct dpkg_plan *plan, int root_fd, struct err *err)
{
	auto_free char *text = NULL;
	auto_str struct str kept = {0};
	char *line, *rest;
	bool dropped = false;
	size_t len;
	int r;

	r = path_file_read_in_root(root_fd, TRIGGERS_DIR "/Unincorp", DPKG_FILE_MAX_BYTES, &text,
				   &len, err);
	if (r == -ZE_NOENT) {
		err_clear(err);
		return 0;
	}
	if (r < 0)
		return r;
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		if (!*line)
			continue;
		if (is_idle_trigger(plan, root_fd, line))
			dropped = true;
		else if (str_addf(&kept, "%s\n", line) < 0)
			return err_nomem(err);
	}
	if (!dropped)
		return 0;
	return path_file_write_in_root(root_fd, TRIGGERS_DIR "/Unincorp", kept.s ? kept.s : "",
				       kept.len, 0644, err);
}

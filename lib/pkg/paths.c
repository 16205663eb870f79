/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the lists of packages to the paths of a zone: links of merged /usr resolved, diversions
 * applied, inherited directories left out, every directory that something needs added, and what the
 * host has at each path looked up.
 */
#include "pkg/dpkg_priv.h"

#include "base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Ids below this are the same on every Debian; above, each host gave them out by itself. */
#define STATIC_ID_END 100

/* ---- entries ---- */

static struct pkg_entry *
new_entry(struct dpkg_plan *plan, const char *path, size_t len)
{
	struct pkg_plan *base = &plan->base;
	struct pkg_entry *bigger, *e;
	size_t room;

	if (base->n_entries == plan->room_entries) {
		room = plan->room_entries ? plan->room_entries * 2 : 4096;
		bigger = reallocarray(base->entries, room, sizeof(*bigger));
		if (!bigger)
			return NULL;
		base->entries = bigger;
		plan->room_entries = room;
	}
	if (strmap_put(&plan->by_path, path, len, (uint32_t)base->n_entries, NULL) < 0)
		return NULL;
	e = &base->entries[base->n_entries++];
	*e = (struct pkg_entry){.path = path, .source = path, .twin = PKG_NO_TWIN};
	return e;
}

/* See that the directories above a path are entries of at most its level. */
static int
add_parents(struct dpkg_plan *plan, const char *path, size_t len, uint32_t package, uint8_t level,
	    struct err *err)
{
	struct pkg_entry *e;
	const char *dir, *slash;
	uint32_t i;

	while ((slash = memrchr(path, '/', len))) {
		len = (size_t)(slash - path);
		i = strmap_get(&plan->by_path, path, len);
		if (i != STRMAP_NONE) {
			e = &plan->base.entries[i];
			if ((e->flags & PKG_ENTRY_PARENT) && e->level <= level)
				return 0;
			e->flags |= PKG_ENTRY_PARENT;
			e->level = e->level < level ? e->level : level;
			continue;
		}
		dir = arena_strndup(&plan->base.arena, path, len);
		e = dir ? new_entry(plan, dir, len) : NULL;
		if (!e)
			return err_nomem(err);
		e->flags = PKG_ENTRY_PARENT | PKG_ENTRY_IMPLICIT;
		e->package = package;
		e->level = level;
	}
	return 0;
}

/* @source: where the host has it, when not at @path. */
static int
add_path(struct dpkg_plan *plan, const char *path, const char *source, uint32_t package,
	 uint8_t level, struct err *err)
{
	size_t len = strlen(path);
	uint32_t i = strmap_get(&plan->by_path, path, len);
	struct pkg_entry *e;

	if (i != STRMAP_NONE) {
		e = &plan->base.entries[i];
		if (e->flags & PKG_ENTRY_IMPLICIT) {
			e->flags &= (uint16_t)~PKG_ENTRY_IMPLICIT;
			e->package = package;
		}
		if (level >= e->level)
			return 0;
		e->level = level;
		return add_parents(plan, path, len, package, level, err);
	}
	e = new_entry(plan, path, len);
	if (!e)
		return err_nomem(err);
	e->source = source;
	e->package = package;
	e->level = level;
	return add_parents(plan, path, len, package, level, err);
}

/* Where a listed path of a package is on the host and in the zone. */
static void
apply_diversion(const struct dpkg_plan *plan, const struct dpkg_pkg *pkg, const char **path,
		const char **source)
{
	const struct dpkg_host *host = plan->host;
	const struct dpkg_diversion *d;
	uint32_t i, diverter;

	i = strmap_get(&host->by_diverted, *path, strlen(*path));
	if (i == STRMAP_NONE)
		return;
	d = &host->diversions[i];
	if (d->package && !strcmp(d->package, pkg->name))
		return;
	*source = d->to;
	/* In a zone without the diverter nothing is diverted. */
	diverter =
	    d->package ? strmap_get(&host->by_name, d->package, strlen(d->package)) : STRMAP_NONE;
	if (diverter != STRMAP_NONE && plan->choices[diverter].chosen)
		*path = d->to;
}

static bool
is_excluded(const struct dpkg_plan *plan, const char *listed)
{
	for (size_t i = 0; i < plan->policy.exclude_files.n; i++)
		if (fnmatch(plan->policy.exclude_files.v[i], listed, 0) == 0)
			return true;
	return false;
}

static int
add_package_paths(struct dpkg_plan *plan, uint32_t package, struct err *err)
{
	const struct dpkg_pkg *pkg = &plan->host->pkgs[package];
	const char *path, *source;
	int r;

	for (size_t i = 0; i < pkg->n_paths; i++) {
		path = dpkg_path_resolve(plan->host, &plan->base.arena, pkg->paths[i]);
		if (!path)
			return err_nomem(err);
		if (plan->inherit.n && dpkg_plan_inherits(plan, path))
			continue;
		if (plan->policy.exclude_files.n && is_excluded(plan, pkg->paths[i]))
			continue;
		source = path;
		if (plan->host->n_diversions)
			apply_diversion(plan, pkg, &path, &source);
		r = add_path(plan, path, source, package, plan->levels[package], err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Links like /lib -> usr/lib that resolved paths rely on, whether or not a package lists them. */
static int
add_aliases(struct dpkg_plan *plan, struct err *err)
{
	const struct dpkg_host *host = plan->host;
	uint32_t package = plan->order[0];
	int r = 0;

	for (size_t i = 0; i < host->n_aliases && r == 0; i++) {
		const struct dpkg_alias *a = &host->aliases[i];

		if (strmap_get(&plan->by_path, a->target, a->target_len) != STRMAP_NONE ||
		    dpkg_plan_inherits(plan, a->target))
			r = add_path(plan, a->name, a->name, package, 0, err);
	}
	return r;
}

/* Mount points of inherited directories, but for those in another. */
static int
add_inherited(struct dpkg_plan *plan, struct err *err)
{
	const char *dir;
	int r = 0;

	for (size_t i = 0; i < plan->inherit.n && r == 0; i++) {
		dir = plan->inherit.v[i];
		if (!dpkg_plan_inherits(plan, dir))
			r = add_path(plan, dir, dir, plan->order[0], 0, err);
	}
	return r;
}

static int
add_info_files(struct dpkg_plan *plan, uint32_t package, struct err *err)
{
	const struct dpkg_pkg *pkg = &plan->host->pkgs[package];
	const char *path;
	uint32_t i;
	int r;

	for (size_t k = 0; k < pkg->n_info; k++) {
		path = arena_printf(&plan->base.arena, DPKG_ADMINDIR "/info/%s.%s", pkg->key,
				    pkg->info[k]);
		if (!path)
			return err_nomem(err);
		r = add_path(plan, path, path, package, 0, err);
		if (r < 0)
			return r;
		i = strmap_get(&plan->by_path, path, strlen(path));
		plan->base.entries[i].flags |= PKG_ENTRY_DATABASE;
	}
	return 0;
}

static int
compare_entries(const void *a, const void *b)
{
	const struct pkg_entry *ea = a, *eb = b;

	return strcmp(ea->path, eb->path);
}

static int
sort_entries(struct dpkg_plan *plan, struct err *err)
{
	struct pkg_plan *base = &plan->base;

	qsort(base->entries, base->n_entries, sizeof(*base->entries), compare_entries);
	strmap_free(&plan->by_path);
	for (size_t i = 0; i < base->n_entries; i++)
		if (strmap_put(&plan->by_path, base->entries[i].path, strlen(base->entries[i].path),
			       (uint32_t)i, NULL) < 0)
			return err_nomem(err);
	return 0;
}

/* ---- what the host has ---- */

/* First names of files that have several. */
struct inode {
	dev_t dev;
	ino_t ino;
	uint32_t entry;
};

struct inodes {
	struct inode *v;
	size_t n, room;
};

static int
find_twin(struct inodes *inodes, const struct stat *st, uint32_t entry, uint32_t *ret)
{
	struct inode *bigger;
	size_t room;

	for (size_t i = 0; i < inodes->n; i++) {
		if (inodes->v[i].ino == st->st_ino && inodes->v[i].dev == st->st_dev) {
			*ret = inodes->v[i].entry;
			return 0;
		}
	}
	if (inodes->n == inodes->room) {
		room = inodes->room ? inodes->room * 2 : 64;
		bigger = reallocarray(inodes->v, room, sizeof(*bigger));
		if (!bigger)
			return -ZE_NOMEM;
		inodes->v = bigger;
		inodes->room = room;
	}
	inodes->v[inodes->n++] =
	    (struct inode){.dev = st->st_dev, .ino = st->st_ino, .entry = entry};
	return 0;
}

/* A file whose owner has another number in the zone starts as root's, without rights from an
 * owner: its scripts, or dpkg_ids_settle() at the end, give it the zone's own. */
static void
take_owner(struct pkg_entry *e, const struct stat *st)
{
	e->host_uid = e->uid = st->st_uid;
	e->host_gid = e->gid = st->st_gid;
	e->host_mode = e->mode = st->st_mode;
	if (st->st_uid < STATIC_ID_END && st->st_gid < STATIC_ID_END)
		return;
	/* 65534 is nobody and nogroup everywhere. */
	if (st->st_uid >= STATIC_ID_END && st->st_uid != 65534) {
		e->uid = 0;
		e->flags |= PKG_ENTRY_DEMOTED;
		if (!S_ISDIR(st->st_mode))
			e->mode &= (mode_t)~S_ISUID;
	}
	if (st->st_gid >= STATIC_ID_END && st->st_gid != 65534) {
		e->gid = 0;
		e->flags |= PKG_ENTRY_DEMOTED;
		if (!S_ISDIR(st->st_mode))
			e->mode &= (mode_t)~S_ISGID;
	}
}

static int
read_link(struct dpkg_plan *plan, struct pkg_entry *e, int dir_fd, const char *name,
	  struct err *err)
{
	char target[4096];
	ssize_t n;

	n = readlinkat(dir_fd, name, target, sizeof(target) - 1);
	if (n < 0 || n == sizeof(target) - 1)
		return err_set(err, ZE_IO, n < 0 ? errno : ENAMETOOLONG, "read link '/%s'",
			       e->source);
	e->content = arena_strndup(&plan->base.arena, target, (size_t)n);
	return e->content ? 0 : err_nomem(err);
}

static int
note_skip(struct dpkg_plan *plan, struct pkg_entry *e, const char *why, struct err *err)
{
	e->flags |= PKG_ENTRY_SKIP;
	if (strv_addf(&plan->base.changed, "/%s: %s (package %s)", e->source, why,
		      dpkg_label(&plan->host->pkgs[e->package])) < 0)
		return err_nomem(err);
	return 0;
}

static bool
is_conffile_path(const struct dpkg_plan *plan, const struct pkg_entry *e)
{
	const struct dpkg_pkg *pkg = &plan->host->pkgs[e->package];

	for (size_t i = 0; i < pkg->n_conffiles; i++)
		if (!strcmp(pkg->conffiles[i].path + 1, e->path))
			return true;
	return false;
}

static bool
is_mount_point(const struct dpkg_plan *plan, const struct pkg_entry *e)
{
	return strv_has(&plan->inherit, e->path);
}

/* Nothing there: what that means is seen when all entries are known. */
static void
stat_missing(struct dpkg_plan *plan, struct pkg_entry *e)
{
	if (e->flags & PKG_ENTRY_PARENT) {
		e->mode = S_IFDIR | 0755;
		e->flags |= PKG_ENTRY_MISSING;
	} else if (is_mount_point(plan, e)) {
		e->mode = S_IFDIR | 0755;
	} else if (is_conffile_path(plan, e)) {
		e->mode = S_IFREG | 0644; /* conffile.c knows what to do */
	} else {
		e->flags |= PKG_ENTRY_MISSING | PKG_ENTRY_SKIP;
	}
}

static int
stat_entry(struct dpkg_plan *plan, struct cursor *cursor, struct inodes *inodes, uint32_t i,
	   struct err *err)
{
	struct pkg_entry *e = &plan->base.entries[i];
	const char *name;
	struct stat st;
	int dir_fd, r;

	dir_fd = cursor_open(cursor, e->source, &name, err);
	if (dir_fd == -ZE_NOENT) {
		err_clear(err);
		stat_missing(plan, e);
		return 0;
	}
	if (dir_fd < 0)
		return dir_fd;
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT)
			return err_set(err, ZE_IO, errno, "stat '/%s'", e->source);
		stat_missing(plan, e);
		return 0;
	}
	/* A directory that the administrator moved elsewhere and left a link to is one again. */
	if (S_ISLNK(st.st_mode) && ((e->flags & PKG_ENTRY_PARENT) || is_mount_point(plan, e)) &&
	    fstatat(dir_fd, name, &st, 0) < 0) {
		stat_missing(plan, e);
		return 0;
	}
	if ((e->flags & PKG_ENTRY_PARENT) && !S_ISDIR(st.st_mode))
		return err_set(err, ZE_PKG, 0,
			       "'/%s' is not a directory, but package '%s' has files in it",
			       e->source, dpkg_label(&plan->host->pkgs[e->package]));
	take_owner(e, &st);
	e->mtime = st.st_mtim;
	e->ctime = st.st_ctim;
	if (S_ISLNK(st.st_mode))
		return read_link(plan, e, dir_fd, name, err);
	if (S_ISDIR(st.st_mode))
		return 0;
	if (!S_ISREG(st.st_mode))
		return note_skip(plan, e, "not a file, link or directory on the host", err);
	e->size_bytes = (uint64_t)st.st_size;
	r = 0;
	/* A configuration file is never a second name: its content may come from elsewhere. */
	if (st.st_nlink > 1 && !is_conffile_path(plan, e)) {
		r = find_twin(inodes, &st, i, &e->twin);
		if (r < 0)
			return err_nomem(err);
		/* Two names copied at different times would need an order; they become two files.
		 */
		if (e->twin != PKG_NO_TWIN && plan->base.entries[e->twin].level != e->level)
			e->twin = PKG_NO_TWIN;
	}
	return r;
}

static int
stat_entries(struct dpkg_plan *plan, struct err *err)
{
	auto_cursor struct cursor cursor = {.root_fd = plan->host->base.root_fd, .dir_fd = -EBADF};
	struct inodes inodes = {0};
	int r = 0;

	for (uint32_t i = 0; i < plan->base.n_entries && r == 0; i++)
		r = stat_entry(plan, &cursor, &inodes, i, err);
	free(inodes.v);
	return r;
}

static struct pkg_entry *
parent_of(struct dpkg_plan *plan, const struct pkg_entry *e)
{
	const char *slash = strrchr(e->path, '/');
	uint32_t i;

	i = slash ? strmap_get(&plan->by_path, e->path, (size_t)(slash - e->path)) : STRMAP_NONE;
	return i == STRMAP_NONE ? NULL : &plan->base.entries[i];
}

/* A missing directory is made if something that is there is in it; else it is left out with all
 * below it, in one note, and in none if dpkg was told not to install such paths on this host. */
static int
settle_missing(struct dpkg_plan *plan, struct err *err)
{
	struct pkg_entry *entries = plan->base.entries, *parent;
	int r = 0;

	for (size_t i = plan->base.n_entries; i-- > 0;) {
		if (entries[i].flags & PKG_ENTRY_MISSING) {
			entries[i].flags |= PKG_ENTRY_SKIP;
			continue;
		}
		parent = parent_of(plan, &entries[i]);
		if (parent)
			parent->flags &= (uint16_t)~PKG_ENTRY_MISSING;
	}
	for (size_t i = 0; i < plan->base.n_entries && r == 0; i++) {
		if (!(entries[i].flags & PKG_ENTRY_MISSING))
			continue;
		parent = parent_of(plan, &entries[i]);
		if (!(parent && (parent->flags & PKG_ENTRY_MISSING)) &&
		    !dpkg_filters_exclude(&plan->host->filters, entries[i].path))
			r = note_skip(plan, &entries[i], "missing on the host", err);
	}
	return r;
}

int
dpkg_plan_paths(struct dpkg_plan *plan, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < plan->n_chosen && r == 0; i++)
		r = add_package_paths(plan, plan->order[i], err);
	if (r == 0)
		r = add_inherited(plan, err);
	if (r == 0)
		r = add_aliases(plan, err);
	for (size_t i = 0; i < plan->n_chosen && r == 0; i++)
		r = add_info_files(plan, plan->order[i], err);
	if (r == 0)
		r = sort_entries(plan, err);
	if (r == 0)
		r = stat_entries(plan, err);
	if (r == 0)
		r = settle_missing(plan, err);
	return r;
}

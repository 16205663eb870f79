/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Users and groups. The first scripts need some before any script can make them: Debian's static
 * ones, from the masters of base-passwd. Others are made by the zone's scripts. Where a sparse zone
 * shares files of the host, their owners are numbers of the host: these, and only these, are
 * entered with the host's names before any script, which then keeps them.
 *
 * Files of other zones whose owner has another number there were made as root's. Most scripts set
 * the owner themselves; what they left is settled by name at the end.
 */
#include "pkg/dpkg_priv.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PASSWD_MAX_BYTES ((size_t)4 * 1024 * 1024)
#define MASTERS_DIR      "usr/share/base-passwd"

/* Given out by each system on its own: from here to the end of the system's range. */
#define SYSTEM_ID_FIRST 100
#define SYSTEM_ID_LAST  999

struct id {
	const char *name;
	uint32_t id, group; /* group: of a user */
	const char *line;
};

/* passwd or group. */
struct ids {
	char *text, *fields;
	struct id *v;
	size_t n;
};

static void
ids_free(struct ids *ids)
{
	free(ids->text);
	free(ids->fields);
	free(ids->v);
}
#define auto_ids __attribute__((cleanup(ids_free)))

/* "name:password:id:group...": lines that are not like this are left out. */
static void
parse_line(struct ids *ids, const char *line, char *copy, size_t n_fields)
{
	char *field[4] = {NULL}, *rest = copy;
	uint64_t id, group = 0;

	for (size_t i = 0; i < 4 && rest; i++)
		field[i] = strsep(&rest, ":");
	if (!field[2] || !*field[0] || str_to_u64(field[2], UINT32_MAX, &id, NULL) < 0)
		return;
	if (n_fields == 7 && (!field[3] || str_to_u64(field[3], UINT32_MAX, &group, NULL) < 0))
		return;
	ids->v[ids->n++] = (struct id){
	    .name = field[0], .id = (uint32_t)id, .group = (uint32_t)group, .line = line};
}

/* @n_fields: 7 of passwd, 4 of group. A missing file has no entries. */
static int
ids_read(int root_fd, const char *path, size_t n_fields, struct ids *ret, struct err *err)
{
	char *line, *copy, *rest, *copy_rest;
	size_t len, room = 1;
	int r;

	*ret = (struct ids){0};
	r = path_file_read_in_root(root_fd, path, PASSWD_MAX_BYTES, &ret->text, &len, err);
	if (r == -ZE_NOENT) {
		err_clear(err);
		return 0;
	}
	if (r < 0)
		return r;
	for (size_t i = 0; i < len; i++)
		room += ret->text[i] == '\n';
	ret->fields = strdup(ret->text);
	ret->v = calloc(room, sizeof(*ret->v));
	if (!ret->fields || !ret->v)
		return err_nomem(err);
	rest = ret->text;
	copy_rest = ret->fields;
	while ((line = strsep(&rest, "\n"))) {
		copy = strsep(&copy_rest, "\n");
		parse_line(ret, line, copy, n_fields);
	}
	return 0;
}

static const struct id *
id_by_number(const struct ids *ids, uint32_t id)
{
	for (size_t i = 0; i < ids->n; i++)
		if (ids->v[i].id == id)
			return &ids->v[i];
	return NULL;
}

static const struct id *
id_by_name(const struct ids *ids, const char *name)
{
	for (size_t i = 0; i < ids->n; i++)
		if (!strcmp(ids->v[i].name, name))
			return &ids->v[i];
	return NULL;
}

/* ---- before the scripts ---- */

/* Owners of shared files, as flags by number. */
struct shared {
	bool users[SYSTEM_ID_LAST + 1], groups[SYSTEM_ID_LAST + 1];
};

static void
note_owner(struct shared *shared, const struct stat *st)
{
	if (st->st_uid >= SYSTEM_ID_FIRST && st->st_uid <= SYSTEM_ID_LAST)
		shared->users[st->st_uid] = true;
	if (st->st_gid >= SYSTEM_ID_FIRST && st->st_gid <= SYSTEM_ID_LAST)
		shared->groups[st->st_gid] = true;
}

/* Lists are sorted, so the directories of most paths are those of the path before. */
static int
find_shared(const struct dpkg_plan *plan, struct shared *shared, struct err *err)
{
	auto_cursor struct cursor cursor = {.root_fd = plan->host->base.root_fd, .dir_fd = -EBADF};
	struct arena scratch = {0};
	const char *path, *name;
	struct stat st;
	int dir_fd, r = 0;

	for (size_t i = 0; i < plan->n_chosen && r == 0; i++) {
		const struct dpkg_pkg *pkg = &plan->host->pkgs[plan->order[i]];

		for (size_t p = 0; p < pkg->n_paths; p++) {
			path = dpkg_path_resolve(plan->host, &scratch, pkg->paths[p]);
			if (!path) {
				r = err_nomem(err);
				break;
			}
			if (!dpkg_plan_inherits(plan, path))
				continue;
			dir_fd = cursor_open(&cursor, path, &name, NULL);
			if (dir_fd >= 0 && fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
				note_owner(shared, &st);
		}
	}
	arena_free(&scratch);
	return r;
}

static int
add_group(struct str *groups, const struct ids *host_groups, const struct ids *masters, uint32_t id)
{
	const struct id *group = id_by_number(host_groups, id);

	if (!group || id_by_number(masters, id) || id_by_name(masters, group->name))
		return 0;
	return str_addf(groups, "%s:x:%u:\n", group->name, id);
}

/* Users and groups of the host that own what the zone shares, behind the masters. */
static int
add_shared(const struct dpkg_plan *plan, struct str *passwd, struct str *group, struct err *err)
{
	int host_fd = plan->host->base.root_fd, r;
	auto_ids struct ids users = {0}, groups = {0}, master_users = {0}, master_groups = {0};
	struct shared shared = {0};
	const char *rest;

	r = find_shared(plan, &shared, err);
	if (r == 0)
		r = ids_read(host_fd, "etc/passwd", 7, &users, err);
	if (r == 0)
		r = ids_read(host_fd, "etc/group", 4, &groups, err);
	if (r == 0)
		r = ids_read(host_fd, MASTERS_DIR "/passwd.master", 7, &master_users, err);
	if (r == 0)
		r = ids_read(host_fd, MASTERS_DIR "/group.master", 4, &master_groups, err);
	for (uint32_t id = SYSTEM_ID_FIRST; id <= SYSTEM_ID_LAST && r == 0; id++) {
		const struct id *user = shared.users[id] ? id_by_number(&users, id) : NULL;

		if (!user || id_by_name(&master_users, user->name))
			continue;
		if (user->group >= SYSTEM_ID_FIRST && user->group <= SYSTEM_ID_LAST)
			shared.groups[user->group] = true;
		/* All but the password, whatever the host keeps in that field. */
		rest = strchr(user->line, ':') + 1;
		r = str_addf(passwd, "%s:*%s\n", user->name, rest + strcspn(rest, ":"));
	}
	for (uint32_t id = SYSTEM_ID_FIRST; id <= SYSTEM_ID_LAST && r == 0; id++)
		if (shared.groups[id])
			r = add_group(group, &groups, &master_groups, id);
	return r == -ZE_NOMEM ? err_nomem(err) : r;
}

static int
read_master(const struct dpkg_plan *plan, const char *name, struct str *ret, struct err *err)
{
	auto_free char *text = NULL;
	size_t len;
	int r;

	r = path_file_read_in_root(plan->host->base.root_fd, name, PASSWD_MAX_BYTES, &text, &len,
				   err);
	if (r == -ZE_NOENT) {
		err_clear(err);
		return 0;
	}
	if (r < 0)
		return r;
	return str_add(ret, text, len) < 0 ? err_nomem(err) : 0;
}

int
dpkg_ids_write(struct dpkg_plan *plan, int root_fd, struct pkg_notes *notes, struct err *err)
{
	auto_str struct str passwd = {0}, group = {0};
	int r;

	(void)notes;
	r = read_master(plan, MASTERS_DIR "/passwd.master", &passwd, err);
	if (r == 0)
		r = read_master(plan, MASTERS_DIR "/group.master", &group, err);
	/* Without masters the packages have another way of making their first users. */
	if (r < 0 || !passwd.len || !group.len)
		return r;
	if (plan->inherit.n)
		r = add_shared(plan, &passwd, &group, err);
	if (r == 0)
		r = path_file_write_in_root(root_fd, "etc/passwd", passwd.s, passwd.len, 0644, err);
	if (r == 0)
		r = path_file_write_in_root(root_fd, "etc/group", group.s, group.len, 0644, err);
	return r;
}

/* ---- after the scripts ---- */

/* The zone's number for an owner of the host, or -1 to leave it. */
static int64_t
translate(const struct ids *host, const struct ids *zone, uint32_t id)
{
	const struct id *from = id <= SYSTEM_ID_LAST ? id_by_number(host, id) : NULL;
	const struct id *to = from ? id_by_name(zone, from->name) : NULL;

	return to ? (int64_t)to->id : -1;
}

struct settle {
	struct ids host_users, host_groups, zone_users, zone_groups;
	int root_fd;
	struct pkg_notes *notes;
};

static int
set_owner(int fd, const struct pkg_entry *e, uid_t uid, gid_t gid, bool restore_mode,
	  struct err *err)
{
	auto_free char *by_fd = NULL;

	if (fchownat(fd, "", uid, gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) < 0)
		return err_set(err, ZE_IO, errno, "set the owner of '/%s' in the zone", e->path);
	if (!restore_mode || S_ISLNK(e->mode))
		return 0;
	/* A descriptor with O_PATH takes no fchmod; through /proc it is still this very inode. */
	if (asprintf(&by_fd, "/proc/self/fd/%d", fd) < 0) {
		by_fd = NULL; /* undefined after a failure */
		return err_nomem(err);
	}
	if (chmod(by_fd, e->host_mode & 07777) < 0)
		return err_set(err, ZE_IO, errno, "set the mode of '/%s' in the zone", e->path);
	return 0;
}

static int
settle_entry(struct settle *s, const struct pkg_entry *e, struct err *err)
{
	auto_close int fd = -EBADF;
	int64_t uid = -1, gid = -1;
	struct stat st;
	int r;

	fd = path_open_in_root(s->root_fd, e->path, O_PATH | O_NOFOLLOW, 0, NULL);
	/* A script may have taken it away or made something else of it. */
	if (fd < 0 || fstat(fd, &st) < 0 || (st.st_mode & S_IFMT) != (e->mode & S_IFMT))
		return 0;
	if (e->host_uid != e->uid && st.st_uid == e->uid)
		uid = translate(&s->host_users, &s->zone_users, e->host_uid);
	if (e->host_gid != e->gid && st.st_gid == e->gid)
		gid = translate(&s->host_groups, &s->zone_groups, e->host_gid);
	if (uid < 0 && gid < 0)
		return 0;
	r = set_owner(fd, e, (uid_t)uid, (gid_t)gid, st.st_mode == e->mode, err);
	if (r < 0)
		return r;
	if (s->notes->log &&
	    strv_addf(s->notes->log, "/%s: owner set as on the host, by name", e->path) < 0)
		return err_nomem(err);
	return 0;
}

static int
settle_all(struct dpkg_plan *plan, struct settle *s, struct err *err)
{
	int host_fd = plan->host->base.root_fd, r;

	r = ids_read(host_fd, "etc/passwd", 7, &s->host_users, err);
	if (r == 0)
		r = ids_read(host_fd, "etc/group", 4, &s->host_groups, err);
	if (r == 0)
		r = ids_read(s->root_fd, "etc/passwd", 7, &s->zone_users, err);
	if (r == 0)
		r = ids_read(s->root_fd, "etc/group", 4, &s->zone_groups, err);
	for (size_t i = 0; i < plan->base.n_entries && r == 0; i++) {
		const struct pkg_entry *e = &plan->base.entries[i];

		if (!(e->flags & PKG_ENTRY_DEMOTED) || (e->flags & PKG_ENTRY_SKIP))
			continue;
		/* The zone has the overrides of its own packages; the host's may be the
		 * administrator's. */
		if (strmap_get(&plan->host->overridden, e->path, strlen(e->path)) != STRMAP_NONE)
			continue;
		r = settle_entry(s, e, err);
	}
	return r;
}

int
dpkg_ids_settle(struct dpkg_plan *plan, int root_fd, struct pkg_notes *notes, struct err *err)
{
	struct settle s = {.root_fd = root_fd, .notes = notes};
	int r;

	r = settle_all(plan, &s, err);
	ids_free(&s.host_users);
	ids_free(&s.host_groups);
	ids_free(&s.zone_users);
	ids_free(&s.zone_groups);
	return r;
}

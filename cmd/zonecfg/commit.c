/* SPDX-License-Identifier: Apache-2.0 */
/*
 * commit: from memory to stable storage. The zone's lock is held while it is looked at whether the
 * saved configuration is still the one that was read, and while it is replaced: two sessions never
 * overwrite each other's work unseen, and a zone that was installed meanwhile keeps what its files
 * were made for.
 */
#include "zonecfg.h"

#include <string.h>

/* What must stay as it is once there are files. */
static int
check_installed(const struct session *s, const struct config *on_disk)
{
	size_t n = config_count(on_disk, CONFIG_INHERIT_PKG_DIR);

	if (strcmp(config_zonepath(s->cfg), config_zonepath(on_disk)) != 0 && !s->path_forced)
		return session_error(s, "zonepath: cannot change: the zone has been installed");
	if (strcmp(config_brand(s->cfg), config_brand(on_disk)) != 0)
		return session_error(s, "brand: cannot change: the zone has been installed");
	if (n != config_count(s->cfg, CONFIG_INHERIT_PKG_DIR))
		return session_error(s,
				     "inherit-pkg-dir: cannot change: the zone has been installed");
	for (size_t i = 0; i < n; i++)
		if (!str_eq(config_res_get(config_at(on_disk, CONFIG_INHERIT_PKG_DIR, i),
					   CONFIG_INHERIT_PKG_DIR_DIR),
			    config_res_get(config_at(s->cfg, CONFIG_INHERIT_PKG_DIR, i),
					   CONFIG_INHERIT_PKG_DIR_DIR)))
			return session_error(
			    s, "inherit-pkg-dir: cannot change: the zone has been installed");
	return 0;
}

/* The saved zone that is replaced: unchanged by others, and in a state that allows it. */
static int
check_replaced(const struct session *s)
{
	auto_config struct config *on_disk = NULL;
	enum zone_state state;
	struct err err;
	int r;

	r = session_state(s, s->saved_name, &state, &err);
	if (r < 0)
		return session_fail(s, &err);
	if (state > ZONE_STATE_INSTALLED && strcmp(s->name, s->saved_name) != 0)
		return session_error(s, "zonename: cannot change while the zone is %s",
				     zone_state_name(state));
	r = config_load(s->opts->root, s->saved_name, &on_disk, &err);
	if (s->saved && (r < 0 || !config_equal(on_disk, s->saved)))
		return session_error(s, "the saved configuration has been changed by another "
					"session since it was read; 'revert' reads it again");
	if (r < 0 || state == ZONE_STATE_CONFIGURED || session_is_global(s))
		return 0; /* an unreadable one may be replaced, by create -F */
	return check_installed(s, on_disk);
}

static int
check_new(const struct session *s)
{
	enum zone_state state;
	struct err err;
	int r;

	if (session_is_global(s))
		return 0;
	r = session_exists(s, s->name, &state, &err);
	if (r < 0)
		return session_fail(s, &err);
	return r ? session_error(s, "zone '%s' has been created by another session meanwhile",
				 s->name)
		 : 0;
}

/* The locks of the zone, and of the one whose name it gives up; always in the same order. */
static int
lock(const struct session *s, struct config_lock *first, struct config_lock *second)
{
	const char *a = s->name, *b = s->saved_name;
	const char *swap;
	struct err err;
	int order = *b ? strcmp(a, b) : 0;
	int r;

	if (order > 0) {
		swap = a;
		a = b;
		b = swap;
	}
	r = config_lock_zone(s->opts->root, a, first, &err);
	if (r == 0 && order != 0)
		r = config_lock_zone(s->opts->root, b, second, &err);
	return r < 0 ? session_fail(s, &err) : 0;
}

static int
save(struct session *s)
{
	auto_lock struct config_lock first = {.fd = -1}, second = {.fd = -1};
	bool renamed = *s->saved_name && strcmp(s->name, s->saved_name) != 0;
	struct err err;
	int r;

	r = lock(s, &first, &second);
	if (r == 0 && *s->saved_name)
		r = check_replaced(s);
	if (r == 0 && (renamed || !*s->saved_name))
		r = check_new(s);
	if (r < 0)
		return r;
	r = config_save(s->opts->root, s->cfg, renamed ? s->saved_name : NULL, &err);
	return r < 0 ? session_fail(s, &err) : 0;
}

int
commit_now(struct session *s)
{
	int r;

	r = cmd_verify(s, NULL);
	if (r < 0 || !s->changed)
		return r;
	r = save(s);
	if (r < 0)
		return r;
	config_free(s->saved);
	s->saved = NULL;
	(void)memcpy(s->saved_name, s->name, sizeof(s->saved_name));
	s->changed = false;
	s->path_forced = false;
	return 0;
}

int
cmd_commit(struct session *s, const struct command_args *args)
{
	int r;

	(void)args;
	r = commit_now(s);
	s->failed = r < 0;
	return r;
}

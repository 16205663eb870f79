/* SPDX-License-Identifier: Apache-2.0 */
/* delete: the configuration goes away, in memory and on disk. */
#include "zonecfg.h"

#include <string.h>

static int
check_state(const struct session *s, const char *name, bool force)
{
	enum zone_state state;
	struct err err;
	int r;

	r = session_exists(s, name, &state, &err);
	if (r < 0)
		return session_fail(s, &err);
	if (r == 0)
		return session_error(s, "No such zone configured");
	if (state > ZONE_STATE_INSTALLED)
		return session_error(s, "delete: not possible while the zone is %s; halt it first",
				     zone_state_name(state));
	if (state != ZONE_STATE_CONFIGURED && !force)
		return session_error(s,
				     "delete: the zone is %s; uninstall it first, or use -F to "
				     "leave its files where they are",
				     zone_state_name(state));
	return 0;
}

static int
delete_saved(const struct session *s, const char *name, bool force)
{
	auto_lock struct config_lock lock = {.fd = -1};
	struct err err;
	int r;

	r = config_lock_zone(s->opts->root, name, &lock, &err);
	if (r < 0)
		return session_fail(s, &err);
	r = check_state(s, name, force); /* it may have changed before the lock was held */
	if (r < 0)
		return r;
	r = config_delete(s->opts->root, name, &err);
	return r < 0 ? session_fail(s, &err) : 0;
}

int
cmd_delete(struct session *s, const struct command_args *args)
{
	/* After a renaming that was not committed, the zone is still saved under its old name. */
	const char *saved = *s->saved_name ? s->saved_name : s->name;
	char name[sizeof(s->saved_name)];
	bool force = args->opt['F'];
	bool on_disk = *s->saved_name || !s->cfg; /* else it was created and never saved */
	int r;

	if (session_is_global(s))
		return session_error(s, "delete: the global zone always exists");
	if (!s->cfg && !s->load_err.code && !force)
		return session_error(s, "No such zone configured");
	(void)snprintf(name, sizeof(name), "%s", saved);
	if (on_disk) {
		r = check_state(s, name, force);
		if (r < 0)
			return r;
	}
	if (!force) {
		r = session_ask(s, "Are you sure you want to delete zone %s", name);
		if (r < 0)
			return session_error(s, "delete: nobody can be asked; use -F");
		if (r == 0)
			return 0;
	}
	if (on_disk) {
		r = delete_saved(s, name, force);
		if (r < 0)
			return r;
	}
	session_adopt(s, NULL);
	(void)memcpy(s->name, name, sizeof(s->name));
	s->saved_name[0] = '\0';
	return 0;
}

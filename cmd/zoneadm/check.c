/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checks before a subcommand acts. Their order decides which message wins: global zone,
 * privilege, zone named, name valid, not global, not a template, configured, not running, state.
 * The state is looked at again by the operation under the zone's lock.
 */
#include "zoneadm.h"

#include "base/err.h"

#include <string.h>
#include <unistd.h>

bool
zoneadm_in_zone(void)
{
	return access("/run/host/zone", F_OK) == 0;
}

static int
check_caller(const struct zoneadm *za)
{
	const char *what = za->command->name;

	if (zoneadm_in_zone() && (!strcmp(what, "halt") || !strcmp(what, "reboot")))
		return zoneadm_error(za,
				     "%s: only the global zone can do this; inside a zone, use the "
				     "zone's own '%s' command",
				     what, what);
	if (zoneadm_in_zone() && !(za->command->flags & ZONEADM_ANYONE))
		return zoneadm_error(za, "%s: only the global zone can do this", what);
	if (!(za->command->flags & ZONEADM_ANYONE) && geteuid() != 0)
		return zoneadm_error(za, "%s: only root may do this", what);
	return ZONEADM_OK;
}

static int
check_name(const struct zoneadm *za)
{
	struct err err;

	if (!za->zone)
		return zoneadm_error(za, "%s: no zone specified; name it with -z",
				     za->command->name);
	if (config_name_check(za->zone, &err) < 0) {
		(void)err_add(&err, "'%s'", za->zone);
		return zoneadm_fail(za, &err);
	}
	if (!strcmp(za->zone, "global"))
		return zoneadm_error(za, "%s: not possible for the global zone", za->command->name);
	if (config_name_reserved(za->zone))
		return zoneadm_error(za, "%s: '%s' is a template, not a zone", za->command->name,
				     za->zone);
	return ZONEADM_OK;
}

static bool
is_live(enum zone_state state)
{
	return state >= ZONE_STATE_READY;
}

static int
check_state(const struct zoneadm *za)
{
	const char *what = za->command->name;
	enum zone_state state = za->state;

	if ((za->command->flags & ZONEADM_OFFLINE) && is_live(state))
		return zoneadm_error(za, "%s: not possible while the zone is %s; halt it first",
				     what, zone_state_name(state));
	switch (za->command->need) {
	case ZONEADM_NEED_NOTHING:
	case ZONEADM_NEED_ZONE:
		break;
	case ZONEADM_NEED_CONFIGURED:
		if (state == ZONE_STATE_INCOMPLETE)
			return zoneadm_error(za, "%s: the zone is incomplete; uninstall it first",
					     what);
		if (state != ZONE_STATE_CONFIGURED)
			return zoneadm_error(za, "%s: the zone is already installed", what);
		break;
	case ZONEADM_NEED_FILES:
		if (state != ZONE_STATE_INCOMPLETE && state != ZONE_STATE_INSTALLED)
			return zoneadm_error(za, "%s: the zone is not installed", what);
		break;
	case ZONEADM_NEED_COMPLETE:
		if (state == ZONE_STATE_INCOMPLETE)
			return zoneadm_error(za, "%s: the zone is incomplete; uninstall it first",
					     what);
		break;
	case ZONEADM_NEED_INSTALLED:
		if (state == ZONE_STATE_CONFIGURED)
			return zoneadm_error(za, "%s: the zone must be installed first", what);
		if (state == ZONE_STATE_INCOMPLETE)
			return zoneadm_error(za, "%s: the zone is incomplete; uninstall it first",
					     what);
		break;
	case ZONEADM_NEED_RUNNING:
		if (state != ZONE_STATE_RUNNING)
			return zoneadm_error(za, "%s: the zone is not running", what);
		break;
	}
	return ZONEADM_OK;
}

int
zoneadm_check(struct zoneadm *za)
{
	struct err err;
	int r;

	r = check_caller(za);
	if (r != ZONEADM_OK || (za->command->flags & ZONEADM_NO_ZONE))
		return r;
	r = check_name(za);
	if (r != ZONEADM_OK)
		return r;
	if (*za->root)
		return ZONEADM_OK; /* zones of another root do not run here; the operation looks */
	r = op_find(za->zone, za->command->flags & ZONEADM_ANY_CONFIG ? NULL : &za->config,
		    &za->entry, &err);
	if (r < 0)
		return zoneadm_fail(za, &err);
	r = op_state(&za->entry, &za->state, &za->id, &err);
	if (r < 0)
		return zoneadm_fail(za, &err);
	return check_state(za);
}

int
zoneadm_lock(struct zoneadm *za, struct config_lock *ret)
{
	struct err err;
	int r;

	r = config_lock_zone(za->root, za->zone, ret, &err);
	if (r < 0)
		return zoneadm_fail(za, &err);
	r = op_state(&za->entry, &za->state, &za->id, &err);
	if (r < 0)
		return zoneadm_fail(za, &err);
	return check_state(za);
}

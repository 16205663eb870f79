/* SPDX-License-Identifier: Apache-2.0 */
#include "ops_priv.h"

#include "base/err.h"

#include <errno.h>

/* What the index says of a zone; without its zonepath, which nobody needs here. */
static int
look_up(const char *root, const char *zone, struct config_entry *ret, struct err *err)
{
	auto_index struct config_index index = {0};
	const struct config_entry *entry;
	int r;

	r = config_index_load(root, &index, err);
	if (r < 0)
		return r;
	entry = config_index_find(&index, zone);
	if (!entry)
		return err_set(err, ZE_NOENT, 0, "%s: No such zone configured", zone);
	*ret = *entry;
	ret->zonepath = NULL;
	return 0;
}

int
op_mark_incomplete(const char *root, const char *zone, struct err *err)
{
	auto_lock struct config_lock lock = {.fd = -EBADF};
	struct config_entry entry;
	enum zone_state state;
	int id, r;

	/* A lock is made for whatever name is given, so the name is looked up before. */
	r = look_up(root, zone, &entry, err);
	if (r == 0)
		r = config_lock_zone(root, zone, &lock, err);
	if (r == 0)
		r = look_up(root, zone, &entry, err);
	if (r < 0)
		return r;
	state = entry.state;
	/* Another root's zones do not run on this host. */
	r = *root ? 0 : op_state(&entry, &state, &id, err);
	if (r < 0)
		return r;
	if (state == ZONE_STATE_INCOMPLETE)
		return 0;
	if (state != ZONE_STATE_INSTALLED)
		return err_set(err, ZE_STATE, 0, "mark: the zone is %s; it must be installed",
			       zone_state_name(state));
	return config_set_state(root, zone, ZONE_STATE_INCOMPLETE, err);
}

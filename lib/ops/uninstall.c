/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From installed or incomplete to configured. Works from whatever a crash has left: files, half of
 * them, or none.
 */
#include "ops_priv.h"

#include "base/err.h"
#include "base/fd.h"
#include "storage/storage.h"

#include <errno.h>
#include <stdlib.h>

static int
check_state(const struct config_entry *entry, struct err *err)
{
	enum zone_state state;
	int id, r;

	r = op_state(entry, &state, &id, err);
	if (r < 0)
		return r;
	if (state >= ZONE_STATE_READY)
		return err_set(err, ZE_STATE, 0,
			       "uninstall: not possible while the zone is %s; halt it first",
			       zone_state_name(state));
	if (state == ZONE_STATE_CONFIGURED)
		return err_set(err, ZE_STATE, 0, "uninstall: the zone is not installed");
	return 0;
}

/* Refused before anything has changed: an administrator's mount is unmounted by him. */
static int
check_mounts(const char *zonepath, struct err *err)
{
	auto_free char *mounted = NULL;
	int r;

	r = storage_mount_below(zonepath, &mounted, err);
	if (r < 0)
		return r;
	if (mounted)
		return err_set(err, ZE_BUSY, 0,
			       "uninstall: something is mounted on '%s'; unmount it first",
			       mounted);
	return 0;
}

int
op_uninstall(const struct op_uninstall_req *req, struct err *err)
{
	auto_lock struct config_lock lock = {.fd = -EBADF};
	struct config_entry entry = {0};
	auto_free char *zonepath = NULL;
	bool kept = false;
	int r;

	r = config_lock_zone("", req->zone, &lock, err);
	if (r < 0)
		return r;
	/* The index alone: a zone must be removable when its configuration cannot be read. */
	r = op_find(req->zone, NULL, &entry, err);
	if (r < 0)
		return r;
	zonepath = entry.zonepath;
	r = check_state(&entry, err);
	if (r < 0)
		return r;
	r = check_mounts(zonepath, err);
	if (r < 0)
		return r;
	if (entry.state != ZONE_STATE_INCOMPLETE) {
		r = config_set_state("", req->zone, ZONE_STATE_INCOMPLETE, err);
		if (r < 0)
			return r;
	}
	r = storage_destroy(zonepath, &kept, err);
	if (r < 0)
		return err_add(err, "uninstall");
	if (kept)
		op_sayf(&req->say, OP_LINE_WARN,
			"WARNING: '%s' holds files that are not the zone's and was kept.",
			zonepath);
	return config_set_state("", req->zone, ZONE_STATE_CONFIGURED, err);
}

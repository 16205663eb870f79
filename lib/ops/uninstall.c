/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From installed or incomplete to configured. Works from whatever a crash has left: files, half of
 * them, or none.
 */
#include "ops_priv.h"

#include "base/err.h"
#include "base/fd.h"
#include "control/control.h"
#include "runtime/runtime.h"
#include "storage/storage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

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

/*
 * Whoever waits at the console of a halted zone is told; without a zoneadmd, nobody does. If there
 * is one, it knows for sure whether the zone is halted, or only looks so on its way to a reboot.
 */
static int
tell_daemon(const char *zone, struct err *err)
{
	const struct control_request req = {.version = CONTROL_VERSION,
					    .command = CONTROL_NOTE_UNINSTALLING};
	auto_free char *path = NULL;
	int r;

	if (asprintf(&path, "/run/zones/%s/control", zone) < 0) {
		path = NULL; /* undefined after a failure */
		return err_nomem(err);
	}
	if (access(path, F_OK) < 0)
		return 0;
	r = control_call(zone, &req, NULL, err);
	if (r == -ZE_STATE)
		return r;
	err_clear(err); /* a zoneadmd that cannot be asked is no reason to stop */
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
	/* Before anything has changed: an administrator's mount is unmounted by him. */
	r = storage_mounts_check(zonepath, err);
	if (r < 0)
		return err_add(err, "uninstall");
	r = tell_daemon(req->zone, err);
	if (r < 0)
		return err_add(err, "uninstall");
	/* What a zone that died with its zoneadmd has left in the kernel. */
	r = runtime_down(req->zone, err);
	if (r < 0)
		return err_add(err, "uninstall");
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

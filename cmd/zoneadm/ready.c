/* SPDX-License-Identifier: Apache-2.0 */
/* zoneadm ready: all of a zone but its processes. */
#include "daemon.h"

int
zoneadm_ready(struct zoneadm *za, int argc, char **argv)
{
	struct control_request req = {.command = CONTROL_READY};
	int r;

	r = zoneadm_no_options(za, argc, argv, 0);
	if (r >= 0)
		return r;
	r = zoneadm_check(za);
	if (r == ZONEADM_OK && za->state == ZONE_STATE_INSTALLED)
		return daemon_bring_up(za, &req);
	if (r == ZONEADM_OK && za->state != ZONE_STATE_READY)
		r = zoneadm_verified(za, true);
	return r != ZONEADM_OK ? r : daemon_ask(za, &req, true);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* zoneadm halt: everything in the zone is killed, and nothing is left. */
#include "daemon.h"

int
zoneadm_halt(struct zoneadm *za, int argc, char **argv)
{
	struct control_request req = {.command = CONTROL_HALT};
	int r;

	r = zoneadm_no_options(za, argc, argv, 0);
	if (r >= 0)
		return r;
	r = zoneadm_check(za);
	return r != ZONEADM_OK ? r : daemon_ask(za, &req, true);
}

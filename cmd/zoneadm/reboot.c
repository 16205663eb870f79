/* SPDX-License-Identifier: Apache-2.0 */
/* zoneadm reboot: halt and boot, without a clean shutdown in between. */
#include "daemon.h"

#include <getopt.h>

int
zoneadm_reboot(struct zoneadm *za, int argc, char **argv)
{
	struct control_request req = {.command = CONTROL_REBOOT};
	int opt, r;

	while ((opt = getopt(argc, argv, "+:")) != -1) {
		if (optopt == '?')
			return zoneadm_usage(za, true);
		(void)zoneadm_error(za, "%s: unknown option -%c", argv[0], optopt);
		return zoneadm_usage(za, false);
	}
	r = zoneadm_check(za);
	if (r == ZONEADM_OK)
		r = daemon_bootargs(za, argv + optind, &req);
	/* Before the zone is taken down: a zone that cannot come up again is better left running.
	 */
	if (r == ZONEADM_OK)
		r = zoneadm_verified(za, true);
	return r != ZONEADM_OK ? r : daemon_ask(za, &req, true);
}

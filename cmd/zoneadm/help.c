/* SPDX-License-Identifier: Apache-2.0 */
#include "zoneadm.h"

#include <string.h>

int
zoneadm_help(struct zoneadm *za, int argc, char **argv)
{
	if (argc > 2)
		return zoneadm_usage(za, false);
	if (argc < 2)
		return zoneadm_usage_all(true);
	if (!strcmp(argv[1], "-?"))
		return zoneadm_usage(za, true);
	for (const struct zoneadm_command *c = zoneadm_commands; c->name; c++) {
		if (strcmp(c->name, argv[1]) != 0)
			continue;
		za->command = c;
		return zoneadm_usage(za, true);
	}
	(void)zoneadm_error(za, "help: '%s' is not a subcommand", argv[1]);
	return zoneadm_usage_all(false);
}

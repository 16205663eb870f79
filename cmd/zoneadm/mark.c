/* SPDX-License-Identifier: Apache-2.0 */
#include "zoneadm.h"

#include "base/err.h"

#include <getopt.h>
#include <string.h>

int
zoneadm_mark(struct zoneadm *za, int argc, char **argv)
{
	struct err err;
	int r;

	r = zoneadm_no_options(za, argc, argv, 1);
	if (r >= 0)
		return r;
	if (strcmp(argv[optind], "incomplete") != 0) {
		(void)zoneadm_error(za, "mark: '%s' is not a state that can be marked",
				    argv[optind]);
		return zoneadm_usage(za, false);
	}
	r = zoneadm_check(za);
	if (r != ZONEADM_OK)
		return r;
	if (op_mark_incomplete(za->root, za->zone, &err) < 0)
		return zoneadm_fail(za, &err);
	return ZONEADM_OK;
}

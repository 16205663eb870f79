/* SPDX-License-Identifier: Apache-2.0 */
#include "zoneadm.h"

#include "base/err.h"

#include <getopt.h>
#include <string.h>

int
zoneadm_clone(struct zoneadm *za, int argc, char **argv)
{
	struct op_clone_req req = {.say = zoneadm_say(za)};
	struct err err;
	int opt, r;

	while ((opt = getopt(argc, argv, "+:m:")) != -1) {
		switch (opt) {
		case 'm':
			if (strcmp(optarg, "copy") != 0) {
				(void)zoneadm_error(za,
						    "clone: method '%s' is unknown; there is "
						    "'copy'",
						    optarg);
				return zoneadm_usage(za, false);
			}
			req.copy = true;
			break;
		default:
			return zoneadm_bad_option(za, opt);
		}
	}
	r = zoneadm_operands(za, argc, argv, 1);
	if (r < 0)
		r = zoneadm_check(za);
	if (r != ZONEADM_OK)
		return r;
	req.target = za->zone;
	req.source = argv[optind];
	if (op_clone(&req, &err) < 0)
		return zoneadm_fail(za, &err);
	return ZONEADM_OK;
}

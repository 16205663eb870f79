/* SPDX-License-Identifier: Apache-2.0 */
#include "zoneadm.h"

#include "base/err.h"
#include "base/fd.h"

#include <getopt.h>
#include <stdio.h>

static int
confirm(const struct zoneadm *za, bool *ret_yes)
{
	auto_free char *question = NULL;

	if (asprintf(&question, "Are you sure you want to uninstall zone %s", za->zone) < 0) {
		question = NULL; /* undefined after a failure */
		return zoneadm_error(za, "out of memory");
	}
	if (zoneadm_ask(question, ret_yes) < 0)
		return zoneadm_error(za,
				     "uninstall: not confirmed: there is no terminal to ask on; "
				     "use -F to uninstall without a question");
	return ZONEADM_OK;
}

int
zoneadm_uninstall(struct zoneadm *za, int argc, char **argv)
{
	struct op_uninstall_req req = {.say = zoneadm_say(za)};
	bool yes = false;
	struct err err;
	int opt, r;

	while ((opt = getopt(argc, argv, "+:F")) != -1) {
		if (opt != 'F')
			return zoneadm_bad_option(za, opt);
		yes = true;
	}
	r = zoneadm_operands(za, argc, argv, 0);
	if (r < 0)
		r = zoneadm_check(za);
	if (r == ZONEADM_OK && !yes)
		r = confirm(za, &yes);
	if (r != ZONEADM_OK || !yes)
		return r;
	req.zone = za->zone;
	if (op_uninstall(&req, &err) < 0)
		return zoneadm_fail(za, &err);
	return ZONEADM_OK;
}

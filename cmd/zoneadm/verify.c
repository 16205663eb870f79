/* SPDX-License-Identifier: Apache-2.0 */
/* zoneadm verify, and the same checks before a zone is made live. */
#include "zoneadm.h"

#include "base/err.h"
#include "base/str.h"

int
zoneadm_verified(const struct zoneadm *za, bool boot)
{
	auto_strv struct strv problems = {0}, warnings = {0};
	struct op_verify_req req = {.config = za->config, .entry = &za->entry, .boot = boot};
	struct err err;
	int r;

	r = op_verify(&req, &problems, &warnings, &err);
	for (size_t i = 0; i < warnings.n; i++)
		(void)zoneadm_error(za, "warning: %s", warnings.v[i]);
	for (size_t i = 0; i < problems.n; i++)
		(void)zoneadm_error(za, "%s", problems.v[i]);
	if (r == 0)
		return ZONEADM_OK;
	(void)err_add(&err, "%s", za->command->name);
	return zoneadm_fail(za, &err);
}

bool
zoneadm_is_plain(const struct zoneadm *za)
{
	auto_strv struct strv problems = {0}, warnings = {0};
	struct op_verify_req req = {
	    .config = za->config, .entry = &za->entry, .boot = true, .plan_follows = true};
	struct err err;

	return op_verify(&req, &problems, &warnings, &err) == 0 && warnings.n == 0;
}

int
zoneadm_verify(struct zoneadm *za, int argc, char **argv)
{
	int r;

	r = zoneadm_no_options(za, argc, argv, 0);
	if (r >= 0)
		return r;
	r = zoneadm_check(za);
	return r != ZONEADM_OK ? r : zoneadm_verified(za, false);
}

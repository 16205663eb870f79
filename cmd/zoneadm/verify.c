/* SPDX-License-Identifier: Apache-2.0 */
#include "zoneadm.h"

#include "base/err.h"
#include "base/str.h"

int
zoneadm_verify(struct zoneadm *za, int argc, char **argv)
{
	auto_strv struct strv problems = {0}, warnings = {0};
	struct op_verify_req req = {0};
	struct err err;
	int r;

	r = zoneadm_no_options(za, argc, argv, 0);
	if (r >= 0)
		return r;
	r = zoneadm_check(za);
	if (r != ZONEADM_OK)
		return r;
	req.config = za->config;
	req.entry = &za->entry;
	r = op_verify(&req, &problems, &warnings, &err);
	for (size_t i = 0; i < problems.n; i++)
		(void)zoneadm_error(za, "%s", problems.v[i]);
	for (size_t i = 0; i < warnings.n; i++)
		(void)zoneadm_error(za, "WARNING: %s", warnings.v[i]);
	if (r < 0) {
		(void)err_add(&err, "verify");
		return zoneadm_fail(za, &err);
	}
	return ZONEADM_OK;
}

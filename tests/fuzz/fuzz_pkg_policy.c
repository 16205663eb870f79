/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packages.conf: what is accepted has a default set, and every refusal says where.
 */
#include "pkg/dpkg_priv.h"

#include "base/err.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dpkg_policy policy;
	struct err err = {0};

	if (dpkg_policy_parse("f", (const char *)data, size, &policy, &err) < 0) {
		if (strncmp(err.msg, "f:", 2))
			abort();
		return 0;
	}
	if (!dpkg_policy_set(&policy, "default"))
		abort();
	for (size_t i = 0; i < policy.n_rules; i++)
		if (strchr(policy.rules[i].word, '/') || !policy.rules[i].line)
			abort();
	dpkg_policy_free(&policy);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "ops_priv.h"

#include "base/err.h"
#include "pkg/pkg.h"

#include <ctype.h>
#include <errno.h>
#include <unistd.h>

/* The zone's UUID, which the index gave it when it left configured, is its machine id too. */
static int
machine_id(const char *zone, char ret[33], struct err *err)
{
	auto_index struct config_index index = {0};
	const struct config_entry *entry;
	size_t n = 0;
	int r;

	r = config_index_load("", &index, err);
	if (r < 0)
		return r;
	entry = config_index_find(&index, zone);
	for (const char *p = entry ? entry->uuid : ""; *p && n < 32; p++)
		if (*p != '-')
			ret[n++] = (char)tolower((unsigned char)*p);
	ret[n] = '\0';
	return 0;
}

int
identity_reset(const char *zone, int root_fd, struct err *err)
{
	char id[33];
	int r;

	r = machine_id(zone, id, err);
	return r < 0 ? r : pkg_unconfigure(root_fd, zone, id, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The status file of a host: whatever is accepted has names that mean nothing in a path, conffiles
 * that stay below the root, and versions that have an order.
 */
#include "pkg/dpkg_priv.h"

#include "base/err.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
any(const void *arg, uint32_t i)
{
	(void)arg;
	(void)i;
	return true;
}

static void
check_order(const char *a, const char *b)
{
	int ab = dpkg_version_compare(a, b), ba = dpkg_version_compare(b, a);

	if ((ab < 0) != (ba > 0) || (ab == 0) != (ba == 0) || dpkg_version_compare(a, a))
		abort();
}

static void
check_package(const struct dpkg_host *host, uint32_t i)
{
	const struct dpkg_pkg *pkg = &host->pkgs[i];

	if (strchr(pkg->key, '/') || *pkg->key == '.' || strchr(pkg->version, '/') ||
	    !*pkg->version)
		abort();
	for (size_t c = 0; c < pkg->n_conffiles; c++)
		if (dpkg_path_check(pkg->conffiles[c].path, strlen(pkg->conffiles[c].path)) ||
		    strlen(pkg->conffiles[c].md5) != 32)
			abort();
	for (size_t g = 0; g < pkg->n_needs; g++) {
		uint32_t by = dpkg_satisfier(host, i, &pkg->needs[g], any, NULL);

		if (by != STRMAP_NONE && by >= host->n_pkgs)
			abort();
	}
	check_order(pkg->version, host->pkgs[0].version);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dpkg_host *host = calloc(1, sizeof(*host));
	struct err err = {0};
	char *text;
	int r;

	if (!host)
		return 0;
	host->base = (struct pkg_host){.backend = &pkg_dpkg, .refs = 1, .root_fd = -EBADF};
	host->lock_fds[0] = host->lock_fds[1] = host->info_fd = -EBADF;
	text = arena_strndup(&host->base.arena, (const char *)data, size);
	r = text ? dpkg_host_parse_status(host, "status", text, size, &err) : -ZE_NOMEM;
	if (r < 0 && text && !*err.msg)
		abort();
	for (uint32_t i = 0; r == 0 && i < host->n_pkgs; i++)
		check_package(host, i);
	pkg_host_drop(&host->base);
	return 0;
}

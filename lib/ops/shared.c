/* SPDX-License-Identifier: Apache-2.0 */
#include "shared.h"

#include "ops_priv.h"

#include "base/str.h"

#include <fnmatch.h>
#include <string.h>

static bool
is_writable(const struct config_res *fs)
{
	const char *const *options;
	size_t n;

	options = config_res_list(fs, CONFIG_FS_OPTIONS, &n);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(options[i], "rw"))
			return true;
	return n == 0;
}

static void
compare_fs(const struct config_res *a, const struct config_res *b, const struct op_say *to)
{
	const char *special = config_res_get(a, CONFIG_FS_SPECIAL);
	const char *type = config_res_get(a, CONFIG_FS_FSTYPE);

	if (!special || !type || !str_eq(special, config_res_get(b, CONFIG_FS_SPECIAL)) ||
	    !str_eq(type, config_res_get(b, CONFIG_FS_FSTYPE)))
		return;
	if (!strcmp(type, "lofs")) {
		if (is_writable(a) || is_writable(b))
			op_sayf(
			    to, OP_LINE_WARN,
			    "WARNING: read-write lofs file system on '%s' is configured in both "
			    "zones.",
			    special);
	} else if (strcmp(type, "tmpfs") != 0) {
		op_sayf(to, OP_LINE_WARN,
			"WARNING: %s file system on '%s' is configured in both zones.", type,
			special);
	}
}

/* The length of an address without its prefix length. */
static size_t
host_len(const char *address)
{
	return strcspn(address, "/");
}

static void
compare_address(const char *a, const char *b, const struct op_say *to)
{
	size_t len;

	if (!a || !b || !*a)
		return;
	len = host_len(a);
	if (len == host_len(b) && !strncasecmp(a, b, len))
		op_sayf(to, OP_LINE_WARN,
			"WARNING: network address '%.*s' is configured in both zones.", (int)len,
			a);
}

static void
compare_net(const struct config_res *a, const struct config_res *b, const struct op_say *to)
{
	compare_address(config_res_get(a, CONFIG_NET_ADDRESS),
			config_res_get(b, CONFIG_NET_ADDRESS), to);
	compare_address(config_res_get(a, CONFIG_NET_ALLOWED_ADDRESS),
			config_res_get(b, CONFIG_NET_ALLOWED_ADDRESS), to);
}

static void
compare_device(const struct config_res *a, const struct config_res *b, const struct op_say *to)
{
	const char *x = config_res_get(a, CONFIG_DEVICE_MATCH);
	const char *y = config_res_get(b, CONFIG_DEVICE_MATCH);

	if (x && y && (fnmatch(x, y, FNM_PATHNAME) == 0 || fnmatch(y, x, FNM_PATHNAME) == 0))
		op_sayf(to, OP_LINE_WARN, "WARNING: device '%s' is configured in both zones.", x);
}

static void
compare_dataset(const struct config_res *a, const struct config_res *b, const struct op_say *to)
{
	const char *x = config_res_get(a, CONFIG_DATASET_NAME);

	if (x && str_eq(x, config_res_get(b, CONFIG_DATASET_NAME)))
		op_sayf(to, OP_LINE_WARN, "WARNING: dataset '%s' is configured in both zones.", x);
}

static const struct {
	enum config_type type;
	void (*compare)(const struct config_res *a, const struct config_res *b,
			const struct op_say *to);
} comparisons[] = {
    {CONFIG_FS, compare_fs},
    {CONFIG_NET, compare_net},
    {CONFIG_DEVICE, compare_device},
    {CONFIG_DATASET, compare_dataset},
};

void
op_say_shared(const struct config *a, const struct config *b, const struct op_say *to)
{
	const struct config_res *x, *y;

	for (size_t t = 0; t < sizeof(comparisons) / sizeof(comparisons[0]); t++)
		for (size_t i = 0; (x = config_at(a, comparisons[t].type, i)); i++)
			for (size_t j = 0; (y = config_at(b, comparisons[t].type, j)); j++)
				comparisons[t].compare(x, y, to);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must hold between the properties of a resource, and of a whole configuration. Each problem
 * is a line of its own, and all are found.
 *
 * Source: zonecfg(8); the minima of rctls are those of the aliases in the table.
 */
#include "config/config_priv.h"

#include "base/err.h"
#include "base/fd.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define IFNAME_MAX        15
#define GLOBAL_MEMORY_MIN ((uint64_t)100 << 20)

struct check {
	const struct config_res *res; /* what a problem is said to be in; NULL: the zone */
	struct strv *problems;
	bool nomem;
};

static void problem(struct check *check, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
problem(struct check *check, const char *fmt, ...)
{
	auto_str struct str label = {0};
	auto_free char *text = NULL;
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (r < 0)
		text = NULL;
	if (!text || (check->res && config_res_label(check->res, &label) < 0) ||
	    strv_addf(check->problems, "%s%s%s", label.s ? label.s : "", label.s ? ": " : "",
		      text) < 0)
		check->nomem = true;
}

/* ---- one resource */

static void
check_required(struct check *check)
{
	enum config_type type = check->res->type;

	for (unsigned p = config_types[type].first; p < (unsigned)config_types[type].end; p++)
		if (config_props[p].required && !config_res_is_set(check->res, p))
			problem(check, "%s not specified: a required property is missing",
				config_props[p].name);
}

static void
check_fs(struct check *check)
{
	static const char *const refused[] = {"proc", "mntfs", "autofs", "cachefs"};
	const char *type = config_res_raw(check->res, CONFIG_FS_FSTYPE);
	const char *special = config_res_raw(check->res, CONFIG_FS_SPECIAL);
	bool bad;

	if (!type)
		return;
	bad = !strncmp(type, "nfs", 3);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		bad |= !strcmp(refused[i], type);
	if (bad)
		problem(check, "type '%s' cannot be mounted for a zone", type);
	if (special && !strcmp(type, "lofs") &&
	    (*special != '/' || strstr(special, "/../") ||
	     (strlen(special) >= 3 && !strcmp(special + strlen(special) - 3, "/.."))))
		problem(check, "special '%s' is not an absolute path without '..'", special);
	if (special && !strcmp(type, "zfs") && *special == '/')
		problem(check, "special '%s' is not the name of a dataset", special);
}

static void
check_link(struct check *check, enum config_prop prop)
{
	const char *link = config_res_raw(check->res, prop);

	if (!link)
		return;
	if (strchr(link, ':'))
		problem(check, "%s '%s' is a logical interface", config_props[prop].name, link);
	else if (strlen(link) > IFNAME_MAX)
		problem(check, "%s '%s' has more than %d characters", config_props[prop].name, link,
			IFNAME_MAX);
}

static void
check_net(struct check *check)
{
	check_link(check, CONFIG_NET_PHYSICAL);
}

static void
check_anet(struct check *check)
{
	check_link(check, CONFIG_ANET_LINKNAME);
	check_link(check, CONFIG_ANET_LOWER_LINK);
}

static void
check_device(struct check *check)
{
	const char *match = config_res_raw(check->res, CONFIG_DEVICE_MATCH);

	if (match && strncmp(match, "/dev/", 5) != 0)
		problem(check, "match '%s' is not below /dev", match);
}

static void
check_capped_memory(struct check *check)
{
	const char *physical = config_res_raw(check->res, CONFIG_CAPPED_MEMORY_PHYSICAL);
	const char *swap = config_res_raw(check->res, CONFIG_CAPPED_MEMORY_SWAP);
	const char *locked = config_res_raw(check->res, CONFIG_CAPPED_MEMORY_LOCKED);

	if (!physical && !swap && !locked)
		problem(check, "none of physical, swap and locked is specified");
	if (physical && locked && strtoull(locked, NULL, 10) > strtoull(physical, NULL, 10))
		problem(check, "locked '%s' is more than physical '%s'", locked, physical);
}

static void
check_attr(struct check *check)
{
	const char *name = config_res_raw(check->res, CONFIG_ATTR_NAME);
	const char *type = config_res_raw(check->res, CONFIG_ATTR_TYPE);
	const char *value = config_res_raw(check->res, CONFIG_ATTR_VALUE);
	const char *digits;
	uint64_t n, max;

	if (name && !strncmp(name, "zone", 4))
		problem(check, "name '%s': names that begin with 'zone' are reserved", name);
	if (!type || !value)
		return;
	if (!strcmp(type, "boolean") && strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
		problem(check, "value '%s' is neither true nor false", value);
	if (!strcmp(type, "uint") && str_to_u64(value, UINT64_MAX, &n, NULL) < 0)
		problem(check, "value '%s' is not an unsigned integer", value);
	if (strcmp(type, "int") != 0)
		return;
	digits = value + (*value == '-');
	max = (uint64_t)INT64_MAX + (*value == '-');
	if (str_to_u64(digits, max, &n, NULL) < 0)
		problem(check, "value '%s' is not an integer", value);
}

/* The alias of an rctl, which has its limits; CONFIG_PROP_COUNT when there is none. */
static unsigned
alias_of(const char *rctl_name)
{
	unsigned p;

	for (p = 0; p < CONFIG_PROP_COUNT; p++)
		if (config_props[p].rctl && !strcmp(config_props[p].rctl, rctl_name))
			break;
	return p;
}

static void
check_rctl_value(struct check *check, const char *name, const char *text)
{
	unsigned alias = alias_of(name);
	struct config_rctl_value v;

	if (config_rctl_value_parse(text, &v, NULL) < 0)
		return; /* cannot be: it was checked when it was set */
	if (strcmp(v.priv, "privileged") != 0)
		problem(check, "value '%s': the privilege must be 'privileged'", text);
	if (!strncmp(v.action, "signal=", 7))
		problem(check, "value '%s': a signal cannot be sent to a zone", text);
	if (!strcmp(v.action, "deny") && !strcmp(name, "zone.cpu-shares"))
		problem(check, "value '%s': this resource control cannot deny", text);
	if (!strcmp(v.action, "none") && !strcmp(name, "zone.cpu-cap"))
		problem(check, "value '%s': this resource control always denies", text);
	if (alias < CONFIG_PROP_COUNT &&
	    (v.limit < config_props[alias].min || v.limit > config_props[alias].max))
		problem(check, "value '%s': the limit is not between %ju and %ju", text,
			(uintmax_t)config_props[alias].min, (uintmax_t)config_props[alias].max);
}

static void
check_rctl(struct check *check)
{
	const char *name = config_res_raw(check->res, CONFIG_RCTL_NAME);
	const char *const *list;
	size_t n;

	list = config_res_list(check->res, CONFIG_RCTL_VALUE, &n);
	for (size_t i = 0; name && i < n; i++)
		check_rctl_value(check, name, list[i]);
}

static void
check_fs_options(struct check *check)
{
	const char *all = config_res_raw(check->res, CONFIG_FS_OPTIONS);

	if (all && strlen(all) > 1024)
		problem(check, "options: together they have more than 1024 bytes");
}

static void
check_res(struct check *check)
{
	static void (*const checks[CONFIG_TYPE_COUNT])(struct check *) = {
	    [CONFIG_FS] = check_fs,
	    [CONFIG_NET] = check_net,
	    [CONFIG_ANET] = check_anet,
	    [CONFIG_DEVICE] = check_device,
	    [CONFIG_CAPPED_MEMORY] = check_capped_memory,
	    [CONFIG_ATTR] = check_attr,
	    [CONFIG_RCTL] = check_rctl,
	};

	check_required(check);
	if (checks[check->res->type])
		checks[check->res->type](check);
	if (check->res->type == CONFIG_FS)
		check_fs_options(check);
}

static int
result(const struct check *check, size_t before)
{
	if (check->nomem)
		return -ZE_NOMEM;
	return check->problems->n > before ? -ZE_VERIFY : 0;
}

int
config_res_check(const struct config_res *res, struct strv *problems)
{
	struct check check = {.res = res, .problems = problems};
	size_t before = problems->n;

	check_res(&check);
	return result(&check, before);
}

/* ---- a whole configuration */

static void
check_zone(struct check *check, const struct config *cfg)
{
	const char *path = config_res_raw(cfg->global, CONFIG_ZONEPATH);
	const char *pool = config_get(cfg, CONFIG_POOL);

	if (!path && strcmp(config_zonename(cfg), "global") != 0)
		problem(check, "zonepath: not specified: a required resource is missing");
	if (path && !strcmp(path, "/"))
		problem(check, "zonepath: '/' cannot be a zonepath");
	if (pool && !strncmp(pool, "SUNW", 4))
		problem(check, "pool: '%s': names that begin with SUNW are reserved", pool);
}

/* Ids of the host in a namespace of the zone's making would be no bound at all. */
static void
check_nesting(struct check *check, const struct config *cfg)
{
	if (!strcmp(config_get(cfg, CONFIG_NESTING), "true") &&
	    !strcmp(config_get(cfg, CONFIG_IDMAP), "shared"))
		problem(check, "nesting 'true' and idmap 'shared' are incompatible");
}

static void
check_cpu(struct check *check, const struct config *cfg)
{
	const char *pool = config_get(cfg, CONFIG_POOL);
	const char *shares = config_get(cfg, CONFIG_CPU_SHARES);
	const char *class = config_get(cfg, CONFIG_SCHEDULING_CLASS);

	if (config_count(cfg, CONFIG_DEDICATED_CPU) > 0) {
		if (config_count(cfg, CONFIG_CAPPED_CPU) > 0)
			problem(check, "dedicated-cpu and capped-cpu are incompatible");
		if (pool)
			problem(check, "dedicated-cpu and pool '%s' are incompatible", pool);
		if (shares)
			problem(check, "dedicated-cpu and cpu-shares '%s' are incompatible",
				shares);
	}
	if (shares && class && strcmp(class, "FSS") != 0)
		problem(check, "cpu-shares '%s' and scheduling-class '%s' are incompatible", shares,
			class);
}

static void
check_net_of(struct check *check, const struct config_res *res, bool exclusive)
{
	if (exclusive && config_res_is_set(res, CONFIG_NET_ADDRESS))
		problem(check, "address '%s' and ip-type 'exclusive' are incompatible",
			config_res_raw(res, CONFIG_NET_ADDRESS));
	/* It is the router of an address. */
	if (exclusive && config_res_is_set(res, CONFIG_NET_DEFROUTER) &&
	    !config_res_is_set(res, CONFIG_NET_ALLOWED_ADDRESS))
		problem(check,
			"defrouter '%s' and ip-type 'exclusive' are incompatible without "
			"allowed-address",
			config_res_raw(res, CONFIG_NET_DEFROUTER));
	if (!exclusive && !config_res_is_set(res, CONFIG_NET_ADDRESS))
		problem(check, "address not specified: a required property is missing");
	if (!exclusive && config_res_is_set(res, CONFIG_NET_ALLOWED_ADDRESS))
		problem(check, "allowed-address '%s' and ip-type 'shared' are incompatible",
			config_res_raw(res, CONFIG_NET_ALLOWED_ADDRESS));
}

static void
check_nets(struct check *check, const struct config *cfg)
{
	bool exclusive = !strcmp(config_get(cfg, CONFIG_IP_TYPE), "exclusive");

	for (size_t i = 0; i < config_count(cfg, CONFIG_NET); i++) {
		check->res = config_at(cfg, CONFIG_NET, i);
		check_net_of(check, check->res, exclusive);
	}
	check->res = NULL;
	if (!exclusive && config_count(cfg, CONFIG_ANET) > 0)
		problem(check, "anet and ip-type 'shared' are incompatible");
}

/* Below this the host itself would not get far. */
static void
check_global_memory(struct check *check, const struct config *cfg)
{
	static const enum config_prop caps[] = {CONFIG_CAPPED_MEMORY_SWAP,
						CONFIG_CAPPED_MEMORY_LOCKED};
	const struct config_res *res = config_at(cfg, CONFIG_CAPPED_MEMORY, 0);
	const char *value;

	for (size_t i = 0; res && i < 2; i++) {
		value = config_res_raw(res, caps[i]);
		if (value && strtoull(value, NULL, 10) < GLOBAL_MEMORY_MIN)
			problem(check, "capped-memory: %s '%s' is less than 100M",
				config_props[caps[i]].name, value);
	}
}

/* The global zone is configured for its resources only. */
static void
check_global_zone(struct check *check, const struct config *cfg)
{
	static const enum config_type types[] = {CONFIG_DEDICATED_CPU, CONFIG_CAPPED_CPU,
						 CONFIG_CAPPED_MEMORY, CONFIG_RCTL};
	static const enum config_prop props[] = {CONFIG_ZONENAME, CONFIG_BRAND, CONFIG_AUTOBOOT,
						 CONFIG_POOL, CONFIG_SCHEDULING_CLASS};
	bool allowed;

	for (unsigned p = CONFIG_ZONENAME; p < CONFIG_MAX_LWPS; p++) {
		allowed = !config_res_is_set(cfg->global, p);
		for (size_t i = 0; i < sizeof(props) / sizeof(props[0]); i++)
			allowed |= p == props[i];
		if (!allowed)
			problem(check, "%s: cannot be set for the global zone",
				config_props[p].name);
	}
	check_global_memory(check, cfg);
	for (unsigned type = CONFIG_GLOBAL + 1; type < CONFIG_TYPE_COUNT; type++) {
		allowed = config_count(cfg, type) == 0;
		for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
			allowed |= type == types[i];
		if (!allowed)
			problem(check, "%s: the global zone cannot have one",
				config_types[type].name);
	}
}

int
config_check(const struct config *cfg, struct strv *problems)
{
	struct check check = {.problems = problems};
	size_t before = problems->n;

	check_zone(&check, cfg);
	if (!strcmp(config_zonename(cfg), "global"))
		check_global_zone(&check, cfg);
	for (unsigned type = CONFIG_GLOBAL + 1; type < CONFIG_TYPE_COUNT; type++) {
		for (size_t i = 0; i < config_count(cfg, type); i++) {
			check.res = config_at(cfg, type, i);
			check_res(&check);
		}
	}
	check.res = NULL;
	check_nets(&check, cfg);
	check_cpu(&check, cfg);
	check_nesting(&check, cfg);
	return result(&check, before);
}

/* ---- the zonepath on this host */

int
config_zonepath_check(const char *root, const char *path, struct err *err)
{
	auto_free char *full = NULL, *real_root = NULL, *real = NULL;
	struct stat st;
	size_t len;
	char *slash;

	if (!strcmp(path, "/"))
		return err_set(err, ZE_INVAL, 0, "zonepath: '/' cannot be a zonepath");
	/* What leads to the alternate root is not the zone's business. */
	real_root = *root ? realpath(root, NULL) : strdup("");
	if (!real_root)
		return err_set(err, ZE_IO, errno, "resolve '%s'", root);
	if (asprintf(&full, "%s%s", real_root, path) < 0) {
		full = NULL;
		return err_nomem(err);
	}
	for (;;) {
		real = realpath(full, NULL);
		if (real || errno != ENOENT)
			break;
		/* A symbolic link to nowhere does exist. */
		if (lstat(full, &st) == 0)
			return err_set(err, ZE_INVAL, 0,
				       "zonepath: '%s' is a symbolic link to what does not exist",
				       full + strlen(real_root));
		slash = strrchr(full, '/');
		if (slash == full + strlen(real_root))
			return 0; /* nothing of it exists yet */
		*slash = '\0';
	}
	if (!real)
		return err_set(err, ZE_INVAL, errno, "zonepath: resolve '%s'", full);
	if (!strcmp(real, full))
		return 0;
	len = strlen(real_root);
	if (strncmp(real, real_root, len) != 0 || real[len] != '/')
		return err_set(err, ZE_INVAL, 0,
			       "zonepath: '%s' leads out of the alternate root, to '%s'", path,
			       real);
	return err_set(err, ZE_INVAL, 0,
		       "zonepath: '%s' differs from where it leads, '%s%s'; use that", path,
		       real + len, path + strlen(full) - len);
}

/* ---- the brand on this host */

int
config_brand_check(const char *root, const char *brand, struct err *err)
{
	auto_free char *path = NULL;

	if (!strcmp(brand, "native"))
		return 0;
	if (asprintf(&path, "%s/usr/lib/brand/%s/config.xml", root, brand) < 0) {
		path = NULL;
		return err_nomem(err);
	}
	if (*brand == '.' || strchr(brand, '/') || access(path, R_OK) < 0)
		return err_set(err, ZE_INVAL, 0,
			       "brand: '%s' is no brand of this host; 'native' is built in", brand);
	return 0;
}

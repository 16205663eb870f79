/* SPDX-License-Identifier: Apache-2.0 */
#include "config_random.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/str.h"
#include "config/config.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RES_MAX 4 /* of one type */

struct rng {
	uint64_t state;
	unsigned serial; /* makes keys unique */
	bool exclusive;
};

/* xorshift64* */
static uint64_t
next(struct rng *rng)
{
	rng->state ^= rng->state >> 12;
	rng->state ^= rng->state << 25;
	rng->state ^= rng->state >> 27;
	return rng->state * 2685821657736338717u;
}

static uint64_t
below(struct rng *rng, uint64_t n)
{
	return next(rng) % n;
}

static bool
chance(struct rng *rng, unsigned percent)
{
	return below(rng, 100) < percent;
}

/* @n of the strings in @set, one after the other. */
static void
text(struct rng *rng, const char *const *set, size_t set_n, size_t n, struct str *ret)
{
	for (size_t i = 0; i < n; i++)
		(void)str_addf(ret, "%s", set[below(rng, set_n)]);
}

/* Everything that the command language, XML or the shell could stumble over. */
static void
any_text(struct rng *rng, struct str *ret)
{
	static const char *const set[] = {"a", "B", "7", " ", "=", ";",  ",", "(",  ")", "[",
					  "]", "#", "?", "&", "<", ">",  "'", "\\", "%", "$",
					  "{", "}", "!", "-", "é", "日", "😀", "/",  ":", "."};

	text(rng, set, sizeof(set) / sizeof(set[0]), 1 + below(rng, 20), ret);
}

static void
word(struct rng *rng, struct str *ret)
{
	static const char *const set[] = {"a", "Z", "0", "9", "_", "-", "."};

	(void)str_addf(ret, "w%u", rng->serial++);
	text(rng, set, sizeof(set) / sizeof(set[0]), below(rng, 8), ret);
}

static void
path(struct rng *rng, struct str *ret)
{
	static const char *const set[] = {"a", "b", " ", ":", "=", "&", "é", ";", "[", ",", "..."};

	(void)str_addf(ret, "/p%u", rng->serial++);
	text(rng, set, sizeof(set) / sizeof(set[0]), below(rng, 8), ret);
	if (chance(rng, 30))
		(void)str_addf(ret, "/sub");
}

static void
number(struct rng *rng, enum config_prop prop, struct str *ret)
{
	uint64_t min = config_props[prop].min, max = config_props[prop].max, n;

	if (max == 0)
		max = UINT64_MAX - 1;
	switch (below(rng, 4)) {
	case 0:
		n = min;
		break;
	case 1:
		n = max;
		break;
	case 2: /* in the middle of nowhere */
		n = min + below(rng, max - min + 1);
		break;
	default: /* what people write */
		n = min + below(rng, max - min < 1000 ? max - min + 1 : 1000);
	}
	(void)str_addf(ret, "%ju", (uintmax_t)n);
}

static void
address(struct rng *rng, enum config_value_kind kind, struct str *ret)
{
	bool v6 = chance(rng, 40);

	if (kind == CONFIG_KIND_ADDRESS && chance(rng, 10)) {
		(void)str_addf(ret, "host-%u.example", rng->serial++);
		return;
	}
	if (v6)
		(void)str_addf(ret, "2001:db8:%x::%x", (unsigned)below(rng, 65536), rng->serial++);
	else
		(void)str_addf(ret, "192.%u.%u.%u", (unsigned)below(rng, 256),
			       (unsigned)below(rng, 256), 1 + rng->serial++ % 254);
	if (kind != CONFIG_KIND_IP && (v6 || chance(rng, 70)))
		(void)str_addf(ret, "/%u", 1 + (unsigned)below(rng, v6 ? 128 : 32));
}

static void
choice(struct rng *rng, enum config_prop prop, struct str *ret)
{
	size_t n = 0;

	while (config_props[prop].choices[n])
		n++;
	(void)str_addf(ret, "%s", config_props[prop].choices[below(rng, n)]);
}

static void
rctl_value(struct rng *rng, struct str *ret)
{
	(void)str_addf(ret, "(priv=privileged,limit=%ju,action=%s)", (uintmax_t)next(rng),
		       chance(rng, 50) ? "deny" : "none");
}

static void
value_of_kind(struct rng *rng, enum config_prop prop, struct str *ret)
{
	static const char units[] = "KMG";

	switch (config_props[prop].kind) {
	case CONFIG_KIND_STRING:
		any_text(rng, ret);
		break;
	case CONFIG_KIND_ZONENAME:
		(void)str_addf(ret, "random");
		break;
	case CONFIG_KIND_PATH:
		path(rng, ret);
		break;
	case CONFIG_KIND_BOOL:
	case CONFIG_KIND_ENUM:
		choice(rng, prop, ret);
		break;
	case CONFIG_KIND_UINT:
	case CONFIG_KIND_SIZE:
		number(rng, prop, ret);
		break;
	case CONFIG_KIND_NCPUS:
		(void)str_addf(ret, "%u.%02u", (unsigned)below(rng, 128),
			       1 + (unsigned)below(rng, 99));
		break;
	case CONFIG_KIND_RANGE:
		(void)str_addf(ret, "%u-%u", 1 + (unsigned)below(rng, 4),
			       4 + (unsigned)below(rng, 4));
		break;
	case CONFIG_KIND_HOSTID:
		(void)str_addf(ret, chance(rng, 50) ? "0x%x" : "%X",
			       (unsigned)below(rng, 0xfffffffe));
		break;
	case CONFIG_KIND_ADDRESS:
	case CONFIG_KIND_IP_PREFIX:
	case CONFIG_KIND_IP:
		address(rng, config_props[prop].kind, ret);
		break;
	case CONFIG_KIND_LINK:
		(void)str_addf(ret, "eth%u", rng->serial++);
		break;
	case CONFIG_KIND_MAC:
		if (chance(rng, 50))
			choice(rng, prop, ret);
		else
			(void)str_addf(ret, "02:00:5E:%02x:%02x:01", (unsigned)below(rng, 256),
				       (unsigned)below(rng, 256));
		break;
	case CONFIG_KIND_RATE:
		(void)str_addf(ret, "%u%.1s", 1 + (unsigned)below(rng, 1000),
			       units + below(rng, 3));
		break;
	case CONFIG_KIND_DATASET:
		(void)str_addf(ret, "tank/data set-%u", rng->serial++);
		break;
	case CONFIG_KIND_RCTL_NAME:
		(void)str_addf(ret, "zone.other-%u", rng->serial++);
		break;
	case CONFIG_KIND_RCTL_VALUE:
		rctl_value(rng, ret);
		break;
	case CONFIG_KIND_ATTR_NAME:
		word(rng, ret);
		break;
	}
}

/* Properties whose value depends on more than their kind. */
static void
value_of(struct rng *rng, const struct config_res *res, enum config_prop prop, struct str *ret)
{
	static const char *const types[] = {"lofs", "tmpfs", "ext4", "ufs"};
	const char *type;

	if (prop == CONFIG_FS_FSTYPE) {
		(void)str_addf(ret, "%s", types[below(rng, 4)]);
	} else if (prop == CONFIG_FS_SPECIAL) {
		path(rng, ret);
	} else if (prop == CONFIG_DEVICE_MATCH) {
		(void)str_addf(ret, "/dev/x%u*", rng->serial++);
	} else if (prop == CONFIG_ATTR_VALUE) {
		type = config_res_get(res, CONFIG_ATTR_TYPE);
		if (!strcmp(type, "boolean"))
			(void)str_addf(ret, chance(rng, 50) ? "true" : "false");
		else if (!strcmp(type, "int"))
			(void)str_addf(ret, "%jd", (intmax_t)next(rng));
		else if (!strcmp(type, "uint"))
			(void)str_addf(ret, "%ju", (uintmax_t)next(rng));
		else
			any_text(rng, ret);
	} else {
		value_of_kind(rng, prop, ret);
	}
}

static int
set_prop(struct rng *rng, struct config_res *res, enum config_prop prop, struct err *err)
{
	size_t n = config_props[prop].list ? 1 + below(rng, 3) : 1;
	int r;

	for (size_t i = 0; i < n; i++) {
		auto_str struct str value = {0};

		value_of(rng, res, prop, &value);
		if (!config_props[prop].list)
			return config_res_set(res, prop, value.s, err);
		r = config_res_add_value(res, prop, value.s, err);
		if (r == -ZE_EXIST) /* the same choice again */
			r = 0;
		if (r < 0)
			return r;
	}
	return 0;
}

/* What ip-type demands or forbids. */
static bool
is_wanted(struct rng *rng, enum config_prop prop)
{
	if (prop == CONFIG_NET_ADDRESS)
		return !rng->exclusive;
	if (prop == CONFIG_NET_DEFROUTER)
		return !rng->exclusive && chance(rng, 50);
	if (prop == CONFIG_NET_ALLOWED_ADDRESS)
		return rng->exclusive && chance(rng, 50);
	return config_props[prop].required || chance(rng, 50);
}

static int
set_props(struct rng *rng, struct config_res *res, struct err *err)
{
	enum config_type type = config_res_type(res);
	int r = 0;

	for (unsigned p = config_types[type].first; r == 0 && p < (unsigned)config_types[type].end;
	     p++)
		if (is_wanted(rng, p))
			r = set_prop(rng, res, p, err);
	if (r == 0 && type == CONFIG_CAPPED_MEMORY) {
		/* At least one, and locked no more than physical. */
		if (!config_res_is_set(res, CONFIG_CAPPED_MEMORY_PHYSICAL))
			r = set_prop(rng, res, CONFIG_CAPPED_MEMORY_PHYSICAL, err);
		if (r == 0 && config_res_is_set(res, CONFIG_CAPPED_MEMORY_LOCKED))
			r = config_res_set(res, CONFIG_CAPPED_MEMORY_LOCKED,
					   config_res_get(res, CONFIG_CAPPED_MEMORY_PHYSICAL), err);
	}
	return r;
}

/* An rctl that an alias stands for, but says more than that can: the alias is not shown. */
static int
add_hidden_rctl(struct rng *rng, struct config *cfg, struct err *err)
{
	static const char *const names[] = {"zone.max-lwps", "zone.max-swap", "zone.max-shm-ids"};
	auto_res struct config_res *res = NULL;
	int r;

	r = config_res_new(CONFIG_RCTL, &res, err);
	if (r == 0)
		r = config_res_set(res, CONFIG_RCTL_NAME, names[below(rng, 3)], err);
	if (r == 0)
		r = config_res_add_value(res, CONFIG_RCTL_VALUE,
					 "(priv=privileged,limit=60000000,action=none)", err);
	if (r == 0 && chance(rng, 50))
		r = config_res_add_value(res, CONFIG_RCTL_VALUE,
					 "(priv=privileged,limit=60000001,action=deny)", err);
	if (r == 0)
		r = config_add(cfg, res, NULL, err);
	if (r == 0)
		(void)ptr_take(&res);
	else if (r == -ZE_EXIST)
		r = 0;
	return r;
}

static int
add_resources(struct rng *rng, struct config *cfg, enum config_type type, size_t n, struct err *err)
{
	int r;

	for (size_t i = 0; i < n; i++) {
		auto_res struct config_res *res = NULL;

		r = config_res_new(type, &res, err);
		if (r == 0)
			r = set_props(rng, res, err);
		if (r == 0)
			r = config_add(cfg, res, NULL, err);
		if (r < 0)
			return err_add(err, "%s", config_types[type].name);
		(void)ptr_take(&res);
	}
	return 0;
}

static int
add_all_resources(struct rng *rng, struct config *cfg, bool dedicated, struct err *err)
{
	size_t n;
	int r = 0;

	for (unsigned type = CONFIG_GLOBAL + 1; r == 0 && type < CONFIG_TYPE_COUNT; type++) {
		n = config_types[type].single ? below(rng, 2) : below(rng, RES_MAX);
		if (type == CONFIG_DEDICATED_CPU)
			n = dedicated;
		else if (type == CONFIG_CAPPED_CPU && dedicated)
			n = 0;
		else if (type == CONFIG_ANET && !rng->exclusive)
			n = 0;
		r = add_resources(rng, cfg, type, n, err);
	}
	if (r == 0 && chance(rng, 30))
		r = add_hidden_rctl(rng, cfg, err);
	return r;
}

static int
set_globals(struct rng *rng, struct config *cfg, bool dedicated, struct err *err)
{
	struct config_res *global = config_global(cfg);
	bool shares = !dedicated && chance(rng, 40);
	int r = 0;

	for (unsigned p = CONFIG_ZONEPATH; r == 0 && p < CONFIG_MAX_LWPS; p++)
		if ((config_props[p].required || chance(rng, 50)) &&
		    !(p == CONFIG_POOL && dedicated) && !(p == CONFIG_SCHEDULING_CLASS && shares))
			r = set_prop(rng, global, p, err);
	for (unsigned p = CONFIG_MAX_LWPS; r == 0 && p < CONFIG_CPU_SHARES; p++)
		if (chance(rng, 30))
			r = set_prop(rng, global, p, err);
	if (r == 0 && shares)
		r = set_prop(rng, global, CONFIG_CPU_SHARES, err);
	if (r == 0 && shares && chance(rng, 50))
		r = config_res_set(global, CONFIG_SCHEDULING_CLASS, "FSS", err);
	if (r == 0 && !strcmp(config_get(cfg, CONFIG_NESTING), "true"))
		r = config_res_set(global, CONFIG_IDMAP, "private", err);
	rng->exclusive = !strcmp(config_get(cfg, CONFIG_IP_TYPE), "exclusive");
	return r;
}

int
config_random(uint64_t seed, struct config **ret, struct err *err)
{
	struct rng rng = {.state = seed * 2654435769u + 1};
	auto_config struct config *cfg = NULL;
	bool dedicated = chance(&rng, 30);
	int r;

	for (int i = 0; i < 8; i++)
		(void)next(&rng); /* small seeds begin alike */
	r = config_new("random", &cfg, err);
	if (r == 0)
		r = set_globals(&rng, cfg, dedicated, err);
	if (r == 0)
		r = add_all_resources(&rng, cfg, dedicated, err);
	if (r == 0)
		*ret = ptr_take(&cfg);
	return r;
}

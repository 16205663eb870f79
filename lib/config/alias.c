/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Aliases: max-lwps, cpu-shares, the properties of capped-cpu and some of capped-memory are views
 * on rctl resources. The rctl is the truth, in memory as in the file. Its alias exists while the
 * rctl has exactly one value, privileged and with the alias's own action; a capped-* resource
 * exists while one of its properties does.
 */
#include "config/config_priv.h"

#include "base/err.h"
#include "base/fd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Fair shares are a weight: there is nothing to deny. */
static const char *
alias_action(enum config_prop prop)
{
	return prop == CONFIG_CPU_SHARES ? "none" : "deny";
}

static struct config_res *
alias_rctl(const struct config *cfg, enum config_prop prop)
{
	return config_find_named(cfg, CONFIG_RCTL, config_props[prop].rctl);
}

/* Whether an rctl says what its alias can show; if so, what. */
static bool
alias_shows(const struct config_res *rctl, enum config_prop prop, uint64_t *ret_limit)
{
	struct config_rctl_value v;
	const char *const *list;
	size_t n;

	list = config_res_list(rctl, CONFIG_RCTL_VALUE, &n);
	if (n != 1 || config_rctl_value_parse(list[0], &v, NULL) < 0 ||
	    strcmp(v.priv, "privileged") != 0 || strcmp(v.action, alias_action(prop)) != 0)
		return false;
	*ret_limit = v.limit;
	return true;
}

static char *
alias_text(enum config_prop prop, uint64_t limit)
{
	char *text;
	int r;

	if (config_props[prop].kind == CONFIG_KIND_NCPUS)
		r = asprintf(&text, "%ju.%02ju", (uintmax_t)(limit / 100),
			     (uintmax_t)(limit % 100));
	else
		r = asprintf(&text, "%ju", (uintmax_t)limit);
	return r < 0 ? NULL : text;
}

/* The rctl's value for what an alias was set to. */
static int
rctl_text(enum config_prop prop, const char *value, char **ret, struct err *err)
{
	const char *dot = strchrnul(value, '.');
	int r;

	/* CPUs are stored with two places and limited in hundredths. */
	r = asprintf(ret, "(priv=privileged,limit=%llu,action=%s)",
		     strtoull(value, NULL, 10) * (*dot ? 100 : 1) +
			 (*dot ? strtoull(dot + 1, NULL, 10) : 0),
		     alias_action(prop));
	return r < 0 ? err_nomem(err) : 0;
}

static int
alias_check(const struct config *cfg, enum config_prop prop, struct err *err)
{
	const struct config_res *rctl = alias_rctl(cfg, prop);
	uint64_t limit;

	if (!rctl || alias_shows(rctl, prop, &limit))
		return 0;
	return err_set(err, ZE_INVAL, 0,
		       "%s: alias not allowed: rctl '%s' does not have a single privileged value "
		       "with action=%s; change or remove that",
		       config_props[prop].name, config_props[prop].rctl, alias_action(prop));
}

/* Make the rctl say what the alias does. */
static int
alias_write(struct config *cfg, enum config_prop prop, const char *value, struct err *err)
{
	struct config_res *rctl = alias_rctl(cfg, prop);
	auto_res struct config_res *added = NULL;
	auto_free char *text = NULL;
	int r;

	r = rctl_text(prop, value, &text, err);
	if (r < 0 || rctl)
		return r < 0 ? r : config_res_store(rctl, CONFIG_RCTL_VALUE, text, err);
	r = config_res_new(CONFIG_RCTL, &added, err);
	if (r == 0)
		r = config_res_store(added, CONFIG_RCTL_NAME, config_props[prop].rctl, err);
	if (r == 0)
		r = config_res_store(added, CONFIG_RCTL_VALUE, text, err);
	if (r == 0)
		r = config_link(cfg, added, NULL, err);
	if (r < 0)
		return r;
	(void)ptr_take(&added);
	return 0;
}

static int
alias_store(struct config *cfg, enum config_prop prop, const char *value, struct err *err)
{
	int r;

	r = alias_check(cfg, prop, err);
	if (r == 0)
		r = alias_write(cfg, prop, value, err);
	return r < 0 ? r : config_res_store(cfg->global, prop, value, err);
}

int
config_alias_set(struct config *cfg, enum config_prop prop, const char *value, struct err *err)
{
	auto_free char *lwps = NULL;
	uint64_t n;
	int r;

	r = alias_store(cfg, prop, value, err);
	if (r < 0 || prop != CONFIG_MAX_PROCESSES || alias_rctl(cfg, CONFIG_MAX_LWPS))
		return r;
	/* Ten threads a process, as long as nothing is said about threads. */
	n = strtoull(value, NULL, 10);
	n = n > config_props[CONFIG_MAX_LWPS].max / 10 ? config_props[CONFIG_MAX_LWPS].max : n * 10;
	if (asprintf(&lwps, "%ju", (uintmax_t)n) < 0) {
		lwps = NULL; /* undefined after a failure */
		return err_nomem(err);
	}
	return alias_store(cfg, CONFIG_MAX_LWPS, lwps, err);
}

void
config_alias_drop(struct config *cfg, enum config_prop prop)
{
	struct config_res *rctl = alias_rctl(cfg, prop);
	uint64_t limit;

	if (rctl && alias_shows(rctl, prop, &limit))
		config_res_free(config_unlink(cfg, rctl));
}

static int
refresh_prop(struct config *cfg, enum config_prop prop, const char *value, struct err *err)
{
	enum config_type type = config_props[prop].type;
	struct config_res *view = type == CONFIG_GLOBAL ? cfg->global : config_at(cfg, type, 0);
	auto_res struct config_res *added = NULL;
	int r;

	if (!view && !value)
		return 0;
	if (view) {
		r = config_res_store(view, prop, value, err);
		if (r == 0 && type != CONFIG_GLOBAL && config_res_is_empty(view))
			config_res_free(config_unlink(cfg, view));
		return r;
	}
	r = config_res_new(type, &added, err);
	if (r == 0)
		r = config_res_store(added, prop, value, err);
	if (r == 0)
		r = config_link(cfg, added, NULL, err);
	if (r < 0)
		return r;
	(void)ptr_take(&added);
	return 0;
}

int
config_alias_refresh(struct config *cfg, const char *rctl_name, struct err *err)
{
	const struct config_res *rctl = config_find_named(cfg, CONFIG_RCTL, rctl_name);
	uint64_t limit;
	int r;

	for (unsigned p = 0; p < CONFIG_PROP_COUNT; p++) {
		auto_free char *value = NULL;

		if (!config_props[p].rctl || strcmp(config_props[p].rctl, rctl_name) != 0)
			continue;
		if (rctl && alias_shows(rctl, p, &limit)) {
			value = alias_text(p, limit);
			if (!value)
				return err_nomem(err);
		}
		r = refresh_prop(cfg, p, value, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Move what @res has into @present, which lacks it. */
static int
merge(struct config_res *present, struct config_res *res, struct err *err)
{
	int r = 0;

	for (unsigned p = config_types[res->type].first; p < (unsigned)config_types[res->type].end;
	     p++) {
		if (config_res_is_set(res, p) && config_props[p].rctl)
			return err_set(err, ZE_EXIST, 0, "%s already exists",
				       config_types[res->type].name);
	}
	for (unsigned p = config_types[res->type].first;
	     r == 0 && p < (unsigned)config_types[res->type].end; p++)
		if (config_res_is_set(res, p))
			r = config_res_store(present, p, config_res_raw(res, p), err);
	if (r == 0)
		config_res_free(res);
	return r;
}

int
config_alias_add(struct config *cfg, struct config_res *res, struct config_res *replace,
		 struct err *err)
{
	struct config_res *present = config_at(cfg, res->type, 0);
	int r;

	if (present && !replace)
		return merge(present, res, err);
	for (unsigned p = config_types[res->type].first; p < (unsigned)config_types[res->type].end;
	     p++) {
		if (!config_props[p].rctl || !config_res_is_set(res, p))
			continue;
		r = alias_check(cfg, p, err);
		if (r < 0)
			return r;
	}
	for (unsigned p = config_types[res->type].first; p < (unsigned)config_types[res->type].end;
	     p++) {
		if (!config_props[p].rctl)
			continue;
		r = 0;
		if (config_res_is_set(res, p))
			r = alias_write(cfg, p, config_res_raw(res, p), err);
		else
			config_alias_drop(cfg, p);
		if (r < 0)
			return r;
	}
	return config_link(cfg, res, replace, err);
}

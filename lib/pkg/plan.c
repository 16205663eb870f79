/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plan from a request: which directories are inherited, which packages, then all that follows
 * from these.
 */
#include "pkg/dpkg_priv.h"

#include "base/err.h"
#include "base/fd.h"

#include <stdlib.h>
#include <string.h>

struct dpkg_plan *
dpkg_plan_of(struct pkg_plan *plan)
{
	return (struct dpkg_plan *)plan; /* base is its first member */
}

bool
dpkg_plan_inherits(const struct dpkg_plan *plan, const char *path)
{
	for (size_t i = 0; i < plan->inherit.n; i++) {
		size_t len = strlen(plan->inherit.v[i]);

		if (!strncmp(path, plan->inherit.v[i], len) && path[len] == '/')
			return true;
	}
	return false;
}

static int
take_inherited(struct dpkg_plan *plan, const char *const *dirs, struct err *err)
{
	const char *resolved, *wrong;
	size_t len;

	for (; dirs && *dirs; dirs++) {
		auto_free char *dir = strdup(*dirs);

		if (!dir)
			return err_nomem(err);
		for (len = strlen(dir); len > 1 && dir[len - 1] == '/'; len--)
			dir[len - 1] = '\0';
		wrong = len < 2 ? "is the root" : dpkg_path_check(dir, len);
		if (wrong)
			return err_set(err, ZE_INVAL, 0, "the inherited directory '%s' %s", *dirs,
				       wrong);
		resolved = dpkg_path_resolve(plan->host, &plan->base.arena, dir);
		if (!resolved)
			return err_nomem(err);
		/* /lib on a merged host is a link into /usr: inheriting /usr brings it. */
		for (size_t i = 0; i < plan->host->n_aliases; i++)
			if (!strcmp(resolved, plan->host->aliases[i].name))
				resolved = plan->host->aliases[i].target;
		if (strv_has(&plan->inherit, resolved))
			continue;
		if (strv_add(&plan->inherit, resolved) < 0)
			return err_nomem(err);
		plan->sparse |= !strcmp(resolved, "usr");
	}
	return 0;
}

static int
take_request(struct dpkg_plan *plan, const struct pkg_request *req, struct err *err)
{
	plan->offline = req->offline;
	for (const char *const *p = req->keep_edited; p && *p; p++)
		if (strv_add(&plan->keep_edited, *p) < 0)
			return err_nomem(err);
	return take_inherited(plan, req->inherit_dirs, err);
}

static int
select_packages(struct dpkg_plan *plan, const struct pkg_request *req, struct err *err)
{
	int r;

	plan->choices = calloc(plan->host->n_pkgs, sizeof(*plan->choices));
	if (!plan->choices)
		return err_nomem(err);
	r = dpkg_policy_read(req->policy_path, &plan->policy, err);
	if (r == 0)
		r = dpkg_select(plan->host, &plan->policy, req, plan->sparse, plan->choices,
				&plan->base.log, &plan->base.facts.skipped, err);
	return r;
}

/* Some package has /sbin/init, itself or as the link of systemd-sysv. */
static bool
has_init(const struct dpkg_plan *plan)
{
	for (size_t i = 0; i < plan->n_chosen; i++) {
		const struct dpkg_pkg *pkg = &plan->host->pkgs[plan->order[i]];

		for (size_t p = 0; p < pkg->n_paths; p++)
			if (!strcmp(pkg->paths[p], "/sbin/init") ||
			    !strcmp(pkg->paths[p], "/usr/sbin/init"))
				return true;
	}
	return false;
}

static void
count(struct dpkg_plan *plan)
{
	struct pkg_plan_facts *facts = &plan->base.facts;

	facts->packages = plan->n_chosen;
	facts->has_init = has_init(plan);
	facts->files = 0;
	facts->bytes = 0;
	for (size_t i = 0; i < plan->base.n_entries; i++) {
		const struct pkg_entry *e = &plan->base.entries[i];

		if (e->flags & (PKG_ENTRY_SKIP | PKG_ENTRY_DATABASE))
			continue;
		facts->files++;
		if (S_ISREG(e->mode) && e->twin == PKG_NO_TWIN)
			facts->bytes += e->size_bytes;
	}
}

static int
fill_plan(struct dpkg_plan *plan, const struct pkg_request *req, struct err *err)
{
	int r;

	r = take_request(plan, req, err);
	if (r == 0)
		r = select_packages(plan, req, err);
	if (r == 0)
		r = dpkg_order(plan, err);
	if (r == 0)
		r = dpkg_plan_paths(plan, err);
	if (r == 0)
		r = dpkg_conffiles_plan(plan, err);
	if (r == 0)
		r = dpkg_changed_find(plan, err);
	if (r == 0 && req->refuse_changed && plan->base.changed.n)
		r = err_set(err, ZE_PKG, 0,
			    "%zu packaged files of this host are not as delivered; the first: %s",
			    plan->base.changed.n, plan->base.changed.v[0]);
	if (r == 0)
		r = dpkg_steps_plan(plan, err);
	if (r == 0)
		count(plan);
	return r;
}

int
dpkg_plan_make(struct pkg_host *host, const struct pkg_request *req, struct pkg_plan **ret,
	       struct err *err)
{
	struct dpkg_plan *plan = calloc(1, sizeof(*plan));
	int r;

	if (!plan)
		return err_nomem(err);
	plan->base.backend = &pkg_dpkg;
	plan->base.host = pkg_host_hold(host);
	plan->host = dpkg_host_of(host);
	r = fill_plan(plan, req, err);
	if (r < 0) {
		dpkg_plan_free(&plan->base);
		return r;
	}
	*ret = &plan->base;
	return 0;
}

void
dpkg_plan_free(struct pkg_plan *base)
{
	struct dpkg_plan *plan = dpkg_plan_of(base);

	free(plan->choices);
	free(plan->order);
	free(plan->levels);
	free(plan->early);
	free(plan->actions);
	strmap_free(&plan->by_path);
	dpkg_policy_free(&plan->policy);
	strv_free(&plan->inherit);
	strv_free(&plan->keep_edited);
	pkg_plan_drop(base);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a zone could be installed or booted as it is configured, on this host, now. Reads only,
 * and goes on after each problem: all of them are told.
 */
#include "ops_priv.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/str.h"
#include "runtime/runtime.h"
#include "storage/storage.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct verify {
	const struct op_verify_req *req;
	struct strv *problems, *warnings;
	struct err *err;
};

/* ---- the zonepath ---------------------------------------------------------------------------- */

static int
check_zonepath_itself(const struct verify *v, const char *zonepath)
{
	struct storage_facts facts;
	bool exists;
	int r;

	r = storage_zonepath_check(zonepath, v->problems, &exists, v->err);
	if (r < 0)
		return r;
	if (!exists && !v->req->make_zonepath && v->problems->n == 0 &&
	    strv_addf(v->warnings, "zonepath '%s' does not exist; install and clone make it",
		      zonepath) < 0)
		return err_nomem(v->err);
	r = storage_facts(zonepath, &facts, v->err);
	if (r < 0)
		return r;
	if (facts.is_network)
		r = strv_addf(v->problems,
			      "zonepath '%s' is on %s; a zone's files must be on a file system of "
			      "this host",
			      zonepath, facts.fs_type);
	if (r == 0 && facts.is_nosuid)
		r = strv_addf(v->problems,
			      "zonepath '%s' is on a file system that is mounted nosuid", zonepath);
	if (r == 0 && facts.is_volatile)
		r = strv_addf(v->warnings,
			      "zonepath '%s' is on %s; the zone is lost when this host reboots",
			      zonepath, facts.fs_type);
	return r < 0 ? err_nomem(v->err) : 0;
}

/* Whether @inner is @outer or below it. */
static bool
is_inside(const char *inner, const char *outer)
{
	size_t len = strlen(outer);

	return !strncmp(inner, outer, len) && (!inner[len] || inner[len] == '/');
}

static int
check_zonepath_others(const struct verify *v, const char *zonepath)
{
	auto_index struct config_index index = {0};
	const struct config_entry *e;
	int r;

	r = config_index_load("", &index, v->err);
	if (r < 0)
		return r;
	for (e = index.entries; e < index.entries + index.n; e++) {
		if (!strcmp(e->name, "global") || !strcmp(e->name, v->req->entry->name) ||
		    e->state == ZONE_STATE_CONFIGURED)
			continue;
		if (!is_inside(zonepath, e->zonepath) && !is_inside(e->zonepath, zonepath))
			continue;
		if (strv_addf(v->problems,
			      "zonepath '%s' and zonepath '%s' of zone '%s' are not apart",
			      zonepath, e->zonepath, e->name) < 0)
			return err_nomem(v->err);
	}
	return 0;
}

/* A configured zone has no files; those that are there belong to something else. */
static int
check_root(const struct verify *v, const char *zonepath)
{
	auto_free char *root = NULL, *manifest = NULL;
	struct stat st;
	int r = 0;

	if (v->req->entry->state == ZONE_STATE_INCOMPLETE)
		return 0;
	if (asprintf(&root, "%s/root", zonepath) < 0) {
		root = NULL;
		return err_nomem(v->err);
	}
	if (asprintf(&manifest, "%s/SUNWdetached.xml", zonepath) < 0) {
		manifest = NULL;
		return err_nomem(v->err);
	}
	if (v->req->entry->state == ZONE_STATE_CONFIGURED && lstat(root, &st) == 0)
		r = strv_addf(
		    v->problems, "'%s' exists although the zone is not installed; %s, or remove it",
		    root, access(manifest, F_OK) == 0 ? "attach the zone" : "move it away");
	else if (v->req->entry->state != ZONE_STATE_CONFIGURED &&
		 (lstat(root, &st) < 0 || !S_ISDIR(st.st_mode)))
		r = strv_addf(v->problems, "'%s' is missing although the zone is installed", root);
	return r < 0 ? err_nomem(v->err) : 0;
}

static int
check_idmap(const struct verify *v, const char *zonepath)
{
	auto_free char *near = strdup(zonepath);
	const char *idmap = config_get(v->req->config, CONFIG_IDMAP);
	struct stat st;
	char *slash;
	bool can;
	int r;

	if (!near)
		return err_nomem(v->err);
	if (str_eq(idmap, "shared") || geteuid() != 0)
		return 0;
	while (lstat(near, &st) < 0 && near[1]) {
		slash = strrchr(near, '/');
		slash[slash == near] = '\0'; /* the last step is "/" itself */
	}
	r = storage_can_idmap(near, &can, v->err);
	if (r < 0)
		return r;
	if (!can &&
	    strv_addf(v->problems,
		      "the ids of zonepath '%s' cannot be mapped on its file system; choose "
		      "another, or 'set idmap=shared' (see zonecfg(8))",
		      zonepath) < 0)
		return err_nomem(v->err);
	return 0;
}

static int
check_zonepath(const struct verify *v)
{
	const char *zonepath = config_zonepath(v->req->config);
	int r;

	if (!*zonepath)
		return 0; /* config_check() has told */
	if (strcmp(zonepath, v->req->entry->zonepath) != 0 &&
	    strv_addf(v->problems, "the configuration says zonepath '%s', the index says '%s'",
		      zonepath, v->req->entry->zonepath) < 0)
		return err_nomem(v->err);
	r = check_zonepath_itself(v, zonepath);
	if (r == 0)
		r = check_zonepath_others(v, zonepath);
	if (r == 0)
		r = check_root(v, zonepath);
	if (r == 0)
		r = check_idmap(v, zonepath);
	return r;
}

/* ---- what the resources name ----------------------------------------------------------------- */

static int
check_fs(const struct verify *v, const struct config_res *fs)
{
	const char *special = config_res_get(fs, CONFIG_FS_SPECIAL);
	const char *raw = config_res_get(fs, CONFIG_FS_RAW);
	struct storage_facts facts;
	int r;

	r = runtime_fs_check(fs, v->problems, v->req->boot ? v->problems : v->warnings, v->err);
	if (r < 0)
		return r;
	if (str_eq(config_res_get(fs, CONFIG_FS_FSTYPE), "lofs") && special &&
	    access(special, F_OK) == 0) {
		r = storage_facts(special, &facts, v->err);
		if (r < 0)
			return r;
		if (facts.is_network &&
		    strv_addf(v->problems, "fs special '%s' is on %s; mount it inside the zone",
			      special, facts.fs_type) < 0)
			return err_nomem(v->err);
	}
	if (raw && access(raw, F_OK) < 0 &&
	    strv_addf(v->problems, "fs raw '%s' cannot be used: %s", raw, strerror(errno)) < 0)
		return err_nomem(v->err);
	return 0;
}

/* In the words of the plan, which checks it again. */
static int
check_inherit(const struct verify *v, const struct config_res *inherit)
{
	const char *dir = config_res_get(inherit, CONFIG_INHERIT_PKG_DIR_DIR);
	struct storage_facts facts;
	struct stat st;
	int r = 0;

	if (!dir)
		return 0;
	if (lstat(dir, &st) < 0)
		r = strv_addf(v->problems, "inherit-pkg-dir %s: %s", dir, strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		r = strv_addf(v->problems, "inherit-pkg-dir %s: is not a directory", dir);
	else if (storage_facts(dir, &facts, v->err) < 0)
		return -ZE_IO;
	else if (facts.is_network)
		r = strv_addf(v->problems, "inherit-pkg-dir '%s' is on %s", dir, facts.fs_type);
	return r < 0 ? err_nomem(v->err) : 0;
}

static int
check_net(const struct verify *v, const struct config_res *net)
{
	const char *physical = config_res_get(net, CONFIG_NET_PHYSICAL);

	if (!physical || !*physical || if_nametoindex(physical) != 0)
		return 0;
	if (strv_addf(v->warnings, "network interface '%s' does not exist on this host", physical) <
	    0)
		return err_nomem(v->err);
	return 0;
}

static const struct {
	enum config_type type;
	int (*check)(const struct verify *v, const struct config_res *res);
} resource_checks[] = {
    {CONFIG_FS, check_fs},
    {CONFIG_INHERIT_PKG_DIR, check_inherit},
    {CONFIG_NET, check_net},
};

static int
check_resources(const struct verify *v)
{
	const struct config_res *res;
	int r;

	for (size_t i = 0; i < sizeof(resource_checks) / sizeof(resource_checks[0]); i++) {
		for (size_t j = 0; (res = config_at(v->req->config, resource_checks[i].type, j));
		     j++) {
			r = resource_checks[i].check(v, res);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

/*
 * The plan of booting knows about everything that becomes part of the running zone. What is a
 * warning already, because it stops the boot but not an installation, stays one.
 */
static int
check_plan(const struct verify *v)
{
	auto_runtime_plan struct runtime_plan *plan = NULL;
	auto_strv struct strv problems = {0}, warnings = {0};
	struct runtime_plan_req req = {.config = v->req->config, .uuid = v->req->entry->uuid};
	int r;

	r = runtime_plan_make(&req, &problems, &warnings, &plan, v->err);
	if (r < 0 && r != -ZE_VERIFY)
		return r;
	err_clear(v->err);
	r = 0;
	for (size_t i = 0; i < problems.n && r == 0; i++)
		if (!strv_has(v->problems, problems.v[i]) && !strv_has(v->warnings, problems.v[i]))
			r = strv_add(v->problems, problems.v[i]);
	for (size_t i = 0; i < warnings.n && r == 0; i++)
		if (!strv_has(v->warnings, warnings.v[i]))
			r = strv_add(v->warnings, warnings.v[i]);
	return r < 0 ? err_nomem(v->err) : 0;
}

/* Known without a plan: who installs a zone should not learn by booting it. */
static int
check_privileges(const struct verify *v)
{
	bool exclusive = str_eq(config_get(v->req->config, CONFIG_IP_TYPE), "exclusive");
	int r;

	r = config_priv_check(config_get(v->req->config, CONFIG_LIMITPRIV), exclusive, v->problems);
	return r < 0 && r != -ZE_VERIFY ? err_nomem(v->err) : 0;
}

int
op_verify(const struct op_verify_req *req, struct strv *problems, struct strv *warnings,
	  struct err *err)
{
	const struct verify v = {
	    .req = req, .problems = problems, .warnings = warnings, .err = err};
	bool plans;
	int r;

	r = config_check(req->config, problems);
	if (r < 0 && r != -ZE_VERIFY)
		return err_nomem(err);
	r = check_zonepath(&v);
	/* A zonepath that is not as it must be would be told again in other words. */
	plans = problems->n == 0 && req->entry->state == ZONE_STATE_INSTALLED && !req->plan_follows;
	if (r == 0)
		r = check_resources(&v);
	if (r == 0 && plans)
		r = check_plan(&v);
	else if (r == 0 && !req->plan_follows)
		r = check_privileges(&v);
	if (r < 0)
		return r;
	if (problems->n > 0)
		return err_set(err, ZE_VERIFY, 0, "zone failed to verify");
	return 0;
}

int
op_verify_or_say(const struct op_verify_req *req, const char *what, const struct op_say *to,
		 struct err *err)
{
	auto_strv struct strv problems = {0}, warnings = {0};
	int r;

	r = op_verify(req, &problems, &warnings, err);
	for (size_t i = 0; i < problems.n; i++)
		op_sayf(to, OP_LINE_PROBLEM, "%s", problems.v[i]);
	return r < 0 ? err_add(err, "%s", what) : 0;
}

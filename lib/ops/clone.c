/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A configured zone becomes a copy of an installed one, with an identity of its own. Nothing is
 * changed before every check has passed; a copy that fails is taken back, and the target is what it
 * was. Only a kill, or a file that cannot be removed, leaves it incomplete.
 */
#include "ops_priv.h"

#include "shared.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/str.h"
#include "storage/storage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct zone {
	struct config *config;
	struct config_entry entry;
	struct config_lock lock;
};

static void
zone_free(struct zone *z)
{
	config_free(z->config);
	free(z->entry.zonepath);
	config_unlock(&z->lock);
}
#define auto_zone __attribute__((cleanup(zone_free)))

/* ---- checks ---------------------------------------------------------------------------------- */

static int
check_source_name(const struct op_clone_req *req, struct err *err)
{
	int r;

	r = config_name_check(req->source, err);
	if (r < 0)
		return r;
	if (!strcmp(req->source, "global"))
		return err_set(err, ZE_INVAL, 0, "clone: the global zone cannot be cloned");
	if (config_name_reserved(req->source))
		return err_set(err, ZE_INVAL, 0, "clone: '%s' is a template, not a zone",
			       req->source);
	if (!strcmp(req->source, req->target))
		return err_set(err, ZE_INVAL, 0, "clone: a zone cannot be cloned from itself");
	return 0;
}

/* A lock is made for whatever name is given, so the name is looked up before. */
static int
check_source_exists(const struct op_clone_req *req, struct err *err)
{
	struct config_entry entry;
	int r;

	r = op_find(req->source, NULL, &entry, err);
	if (r < 0)
		return err_add(err, "clone: source zone");
	free(entry.zonepath);
	return 0;
}

/* Always in the order of their names, so that two clones in opposite directions do not wait for
 * each other for ever. */
static int
lock_both(const struct op_clone_req *req, struct zone *target, struct zone *source, struct err *err)
{
	bool target_first = strcmp(req->target, req->source) < 0;
	int r;

	r = config_lock_zone("", target_first ? req->target : req->source,
			     target_first ? &target->lock : &source->lock, err);
	if (r < 0)
		return r;
	return config_lock_zone("", target_first ? req->source : req->target,
				target_first ? &source->lock : &target->lock, err);
}

static int
check_source_state(const struct zone *source, struct err *err)
{
	enum zone_state state;
	int id, r;

	r = op_state(&source->entry, &state, &id, err);
	if (r < 0)
		return r;
	if (state >= ZONE_STATE_READY)
		return err_set(err, ZE_STATE, 0,
			       "clone: source zone '%s' is %s; halt it before it is cloned",
			       source->entry.name, zone_state_name(state));
	if (state != ZONE_STATE_INSTALLED)
		return err_set(
		    err, ZE_STATE, 0,
		    "clone: source zone '%s' is %s; only an installed zone can be cloned",
		    source->entry.name, zone_state_name(state));
	return 0;
}

static bool
inherits(const struct config *cfg, const char *dir)
{
	const struct config_res *res;

	for (size_t i = 0; (res = config_at(cfg, CONFIG_INHERIT_PKG_DIR, i)); i++)
		if (str_eq(config_res_get(res, CONFIG_INHERIT_PKG_DIR_DIR), dir))
			return true;
	return false;
}

/* Says each directory that @a inherits and @b does not; returns how many. */
static int
compare_inherited(const struct zone *a, const struct zone *b, const struct op_say *to)
{
	const struct config_res *res;
	const char *dir;
	int n = 0;

	for (size_t i = 0; (res = config_at(a->config, CONFIG_INHERIT_PKG_DIR, i)); i++) {
		dir = config_res_get(res, CONFIG_INHERIT_PKG_DIR_DIR);
		if (inherits(b->config, dir))
			continue;
		op_sayf(to, OP_LINE_PROBLEM,
			"inherit-pkg-dir '%s' is configured in zone '%s' but not in zone '%s'", dir,
			a->entry.name, b->entry.name);
		n++;
	}
	return n;
}

/* The root was made for one brand and for one set of inherited directories. */
static int
check_alike(const struct zone *target, const struct zone *source, const struct op_say *to,
	    struct err *err)
{
	int n;

	if (!str_eq(config_brand(target->config), config_brand(source->config)))
		return err_set(
		    err, ZE_VERIFY, 0, "clone: its brand is '%s', that of source zone '%s' is '%s'",
		    config_brand(target->config), source->entry.name, config_brand(source->config));
	n = compare_inherited(target, source, to);
	n += compare_inherited(source, target, to);
	if (n > 0)
		return err_set(
		    err, ZE_VERIFY, 0,
		    "clone: the inherit-pkg-dir resources of both zones must be the same");
	return 0;
}

static int
load_and_check(const struct op_clone_req *req, struct zone *target, struct zone *source,
	       struct err *err)
{
	struct op_verify_req verify = {.make_zonepath = true};
	int r;

	r = check_source_name(req, err);
	if (r < 0)
		return r;
	r = check_source_exists(req, err);
	if (r < 0)
		return r;
	r = lock_both(req, target, source, err);
	if (r < 0)
		return r;
	r = op_find(req->target, &target->config, &target->entry, err);
	if (r < 0)
		return r;
	r = op_find(req->source, &source->config, &source->entry, err);
	if (r < 0)
		return err_add(err, "clone: source zone");
	r = op_must_be(&target->entry, ZONE_STATE_CONFIGURED, "clone", err);
	if (r < 0)
		return r;
	r = check_source_state(source, err);
	if (r < 0)
		return r;
	verify.config = target->config;
	verify.entry = &target->entry;
	r = op_verify_or_say(&verify, "clone", &req->say, err);
	if (r < 0)
		return r;
	return check_alike(target, source, &req->say, err);
}

/* ---- the work -------------------------------------------------------------------------------- */

struct progress {
	const struct op_say *say;
	uint64_t total_bytes;
	unsigned percent;
};

static bool
on_progress(void *arg, uint64_t done_bytes, uint64_t done_files)
{
	struct progress *p = arg;
	unsigned percent;

	(void)done_files;
	if (p->total_bytes > 0) {
		percent = (unsigned)(done_bytes * 100 / p->total_bytes);
		if (percent > 100)
			percent = 100; /* holes count as what they are read as */
		if (percent != p->percent) {
			p->percent = percent;
			op_sayf(p->say, OP_LINE_PROGRESS, "%u %% copied", percent);
		}
	}
	return !op_stop_wanted();
}

/* A copy that cannot fit is refused before it is begun. */
static int
check_space(const struct zone *target, const struct zone *source, uint64_t *ret_total,
	    struct err *err)
{
	struct storage_usage usage;
	struct storage_facts facts;
	int r;

	r = storage_usage(source->entry.zonepath, &usage, err);
	if (r < 0)
		return r;
	r = storage_facts(target->entry.zonepath, &facts, err);
	if (r < 0)
		return r;
	if (usage.total_bytes > facts.free_bytes)
		return err_set(
		    err, ZE_STORAGE, 0,
		    "not enough room for a copy in '%s': %ju MiB are needed, %ju MiB free",
		    target->entry.zonepath, (uintmax_t)(usage.total_bytes >> 20) + 1,
		    (uintmax_t)facts.free_bytes >> 20);
	*ret_total = usage.total_bytes;
	return 0;
}

static int
copy_files(const struct op_clone_req *req, const struct zone *target, const struct zone *source,
	   struct err *err)
{
	enum storage_method method = req->copy ? STORAGE_COPY : STORAGE_AUTO;
	struct progress progress = {.say = &req->say};
	const struct storage_progress on = {.fn = on_progress, .arg = &progress};
	const char *from = source->entry.zonepath, *to = target->entry.zonepath;
	const struct storage_way *way;
	int r;

	r = storage_clone_method(from, to, method, &way, err);
	if (r < 0)
		return r;
	if (way->needs_space) {
		r = check_space(target, source, &progress.total_bytes, err);
		if (r < 0)
			return r;
	}
	op_sayf(&req->say, OP_LINE_OUT, way->is_snapshot ? "Cloning snapshot %s" : "Copying %s...",
		from);
	r = storage_clone(from, to, method, &on, &way, err);
	if (r < 0)
		return r;
	if (way->note)
		op_sayf(&req->say, OP_LINE_OUT, "%s", way->note);
	return 0;
}

static int
reset_identity(const struct op_clone_req *req, const struct zone *target, struct err *err)
{
	auto_close int dir_fd = -EBADF, root_fd = -EBADF;
	const char *zonepath = target->entry.zonepath;
	int r;

	dir_fd = open(zonepath, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir_fd >= 0)
		root_fd = openat(dir_fd, "root", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (root_fd < 0)
		return err_set(err, ZE_IO, errno, "open '%s/root'", zonepath);
	r = identity_reset(req->target, root_fd, err);
	if (r < 0)
		return r;
	/* The index is about to say that all of it is there. */
	if (syncfs(root_fd) < 0)
		return err_set(err, ZE_IO, errno, "sync the file system of '%s'", zonepath);
	return 0;
}

/* After a failure: as if nothing had been begun, or incomplete if that cannot be had. */
static int
take_back(const struct op_clone_req *req, const struct zone *target, bool made, struct err *err)
{
	bool kept;

	if (storage_destroy(target->entry.zonepath, made ? &kept : NULL, NULL) < 0 ||
	    config_set_state("", req->target, ZONE_STATE_CONFIGURED, NULL) < 0)
		(void)err_add(err, "the zone is incomplete, uninstall it before another try");
	return err_add(err, "clone");
}

int
op_clone(const struct op_clone_req *req, struct err *err)
{
	auto_zone struct zone target = {.lock = {.fd = -EBADF}}, source = {.lock = {.fd = -EBADF}};
	bool made = false;
	int r;

	r = load_and_check(req, &target, &source, err);
	if (r < 0)
		return r;
	op_say_shared(target.config, source.config, &req->say);
	/* On disk before the first side effect: after a crash the zone says what it is. */
	r = config_set_state("", req->target, ZONE_STATE_INCOMPLETE, err);
	if (r < 0)
		return r;
	r = storage_zonepath_make(target.entry.zonepath, &made, err);
	if (r == 0)
		r = copy_files(req, &target, &source, err);
	if (r == 0)
		r = reset_identity(req, &target, err);
	if (r == 0)
		r = config_set_state("", req->target, ZONE_STATE_INSTALLED, err);
	return r < 0 ? take_back(req, &target, made, err) : 0;
}

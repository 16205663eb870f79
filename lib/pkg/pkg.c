/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The public face: which package manager a host has, and what is the same for all of them.
 */
#include "pkg/pkg_priv.h"

#include "base/err.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct pkg_backend *const backends[] = {&pkg_dpkg};

int
pkg_host_open(const char *root, struct pkg_host **ret, struct err *err)
{
	auto_close int root_fd = -EBADF;
	int r;

	root_fd = open(*root ? root : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return err_set(err, errno == ENOENT ? ZE_NOENT : ZE_IO, errno, "open '%s'",
			       *root ? root : "/");
	for (size_t i = 0; i < sizeof(backends) / sizeof(backends[0]); i++) {
		r = backends[i]->open(root, root_fd, ret, err);
		if (r == 0)
			(void)fd_take(&root_fd);
		if (r != -ZE_NOENT)
			return r;
		err_clear(err);
	}
	return err_set(err, ZE_NOTSUP, 0, "no known package manager in '%s'", *root ? root : "/");
}

struct pkg_host *
pkg_host_hold(struct pkg_host *host)
{
	host->refs++;
	return host;
}

void
pkg_host_drop(struct pkg_host *host)
{
	if (!host || --host->refs > 0)
		return;
	host->backend->free(host);
	(void)fd_close(host->root_fd);
	arena_free(&host->arena);
	free(host);
}

void
pkg_host_close(struct pkg_host *host)
{
	if (!host)
		return;
	host->backend->unlock(host);
	pkg_host_drop(host);
}

void
pkg_host_closep(struct pkg_host **host)
{
	pkg_host_close(*host);
}

int
pkg_plan_make(struct pkg_host *host, const struct pkg_request *req, struct pkg_plan **ret,
	      struct err *err)
{
	return host->backend->plan(host, req, ret, err);
}

void
pkg_plan_drop(struct pkg_plan *plan)
{
	struct pkg_host *host = plan->host;

	free(plan->entries);
	free(plan->steps);
	strv_free(&plan->missing);
	strv_free(&plan->changed);
	strv_free(&plan->log);
	arena_free(&plan->arena);
	free(plan);
	pkg_host_drop(host);
}

void
pkg_plan_free(struct pkg_plan *plan)
{
	if (plan)
		plan->backend->plan_free(plan);
}

void
pkg_plan_freep(struct pkg_plan **plan)
{
	pkg_plan_free(*plan);
}

void
pkg_plan_facts(const struct pkg_plan *plan, struct pkg_plan_facts *ret)
{
	*ret = plan->facts;
}

/* "file 0644 0:0 1234 /path", "link ... /path -> target", "dir ..." */
static int
print_entry(struct str *out, const struct pkg_entry *e)
{
	if (S_ISLNK(e->mode))
		return str_addf(out, "link %04o %u:%u /%s -> %s\n", e->mode & 07777, e->uid, e->gid,
				e->path, e->content);
	if (S_ISDIR(e->mode))
		return str_addf(out, "dir %04o %u:%u /%s\n", e->mode & 07777, e->uid, e->gid,
				e->path);
	return str_addf(out, "file %04o %u:%u %ju /%s\n", e->mode & 07777, e->uid, e->gid,
			(uintmax_t)e->size_bytes, e->path);
}

int
pkg_plan_print(const struct pkg_plan *plan, int out_fd, struct err *err)
{
	auto_str struct str out = {0};
	const char *name, *version;
	int r = 0;

	for (size_t i = 0; i < plan->facts.packages && r == 0; i++) {
		name = plan->backend->plan_package(plan, i, &version);
		r = str_addf(&out, "package %s %s\n", name, version);
	}
	for (size_t i = 0; i < plan->n_entries && r == 0; i++)
		if (!(plan->entries[i].flags & (PKG_ENTRY_SKIP | PKG_ENTRY_DATABASE)))
			r = print_entry(&out, &plan->entries[i]);
	if (r < 0)
		return err_nomem(err);
	if (out.len > 0 && fd_write_all(out_fd, out.s, out.len) < 0)
		return err_set(err, ZE_IO, errno, "print the plan");
	return 0;
}

/* Append what planning noted. */
static int
hand_out(const struct strv *from, struct strv *to, struct err *err)
{
	for (size_t i = 0; to && i < from->n; i++)
		if (strv_add(to, from->v[i]) < 0)
			return err_nomem(err);
	return 0;
}

int
pkg_copy(struct pkg_plan *plan, int root_fd, const struct pkg_progress *progress,
	 struct pkg_notes *notes, struct err *err)
{
	int r;

	r = plan->backend->prepare(plan, notes, err);
	if (r == 0)
		r = hand_out(&plan->missing, notes->missing, err);
	if (r == 0)
		r = hand_out(&plan->changed, notes->changed, err);
	if (r == 0)
		r = hand_out(&plan->log, notes->log, err);
	if (r == 0)
		r = pkg_copy_level(plan, 0, root_fd, progress, err);
	if (r == 0)
		r = plan->backend->unpacked(plan, root_fd, notes, err);
	return r;
}

size_t
pkg_step_count(const struct pkg_plan *plan)
{
	return plan->n_steps;
}

const struct pkg_step *
pkg_step_at(const struct pkg_plan *plan, size_t i)
{
	return &plan->steps[i];
}

int
pkg_step_host(struct pkg_plan *plan, size_t i, int root_fd, struct pkg_notes *notes,
	      struct err *err)
{
	return plan->backend->step(plan, i, root_fd, notes, err);
}

size_t
pkg_standins(const struct pkg_plan *plan, const struct pkg_standin **ret)
{
	*ret = plan->standins;
	return plan->n_standins;
}

int
pkg_finish(struct pkg_plan *plan, int root_fd, struct pkg_notes *notes, struct err *err)
{
	return plan->backend->finish(plan, root_fd, notes, err);
}

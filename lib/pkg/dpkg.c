/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dpkg backend: opening the host's database. Its lock is held for reading: a package manager
 * writes with a lock for writing, so either it is refused or we are, while any number of
 * installations of zones go on together. apt's outer lock comes first, as in apt and dpkg
 * themselves: without it a run of apt would start and fail in the middle.
 */
#include "pkg/dpkg_priv.h"

#include "base/err.h"
#include "base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOCK_WAIT_MS 3000
#define LOCK_STEP_MS 100

static const char *const lock_names[] = {DPKG_ADMINDIR "/lock-frontend", DPKG_ADMINDIR "/lock"};

struct dpkg_host *
dpkg_host_of(struct pkg_host *host)
{
	return (struct dpkg_host *)host; /* base is its first member */
}

const char *
dpkg_label(const struct dpkg_pkg *pkg)
{
	return pkg->key;
}

/* ---- the lock ---- */

static int
lock_busy(int fd, const char *name, struct err *err)
{
	struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};

	if (fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type == F_WRLCK && lock.l_pid > 0)
		return err_set(err, ZE_BUSY, 0,
			       "process %d holds '/%s': a package manager is at work; try again "
			       "when it is done",
			       lock.l_pid, name);
	return err_set(err, ZE_BUSY, 0,
		       "'/%s' is locked: a package manager is at work; try again when it is done",
		       name);
}

static int
lock_one(int root_fd, const char *name, int *ret_fd, struct err *err)
{
	struct timespec step = {.tv_nsec = LOCK_STEP_MS * 1000000L};
	auto_close int fd = -EBADF;

	fd = openat(root_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT)
		return 0; /* nothing ever changed packages here */
	if (fd < 0)
		return err_set(err, errno == EACCES ? ZE_PERM : ZE_IO, errno, "open '/%s'", name);
	for (int waited_ms = 0;; waited_ms += LOCK_STEP_MS) {
		struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};

		if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
			break;
		if (errno != EAGAIN && errno != EACCES)
			return err_set(err, ZE_IO, errno, "lock '/%s'", name);
		if (waited_ms >= LOCK_WAIT_MS)
			return lock_busy(fd, name, err);
		(void)nanosleep(&step, NULL);
	}
	*ret_fd = fd_take(&fd);
	return 0;
}

static void
dpkg_unlock(struct pkg_host *base)
{
	struct dpkg_host *host = dpkg_host_of(base);

	for (size_t i = 2; i-- > 0;)
		host->lock_fds[i] = fd_close(host->lock_fds[i]);
}

/* ---- opening ---- */

/* Files in updates/ are what an interrupted dpkg had not yet merged into status. */
static int
check_updates(int root_fd, struct err *err)
{
	auto_close int fd = -EBADF;
	auto_closedir DIR *dir = NULL;
	struct dirent *de;

	fd = openat(root_fd, DPKG_ADMINDIR "/updates", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return err_set(err, ZE_IO, errno, "open '/" DPKG_ADMINDIR "/updates'");
	(void)fd_take(&fd);
	while ((de = readdir(dir)))
		if (de->d_name[0] >= '0' && de->d_name[0] <= '9')
			return err_set(err, ZE_PKG, 0,
				       "dpkg was interrupted on this host ('/" DPKG_ADMINDIR
				       "/updates/%s'): run 'dpkg --configure -a' first",
				       de->d_name);
	return 0;
}

static int
read_status(struct dpkg_host *host, struct err *err)
{
	auto_free char *text = NULL;
	auto_close int fd = -EBADF;
	size_t len;
	char *kept;
	int r;

	fd = openat(host->base.root_fd, DPKG_ADMINDIR "/status", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, ZE_IO, errno, "open '/" DPKG_ADMINDIR "/status'");
	r = fd_read_all(fd, DPKG_STATUS_MAX_BYTES, &text, &len, err);
	if (r < 0)
		return err_add(err, "'/" DPKG_ADMINDIR "/status'");
	kept = arena_strndup(&host->base.arena, text, len);
	if (!kept)
		return err_nomem(err);
	return dpkg_host_parse_status(host, "/" DPKG_ADMINDIR "/status", kept, len, err);
}

static void
dpkg_free(struct pkg_host *base)
{
	struct dpkg_host *host = dpkg_host_of(base);

	dpkg_unlock(base);
	(void)fd_close(host->info_fd);
	free(host->pkgs);
	free(host->providers);
	strmap_free(&host->by_name);
	strmap_free(&host->by_key);
	strmap_free(&host->by_provided);
	strmap_free(&host->by_diverted);
	strmap_free(&host->overridden);
	dpkg_filters_free(&host->filters);
}

static int
dpkg_open(const char *root, int root_fd, struct pkg_host **ret, struct err *err)
{
	struct dpkg_host *host;
	int r;

	if (faccessat(root_fd, DPKG_ADMINDIR "/status", F_OK, 0) < 0)
		return err_set(err, ZE_NOENT, errno, "'%s/" DPKG_ADMINDIR "/status'", root);
	host = calloc(1, sizeof(*host));
	if (!host)
		return err_nomem(err);
	host->base = (struct pkg_host){.backend = &pkg_dpkg, .refs = 1, .root_fd = -EBADF};
	host->lock_fds[0] = host->lock_fds[1] = host->info_fd = -EBADF;
	host->base.root = arena_strndup(&host->base.arena, root, strlen(root));
	r = host->base.root ? 0 : err_nomem(err);
	for (size_t i = 0; i < 2 && r == 0; i++)
		r = lock_one(root_fd, lock_names[i], &host->lock_fds[i], err);
	if (r == 0)
		r = check_updates(root_fd, err);
	host->base.root_fd = root_fd;
	if (r == 0)
		r = read_status(host, err);
	if (r == 0)
		r = dpkg_info_open(host, err);
	if (r == 0) {
		*ret = &host->base;
		return 0;
	}
	host->base.root_fd = -EBADF; /* still the caller's */
	pkg_host_drop(&host->base);
	/* To the caller this code means another manager's host. */
	if (r == -ZE_NOENT) {
		err->code = ZE_PKG;
		r = -ZE_PKG;
	}
	return r;
}

static const char *
dpkg_plan_package(const struct pkg_plan *base, size_t i, const char **ret_version)
{
	const struct dpkg_plan *plan = (const struct dpkg_plan *)base;
	const struct dpkg_pkg *pkg = &plan->host->pkgs[plan->order[i]];

	*ret_version = pkg->version;
	return dpkg_label(pkg);
}

static int
dpkg_prepare(struct pkg_plan *plan, struct pkg_notes *notes, struct err *err)
{
	return dpkg_conffiles_fetch(dpkg_plan_of(plan), notes, err);
}

static int
dpkg_unpacked(struct pkg_plan *base, int root_fd, struct pkg_notes *notes, struct err *err)
{
	struct dpkg_plan *plan = dpkg_plan_of(base);
	int r;

	r = dpkg_database_write(plan, root_fd, err);
	if (r == 0)
		r = dpkg_triggers_write(plan, root_fd, err);
	if (r == 0)
		r = dpkg_ids_write(plan, root_fd, notes, err);
	if (r == 0)
		r = dpkg_sources_write(plan, root_fd, notes, err);
	if (r == 0)
		r = dpkg_inherited_write(plan, root_fd, err);
	return r;
}

static int
dpkg_finish(struct pkg_plan *base, int root_fd, struct pkg_notes *notes, struct err *err)
{
	struct dpkg_plan *plan = dpkg_plan_of(base);
	int r;

	r = dpkg_database_check(plan, root_fd, err);
	if (r == 0)
		r = dpkg_ids_settle(plan, root_fd, notes, err);
	return r;
}

static const char *const key_paths[] = {
    "etc/apt/",
    "etc/apt/keyrings/",
    "etc/apt/sources.list.d/",
    "etc/apt/trusted.gpg.d/",
    "etc/dpkg/",
    "etc/dpkg/dpkg.cfg.d/",
    "etc/group",
    "etc/passwd",
    "usr/share/keyrings/",
    "var/lib/apt/extended_states",
    "var/lib/dpkg/arch",
    "var/lib/dpkg/diversions",
    "var/lib/dpkg/info/",
    "var/lib/dpkg/statoverride",
    "var/lib/dpkg/status",
    NULL,
};

const struct pkg_backend pkg_dpkg = {
    .name = "dpkg",
    .key_paths = key_paths,
    .open = dpkg_open,
    .unlock = dpkg_unlock,
    .free = dpkg_free,
    .plan = dpkg_plan_make,
    .plan_free = dpkg_plan_free,
    .plan_package = dpkg_plan_package,
    .prepare = dpkg_prepare,
    .unpacked = dpkg_unpacked,
    .step = dpkg_step,
    .finish = dpkg_finish,
};

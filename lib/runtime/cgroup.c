/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cgroups of a zone: one in the v2 hierarchy, where it lives, is killed and manages its own
 * services; and on hosts with v1 hierarchies one in each of them, for limits and because a zone
 * without one would see the host's. The zone's root owns what is below its v2 cgroup and may move
 * processes there; the limits stay the host's.
 */
#include "runtime/runtime_priv.h"

#include "base/err.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int
cgroup_write(int dir_fd, const char *name, const char *value)
{
	auto_close int fd = openat(dir_fd, name, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -1 : fd_write_all(fd, value, strlen(value));
}

int
cgroup_open2(const struct runtime_record *rec, const char *leaf, struct err *err)
{
	auto_free char *path = NULL;
	int fd;

	if (asprintf(&path, "%s/%s%s%s", rec->cgroup2, rec->cgroup_home, leaf ? "/" : "",
		     leaf ? leaf : "") < 0) {
		path = NULL; /* undefined after a failure */
		return err_nomem(err);
	}
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && leaf) {
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return err_set(err, ZE_IO, errno, "make cgroup '%s'", path);
		fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd < 0)
		return err_set(err, ZE_IO, errno, "open cgroup '%s'", path);
	return fd;
}

/* Calls @fn with the path of @cgroup, or of a file there, in each of @hierarchies until one fails.
 */
static int
each_v1(const char *hierarchies, const char *cgroup,
	int (*fn)(const char *path, void *arg, struct err *err), void *arg, struct err *err)
{
	const char *p = hierarchies;
	int r = 0;

	while (r == 0 && *p) {
		auto_free char *path = NULL;
		size_t n = strcspn(p, ":");

		if (asprintf(&path, CGROUP_V1_MOUNTS "/%.*s/%s", (int)n, p, cgroup) < 0) {
			path = NULL; /* undefined after a failure */
			return err_nomem(err);
		}
		r = fn(path, arg, err);
		p += n + (p[n] == ':');
	}
	return r;
}

struct opened {
	int *fds;
	int n;
};

static int
open_v1(const char *path, void *arg, struct err *err)
{
	struct opened *opened = arg;
	int fd;

	if (opened->n == CGROUP_V1_MAX)
		return err_set(err, ZE_FORMAT, 0, "too many v1 cgroups in the record");
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, ZE_IO, errno, "open '%s'", path);
	opened->fds[opened->n++] = fd;
	return 0;
}

int
cgroup_open1(const struct runtime_record *rec, int *ret_fds, struct err *err)
{
	struct opened opened = {.fds = ret_fds};
	char tasks[sizeof(rec->cgroup_home) + 8];
	int r;

	(void)snprintf(tasks, sizeof(tasks), "%s/tasks", rec->cgroup_home);
	r = each_v1(rec->hierarchies1, tasks, open_v1, &opened, err);
	(void)snprintf(tasks, sizeof(tasks), "%.*s/" CGROUP_SHARED "/tasks",
		       (int)strcspn(rec->cgroup, "/"), rec->cgroup);
	if (r == 0)
		r = each_v1(rec->shared1, tasks, open_v1, &opened, err);
	if (r == 0)
		return opened.n;
	while (opened.n > 0)
		(void)fd_close(ret_fds[--opened.n]);
	return r;
}

bool
cgroup_populated(const char *mount, const char *cgroup)
{
	auto_free char *path = NULL, *text = NULL;
	size_t size;

	if (asprintf(&path, "%s/%s/cgroup.events", mount, cgroup) < 0) {
		path = NULL; /* undefined after a failure */
		return false;
	}
	return path_file_read(path, 4096, &text, &size, NULL) == 0 && strstr(text, "populated 1");
}

static bool
is_populated(int events_fd)
{
	char text[256];
	ssize_t n;

	n = pread(events_fd, text, sizeof(text) - 1, 0);
	if (n <= 0)
		return false;
	text[n] = '\0';
	return strstr(text, "populated 1");
}

static unsigned
elapsed_ms(const struct timespec *start)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (unsigned)((now.tv_sec - start->tv_sec) * 1000 +
			  (now.tv_nsec - start->tv_nsec) / 1000000);
}

int
cgroup_kill(const struct runtime_record *rec, unsigned timeout_ms, struct err *err)
{
	auto_free char *path = NULL;
	auto_close int dir_fd = -EBADF, events_fd = -EBADF;
	struct timespec start;
	struct pollfd pfd;
	unsigned gone_ms;

	if (asprintf(&path, "%s/%s", rec->cgroup2, rec->cgroup) < 0) {
		path = NULL; /* undefined after a failure */
		return err_nomem(err);
	}
	dir_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return errno == ENOENT ? 0 : err_set(err, ZE_IO, errno, "open cgroup '%s'", path);
	events_fd = openat(dir_fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	if (events_fd < 0 || cgroup_write(dir_fd, "cgroup.kill", "1") < 0)
		return err_set(err, ZE_IO, errno, "kill the processes of cgroup '%s'", path);
	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	/* The file is read before each wait: a change between read and poll wakes it at once. */
	while (is_populated(events_fd)) {
		gone_ms = elapsed_ms(&start);
		if (gone_ms >= timeout_ms)
			return err_set(err, ZE_TIMEOUT, 0,
				       "processes in '%s' do not end; they wait for a device",
				       path);
		pfd = (struct pollfd){.fd = events_fd, .events = POLLPRI};
		(void)poll(&pfd, 1, (int)(timeout_ms - gone_ms));
	}
	return 0;
}

static int remove_tree(int dir_fd, const char *name);

/* Remove what is in a cgroup that may be gone. */
static int
remove_below(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	auto_closedir DIR *dir = NULL;
	struct dirent *de;

	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	dir = fdopendir(fd);
	if (!dir) {
		(void)fd_close(fd);
		return -1;
	}
	while ((de = readdir(dir))) {
		/* The zone may have given a cgroup any name: a dot alone hides nothing. */
		if (de->d_type == DT_DIR && strcmp(de->d_name, ".") != 0 &&
		    strcmp(de->d_name, "..") != 0 && remove_tree(dirfd(dir), de->d_name) < 0)
			return -1;
	}
	return 0;
}

/*
 * Remove what is below a cgroup, then itself. The depth is bounded by CGROUP_DEPTH_MAX. One that is
 * busy is tried again: killed processes leave a cgroup a moment after it has become unpopulated,
 * and a zlogin that came too late may have made the one that it wanted to enter.
 */
static int
remove_tree(int dir_fd, const char *name)
{
	static const struct timespec moment = {.tv_nsec = 2 * 1000 * 1000};

	for (int tries = 0;; tries++) {
		if (remove_below(dir_fd, name) < 0)
			return -1;
		if (unlinkat(dir_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
			return 0;
		if (errno != EBUSY || tries == 500)
			return -1;
		(void)nanosleep(&moment, NULL);
	}
}

static int
remove_cgroup(const char *path, void *arg, struct err *err)
{
	(void)arg;
	/* Most have nothing in them. */
	if (unlinkat(AT_FDCWD, path, AT_REMOVEDIR) < 0 && errno != ENOENT &&
	    remove_tree(AT_FDCWD, path) < 0)
		return err_set(err, ZE_IO, errno, "remove cgroup '%s'", path);
	return 0;
}

static int
remove_empty(const char *path, void *arg, struct err *err)
{
	(void)arg;
	(void)err;
	(void)rmdir(path); /* it is not empty while something lives in it */
	return 0;
}

/*
 * Remove what zones have in common, after the last. The lock is the one under which a zone that
 * boots makes its v2 cgroup: while there is one in the parent there, the others stay as well.
 */
static void
remove_common(const struct runtime_record *rec)
{
	auto_close int lock_fd = runtime_lock(NULL);
	char parent[sizeof(rec->cgroup)];
	char shared[sizeof(parent) + sizeof(CGROUP_SHARED)];
	char path[sizeof(rec->cgroup2) + sizeof(parent)];

	(void)snprintf(parent, sizeof(parent), "%.*s", (int)strcspn(rec->cgroup, "/"), rec->cgroup);
	(void)snprintf(path, sizeof(path), "%s/%s", rec->cgroup2, parent);
	(void)snprintf(shared, sizeof(shared), "%s/" CGROUP_SHARED, parent);
	if (lock_fd < 0 || (rmdir(path) < 0 && errno != ENOENT))
		return;
	(void)each_v1(rec->shared1, shared, remove_empty, NULL, NULL);
	(void)each_v1(rec->shared1, parent, remove_empty, NULL, NULL);
	(void)each_v1(rec->hierarchies1, parent, remove_empty, NULL, NULL);
}

int
cgroup_down(const struct runtime_record *rec, struct err *err)
{
	auto_free char *path = NULL;
	int r, r1;

	if (asprintf(&path, "%s/%s", rec->cgroup2, rec->cgroup) < 0) {
		path = NULL; /* undefined after a failure */
		return err_nomem(err);
	}
	r = remove_cgroup(path, NULL, err);
	r1 = each_v1(rec->hierarchies1, rec->cgroup, remove_cgroup, NULL, r < 0 ? NULL : err);
	remove_common(rec);
	return r < 0 ? r : r1;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making the cgroups of a zone: limits set, and the v2 one handed to the zone's root. What is done
 * with them afterwards is in cgroup.c, which programs that only enter a zone link alone.
 *
 * A zone that shares the host's ids owns the files of whatever cgroup it is in, limits included. So
 * it gets one below the one with the limits, and its cgroup namespace shows it nothing above.
 */
#include "runtime/runtime_priv.h"

#include "base/err.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A zone makes cgroups as it likes, within reason: each costs memory of the kernel. */
#define CGROUP_DESCENDANTS_MAX "16384"

#define CLONE_CHILDREN "cgroup.clone_children"

/* The part of the host's threads that zones cannot have. */
#define HOST_THREADS_PART 4

/* Make the directory MOUNT/@cgroup, and its parent when this is the first zone. */
static int
make_directory(const char *mount, const char *cgroup, char **ret_path, struct err *err)
{
	auto_free char *path = NULL;
	char *slash;
	int r;

	if (asprintf(&path, "%s/%s", mount, cgroup) < 0) {
		path = NULL; /* undefined after a failure */
		return err_nomem(err);
	}
	r = fault_point("mkdir") ? -1 : mkdir(path, 0755);
	if (r < 0 && errno == ENOENT) {
		slash = strrchr(path, '/');
		*slash = '\0';
		r = fault_point("mkdir") ? -1 : mkdir(path, 0755);
		*slash = '/';
		if (r == 0 || errno == EEXIST)
			r = mkdir(path, 0755);
	}
	if (r < 0 && errno != EEXIST)
		return err_set(err, ZE_IO, errno, "make cgroup '%s'", path);
	if (ret_path)
		*ret_path = ptr_take(&path);
	return 0;
}

/* Make MOUNT/PARENT/NAME for @cgroup "PARENT/NAME" and open it. */
static int
cgroup_make(const char *mount, const char *cgroup, struct err *err)
{
	auto_free char *path = NULL;
	int fd, r;

	r = make_directory(mount, cgroup, &path, err);
	if (r < 0)
		return r;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, ZE_IO, errno, "open cgroup '%s'", path);
	return fd;
}

/*
 * Hand controllers down from a cgroup; where the kernel refuses one (it is bound to a v1 hierarchy,
 * say), that does not take the others with it. A limit that needs it fails by name.
 */
static void
hand_down(int dir_fd)
{
	static const char *const each[] = {"+cpu", "+memory", "+pids", "+io"};

	if (cgroup_write(dir_fd, "cgroup.subtree_control", "+cpu +memory +pids +io") == 0)
		return;
	for (size_t i = 0; i < sizeof(each) / sizeof(each[0]); i++)
		(void)cgroup_write(dir_fd, "cgroup.subtree_control", each[i]);
}

static void
hand_down_controllers(const struct runtime_plan *plan)
{
	auto_close int root_fd = -EBADF, parent_fd = -EBADF, zone_fd = -EBADF;

	root_fd = open(plan->host.cgroup2, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return;
	parent_fd = openat(root_fd, plan->host.cgroup_parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (plan->shares_ids)
		zone_fd = openat(root_fd, plan->cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	hand_down(root_fd);
	hand_down(parent_fd);
	if (zone_fd >= 0)
		hand_down(zone_fd);
}

/* What a delegated cgroup's new owner gets: the directory and the files that move processes. */
static int
delegate(int cgroup_fd, uint32_t id_base, struct err *err)
{
	static const char *const files[] = {"cgroup.procs", "cgroup.threads",
					    "cgroup.subtree_control"};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (fchownat(cgroup_fd, files[i], id_base, id_base, AT_SYMLINK_NOFOLLOW) < 0)
			return err_set(err, ZE_IO, errno, "give '%s' to the zone", files[i]);
	}
	if (fchown(cgroup_fd, id_base, id_base) < 0)
		return err_set(err, ZE_IO, errno, "give the cgroup to the zone");
	return 0;
}

/*
 * A new cpuset of v1 is empty, and takes no process, unless its parent has a mark that lets it
 * begin with what that one has. The mark is set last: it says that the zones' parent has all it
 * needs.
 */
static int
prepare_cpusets(const char *mount, const char *parent, struct err *err)
{
	static const char *const files[] = {"cpuset.cpus", "cpuset.mems"};
	auto_free char *path = NULL, *mark = NULL;
	auto_close int fd = -EBADF;
	char from[160];
	size_t size;
	int r;

	r = make_directory(mount, parent, &path, err);
	if (r < 0)
		return r;
	(void)snprintf(from, sizeof(from), "%s/" CLONE_CHILDREN, path);
	if (path_file_read(from, 16, &mark, &size, NULL) == 0 && *mark == '1')
		return 0;
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		auto_free char *value = NULL;

		(void)snprintf(from, sizeof(from), "%s/%s", mount, files[i]);
		r = path_file_read(from, 4096, &value, &size, err);
		if (r < 0)
			return r;
		if (cgroup_write(fd, files[i], value) < 0)
			return err_set(err, ZE_IO, errno, "set %s of '%s'", files[i], path);
	}
	if (cgroup_write(fd, CLONE_CHILDREN, "1") < 0)
		return err_set(err, ZE_IO, errno, "set " CLONE_CHILDREN " of '%s'", path);
	return 0;
}

static int
make_hierarchies1(const struct runtime_plan *plan, const char *hierarchies, const char *cgroup,
		  struct err *err)
{
	const char *p = hierarchies;
	char mount[128];
	int r = 0;
	size_t n;

	for (; r == 0 && *p; p += n + (p[n] == ':')) {
		n = strcspn(p, ":");
		(void)snprintf(mount, sizeof(mount), CGROUP_V1_MOUNTS "/%.*s", (int)n, p);
		if (strstr(mount, "cpuset"))
			r = prepare_cpusets(mount, plan->host.cgroup_parent, err);
		if (r == 0)
			r = make_directory(mount, cgroup, NULL, err);
	}
	return r;
}

static int
set_limits(const struct runtime_plan *plan, int cgroup2_fd, struct err *err)
{
	char mount[64];

	for (size_t i = 0; i < plan->n_limits; i++) {
		const struct plan_limit *limit = &plan->limits[i];
		auto_close int v1_fd = -EBADF;

		if (limit->v1) {
			(void)snprintf(mount, sizeof(mount), CGROUP_V1_MOUNTS "/%s",
				       cgroup_controller_name(limit->controller));
			v1_fd = cgroup_make(mount, plan->cgroup, err);
			if (v1_fd < 0)
				return v1_fd;
		}
		if (cgroup_write(limit->v1 ? v1_fd : cgroup2_fd, limit->file, limit->value) < 0)
			return err_set(err, ZE_IO, errno, "set limit %s to %s", limit->file,
				       limit->value);
	}
	return 0;
}

/* All zones together leave the host threads for itself. */
static int
limit_together(const struct runtime_plan *plan, struct err *err)
{
	const struct runtime_host *host = &plan->host;
	unsigned bit = 1u << CGROUP_PIDS;
	auto_free char *path = NULL;
	char value[24];

	if (!host->threads || !((host->controllers2 | host->controllers1) & bit))
		return 0;
	if (asprintf(&path, "%s/%s/pids.max",
		     host->controllers2 & bit ? host->cgroup2 : CGROUP_V1_MOUNTS "/pids",
		     host->cgroup_parent) < 0) {
		path = NULL; /* undefined after a failure */
		return err_nomem(err);
	}
	(void)snprintf(value, sizeof(value), "%llu",
		       (unsigned long long)(host->threads - host->threads / HOST_THREADS_PART));
	if (cgroup_write(AT_FDCWD, path, value) < 0)
		return err_set(err, ZE_IO, errno, "set limit '%s' to %s", path, value);
	return 0;
}

int
cgroup_up(const struct runtime_plan *plan, uint32_t id_base, struct err *err)
{
	auto_close int fd = -EBADF, home_fd = -EBADF, lock_fd = -EBADF;
	char shared[64];
	int r;

	/* From here on the last zone to halt leaves what zones have in common. */
	lock_fd = runtime_lock(err);
	if (lock_fd < 0)
		return lock_fd;
	fd = cgroup_make(plan->host.cgroup2, plan->cgroup, err);
	if (fd < 0)
		return fd;
	lock_fd = fd_close(lock_fd);
	if (plan->shares_ids) {
		home_fd = cgroup_make(plan->host.cgroup2, plan->cgroup_home, err);
		if (home_fd < 0)
			return home_fd;
	}
	if (plan->host.controllers2)
		hand_down_controllers(plan);
	if (cgroup_write(fd, "cgroup.max.depth", CGROUP_DEPTH_MAX) < 0 ||
	    cgroup_write(fd, "cgroup.max.descendants", CGROUP_DESCENDANTS_MAX) < 0)
		return err_set(err, ZE_IO, errno, "limit cgroup '%s'", plan->cgroup);
	(void)snprintf(shared, sizeof(shared), "%s/" CGROUP_SHARED, plan->host.cgroup_parent);
	r = make_hierarchies1(plan, plan->hierarchies1, plan->cgroup, err);
	if (r == 0)
		r = make_hierarchies1(plan, plan->shared1, shared, err);
	if (r == 0)
		r = set_limits(plan, fd, err);
	if (r == 0)
		r = limit_together(plan, err);
	if (r == 0)
		r = dev_policy_set(plan, fd, err);
	/* After the policy: the devices controller takes none from a cgroup with others in it. */
	if (r == 0 && plan->shares_ids)
		r = make_hierarchies1(plan, plan->hierarchies1, plan->cgroup_home, err);
	if (r == 0)
		r = delegate(home_fd >= 0 ? home_fd : fd, id_base, err);
	return r;
}

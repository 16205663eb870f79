/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The three directories of a zone that are made anew at each boot: /dev, /run and /run/host. Each
 * is a tmpfs of the host whose files belong to the zone's root: only so can it hold device nodes,
 * which the zone cannot make. The policy that stands behind the nodes is in dev_policy.c; what it
 * allows is here, beside the table that it is about.
 */
#include "runtime/runtime_priv.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

struct entry {
	const char *path;
	mode_t mode;      /* with the type */
	const char *text; /* content of a file, target of a link */
	unsigned major, minor;
};

static const struct entry dev_entries[] = {
    {"null", S_IFCHR | 0666, NULL, 1, 3},       {"zero", S_IFCHR | 0666, NULL, 1, 5},
    {"full", S_IFCHR | 0666, NULL, 1, 7},       {"random", S_IFCHR | 0666, NULL, 1, 8},
    {"urandom", S_IFCHR | 0666, NULL, 1, 9},    {"tty", S_IFCHR | 0666, NULL, 5, 0},
    {"console", S_IFREG | 0600, "", 0, 0},      {"pts", S_IFDIR | 0755, NULL, 0, 0},
    {"shm", S_IFDIR | 01777, NULL, 0, 0},       {"mqueue", S_IFDIR | 0755, NULL, 0, 0},
    {"ptmx", S_IFLNK | 0777, "pts/ptmx", 0, 0}, {"fd", S_IFLNK | 0777, "/proc/self/fd", 0, 0},
    {"stdin", S_IFLNK | 0777, "fd/0", 0, 0},    {"stdout", S_IFLNK | 0777, "fd/1", 0, 0},
    {"stderr", S_IFLNK | 0777, "fd/2", 0, 0},
};

/*
 * Host keys are made when the zone first needs them, and not copied from anywhere. The unit lives
 * in /run because it is the host's idea, not a file of the zone.
 */
static const char hostkeys_unit[] = "[Unit]\n"
				    "Description=SSH host keys of this zone\n"
				    "ConditionPathExists=/usr/bin/ssh-keygen\n"
				    "ConditionPathExists=/etc/ssh\n"
				    "ConditionPathExistsGlob=!/etc/ssh/ssh_host_*_key\n"
				    "Before=ssh.service ssh.socket\n"
				    "[Service]\n"
				    "Type=oneshot\n"
				    "RemainAfterExit=yes\n"
				    "ExecStart=/usr/bin/ssh-keygen -A\n";

static const struct entry run_entries[] = {
    {"host", S_IFDIR | 0755, NULL, 0, 0},
    {"systemd", S_IFDIR | 0755, NULL, 0, 0},
    {"systemd/system", S_IFDIR | 0755, NULL, 0, 0},
    {"systemd/system/multi-user.target.wants", S_IFDIR | 0755, NULL, 0, 0},
    {"systemd/system/zone-hostkeys.service", S_IFREG | 0644, hostkeys_unit, 0, 0},
    {"systemd/system/multi-user.target.wants/zone-hostkeys.service", S_IFLNK | 0777,
     "../zone-hostkeys.service", 0, 0},
};

static int
entry_make(int dir_fd, const struct entry *e, uint32_t id_base)
{
	auto_close int fd = -EBADF;
	mode_t mode = e->mode & 07777;
	int r;

	switch (e->mode & S_IFMT) {
	case S_IFDIR:
		r = mkdirat(dir_fd, e->path, mode);
		break;
	case S_IFLNK:
		r = symlinkat(e->text, dir_fd, e->path);
		break;
	case S_IFREG:
		fd = openat(dir_fd, e->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
		r = fd < 0 ? -1 : fd_write_all(fd, e->text, strlen(e->text));
		break;
	default:
		r = mknodat(dir_fd, e->path, e->mode, makedev(e->major, e->minor));
		break;
	}
	if (r < 0 || !id_base)
		return r;
	return fchownat(dir_fd, e->path, id_base, id_base, AT_SYMLINK_NOFOLLOW);
}

/* A tmpfs that belongs to the zone, with @n entries in it: the umask is 0. */
static int
tmpfs_make(const char *size, uint64_t attrs, uint32_t id_base, const struct entry *entries,
	   size_t n, const char *what, struct err *err)
{
	auto_close int fd = -EBADF;
	char uid[24], gid[24];
	const char *options[] = {"mode=0755", size, uid, gid, NULL};

	(void)snprintf(uid, sizeof(uid), "uid=%u", id_base);
	(void)snprintf(gid, sizeof(gid), "gid=%u", id_base);
	fd = runtime_mount_new("tmpfs", options, attrs, err);
	if (fd < 0)
		return err_add(err, "%s", what);
	for (size_t i = 0; i < n; i++) {
		if (entry_make(fd, &entries[i], id_base) < 0)
			return err_set(err, ZE_IO, errno, "make %s/%s", what, entries[i].path);
	}
	return fd_take(&fd);
}

/* A device of the host under its own name. */
static int
device_make(int dev_fd, const char *path, uint32_t id_base, struct err *err)
{
	auto_close int parent_fd = -EBADF;
	struct entry e = {.path = path + strlen("/dev/")};
	const char *name;
	struct stat st;

	if (stat(path, &st) < 0 || (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode)))
		return err_set(err, ZE_NOENT, 0, "'%s' is not a device any more", path);
	parent_fd = path_open_parent_in_root(dev_fd, e.path, true, &name, err);
	if (parent_fd < 0)
		return parent_fd;
	e.path = name;
	e.mode = st.st_mode;
	e.major = major(st.st_rdev);
	e.minor = minor(st.st_rdev);
	if (entry_make(parent_fd, &e, id_base) < 0 && errno != EEXIST)
		return err_set(err, ZE_IO, errno, "make '%s' in the zone", path);
	return 0;
}

int
dev_mount(const struct runtime_plan *plan, uint32_t id_base, struct err *err)
{
	auto_close int fd = -EBADF;
	int r = 0;

	fd = tmpfs_make("size=4M", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, id_base, dev_entries,
			sizeof(dev_entries) / sizeof(dev_entries[0]), "/dev", err);
	if (fd < 0)
		return fd;
	for (size_t i = 0; r == 0 && i < plan->devices.n; i++)
		r = device_make(fd, plan->devices.v[i], id_base, err);
	return r < 0 ? r : fd_take(&fd);
}

int
dev_run_mount(const struct runtime_plan *plan, uint32_t id_base, struct err *err)
{
	(void)plan;
	return tmpfs_make("size=20%", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, id_base, run_entries,
			  sizeof(run_entries) / sizeof(run_entries[0]), "/run", err);
}

/* A script, because it needs nothing of the host in the zone, neither a file nor a library. */
static const char zonename_script[] = "#!/bin/sh\n"
				      "if [ $# -gt 0 ]; then\n"
				      "\techo \"zonename: unexpected argument '$1'\" >&2\n"
				      "\techo 'usage: zonename' >&2\n"
				      "\texit 2\n"
				      "fi\n"
				      "IFS== read -r key name </run/host/zone && echo \"$name\"\n";

int
dev_host_mount(const struct runtime_plan *plan, uint64_t id, struct err *err)
{
	struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY};
	auto_free char *zone = NULL, *uuid = NULL;
	auto_close int fd = -EBADF, hostid_fd = -EBADF;

	if (asprintf(&zone, "name=%s\nid=%llu\n", plan->name, (unsigned long long)id) < 0) {
		zone = NULL; /* undefined after a failure */
		return err_nomem(err);
	}
	if (asprintf(&uuid, "%s\n", plan->uuid) < 0) {
		uuid = NULL; /* undefined after a failure */
		return err_nomem(err);
	}
	const struct entry entries[] = {
	    {"container-manager", S_IFREG | 0444, "zones\n", 0, 0},
	    {"container-uuid", S_IFREG | 0444, uuid, 0, 0},
	    {"zone", S_IFREG | 0444, zone, 0, 0},
	    {"bin", S_IFDIR | 0755, NULL, 0, 0},
	    {"bin/zonename", S_IFREG | 0555, zonename_script, 0, 0},
	    /* What masks are made of: nothing to see, and nothing to change. */
	    {"inaccessible", S_IFDIR | 0755, NULL, 0, 0},
	    {"inaccessible/dir", S_IFDIR | 0555, NULL, 0, 0},
	    {"inaccessible/reg", S_IFREG | 0444, "", 0, 0},
	    /* The same with mount points for what is left visible there: root.c. */
	    {"inaccessible/class", S_IFDIR | 0555, NULL, 0, 0},
	    {"inaccessible/class/net", S_IFDIR | 0555, NULL, 0, 0},
	    {"inaccessible/devices", S_IFDIR | 0555, NULL, 0, 0},
	    {"inaccessible/devices/system", S_IFDIR | 0555, NULL, 0, 0},
	    {"inaccessible/devices/virtual", S_IFDIR | 0555, NULL, 0, 0},
	    /* Mount points for what namespaces in the zone are made of: root.c. */
	    {"nesting", S_IFDIR | 0555, NULL, 0, 0},
	    {"nesting/proc", S_IFDIR | 0555, NULL, 0, 0},
	    {"nesting/sys", S_IFDIR | 0555, NULL, 0, 0},
	};
	/* Owned by the host's root, who is nobody in the zone. */
	fd = tmpfs_make("size=64K", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, 0, entries,
			sizeof(entries) / sizeof(entries[0]), "/run/host", err);
	if (fd < 0)
		return fd;
	if (plan->has_hostid) {
		hostid_fd = openat(fd, "hostid", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
		if (hostid_fd < 0 ||
		    fd_write_all(hostid_fd, &plan->hostid, sizeof(plan->hostid)) < 0)
			return err_set(err, ZE_IO, errno, "make /run/host/hostid");
		hostid_fd = fd_close(hostid_fd);
	}
	if (mount_setattr(fd, "", AT_EMPTY_PATH, &read_only, sizeof(read_only)) < 0)
		return err_set(err, ZE_IO, errno, "make /run/host read-only");
	return fd_take(&fd);
}

/* ---- what the device policy allows ---- */

int
dev_rules(const struct runtime_plan *plan, struct dev_rule *ret, size_t max, size_t *ret_n,
	  struct err *err)
{
	static const struct dev_rule terminals[] = {
	    {S_IFCHR, 5, 2},               /* ptmx */
	    {S_IFCHR, 136, DEV_ANY_MINOR}, /* its other ends */
	};
	struct stat st;
	size_t n = 0;

	if (plan->devices.n + DEV_RULES_OWN > max)
		return err_set(err, ZE_INVAL, 0, "too many devices for one zone");
	for (size_t i = 0; i < sizeof(dev_entries) / sizeof(dev_entries[0]); i++) {
		if (S_ISCHR(dev_entries[i].mode))
			ret[n++] =
			    (struct dev_rule){S_IFCHR, dev_entries[i].major, dev_entries[i].minor};
	}
	for (size_t i = 0; i < sizeof(terminals) / sizeof(terminals[0]); i++)
		ret[n++] = terminals[i];
	for (size_t i = 0; i < plan->devices.n; i++) {
		/* One that has gone since fails the boot when its node is made. */
		if (stat(plan->devices.v[i], &st) == 0 &&
		    (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)))
			ret[n++] = (struct dev_rule){st.st_mode & S_IFMT, major(st.st_rdev),
						     minor(st.st_rdev)};
	}
	*ret_n = n;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The zone's tree of mounts. It is put together in a mount namespace of the host's, which the
 * zone's first process then copies into its own: on that copy across user namespaces the kernel
 * locks every mount and every read-only or nodev flag, so that the zone can neither take a mount
 * off nor change it. The old root is gone before the copy is made: no mount of the host is in it.
 *
 * Proc, sysfs, cgroup2, mqueue and devpts belong to namespaces, so the first process makes them
 * and not the host: a cgroup2 made from the host's cgroup namespace would take the options of the
 * host's own one away (nsdelegate), and before 6.15 a devpts takes its ids from who makes it. The
 * host mounts them, because the kernel lets nobody in a user namespace mount a proc when there is
 * none to be seen.
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
#include <linux/capability.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Group of terminals: Debian's, and every other system's that has one. */
#define TTY_GROUP 5

/* Terminals of a zone. The kernel has a number for all (kernel.pty.max, 4096), a quarter of it kept
 * for the host; no zone shall use up what is left for all others. */
#define TERMINALS_MAX "512"

const struct root_fs root_fs[ROOT_FS_COUNT] = {
    [ROOT_FS_PROC] = {"proc",
		      "proc",
		      {NULL},
		      MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC},
    [ROOT_FS_SYS] = {"sysfs",
		     "sys",
		     {NULL},
		     MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC},
    [ROOT_FS_CGROUP] = {"cgroup2",
			"sys/fs/cgroup",
			{NULL},
			MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC},
    [ROOT_FS_PTS] = {"devpts",
		     "dev/pts",
		     {"mode", "0620", "ptmxmode", "0666", "gid", "5", "max", TERMINALS_MAX, NULL},
		     MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC},
    [ROOT_FS_MQUEUE] = {"mqueue",
			"dev/mqueue",
			{NULL},
			MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC},
};

/* Of a directory of /sys that is covered, so many are left as they are. */
#define KEPT_MAX 2

/* What a zone has no business to see, with an empty file or directory over it. */
static const struct mask_list {
	const char *top;
	const char *const *names;
} masks[] = {
    {"proc",
     (const char *const[]){"acpi", "asound", "bus", "config.gz", "fs", "kallsyms", "kcore", "keys",
			   "key-users", "kmsg", "kpagecount", "kpageflags", "latency_stats",
			   "sched_debug", "scsi", "sysrq-trigger", "timer_list", NULL}},
    {"sys", (const char *const[]){"firmware", "kernel/security", "kernel/debug", "kernel/tracing",
				  "fs/bpf", "fs/pstore", NULL}},
};

static int
open_beneath(int root_fd, const char *path)
{
	struct open_how how = {
	    .flags = O_PATH | O_CLOEXEC,
	    .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
}

/*
 * Open one more component of a path, or make it when it is missing: as the zone's root, because in
 * an idmapped mount nothing can belong to the host's ids.
 */
static int
open_or_make(int dir_fd, const char *name, bool is_dir, uint32_t id_base)
{
	int fd = open_beneath(dir_fd, name), r;

	if (fd >= 0 || errno != ENOENT)
		return fd;
	if (fault_point("mountpoint"))
		return -1;
	(void)setfsgid(id_base);
	(void)setfsuid(id_base);
	r = is_dir ? mkdirat(dir_fd, name, 0755) : mknodat(dir_fd, name, S_IFREG | 0644, 0);
	(void)setfsuid(0);
	(void)setfsgid(0);
	return r < 0 ? -1 : open_beneath(dir_fd, name);
}

/*
 * Open a mount point in the zone, making what is missing. No component may be a symbolic link: the
 * zone's root has made them, and a mount must land where the administrator said.
 */
static int
target_open(const struct root_build *build, const char *path, bool is_dir, struct err *err)
{
	auto_close int fd = open_beneath(build->root_fd, path);
	auto_free char *copy = NULL;
	char *save, *name, *next_name;
	int next;

	if (fd >= 0)
		return fd_take(&fd);
	copy = strdup(path);
	if (!copy)
		return err_nomem(err);
	fd = open_beneath(build->root_fd, ".");
	for (name = strtok_r(copy, "/", &save); fd >= 0 && name; name = next_name) {
		next_name = strtok_r(NULL, "/", &save);
		next = open_or_make(fd, name, next_name || is_dir, build->id_base);
		if (next < 0 && errno == ELOOP)
			return err_set(err, ZE_INVAL, 0,
				       "mount point '%s' in the zone: '%s' is a symbolic link",
				       path, name);
		fd = fd_close(fd);
		fd = next;
	}
	if (fd < 0)
		return err_set(err, ZE_IO, errno, "mount point '%s' in the zone", path);
	return fd_take(&fd);
}

/* Attach a detached mount on a path of the zone. */
static int
attach(const struct root_build *build, int mount_fd, const char *path, bool is_dir, struct err *err)
{
	auto_close int target_fd = target_open(build, path, is_dir, err);
	int r;

	if (target_fd < 0)
		return target_fd;
	r = runtime_mount_attach(mount_fd, target_fd, "", err);
	return r < 0 ? err_add(err, "'%s' in the zone", path) : 0;
}

/* A mount of our own making: it takes the descriptor over and passes its failure on. */
static int
attach_new(const struct root_build *build, int new_fd, const char *path, struct err *err)
{
	auto_close int mount_fd = new_fd;

	return new_fd < 0 ? new_fd : attach(build, mount_fd, path, true, err);
}

/* A copy of something that is in the tree already, over something else in it. */
static int
cover(const struct root_build *build, const char *source, uint64_t attrs, const char *target,
      bool is_dir, struct err *err)
{
	auto_close int mount_fd =
	    runtime_mount_clone(build->root_fd, source, -1, false, attrs, err);

	return mount_fd < 0 ? mount_fd : attach(build, mount_fd, target, is_dir, err);
}

static int
attach_fs(const struct root_build *build, enum root_fs_kind kind, struct err *err)
{
	const struct root_fs *fs = &root_fs[kind];
	auto_close int mount_fd = -EBADF;

	mount_fd = runtime_mount_created(build->fs_fd[kind], fs->type, fs->attrs, err);
	return mount_fd < 0 ? mount_fd : attach(build, mount_fd, fs->target, true, err);
}

static int
attach_base(const struct root_build *build, struct err *err)
{
	const struct runtime_plan *plan = build->plan;
	uint32_t base = build->id_base;
	char uid[24], gid[24];
	const char *shm[] = {"mode=1777", uid, gid, NULL};
	const char *lock[] = {"mode=1777", "size=5M", uid, gid, NULL};
	uint64_t attrs = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
	int r;

	(void)snprintf(uid, sizeof(uid), "uid=%u", base);
	(void)snprintf(gid, sizeof(gid), "gid=%u", base);
	r = attach_new(build, dev_mount(plan, base, err), "dev", err);
	if (r == 0)
		r = attach_new(build, runtime_mount_new("tmpfs", shm, attrs, err), "dev/shm", err);
	if (r == 0)
		r = attach_new(build, dev_run_mount(plan, base, err), "run", err);
	/* Debian's systemd does not start without, and this zone's cannot mount it. */
	if (r == 0 && plan->shares_ids)
		r = attach_new(build,
			       runtime_mount_new("tmpfs", lock, attrs | MOUNT_ATTR_NOEXEC, err),
			       "run/lock", err);
	if (r == 0)
		r = attach_new(build, dev_host_mount(plan, build->zone_id, err), "run/host", err);
	for (int kind = 0; r == 0 && kind < ROOT_FS_COUNT; kind++)
		r = attach_fs(build, (enum root_fs_kind)kind, err);
	return r;
}

/*
 * In a user namespace the kernel mounts a proc or a sysfs only where one can be seen that nothing
 * covers, and no less read-only than that. So the zone has one of each, before the masks: in a
 * directory that is covered in turn, because it is the mount that counts and not the way to it.
 */
static int
attach_nesting(const struct root_build *build, struct err *err)
{
	int r;

	r = cover(build, "proc", 0, "run/host/nesting/proc", true, err);
	if (r == 0)
		r = cover(build, "sys", 0, "run/host/nesting/sys", true, err);
	if (r == 0)
		r = cover(build, "run/host/inaccessible/dir", 0, "run/host/nesting", true, err);
	return r;
}

/*
 * Kernel settings are read-only, but for those of a network stack that the zone may configure, or
 * that its namespaces may have: the kernel shows each process the settings of its own stack, and
 * lets only its administrator write them.
 */
static int
cover_settings(const struct root_build *build, struct err *err)
{
	auto_close int net_fd = -EBADF;
	int r;

	/* With the host's ids the zone's root would own all of them, namespaced or not. */
	if ((build->plan->caps & 1ull << CAP_NET_ADMIN && !build->plan->shares_ids) ||
	    build->plan->nesting) {
		net_fd = runtime_mount_clone(build->root_fd, "proc/sys/net", -1, false, 0, err);
		if (net_fd < 0)
			return net_fd;
	}
	r = cover(build, "proc/sys", MOUNT_ATTR_RDONLY, "proc/sys", true, err);
	if (r == 0 && net_fd >= 0)
		r = attach(build, net_fd, "proc/sys/net", true, err);
	return r;
}

/* @sources: the empty file and the empty directory. */
static int
cover_list(const struct root_build *build, const struct mask_list *list, const int sources[2],
	   struct err *err)
{
	auto_close int top_fd = open_beneath(build->root_fd, list->top);
	struct stat st;
	int r = 0;

	if (top_fd < 0)
		return err_set(err, ZE_IO, errno, "open '%s' in the zone", list->top);
	for (const char *const *name = list->names; r == 0 && *name; name++) {
		auto_close int mount_fd = -EBADF;

		if (fstatat(top_fd, *name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue; /* this kernel does not have it */
		mount_fd = runtime_mount_clone(sources[S_ISDIR(st.st_mode)], "", -1, false, 0, err);
		/* The names are the kernel's: the zone has no link on the way from the top. */
		r = mount_fd < 0 ? mount_fd : runtime_mount_attach(mount_fd, top_fd, *name, err);
		if (r < 0)
			return err_add(err, "'%s/%s' in the zone", list->top, *name);
	}
	return r;
}

static int
cover_masks(const struct root_build *build, struct err *err)
{
	auto_close int file_fd = open_beneath(build->root_fd, "run/host/inaccessible/reg");
	auto_close int dir_fd = open_beneath(build->root_fd, "run/host/inaccessible/dir");
	int r = 0;

	if (file_fd < 0 || dir_fd < 0)
		return err_set(err, ZE_IO, errno, "open what masks are made of");
	for (size_t i = 0; r == 0 && i < sizeof(masks) / sizeof(masks[0]); i++)
		r = cover_list(build, &masks[i], (const int[]){file_fd, dir_fd}, err);
	return r;
}

/*
 * With the host's ids the zone's root is the owner of all that is in /proc and /sys, and the owner
 * needs no capability. So it gets of /proc what everybody has, and of /sys the same as far as a
 * table can say it.
 */
static int
cover_proc_entry(const struct root_build *build, int proc_fd, const struct stat *proc,
		 const char *name, struct err *err)
{
	auto_free char *path = NULL;
	struct stat st;
	bool is_dir;

	if (fstatat(proc_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_set(err, ZE_IO, errno, "look at '/proc/%s'", name);
	if (st.st_dev != proc->st_dev)
		return 0; /* masked */
	is_dir = S_ISDIR(st.st_mode);
	/* Also what nobody may write: its owner changes its mode, for the whole machine. */
	if (!is_dir && !S_ISREG(st.st_mode))
		return 0;
	if (asprintf(&path, "proc/%s", name) < 0) {
		path = NULL; /* undefined after a failure */
		return err_nomem(err);
	}
	if (!(st.st_mode & 0004))
		return cover(build,
			     is_dir ? "run/host/inaccessible/dir" : "run/host/inaccessible/reg", 0,
			     path, is_dir, err);
	return cover(build, path, MOUNT_ATTR_RDONLY, path, is_dir, err);
}

/* Cover a directory of /sys but for @n of what is in it. @skeleton: empty directories for these */
static int
cover_but(const struct root_build *build, const char *path, const char *skeleton,
	  const char *const *kept, size_t n, struct err *err)
{
	int fds[KEPT_MAX], r = 0;
	size_t opened = 0;

	for (; r == 0 && opened < n; opened++) {
		fds[opened] = runtime_mount_clone(build->root_fd, kept[opened], -1, false, 0, err);
		r = fds[opened] < 0 ? fds[opened] : 0;
	}
	if (r == 0)
		r = cover(build, skeleton, 0, path, true, err);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = attach(build, fds[i], kept[i], true, err);
	while (opened > 0)
		(void)fd_close(fds[--opened]);
	return r;
}

/*
 * To read is enough for some of /sys: registers of a device are mapped through a file for root
 * alone, and who reads the one of zram-control has made a disk for the machine. So of devices and
 * their kinds there is what programs look for, also when another driver is loaded later.
 */
static int
cover_owned_sys(const struct root_build *build, struct err *err)
{
	static const char *const devices[KEPT_MAX] = {"sys/devices/system", "sys/devices/virtual"};
	static const char *const classes[] = {"sys/class/net"};
	static const char *const hidden[] = {"sys/devices/virtual/dmi",
					     "sys/devices/virtual/powercap", "sys/kernel/slab"};
	int r;

	r = cover_but(build, "sys/devices", "run/host/inaccessible/devices", devices, KEPT_MAX,
		      err);
	if (r == 0)
		r = cover_but(build, "sys/class", "run/host/inaccessible/class", classes, 1, err);
	for (size_t i = 0; r == 0 && i < sizeof(hidden) / sizeof(hidden[0]); i++) {
		if (faccessat(build->root_fd, hidden[i], F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			r = cover(build, "run/host/inaccessible/dir", 0, hidden[i], true, err);
	}
	return r;
}

static int
cover_owned_proc(const struct root_build *build, struct err *err)
{
	auto_closedir DIR *dir = NULL;
	struct dirent *de;
	struct stat proc;
	int fd, r = 0;

	fd = openat(build->root_fd, "proc", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	dir = fd < 0 || fstat(fd, &proc) < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		r = err_set(err, ZE_IO, errno, "read the zone's /proc");
		(void)fd_close(fd);
		return r;
	}
	while (r == 0 && (de = readdir(dir))) {
		/* Processes have their own rules; "sys" has its cover already. */
		if (de->d_name[0] != '.' && (de->d_name[0] < '0' || de->d_name[0] > '9') &&
		    strcmp(de->d_name, "sys") != 0)
			r = cover_proc_entry(build, fd, &proc, de->d_name, err);
	}
	return r;
}

static int
plan_mount_make(const struct root_build *build, const struct plan_mount *m, struct err *err)
{
	auto_close int fd = -EBADF;
	auto_strv struct strv options = {0};
	int r = 0;

	if (m->kind == PLAN_BIND) {
		fd = runtime_mount_clone(AT_FDCWD, m->source, build->userns_fd, m->recursive,
					 m->attrs, err);
		return fd < 0 ? fd : fd_take(&fd);
	}
	if (m->kind == PLAN_TMPFS)
		r = strv_addf(&options, "uid=%u", build->id_base) < 0 ||
		    strv_addf(&options, "gid=%u", build->id_base) < 0;
	else
		r = strv_addf(&options, "source=%s", m->source);
	for (size_t i = 0; r == 0 && i < m->options.n; i++)
		r = strv_add(&options, m->options.v[i]);
	if (r == 0 && m->kind == PLAN_BLOCK && m->attrs & MOUNT_ATTR_RDONLY)
		r = strv_add(&options, "ro");
	if (r)
		return err_nomem(err);
	fd = runtime_mount_new(m->fs_type, (const char *const *)options.v, m->attrs, err);
	if (fd < 0 || m->kind == PLAN_TMPFS || build->userns_fd < 0)
		return fd_take(&fd);
	r = runtime_mount_idmap(fd, build->userns_fd, m->source, err);
	return r < 0 ? r : fd_take(&fd);
}

static int
attach_plan(const struct root_build *build, struct err *err)
{
	for (size_t i = 0; i < build->plan->n_mounts; i++) {
		const struct plan_mount *m = &build->plan->mounts[i];
		auto_close int fd = plan_mount_make(build, m, err);
		struct stat st;
		int r = fd;

		if (fd >= 0 && fstat(fd, &st) < 0)
			r = err_set(err, ZE_IO, errno, "stat '%s'", m->source);
		if (r >= 0)
			r = attach(build, fd, m->target, S_ISDIR(st.st_mode), err);
		if (r < 0)
			return err_add(err, "mount on '%s' in the zone", m->target);
	}
	return 0;
}

/* The host keeps one side of a terminal of the zone; the other is its console. */
static int
attach_console(struct root_build *build, struct err *err)
{
	auto_close int master_fd = -EBADF, slave_fd = -EBADF, mount_fd = -EBADF;
	uid_t uid = build->id_base;
	int unlock = 0, r;

	/* The administrator may have mounted over it what others can write to. */
	master_fd = path_open_in_root(build->root_fd, "dev/pts/ptmx",
				      O_RDWR | O_NOCTTY | O_NONBLOCK, 0, NULL);
	if (master_fd < 0 || ioctl(master_fd, TIOCSPTLCK, &unlock) < 0)
		return err_set(err, ZE_IO, errno, "make the zone's console");
	slave_fd = ioctl(master_fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave_fd < 0 || fchown(slave_fd, uid, uid + TTY_GROUP) < 0 ||
	    fchmod(slave_fd, 0620) < 0)
		return err_set(err, ZE_IO, errno, "make the zone's console");
	mount_fd = runtime_mount_clone(slave_fd, "", -1, false, 0, err);
	if (mount_fd < 0)
		return mount_fd;
	r = attach(build, mount_fd, "dev/console", false, err);
	if (r == 0)
		build->console_fd = fd_take(&master_fd);
	return r;
}

static int
build_tree(struct root_build *build, struct err *err)
{
	auto_close int hostid_fd = -EBADF;
	int r;

	r = attach_base(build, err);
	if (r == 0 && build->plan->nesting)
		r = attach_nesting(build, err);
	if (r == 0 && build->plan->has_hostid) {
		/* While /run/host is surely ours: what the configuration mounts may cover it. */
		hostid_fd =
		    runtime_mount_clone(build->root_fd, "run/host/hostid", -1, false, 0, err);
		r = hostid_fd < 0 ? hostid_fd : 0;
	}
	if (r == 0)
		r = cover_settings(build, err);
	if (r == 0)
		r = cover_masks(build, err);
	if (r == 0 && build->plan->shares_ids)
		r = cover_owned_sys(build, err);
	if (r == 0 && build->plan->shares_ids)
		r = cover_owned_proc(build, err);
	if (r == 0)
		r = attach_plan(build, err);
	if (r == 0 && build->plan->has_hostid)
		r = attach(build, hostid_fd, "etc/hostid", false, err);
	if (r == 0)
		r = attach_console(build, err);
	return r;
}

int
root_build(struct root_build *build, struct err *err)
{
	auto_close int root_fd = -EBADF;
	mode_t mask;
	int r;

	root_fd = runtime_mount_clone(AT_FDCWD, build->plan->root, build->userns_fd, false,
				      MOUNT_ATTR_NODEV, err);
	if (root_fd < 0)
		return root_fd;
	/* Any directory will do: the mount goes from here to "/" in a moment. */
	r = runtime_mount_attach(root_fd, AT_FDCWD, RUNTIME_DIR, err);
	if (r < 0)
		return r;
	build->root_fd = root_fd;
	mask = umask(0); /* what is made gets the mode that is asked for */
	r = build_tree(build, err);
	(void)umask(mask);
	if (r < 0)
		return r;
	if (fchdir(root_fd) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
	    umount2(".", MNT_DETACH) < 0)
		return err_set(err, ZE_IO, errno, "enter the zone's root");
	return 0;
}

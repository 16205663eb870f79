/* SPDX-License-Identifier: Apache-2.0 */
/* Files, devices and mounts that belong to the host. */
#include "probe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define PROBE(name) static enum probe_result name(const struct probe_host *host)
#define UNUSED      (void)host

/* Mount tests begin with a namespace of their own, so that none spoils the next. */
static void
private_mounts(void)
{
	(void)unshare(CLONE_NEWNS);
	(void)mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	(void)mkdir("/mnt", 0755);
}

static enum probe_result
try_open(const char *path, int flags)
{
	int fd = open(path, flags | O_NONBLOCK | O_CLOEXEC);

	return fd >= 0 ? PROBE_BROKEN : PROBE_SAFE;
}

/* Readable, and not empty. */
static enum probe_result
try_read(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char buf[8];

	if (fd < 0)
		return errno == ENOENT && getenv("PROBE_CONTROL") ? PROBE_ABSENT : PROBE_SAFE;
	return read(fd, buf, sizeof(buf)) > 0 ? PROBE_BROKEN : PROBE_SAFE;
}

static enum probe_result
try_write(const char *path)
{
	if (access(path, F_OK) < 0)
		return getenv("PROBE_CONTROL") ? PROBE_ABSENT : PROBE_SAFE;
	return try_open(path, O_WRONLY);
}

static enum probe_result
try_list(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *de;
	int n = 0;

	if (!dir)
		return PROBE_SAFE;
	while ((de = readdir(dir)))
		n += de->d_name[0] != '.';
	return n > 0 ? PROBE_BROKEN : getenv("PROBE_CONTROL") ? PROBE_ABSENT : PROBE_SAFE;
}

static enum probe_result
make_node(const char *path, mode_t type, unsigned major_number, unsigned minor_number)
{
	enum probe_result result;

	(void)unlink(path);
	if (mknod(path, type | 0600, makedev(major_number, minor_number)) < 0)
		return PROBE_SAFE;
	result = try_open(path, O_RDONLY);
	(void)unlink(path);
	return result;
}

PROBE(make_memory_device)
{
	UNUSED;
	return make_node("/dev/probe-node", S_IFCHR, 1, 1) == PROBE_BROKEN ||
		       make_node("/dev/probe-node", S_IFCHR, 1, 11) == PROBE_BROKEN
		   ? PROBE_BROKEN
		   : PROBE_SAFE;
}

PROBE(make_disk_device)
{
	unsigned a, b;

	if (!host->disk || sscanf(host->disk, "%u:%u", &a, &b) != 2)
		return PROBE_ABSENT;
	return make_node("/dev/probe-node", S_IFBLK, a, b);
}

PROBE(make_device_in_own_tmpfs)
{
	UNUSED;
	private_mounts();
	if (mount("none", "/mnt", "tmpfs", 0, NULL) < 0)
		return PROBE_SAFE;
	return make_node("/mnt/node", S_IFCHR, 1, 11);
}

PROBE(device_on_disk)
{
	UNUSED;
	return try_open("/root/planted-device", O_RDONLY);
}

PROBE(kernel_messages)
{
	UNUSED;
	return try_open("/dev/kmsg", O_RDONLY);
}

PROBE(fuse)
{
	UNUSED;
	return access("/dev/fuse", F_OK) < 0 && getenv("PROBE_CONTROL")
		   ? PROBE_ABSENT
		   : try_open("/dev/fuse", O_RDWR);
}

PROBE(loop_control)
{
	UNUSED;
	return access("/dev/loop-control", F_OK) < 0 && getenv("PROBE_CONTROL")
		   ? PROBE_ABSENT
		   : try_open("/dev/loop-control", O_RDWR);
}

PROBE(read_kcore)
{
	UNUSED;
	return try_read("/proc/kcore");
}

PROBE(read_symbols)
{
	UNUSED;
	return try_read("/proc/kallsyms");
}

PROBE(read_keys)
{
	UNUSED;
	return try_read("/proc/key-users");
}

PROBE(read_timers)
{
	UNUSED;
	return try_read("/proc/timer_list");
}

PROBE(read_page_counts)
{
	UNUSED;
	return try_read("/proc/kpagecount");
}

PROBE(read_kernel_configuration)
{
	UNUSED;
	return try_read("/proc/config.gz");
}

PROBE(press_sysrq)
{
	UNUSED;
	return try_write("/proc/sysrq-trigger");
}

PROBE(write_core_pattern)
{
	UNUSED;
	return try_write("/proc/sys/kernel/core_pattern");
}

PROBE(write_modprobe_path)
{
	UNUSED;
	return try_write("/proc/sys/kernel/modprobe");
}

PROBE(write_drop_caches)
{
	UNUSED;
	return try_write("/proc/sys/vm/drop_caches");
}

PROBE(write_panic)
{
	UNUSED;
	return try_write("/proc/sys/kernel/panic");
}

PROBE(write_ipc_limits)
{
	UNUSED;
	return try_write("/proc/sys/kernel/shmmax");
}

/* Of the network stack that the zone has but does not rule. */
PROBE(write_network_settings)
{
	UNUSED;
	return try_write("/proc/sys/net/ipv4/ip_forward") == PROBE_BROKEN ||
		       try_write("/proc/sys/net/core/somaxconn") == PROBE_BROKEN
		   ? PROBE_BROKEN
		   : PROBE_SAFE;
}

PROBE(write_sys)
{
	UNUSED;
	return try_write("/sys/kernel/profiling") == PROBE_BROKEN ||
		       try_write("/sys/kernel/uevent_seqnum") == PROBE_BROKEN ||
		       try_write("/sys/power/state") == PROBE_BROKEN ||
		       try_write("/sys/kernel/mm/transparent_hugepage/enabled") == PROBE_BROKEN
		   ? PROBE_BROKEN
		   : PROBE_SAFE;
}

/*
 * With the host's ids, the zone's root owns what the host's root owns, and needs no capability to
 * use it. @fn: what to try with each file of a directory
 */
static enum probe_result
try_owned(const char *dir_path, int depth, enum probe_result (*fn)(const char *path, mode_t mode))
{
	enum probe_result result = PROBE_SAFE;
	DIR *dir = opendir(dir_path);
	struct dirent *de;
	char path[512];
	struct stat st;

	while (dir && result == PROBE_SAFE && (de = readdir(dir))) {
		if (de->d_name[0] == '.' ||
		    (de->d_name[0] >= '0' && de->d_name[0] <= '9' && depth == 0))
			continue;
		/* The settings are read-only; that they can be read is no harm. */
		if (depth == 0 && !strcmp(de->d_name, "sys"))
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", dir_path, de->d_name);
		if (lstat(path, &st) < 0 || S_ISLNK(st.st_mode))
			continue;
		if (S_ISDIR(st.st_mode) && depth < 2)
			result = try_owned(path, depth + 1, fn);
		else if (S_ISREG(st.st_mode))
			result = fn(path, st.st_mode);
	}
	if (dir)
		(void)closedir(dir);
	return result;
}

static enum probe_result
write_as_owner(const char *path, mode_t mode)
{
	return (mode & 0202) == 0200 ? try_open(path, O_WRONLY) : PROBE_SAFE;
}

static enum probe_result
read_as_owner(const char *path, mode_t mode)
{
	return (mode & 0404) == 0400 ? try_read(path) : PROBE_SAFE;
}

static enum probe_result
change_as_owner(const char *path, mode_t mode)
{
	return chmod(path, mode & 07777) == 0 ? PROBE_BROKEN : PROBE_SAFE;
}

PROBE(write_owned_proc)
{
	UNUSED;
	return try_owned("/proc", 0, write_as_owner);
}

PROBE(read_owned_proc)
{
	UNUSED;
	return try_owned("/proc", 0, read_as_owner);
}

/* There is one mode for all instances of the file system: what is taken is gone everywhere. */
PROBE(change_owned_proc)
{
	UNUSED;
	return try_owned("/proc", 0, change_as_owner);
}

PROBE(write_interrupts)
{
	UNUSED;
	return try_write("/proc/irq/default_smp_affinity");
}

PROBE(read_slabs)
{
	UNUSED;
	return try_read("/proc/slabinfo");
}

PROBE(read_owned_sys)
{
	UNUSED;
	return try_owned("/sys/kernel/slab", 1, read_as_owner);
}

PROBE(list_firmware)
{
	UNUSED;
	return try_list("/sys/firmware");
}

PROBE(list_bus)
{
	UNUSED;
	return try_list("/proc/bus");
}

PROBE(list_proc_fs)
{
	UNUSED;
	return try_list("/proc/fs");
}

static enum probe_result
try_mount(const char *type, unsigned long flags, const char *options)
{
	private_mounts();
	if (mount("none", "/mnt", type, flags, options) == 0)
		return PROBE_BROKEN;
	return errno == ENODEV && getenv("PROBE_CONTROL") ? PROBE_ABSENT : PROBE_SAFE;
}

PROBE(mount_proc)
{
	UNUSED;
	return try_mount("proc", 0, NULL);
}

PROBE(mount_sysfs)
{
	UNUSED;
	return try_mount("sysfs", 0, NULL);
}

PROBE(mount_debugfs)
{
	UNUSED;
	return try_mount("debugfs", 0, NULL);
}

PROBE(mount_tracefs)
{
	UNUSED;
	return try_mount("tracefs", 0, NULL);
}

PROBE(mount_devtmpfs)
{
	UNUSED;
	return try_mount("devtmpfs", 0, NULL);
}

/*
 * CVE-2022-0492: version 1 hierarchies, whose cgroups a root may fill, and whose release_agent the
 * host's kernel runs.
 */
static int
mount_cgroup1(void)
{
	private_mounts();
	return mount("none", "/mnt", "cgroup", 0, "memory");
}

PROBE(cgroup1_write)
{
	UNUSED;
	if (mount_cgroup1() < 0)
		return getenv("PROBE_CONTROL") ? PROBE_ABSENT : PROBE_SAFE;
	return try_write("/mnt/cgroup.procs") == PROBE_BROKEN ||
		       try_write("/mnt/release_agent") == PROBE_BROKEN
		   ? PROBE_BROKEN
		   : PROBE_SAFE;
}

PROBE(cgroup1_see_others)
{
	DIR *dir;
	struct dirent *de;

	UNUSED;
	if (mount_cgroup1() < 0)
		return getenv("PROBE_CONTROL") ? PROBE_ABSENT : PROBE_SAFE;
	dir = opendir("/mnt");
	while (dir && (de = readdir(dir))) {
		if (de->d_type == DT_DIR && de->d_name[0] != '.')
			return PROBE_BROKEN;
	}
	return PROBE_SAFE;
}

PROBE(unmask_proc)
{
	UNUSED;
	private_mounts();
	(void)umount2("/proc/key-users", MNT_DETACH);
	return try_read("/proc/key-users");
}

/* The file system without what is mounted over it. */
PROBE(unmask_proc_by_copy)
{
	int fd;

	UNUSED;
	private_mounts();
	fd = (int)syscall(SYS_open_tree, AT_FDCWD, "/proc", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	return fd >= 0 && openat(fd, "key-users", O_RDONLY | O_CLOEXEC) >= 0 ? PROBE_BROKEN
									     : PROBE_SAFE;
}

PROBE(settings_writable)
{
	UNUSED;
	private_mounts();
	(void)mount(NULL, "/proc/sys", NULL, MS_REMOUNT | MS_BIND, NULL);
	(void)umount2("/proc/sys", MNT_DETACH);
	return try_write("/proc/sys/kernel/panic");
}

/* Whether a file can be made in a directory. */
static enum probe_result
try_create(const char *dir)
{
	char path[256];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/zones-probe-file", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	(void)unlink(path);
	return fd >= 0 ? PROBE_BROKEN : PROBE_SAFE;
}

PROBE(inherited_remount)
{
	private_mounts();
	(void)mount(NULL, host->inherited, NULL, MS_REMOUNT | MS_BIND, NULL);
	return try_create(host->inherited);
}

PROBE(inherited_setattr)
{
	struct mount_attr attr = {.attr_clr = MOUNT_ATTR_RDONLY};

	private_mounts();
	(void)mount_setattr(AT_FDCWD, host->inherited, 0, &attr, sizeof(attr));
	return try_create(host->inherited);
}

PROBE(inherited_bind_elsewhere)
{
	private_mounts();
	if (mount(host->inherited, "/mnt", NULL, MS_BIND, NULL) < 0)
		return PROBE_SAFE;
	(void)mount(NULL, "/mnt", NULL, MS_REMOUNT | MS_BIND, NULL);
	return try_create("/mnt");
}

PROBE(inherited_tree_clone)
{
	struct mount_attr attr = {.attr_clr = MOUNT_ATTR_RDONLY};
	int fd;

	private_mounts();
	fd = open_tree(AT_FDCWD, host->inherited, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (fd < 0 || mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0 ||
	    move_mount(fd, "", AT_FDCWD, "/mnt", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return PROBE_SAFE;
	return try_create("/mnt");
}

PROBE(inherited_unmount)
{
	private_mounts();
	return umount2(host->inherited, MNT_DETACH) == 0 ? PROBE_BROKEN : PROBE_SAFE;
}

PROBE(inherited_move)
{
	private_mounts();
	return mount(host->inherited, "/mnt", NULL, MS_MOVE, NULL) == 0 ? PROBE_BROKEN : PROBE_SAFE;
}

/* Owner of the host's file or not, and root among the zone's own. */
PROBE(inherited_change_times)
{
	private_mounts();
	(void)mount(NULL, host->inherited, NULL, MS_REMOUNT | MS_BIND, NULL);
	return utimensat(AT_FDCWD, host->inherited, NULL, 0) == 0 ? PROBE_BROKEN : PROBE_SAFE;
}

PROBE(inherited_change_owner)
{
	private_mounts();
	(void)mount(NULL, host->inherited, NULL, MS_REMOUNT | MS_BIND, NULL);
	return chown(host->inherited, 0, 0) == 0 ? PROBE_BROKEN : PROBE_SAFE;
}

/* Who has a lease makes others wait for him before they can open the file. */
PROBE(inherited_lease)
{
	char path[256];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/file", host->inherited);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && fcntl(fd, F_SETLEASE, F_WRLCK) == 0 ? PROBE_BROKEN : PROBE_SAFE;
}

/* A copy of the root without what is mounted in it would show what is below the mounts. */
PROBE(inherited_uncover)
{
	UNUSED;
	private_mounts();
	return mount("/", "/mnt", NULL, MS_BIND, NULL) == 0 ? PROBE_BROKEN : PROBE_SAFE;
}

PROBE(inherited_change_mode)
{
	struct stat st;

	private_mounts();
	if (stat(host->inherited, &st) < 0)
		return PROBE_SAFE;
	(void)mount(NULL, host->inherited, NULL, MS_REMOUNT | MS_BIND, NULL);
	return chmod(host->inherited, st.st_mode & 07777) == 0 ? PROBE_BROKEN : PROBE_SAFE;
}

PROBE(inherited_devices)
{
	char path[256];

	private_mounts();
	(void)mount(NULL, host->inherited, NULL, MS_REMOUNT | MS_BIND, NULL);
	(void)snprintf(path, sizeof(path), "%s/planted-device", host->inherited);
	return try_open(path, O_RDONLY);
}

PROBE(open_by_handle)
{
	union {
		struct file_handle handle;
		char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} u = {.handle = {.handle_bytes = MAX_HANDLE_SZ}};
	int mount_id, dir_fd = open("/", O_RDONLY | O_DIRECTORY);

	UNUSED;
	if (name_to_handle_at(AT_FDCWD, "/", &u.handle, &mount_id, 0) < 0)
		return getenv("PROBE_CONTROL") ? PROBE_ABSENT : PROBE_SAFE;
	return open_by_handle_at(dir_fd, &u.handle, O_RDONLY) >= 0 ? PROBE_BROKEN : PROBE_SAFE;
}

/* Up and out: the way that chroot alone does not bar. */
PROBE(climb_out)
{
	if (mkdir("/tmp/climb", 0700) < 0 && errno != EEXIST)
		return PROBE_SAFE;
	if (chroot("/tmp/climb") < 0)
		return PROBE_SAFE;
	for (int i = 0; i < 64; i++)
		(void)!chdir("..");
	(void)!chroot(".");
	return access(host->marker, F_OK) == 0 ? PROBE_BROKEN : PROBE_SAFE;
}

PROBE(root_of_process_1)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "/proc/1/root%s", host->marker);
	return access(path, F_OK) == 0 ? PROBE_BROKEN : PROBE_SAFE;
}

/* CVE-2024-21626: a working directory or descriptor that is still the host's. */
PROBE(left_directory)
{
	char link[64];
	int n = 0;

	UNUSED;
	for (int fd = 3; fd < 1024; fd++) {
		(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		n += access(link, F_OK) == 0;
	}
	return n > 0 ? PROBE_BROKEN : PROBE_SAFE;
}

const struct probe probes_files[] = {
#define ROW(name)                                                                                  \
	{                                                                                          \
#name, name                                                                        \
	}
    ROW(make_memory_device),
    ROW(make_disk_device),
    ROW(make_device_in_own_tmpfs),
    ROW(device_on_disk),
    ROW(kernel_messages),
    ROW(fuse),
    ROW(loop_control),
    ROW(read_kcore),
    ROW(read_symbols),
    ROW(read_keys),
    ROW(read_timers),
    ROW(read_page_counts),
    ROW(read_kernel_configuration),
    ROW(press_sysrq),
    ROW(write_core_pattern),
    ROW(write_modprobe_path),
    ROW(write_drop_caches),
    ROW(write_panic),
    ROW(write_ipc_limits),
    ROW(write_network_settings),
    ROW(write_sys),
    ROW(write_owned_proc),
    ROW(read_owned_proc),
    ROW(change_owned_proc),
    ROW(write_interrupts),
    ROW(read_slabs),
    ROW(read_owned_sys),
    ROW(list_firmware),
    ROW(list_bus),
    ROW(list_proc_fs),
    ROW(mount_proc),
    ROW(mount_sysfs),
    ROW(mount_debugfs),
    ROW(mount_tracefs),
    ROW(mount_devtmpfs),
    ROW(cgroup1_write),
    ROW(cgroup1_see_others),
    ROW(unmask_proc),
    ROW(unmask_proc_by_copy),
    ROW(settings_writable),
    ROW(inherited_remount),
    ROW(inherited_setattr),
    ROW(inherited_bind_elsewhere),
    ROW(inherited_tree_clone),
    ROW(inherited_unmount),
    ROW(inherited_move),
    ROW(inherited_uncover),
    ROW(inherited_change_mode),
    ROW(inherited_devices),
    ROW(inherited_change_times),
    ROW(inherited_change_owner),
    ROW(inherited_lease),
    ROW(open_by_handle),
    ROW(climb_out),
    ROW(root_of_process_1),
    ROW(left_directory),

    {NULL, NULL},
};

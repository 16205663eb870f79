/* SPDX-License-Identifier: Apache-2.0 */
/* What the file system of a path is and can do. */
#include "storage_priv.h"

#include "base/err.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

/* Not in linux/magic.h. */
#define MAGIC_BCACHEFS 0xca451a4e
#define MAGIC_CEPH     0x00c36400
#define MAGIC_LUSTRE   0x0bd00bd0
#define MAGIC_ZFS      0x2fc12fc1

static const struct fs_kind {
	const char *name;
	unsigned magic;
	bool is_network, is_volatile, can_snapshot;
	bool idmaps; /* in every kernel we run on, 6.1 and later */
} fs_kinds[] = {
    {.magic = BTRFS_SUPER_MAGIC, .name = "btrfs", .can_snapshot = true, .idmaps = true},
    /* ext2 and ext3 have the same number and the same driver. */
    {.magic = EXT4_SUPER_MAGIC, .name = "ext4", .idmaps = true},
    {.magic = XFS_SUPER_MAGIC, .name = "xfs", .idmaps = true},
    {.magic = F2FS_SUPER_MAGIC, .name = "f2fs"},
    {.magic = MAGIC_BCACHEFS, .name = "bcachefs"},
    {.magic = MAGIC_ZFS, .name = "zfs"},
    {.magic = OVERLAYFS_SUPER_MAGIC, .name = "overlay"},
    {.magic = TMPFS_MAGIC, .name = "tmpfs", .is_volatile = true},
    {.magic = RAMFS_MAGIC, .name = "ramfs", .is_volatile = true},
    {.magic = FUSE_SUPER_MAGIC, .name = "fuse"},
    {.magic = MSDOS_SUPER_MAGIC, .name = "vfat"},
    {.magic = EXFAT_SUPER_MAGIC, .name = "exfat"},
    {.magic = NFS_SUPER_MAGIC, .name = "nfs", .is_network = true},
    {.magic = SMB_SUPER_MAGIC, .name = "smbfs", .is_network = true},
    {.magic = SMB2_SUPER_MAGIC, .name = "smb", .is_network = true},
    {.magic = CIFS_SUPER_MAGIC, .name = "cifs", .is_network = true},
    {.magic = AFS_SUPER_MAGIC, .name = "afs", .is_network = true},
    {.magic = AFS_FS_MAGIC, .name = "afs", .is_network = true},
    {.magic = CODA_SUPER_MAGIC, .name = "coda", .is_network = true},
    {.magic = NCP_SUPER_MAGIC, .name = "ncp", .is_network = true},
    {.magic = V9FS_MAGIC, .name = "9p", .is_network = true},
    {.magic = MAGIC_CEPH, .name = "ceph", .is_network = true},
    {.magic = MAGIC_LUSTRE, .name = "lustre", .is_network = true},
};

/* statfs() of @path or of the nearest parent that exists. */
static int
statfs_nearest(const char *path, struct statfs *ret, struct err *err)
{
	auto_free char *near = strdup(path);
	char *slash;

	if (!near)
		return err_nomem(err);
	while (statfs(near, ret) < 0) {
		if (errno == EINTR)
			continue;
		slash = strrchr(near, '/');
		if ((errno != ENOENT && errno != ENOTDIR) || !slash || !slash[1])
			return err_set(err, ZE_IO, errno, "look at the file system of '%s'", path);
		slash[slash == near] = '\0'; /* the last step is "/" itself */
	}
	return 0;
}

static const struct fs_kind *
kind_find(const struct statfs *sfs)
{
	for (size_t i = 0; i < sizeof(fs_kinds) / sizeof(fs_kinds[0]); i++)
		if (fs_kinds[i].magic == (unsigned)sfs->f_type)
			return &fs_kinds[i];
	return NULL;
}

int
storage_facts(const char *path, struct storage_facts *ret, struct err *err)
{
	const struct fs_kind *kind;
	struct storage_facts facts = {0};
	struct statfs sfs;
	int r;

	r = statfs_nearest(path, &sfs, err);
	if (r < 0)
		return r;
	kind = kind_find(&sfs);
	if (kind) {
		(void)snprintf(facts.fs_type, sizeof(facts.fs_type), "%s", kind->name);
		facts.is_network = kind->is_network;
		facts.is_volatile = kind->is_volatile;
		facts.can_snapshot = kind->can_snapshot;
	} else {
		(void)snprintf(facts.fs_type, sizeof(facts.fs_type), "type 0x%x",
			       (unsigned)sfs.f_type);
	}
	facts.is_nosuid = sfs.f_flags & ST_NOSUID;
	/* A file system without a size, such as ramfs, counts nothing. */
	facts.free_bytes =
	    sfs.f_blocks ? (uint64_t)sfs.f_bfree * (uint64_t)sfs.f_bsize : UINT64_MAX;
	*ret = facts;
	return 0;
}

/* ---- idmapped mounts ------------------------------------------------------------------------- */

static int
write_proc(pid_t pid, const char *name, const char *text)
{
	auto_close int fd = -EBADF;
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	return fd_write_all(fd, text, strlen(text));
}

/* A user namespace with some map, for the time that its only process waits to be killed. */
static int
userns_open(struct err *err)
{
	struct clone_args {
		uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	} args = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
	char path[64];
	int fd = -1, saved_errno;
	pid_t pid, parent = getpid();

	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
			_exit(1);
		for (;;)
			(void)pause(); /* until it is killed: only its namespace is wanted */
	}
	if (pid < 0)
		return err_set(err, ZE_IO, errno, "make a user namespace");
	if (write_proc(pid, "uid_map", "0 524288 65536") == 0 &&
	    write_proc(pid, "gid_map", "0 524288 65536") == 0) {
		(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	saved_errno = errno;
	(void)kill(pid, SIGKILL); /* our own child, not yet waited for: the number is its */
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (fd < 0)
		return err_set(err, ZE_IO, saved_errno, "map the ids of a user namespace");
	return fd;
}

int
storage_can_idmap(const char *path, bool *ret, struct err *err)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP};
	auto_close int userns_fd = -EBADF, mount_fd = -EBADF;
	const struct fs_kind *kind;
	struct statfs sfs;

	kind = statfs(path, &sfs) == 0 ? kind_find(&sfs) : NULL;
	if (kind && kind->idmaps) {
		*ret = true;
		return 0;
	}
	mount_fd = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (mount_fd < 0)
		return err_set(err, ZE_IO, errno, "clone the mount of '%s'", path);
	userns_fd = userns_open(err);
	if (userns_fd < 0)
		return userns_fd;
	attr.userns_fd = (uint64_t)userns_fd;
	if (mount_setattr(mount_fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) == 0)
		*ret = true;
	else if (errno == EINVAL || errno == EOPNOTSUPP)
		*ret = false;
	else
		return err_set(err, ZE_IO, errno, "make an idmapped mount of '%s'", path);
	return 0;
}

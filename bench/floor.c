/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor under the benchmarks: only the system calls that the work needs, with everything fixed
 * at compile time and no failure explained. What a real program takes longer than this is its own.
 *
 *	floor boot ROOT INIT [ARGUMENT]   all namespaces, idmapped root, a cgroup, minimal /dev,
 *exec floor enter PID PROGRAM           all namespaces of a process and its v2 cgroup, exec floor
 *snapshot SOURCE DIR NAME    one btrfs snapshot floor nothing                     the cost of a
 *process
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ID_MAP "0 524288 65536\n"

#define NAMESPACES                                                                                 \
	(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET |                 \
	 CLONE_NEWCGROUP | CLONE_NEWUSER)

static void
check(const char *what, long result)
{
	if (result >= 0)
		return;
	perror(what);
	_exit(1);
}

#define MUST(call) check(#call, (call))

static void
write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	MUST(fd);
	MUST(write(fd, text, strlen(text)));
	(void)close(fd);
}

/* The v2 hierarchy is at one of two places. */
static const char *
cgroup2(void)
{
	return access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0 ? "/sys/fs/cgroup"
								      : "/sys/fs/cgroup/unified";
}

static int
clone_into(uint64_t flags, int cgroup_fd, int *pid_fd)
{
	struct clone_args args = {
	    .flags = flags | CLONE_PIDFD | CLONE_INTO_CGROUP,
	    .pidfd = (uintptr_t)pid_fd,
	    .exit_signal = SIGCHLD,
	    .cgroup = (uint64_t)cgroup_fd,
	};

	return (int)syscall(SYS_clone3, &args, sizeof(args));
}

static void
make_dev(void)
{
	static const char *const nodes[] = {"null", "zero", "full", "random", "urandom", "tty"};
	char from[64], to[64];
	int fd;

	MUST(mount("tmpfs", "/dev", "tmpfs", MS_NOSUID, "mode=755"));
	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
		(void)snprintf(to, sizeof(to), "/dev/%s", nodes[i]);
		(void)snprintf(from, sizeof(from), "/.old/dev/%s", nodes[i]);
		fd = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		MUST(fd);
		(void)close(fd);
		MUST(mount(from, to, NULL, MS_BIND, NULL));
	}
	MUST(mkdir("/dev/pts", 0755));
	MUST(mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
		   "newinstance,ptmxmode=666,mode=620"));
}

static _Noreturn void
boot_child(const char *root, char **argv, int tree_fd, int go_fd)
{
	char byte;

	MUST(read(go_fd, &byte, 1) == 1 ? 0 : -1);
	MUST(setresgid(0, 0, 0));
	MUST(setresuid(0, 0, 0));
	MUST(syscall(SYS_move_mount, tree_fd, "", AT_FDCWD, root, MOVE_MOUNT_F_EMPTY_PATH));
	MUST(chdir(root));
	MUST(syscall(SYS_pivot_root, ".", ".old"));
	MUST(chdir("/"));
	MUST(mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
	MUST(mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, NULL));
	make_dev();
	MUST(umount2("/.old", MNT_DETACH));
	MUST(sethostname("floor", 5));
	(void)execve(argv[0], argv, (char *[]){NULL});
	_exit(127);
}

static int
boot(const char *root, char **argv)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP | MOUNT_ATTR_NODEV};
	char path[128], cgroup[128];
	int go[2], tree_fd, cgroup_fd, pid_fd, ns_fd, pid, status;

	(void)snprintf(cgroup, sizeof(cgroup), "%s/floor-%d", cgroup2(), getpid());
	MUST(mkdir(cgroup, 0755));
	cgroup_fd = open(cgroup, O_PATH | O_CLOEXEC);
	MUST(cgroup_fd);
	tree_fd = (int)syscall(SYS_open_tree, AT_FDCWD, root, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	MUST(tree_fd);
	MUST(pipe2(go, O_CLOEXEC));
	pid = clone_into(NAMESPACES, cgroup_fd, &pid_fd);
	MUST(pid);
	if (pid == 0)
		boot_child(root, argv, tree_fd, go[0]);
	(void)snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	write_file(path, ID_MAP);
	(void)snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
	write_file(path, ID_MAP);
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	ns_fd = open(path, O_RDONLY | O_CLOEXEC);
	MUST(ns_fd);
	attr.userns_fd = (uint64_t)ns_fd;
	MUST(syscall(SYS_mount_setattr, tree_fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)));
	MUST(write(go[1], "g", 1));
	MUST(waitpid(pid, &status, 0));
	MUST(rmdir(cgroup));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* The v2 cgroup of a process, as a path. */
static void
cgroup_of(const char *pid, char *ret, size_t size)
{
	char path[64], line[512];
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%s/cgroup", pid);
	f = fopen(path, "re");
	MUST(f ? 0 : -1);
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, "0::", 3))
			(void)snprintf(ret, size, "%s%.*s", cgroup2(), (int)strcspn(line + 3, "\n"),
				       line + 3);
	(void)fclose(f);
}

static int
enter(const char *pid, char **argv)
{
	int init_fd, cgroup_fd, child_fd, child, status;
	char cgroup[600] = "";

	cgroup_of(pid, cgroup, sizeof(cgroup));
	cgroup_fd = open(cgroup, O_PATH | O_CLOEXEC);
	MUST(cgroup_fd);
	init_fd = pidfd_open(atoi(pid), 0);
	MUST(init_fd);
	/* The cgroup namespace last: what it shows depends on where the child is born. */
	MUST(setns(init_fd, NAMESPACES));
	child = clone_into(0, cgroup_fd, &child_fd);
	MUST(child);
	if (child == 0) {
		MUST(setresgid(0, 0, 0));
		MUST(setresuid(0, 0, 0));
		(void)execve(argv[0], argv, (char *[]){NULL});
		_exit(127);
	}
	MUST(waitpid(child, &status, 0));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static int
snapshot(const char *source, const char *dir, const char *name)
{
	struct btrfs_ioctl_vol_args_v2 args = {0};
	int fd = open(source, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	MUST(fd);
	MUST(dir_fd);
	args.fd = fd;
	(void)snprintf(args.name, sizeof(args.name), "%s", name);
	MUST(ioctl(dir_fd, BTRFS_IOC_SNAP_CREATE_V2, &args));
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc >= 4 && !strcmp(argv[1], "boot"))
		return boot(argv[2], argv + 3);
	if (argc >= 4 && !strcmp(argv[1], "enter"))
		return enter(argv[2], argv + 3);
	if (argc == 5 && !strcmp(argv[1], "snapshot"))
		return snapshot(argv[2], argv[3], argv[4]);
	if (argc == 2 && !strcmp(argv[1], "nothing"))
		return 0;
	(void)fprintf(stderr, "usage: floor boot|enter|snapshot|nothing ...; see its source\n");
	return 2;
}

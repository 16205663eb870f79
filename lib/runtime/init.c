/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Birth of a zone: its first process, from clone3 to the exec of the zone's init. Parent and child
 * talk over a pair of sockets and share their descriptors until the zone's tree stands:
 *
 *	parent				child
 *	leaves for a mount namespace
 *	of the host's of its own
 *	clone3				is in all new namespaces but mount and cgroup
 *	maps ids			joins v1 cgroups
 *	TALK_MAPPED		->
 *					becomes root, makes its cgroup and IPC namespaces,
 *					settings, lo; makes proc, sysfs, cgroup2, mqueue, devpts
 *					(by a process that shares its memory)
 *				<-	TALK_OPENED
 *	builds the tree, pivots into it
 *	TALK_BUILT		->
 *					copies the tree into a mount namespace of the zone's (all
 *					mounts become locked), lets go of the parent's descriptors
 *				<-	TALK_READY
 *	returns to its namespace
 *	TALK_START		->	(zoneadm boot; until then the zone is ready)
 *					console, filter, capabilities, exec
 *				<-	end of file: exec worked
 *
 * Between clone and exec the child makes system calls only. When one fails it sends TALK_FAILED
 *with what and why, and ends.
 */
#include "runtime/runtime_priv.h"

#include "base/err.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/if.h>
#include <linux/securebits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* User namespaces that each user of a zone with nesting may have. */
#define NESTED_NAMESPACES_MAX "1024"

/* Network namespaces of a zone, 200 KB of the kernel's memory each: for services that have one. */
#define NET_NAMESPACES_MAX "256"

enum talk {
	TALK_MAPPED = 1,
	TALK_OPENED,
	TALK_BUILT,
	TALK_READY,
	TALK_START,
	TALK_FAILED,
};

struct talk_msg {
	uint32_t talk; /* enum talk */
	int32_t os_errno;
	int32_t fs_fd[ROOT_FS_COUNT]; /* TALK_OPENED: valid in the parent as well */
	int32_t sysctls_left;         /* TALK_OPENED: the parent is to write them */
	char what[128];               /* TALK_FAILED */
};

/* What the child knows; all of it exists before the clone. */
struct child {
	const struct runtime_plan *plan;
	const struct filter *filter;
	int talk_fd;
	int airlock_fd;      /* negative: no need for it */
	char **airlock_argv; /* the plan's, with the program in front */
	bool sysctls_left;   /* the parent is to write them */
	int parent_fd;       /* pidfd of the parent, while descriptors are shared */
	int cgroup1_fds[CGROUP_V1_MAX], n_cgroup1;
};

/* ---- the child ---- */

/* @of: what it was done to, or "" */
static _Noreturn void
child_fail_at(const struct child *child, const char *what, const char *of)
{
	struct talk_msg msg = {.talk = TALK_FAILED, .os_errno = errno};
	size_t n = 0;

	for (; n + 1 < sizeof(msg.what) && *what; n++)
		msg.what[n] = *what++;
	for (; n + 1 < sizeof(msg.what) && *of; n++)
		msg.what[n] = *of++;
	(void)!write(child->talk_fd, &msg, sizeof(msg)); /* nobody else could be told */
	_exit(1);
}

static _Noreturn void
child_fail(const struct child *child, const char *what)
{
	child_fail_at(child, what, "");
}

static void
child_wait(const struct child *child, enum talk talk)
{
	struct pollfd fds[2] = {{.fd = child->talk_fd, .events = POLLIN},
				{.fd = child->parent_fd, .events = POLLIN}};
	struct talk_msg msg;

	/*
	 * A parent that is gone or has given up closes its end: then there is nothing to do. While
	 * descriptors are shared that end stays open in our own hands, and with it everything of a
	 * daemon that was killed; only its pidfd tells.
	 */
	if (poll(fds, 2, -1) < 0 || !fds[0].revents)
		_exit(1);
	if (read(child->talk_fd, &msg, sizeof(msg)) != sizeof(msg) || msg.talk != talk)
		_exit(1);
}

static int
write_once(const char *path, const char *value, size_t len)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = write(fd, value, len);
	(void)fd_close(fd);
	return n == (ssize_t)len ? 0 : -1;
}

/*
 * Limits that are settings of the zone's IPC namespace. In recent kernels they belong to the root
 * of its user namespace, in older ones to the host's: the parent writes what the child may not.
 */
static void
child_sysctls(struct child *child)
{
	const struct runtime_plan *plan = child->plan;

	for (size_t i = 0; i < plan->n_sysctls; i++) {
		const struct plan_sysctl *sysctl = &plan->sysctls[i];

		if (write_once(sysctl->path, sysctl->value, strlen(sysctl->value)) == 0)
			continue;
		if (errno != EACCES && errno != EPERM)
			child_fail(child, sysctl->path);
		child->sysctls_left = true;
	}
}

static int
loopback_up(void)
{
	struct ifreq ifr = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), r;

	if (fd < 0)
		return -1;
	r = ioctl(fd, SIOCSIFFLAGS, &ifr);
	(void)fd_close(fd);
	return r;
}

/* In the host's tree still, so that its /proc is there; the settings are those of the namespaces.
 */
static void
child_settings(struct child *child)
{
	const struct runtime_plan *plan = child->plan;
	static const char no_domain[] = "(none)";
	const char *namespaces = plan->nesting ? NESTED_NAMESPACES_MAX : "0";

	if (chdir("/") < 0)
		child_fail(child, "enter the root directory");
	if (sethostname(plan->name, strlen(plan->name)) < 0 ||
	    setdomainname(no_domain, sizeof(no_domain) - 1) < 0)
		child_fail(child, "set the host name");
	/* Without user namespaces, what they open up in the kernel stays closed. */
	if (write_once("/proc/sys/user/max_user_namespaces", namespaces, strlen(namespaces)) < 0)
		child_fail(child, "limit user namespaces in the zone");
	/* The kernel's memory for them is not all counted for the zone. */
	if (write_once("/proc/sys/user/max_net_namespaces", NET_NAMESPACES_MAX,
		       strlen(NET_NAMESPACES_MAX)) < 0)
		child_fail(child, "limit network namespaces in the zone");
	/* Another IPC namespace would be one without the limits of this one. */
	if (plan->n_sysctls && !plan->nesting &&
	    write_once("/proc/sys/user/max_ipc_namespaces", "0", 1) < 0)
		child_fail(child, "forbid IPC namespaces in the zone");
	/* ping without a capability; a kernel without IPv4 has no such file. */
	if (write_once("/proc/sys/net/ipv4/ping_group_range", "0 65535\n", 8) < 0 &&
	    errno != ENOENT)
		child_fail(child, "allow ping in the zone");
	if (loopback_up() < 0)
		child_fail(child, "start the loopback interface");
	child_sysctls(child);
	if (plan->host.cores_leave && priv_limit_core() < 0)
		child_fail(child, "limit core dumps");
}

static int
open_fs(const struct root_fs *fs)
{
	int fd = fsopen(fs->type, FSOPEN_CLOEXEC), r = fd;

	for (const char *const *o = fs->options; r >= 0 && *o; o += 2)
		r = fsconfig(fd, FSCONFIG_SET_STRING, o[0], o[1], 0);
	if (r >= 0)
		r = fsconfig(fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	return r < 0 ? fd_close(fd) : fd;
}

/*
 * fsopen() wants a mount namespace of the caller's user namespace, and the child must not have one
 * before the tree is built. So this is another process, which shares memory and descriptors.
 */
static int
opener_main(void *arg)
{
	const struct child *child = arg;
	struct talk_msg msg = {.talk = TALK_OPENED, .sysctls_left = child->sysctls_left};

	for (int kind = 0; kind < ROOT_FS_COUNT; kind++) {
		msg.fs_fd[kind] = open_fs(&root_fs[kind]);
		if (msg.fs_fd[kind] >= 0)
			continue;
		/* They are the daemon's as well, which goes on. */
		for (int i = 0; i < kind; i++)
			(void)fd_close(msg.fs_fd[i]);
		child_fail(child, root_fs[kind].type);
	}
	return write(child->talk_fd, &msg, sizeof(msg)) == sizeof(msg) ? 0 : 1;
}

static void
child_open_fs(struct child *child)
{
	static char stack[32768] __attribute__((aligned(16)));
	int status;
	pid_t pid;

	pid = clone(opener_main, stack + sizeof(stack),
		    CLONE_VM | CLONE_VFORK | CLONE_FILES | CLONE_NEWNS | SIGCHLD, child);
	if (pid < 0)
		child_fail(child, "make a process to open file systems");
	if (waitpid(pid, &status, 0) < 0 || status != 0)
		_exit(1); /* it has said why */
}

/* A mount namespace and a descriptor table of the zone's, with nothing in them but its own. */
static void
child_separate(struct child *child)
{
	struct talk_msg msg = {.talk = TALK_READY};

	if (unshare(CLONE_NEWNS | CLONE_FILES) < 0 || chdir("/") < 0)
		child_fail(child, "make the zone's mount namespace");
	if (child->talk_fd != 3) {
		if (dup3(child->talk_fd, 3, O_CLOEXEC) < 0)
			child_fail(child, "move a descriptor");
		child->talk_fd = 3;
	}
	if (child->airlock_fd >= 0 && child->airlock_fd != 4) {
		if (dup3(child->airlock_fd, 4, O_CLOEXEC) < 0)
			child_fail(child, "move a descriptor");
		child->airlock_fd = 4;
	}
	child->parent_fd = -EBADF;
	if (close_range(child->airlock_fd >= 0 ? 5 : 4, ~0u, 0) < 0)
		child_fail(child, "close descriptors");
	if (write(child->talk_fd, &msg, sizeof(msg)) != sizeof(msg))
		_exit(1);
}

static _Noreturn void
child_exec(const struct child *child)
{
	const struct runtime_plan *plan = child->plan;
	int fd = open("/dev/console", O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 || dup2(fd, 0) < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		child_fail(child, "open the zone's console");
	(void)fd_close(fd);
	if (priv_reset_process() < 0)
		child_fail(child, "unblock signals");
	if (filter_apply(child->filter) < 0)
		child_fail(child, "load the system call filter");
	if (priv_limit(plan->caps) < 0)
		child_fail(child, "limit the zone's capabilities");
	if (child->airlock_fd < 0)
		(void)execve(plan->argv.v[0], plan->argv.v, plan->envp.v);
	else if (access(plan->argv.v[0], X_OK) == 0)
		(void)airlock_exec(child->airlock_fd, child->talk_fd, child->airlock_argv,
				   plan->envp.v);
	child_fail_at(child, "execute the zone's init ", plan->argv.v[0]);
}

static _Noreturn void
child_main(struct child *child)
{
	/* Before there is anybody in the zone who could look. */
	if (prctl(PR_SET_DUMPABLE, 0) < 0 || setsid() < 0)
		child_fail(child, "start a session");
	for (int i = 0; i < child->n_cgroup1; i++) {
		if (write(child->cgroup1_fds[i], "0", 1) != 1)
			child_fail(child, "enter the zone's cgroups");
	}
	child_wait(child, TALK_MAPPED);
	if (priv_become_root() < 0)
		child_fail(child, "become the zone's root");
	/*
	 * Not by clone3: it would make the parent's cgroup the root that the zone sees, and its
	 * user the owner of the zone's message queues.
	 */
	if (unshare(CLONE_NEWCGROUP | CLONE_NEWIPC) < 0)
		child_fail(child, "make the zone's cgroup and IPC namespaces");
	child_settings(child);
	child_open_fs(child);
	child_wait(child, TALK_BUILT);
	child_separate(child);
	child_wait(child, TALK_START);
	child_exec(child);
}

/* ---- the parent ---- */

static int
airlock_prepare(const struct runtime_plan *plan, struct child *child, struct err *err)
{
	size_t n = plan->argv.n;

	child->airlock_argv = calloc(n + 2, sizeof(*child->airlock_argv));
	if (!child->airlock_argv)
		return err_nomem(err);
	child->airlock_argv[0] = plan->argv.v[0];
	memcpy(child->airlock_argv + 1, plan->argv.v, n * sizeof(*child->airlock_argv));
	child->airlock_fd = airlock_open(err);
	return child->airlock_fd < 0 ? child->airlock_fd : 0;
}

static int
talk_send(int fd, enum talk talk, struct err *err)
{
	struct talk_msg msg = {.talk = (uint32_t)talk};

	if (send(fd, &msg, sizeof(msg), MSG_NOSIGNAL) != sizeof(msg))
		return err_set(err, ZE_IO, errno, "the zone's first process has ended");
	return 0;
}

/*
 * Returns 1 when there is nobody to talk to any more: end of file, or the process has ended (while
 * descriptors are shared, its end of the pair is ours as well and stays open).
 */
static int
talk_recv(const struct runtime *rt, enum talk talk, struct talk_msg *ret, struct err *err)
{
	struct pollfd fds[2] = {{.fd = rt->talk_fd, .events = POLLIN},
				{.fd = rt->init_fd, .events = POLLIN}};
	struct talk_msg msg;
	ssize_t n;

	do {
		n = poll(fds, 2, -1);
	} while (n < 0 && errno == EINTR);
	if (!fds[0].revents)
		return 1;
	n = read(rt->talk_fd, &msg, sizeof(msg));
	if (n == 0)
		return 1;
	if (n == sizeof(int32_t)) /* from the airlock; the number is the first of the message */
		return err_set(err, msg.talk == ENOENT ? ZE_NOENT : ZE_IO, (int)msg.talk,
			       "execute the zone's init");
	if (n != sizeof(msg))
		return err_set(err, ZE_IO, n < 0 ? errno : 0, "talk to the zone's first process");
	msg.what[sizeof(msg.what) - 1] = '\0';
	if (msg.talk == TALK_FAILED)
		return err_set(err, msg.os_errno == ENOENT ? ZE_NOENT : ZE_IO, msg.os_errno, "%s",
			       msg.what);
	if (msg.talk != (uint32_t)talk)
		return err_set(err, ZE_FORMAT, 0, "the zone's first process said %u, not %u",
			       msg.talk, talk);
	*ret = msg;
	return 0;
}

static int
talk_expect(const struct runtime *rt, enum talk talk, struct talk_msg *ret, struct err *err)
{
	int r = talk_recv(rt, talk, ret, err);

	return r == 1 ? err_set(err, ZE_IO, 0, "the zone's first process was killed") : r;
}

/* What the child may not write: see child_sysctls(). */
static int
write_sysctls(const struct runtime_plan *plan, int init_fd, struct err *err)
{
	auto_close int own_fd = -EBADF;
	int r = 0;

	own_fd = open("/proc/self/ns/ipc", O_RDONLY | O_CLOEXEC);
	if (own_fd < 0 || setns(init_fd, CLONE_NEWIPC) < 0)
		return err_set(err, ZE_IO, errno, "enter the zone's IPC namespace");
	for (size_t i = 0; r == 0 && i < plan->n_sysctls; i++) {
		const struct plan_sysctl *sysctl = &plan->sysctls[i];

		if (write_once(sysctl->path, sysctl->value, strlen(sysctl->value)) < 0)
			r = err_set(err, ZE_IO, errno, "set '%s' to %s", sysctl->path,
				    sysctl->value);
	}
	if (setns(own_fd, CLONE_NEWIPC) < 0 && r == 0)
		r = err_set(err, ZE_IO, errno, "return to the host's IPC namespace");
	return r;
}

/*
 * The kernel charges what a zone uses up in numbers, its inotify instances above all, to the maker
 * of its user namespace as well, and has one limit for each user. The host's root must not run out
 * of them because of a zone, so the maker is an id of the zone's range: the host's name for the
 * zone's root or, when ids are shared, nobody's.
 */
static pid_t
clone_as_zone(const struct runtime *rt, struct clone_args *args)
{
	int bits = prctl(PR_GET_SECUREBITS), saved_errno;
	pid_t pid = -1;

	/* The capabilities stay: this is about whose namespace it is, not about rights. */
	if (bits < 0 || prctl(PR_SET_SECUREBITS, bits | SECBIT_NO_SETUID_FIXUP) < 0)
		return -1;
	if (syscall(SYS_setresuid, -1, (uid_t)rt->rec.id_owner, -1) == 0)
		pid = runtime_clone(args);
	if (pid == 0)
		return 0;
	saved_errno = errno;
	/* Neither can fail: root is still the real user, and the right to it was kept. */
	(void)syscall(SYS_setresuid, -1, 0, -1);
	(void)prctl(PR_SET_SECUREBITS, bits);
	errno = saved_errno;
	return pid;
}

static int
clone_child(struct runtime *rt, struct child *child, int cgroup_fd, pid_t *ret_pid, struct err *err)
{
	struct clone_args args = {
	    .flags = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWNET | CLONE_FILES |
		     CLONE_PIDFD | CLONE_INTO_CGROUP,
	    .exit_signal = SIGCHLD,
	    .cgroup = (uint64_t)cgroup_fd,
	};
	const struct runtime_plan *plan = child->plan;
	struct rlimit memlock = {plan->memlock_bytes, plan->memlock_bytes}, own;
	int pid_fd = -EBADF, saved_errno;
	pid_t pid;

	/*
	 * Of this process at first: the zone's could not raise its own, and what this one has
	 * becomes the limit of all that the new user namespace locks together.
	 */
	if (plan->has_memlock && prlimit(0, RLIMIT_MEMLOCK, &memlock, &own) < 0)
		return err_set(err, ZE_IO, errno, "limit locked memory");
	args.pidfd = (uint64_t)(uintptr_t)&pid_fd;
	pid = fault_point("clone") ? -1 : clone_as_zone(rt, &args);
	if (pid == 0)
		child_main(child);
	saved_errno = errno;
	if (plan->has_memlock)
		(void)setrlimit(RLIMIT_MEMLOCK, &own); /* what it was: never refused */
	if (pid < 0)
		return err_set(err, ZE_IO, saved_errno, "make the zone's first process");
	rt->init_fd = pid_fd;
	*ret_pid = pid;
	return 0;
}

/* The parent's half, in its temporary mount namespace. */
static int
birth(struct runtime *rt, const struct runtime_plan *plan, struct child *child, int cgroup_fd,
      struct err *err)
{
	struct root_build build = {
	    .plan = plan,
	    .zone_id = rt->rec.id,
	    .id_base = (uint32_t)rt->rec.id_base,
	    .console_fd = -EBADF,
	};
	auto_close int userns_fd = -EBADF;
	struct talk_msg msg;
	char path[32];
	pid_t pid = 0;
	int r;

	r = cgroup_open1(&rt->rec, child->cgroup1_fds, err);
	if (r < 0)
		return r;
	child->n_cgroup1 = r;
	r = clone_child(rt, child, cgroup_fd, &pid, err);
	if (r < 0)
		return r;
	rt->rec.init_pid = (uint64_t)pid;
	r = proc_start_time(pid, &rt->rec.init_start, err);
	if (r == 0)
		r = runtime_idmap_write(pid, build.id_base, err);
	if (r == 0)
		r = talk_send(rt->talk_fd, TALK_MAPPED, err);
	if (r < 0)
		return r;
	if (!plan->shares_ids) {
		(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
		userns_fd = open(path, O_RDONLY | O_CLOEXEC);
		if (userns_fd < 0)
			return err_set(err, ZE_IO, errno, "open '%s'", path);
	}
	build.userns_fd = userns_fd;
	r = talk_expect(rt, TALK_OPENED, &msg, err);
	if (r < 0)
		return r;
	for (int kind = 0; kind < ROOT_FS_COUNT; kind++)
		build.fs_fd[kind] = msg.fs_fd[kind];
	/* A kernel whose own rules fall between the two would let neither: then the boot fails. */
	if (msg.sysctls_left)
		r = write_sysctls(plan, rt->init_fd, err);
	if (r == 0)
		r = root_build(&build, err);
	for (int kind = 0; kind < ROOT_FS_COUNT; kind++)
		(void)fd_close(build.fs_fd[kind]);
	rt->console_fd = build.console_fd;
	if (r == 0)
		r = talk_send(rt->talk_fd, TALK_BUILT, err);
	if (r == 0)
		r = talk_expect(rt, TALK_READY, &msg, err);
	return r;
}

int
init_birth(struct runtime *rt, const struct runtime_plan *plan, struct err *err)
{
	auto_close int home_fd = -EBADF, cgroup_fd = -EBADF, child_end = -EBADF, self_fd = -EBADF;
	auto_filter struct filter filter = {0};
	auto_close int airlock_fd = -EBADF;
	auto_free char **airlock_argv = NULL;
	struct child child = {.plan = plan, .filter = &filter, .airlock_fd = -EBADF};
	int pair[2], r;

	r = filter_load(rt->rec.filter, &filter, err);
	if (r == 0 && plan->shares_ids)
		r = airlock_prepare(plan, &child, err);
	airlock_fd = child.airlock_fd;
	airlock_argv = child.airlock_argv;
	if (r < 0)
		return r;
	cgroup_fd = cgroup_open2(&rt->rec, NULL, err);
	if (cgroup_fd < 0)
		return cgroup_fd;
	child.parent_fd = self_fd = pidfd_open(getpid(), 0);
	if (self_fd < 0)
		return err_set(err, ZE_IO, errno, "open a pidfd");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(err, ZE_IO, errno, "make a pair of sockets");
	rt->talk_fd = pair[0];
	child_end = child.talk_fd = pair[1];
	home_fd = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	if (home_fd < 0 || unshare(CLONE_NEWNS) < 0)
		return err_set(err, ZE_IO, errno, "make a mount namespace");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		r = err_set(err, ZE_IO, errno, "make the mounts private");
	else
		r = birth(rt, plan, &child, cgroup_fd, err);
	/* It shares our descriptors, so it must be gone when their numbers become others'. */
	if (r < 0 && rt->init_fd >= 0) {
		(void)pidfd_send_signal(rt->init_fd, SIGKILL, NULL, 0);
		(void)runtime_reap(rt);
	}
	for (int i = 0; i < child.n_cgroup1; i++)
		(void)fd_close(child.cgroup1_fds[i]);
	/* Also takes the root and working directories back to "/". */
	if (setns(home_fd, CLONE_NEWNS) < 0 && r == 0)
		r = err_set(err, ZE_IO, errno, "return to the host's mount namespace");
	return r;
}

int
init_exec(struct runtime *rt, struct err *err)
{
	struct talk_msg msg;
	int r;

	r = talk_send(rt->talk_fd, TALK_START, err);
	if (r < 0)
		return r;
	r = talk_recv(rt, TALK_START, &msg, err);
	rt->talk_fd = fd_close(rt->talk_fd);
	return r == 1 ? 0 : r;
}

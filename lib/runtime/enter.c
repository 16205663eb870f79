/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entering a running zone. The caller opens all it needs of the host, joins the zone's pid
 * namespace for its children and makes one child in the zone's cgroup; the child joins the rest,
 * gives up what the zone may not have, and executes. Only then does code of the zone run.
 *
 * A zone that shares the host's ids can stop a process of the host's root as soon as it sees it,
 * and look through /proc at the mounts and the network that it is in. There the caller joins those
 * before it makes the child; and the child executes by way of the airlock.
 *
 * On its way in the child is not dumpable and belongs to the host's user namespace in the kernel's
 * eyes, so that nobody in the zone can trace it, read its memory or reach its descriptors. What the
 * zone could reach afterwards, by /proc/self/exe, is a file of the host's root that it cannot
 * write: docs/security.md.
 */
#include "runtime/runtime_priv.h"

#include "base/err.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/magic.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define PASSWD_MAX 65536
#define ENV_MAX    64
#define ARG_MAX_   1024

/* How long a program may still take to begin when the caller has been asked to give up. */
#define CANCEL_WAIT_MS 1000

/* What the child says before exec: that it failed, or with a descriptor, here is the terminal. */
struct entry_msg {
	int32_t os_errno; /* 0 with a terminal */
	int32_t exec;     /* 1 when exec itself failed */
	char what[48];
};

struct entry {
	const struct runtime_enter_req *req;
	struct runtime_record rec;
	struct filter filter;
	int init_fd, cgroup_fd, talk_fd;
	int airlock_fd; /* negative: no need for it */
	int cgroup1_fds[CGROUP_V1_MAX], n_cgroup1;
};

/* ---- the child: system calls only ---- */

static _Noreturn void
fail_at(const struct entry *entry, const char *what, bool exec)
{
	struct entry_msg msg = {.os_errno = errno, .exec = exec};

	for (size_t i = 0; i + 1 < sizeof(msg.what) && what[i]; i++)
		msg.what[i] = what[i];
	(void)!write(entry->talk_fd, &msg, sizeof(msg)); /* nobody else could be told */
	_exit(127);
}

static _Noreturn void
fail(const struct entry *entry, const char *what)
{
	fail_at(entry, what, false);
}

/* Whether this is that device of the kernel's, whatever path it was found under. */
static bool
is_device(int fd, unsigned dev_major, unsigned dev_minor)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) &&
	       st.st_rdev == makedev(dev_major, dev_minor);
}

static bool
is_ptmx(int fd)
{
	return is_device(fd, 5, 2);
}

static bool
is_null(int fd)
{
	return is_device(fd, 1, 3);
}

static bool
shares_ids(const struct entry *entry)
{
	return entry->rec.id_base == 0;
}

/* The zone's own null device, and not what else it may have put there. */
static int
open_null(const struct entry *entry)
{
	int fd = open("/dev/null", O_RDWR | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || !is_null(fd))
		fail(entry, "open the zone's null device");
	return fd;
}

/* A terminal of the zone: the other side goes to the parent. Returns our side. */
static int
open_terminal(const struct entry *entry)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {.room = {0}};
	struct entry_msg msg = {0};
	struct iovec iov = {.iov_base = &msg, .iov_len = sizeof(msg)};
	struct msghdr hdr = {
	    .msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control.room,
	    .msg_controllen = sizeof(control.room),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&hdr);
	int unlock = 0, master_fd, slave_fd;

	/* What lies there is the zone's choice: a pipe must not hold us. */
	master_fd = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (master_fd < 0 || !is_ptmx(master_fd) || ioctl(master_fd, TIOCSPTLCK, &unlock) < 0)
		fail(entry, "make a terminal in the zone");
	slave_fd = ioctl(master_fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave_fd < 0)
		fail(entry, "make a terminal in the zone");
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &master_fd, sizeof(master_fd));
	if (sendmsg(entry->talk_fd, &hdr, MSG_NOSIGNAL) != sizeof(msg))
		_exit(127);
	(void)fd_close(master_fd);
	return slave_fd;
}

static void
set_stdio(const struct entry *entry)
{
	const struct runtime_enter_req *req = entry->req;
	int fds[3];

	for (int i = 0; i < 3; i++) {
		fds[i] = req->stdio[i] ? req->stdio[i] : i;
		if (shares_ids(entry) && !req->pty && is_null(fds[i]))
			fds[i] = open_null(entry);
	}
	if (req->pty)
		fds[0] = fds[1] = fds[2] = open_terminal(entry);
	if (req->pty && req->login_session && ioctl(fds[0], TIOCSCTTY, 0) < 0)
		fail(entry, "take the terminal");
	/* Copies above the three first, so that none is overwritten before its turn. */
	for (int i = 0; i < 3; i++) {
		fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);
		if (fds[i] < 0)
			fail(entry, "hand over a descriptor");
	}
	for (int i = 0; i < 3; i++) {
		if (dup2(fds[i], i) < 0)
			fail(entry, "hand over a descriptor");
	}
}

static void
read_passwd(struct passwd_entry *ret)
{
	static char text[PASSWD_MAX];
	size_t size = 0;
	ssize_t n = 0;
	int fd = open("/etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	while (fd >= 0 && size < sizeof(text) &&
	       (n = read(fd, text + size, sizeof(text) - size)) > 0)
		size += (size_t)n;
	(void)fd_close(fd);
	passwd_find(text, size, "root", ret);
}

/* "NAME=" and a value that is an array of the same entry; returns where it was put. */
static char *
env_set(char *room, const char *name, const char *value)
{
	(void)stpcpy(stpcpy(room, name), value);
	return room;
}

/* @argv[0] is the program's path, its arguments follow: through the airlock or without. */
static void
exec_path(const struct entry *entry, char *const *argv, char *const *envp)
{
	if (entry->airlock_fd < 0)
		(void)execve(argv[0], argv + 1, envp);
	else if (access(argv[0], X_OK) == 0)
		(void)airlock_exec(entry->airlock_fd, entry->talk_fd, argv, envp);
}

/* Its name alone is looked up; everything behind it is the program's own business. */
static void
exec_in_path(const struct entry *entry, const char **argv, char *const *envp)
{
	const char *path = "/usr/sbin:/usr/bin:/sbin:/bin", *dir;
	char file[512];
	size_t len, name_len = strlen(argv[1]);
	int e = ENOENT;

	for (char *const *env = envp; *env; env++) {
		if (!strncmp(*env, "PATH=", 5))
			path = *env + 5;
	}
	for (dir = path; *dir; dir += len + (dir[len] == ':')) {
		len = strcspn(dir, ":");
		if (len == 0 || len + name_len + 2 > sizeof(file))
			continue;
		memcpy(file, dir, len);
		file[len] = '/';
		memcpy(file + len + 1, argv[1], name_len + 1);
		argv[0] = file;
		exec_path(entry, (char *const *)(uintptr_t)argv, envp);
		if (errno != ENOENT && errno != ENOTDIR)
			e = errno;
	}
	errno = e;
}

static _Noreturn void
execute(const struct entry *entry, const struct passwd_entry *user)
{
	/* On the stack they would be wiped first, and that of the child is copied by pages. */
	static const char *room_argv[ARG_MAX_ + 1], *envp[ENV_MAX + 6];
	static char room[5][300];
	const struct runtime_enter_req *req = entry->req;
	const char **argv = room_argv + 1;
	size_t n_args = 0, n_env = 0;

	for (; req->argv[n_args] && n_args < ARG_MAX_ - 1; n_args++)
		argv[n_args] = req->argv[n_args];
	argv[n_args] = NULL;
	room_argv[0] = argv[0];
	for (; req->envp[n_env] && n_env < ENV_MAX; n_env++)
		envp[n_env] = req->envp[n_env];
	if (req->argv[n_args] || req->envp[n_env]) {
		errno = E2BIG;
		fail(entry, "take so many arguments");
	}
	if (req->passwd) {
		envp[n_env++] = env_set(room[0], "HOME=", user->home);
		envp[n_env++] = env_set(room[1], "SHELL=", user->shell);
		envp[n_env++] = env_set(room[2], "USER=", "root");
		envp[n_env++] = env_set(room[3], "LOGNAME=", "root");
		envp[n_env++] = env_set(room[4], "MAIL=", "/var/mail/root");
	}
	envp[n_env] = NULL;
	if (req->passwd && !*argv[0]) {
		room_argv[0] = user->shell;
		argv[0] = n_args > 1 ? user->shell : "-sh";
	}
	if (strchr(room_argv[0], '/'))
		exec_path(entry, (char *const *)(uintptr_t)room_argv,
			  (char *const *)(uintptr_t)envp);
	else
		exec_in_path(entry, room_argv, (char *const *)(uintptr_t)envp);
	fail_at(entry, "execute", true);
}

/* While on the host: only a right on the host raises what the caller has a lower limit of. */
static void
set_limits(const struct entry *entry)
{
	struct rlimit memlock = {entry->rec.memlock_bytes, entry->rec.memlock_bytes};

	if (entry->rec.memlock_bytes && setrlimit(RLIMIT_MEMLOCK, &memlock) < 0)
		fail(entry, "limit locked memory");
}

static _Noreturn void
child_main(const struct entry *entry)
{
	const struct runtime_enter_req *req = entry->req;
	struct passwd_entry user = {.home = "/", .shell = "/bin/sh"};
	const char *cwd = req->cwd;

	if (prctl(PR_SET_DUMPABLE, 0) < 0 || setsid() < 0)
		fail(entry, "start a session");
	for (int i = 0; i < entry->n_cgroup1; i++) {
		if (write(entry->cgroup1_fds[i], "0", 1) != 1)
			fail(entry, "enter the zone's cgroups");
	}
	set_limits(entry);
	if (priv_enter_as((uint32_t)entry->rec.id_base, entry->init_fd,
			  CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET |
			      CLONE_NEWCGROUP) < 0)
		fail(entry, "enter the zone as its root");
	if (req->passwd) {
		read_passwd(&user);
		cwd = user.home;
	}
	set_stdio(entry);
	if ((!cwd || chdir(cwd) < 0) && chdir("/") < 0)
		fail(entry, "enter the root directory");
	if (close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) < 0 || priv_reset_process() < 0)
		fail(entry, "leave the host behind");
	if (filter_apply(&entry->filter) < 0)
		fail(entry, "load the system call filter");
	if (priv_limit(entry->rec.caps) < 0)
		fail(entry, "limit the capabilities");
	execute(entry, &user);
}

/* ---- the parent ---- */

static void
entry_close(struct entry *entry)
{
	int saved_errno = errno;

	(void)fd_close(entry->init_fd);
	(void)fd_close(entry->cgroup_fd);
	(void)fd_close(entry->talk_fd);
	(void)fd_close(entry->airlock_fd);
	for (int i = 0; i < entry->n_cgroup1; i++)
		(void)fd_close(entry->cgroup1_fds[i]);
	filter_free(&entry->filter);
	errno = saved_errno;
}

#define auto_entry __attribute__((cleanup(entry_close)))

static int
entry_prepare(struct entry *entry, struct err *err)
{
	const char *zone = entry->req->zone;
	int r;

	r = runtime_record_read(zone, &entry->rec, err);
	if (r == 0 && strcmp(entry->rec.state, "running") != 0)
		r = -ZE_NOENT;
	if (r == 0) {
		entry->init_fd = proc_open((pid_t)entry->rec.init_pid, entry->rec.init_start, err);
		r = entry->init_fd < 0 ? entry->init_fd : 0;
	}
	if (r == -ZE_NOENT)
		return err_set(err, ZE_STATE, 0, "zone '%s' is not running", zone);
	if (r == 0)
		r = filter_load(entry->rec.filter, &entry->filter, err);
	if (r < 0)
		return r;
	/* The child inherits it. */
	if (priv_reset_oom() < 0)
		return err_set(err, ZE_IO, errno, "reset the score for the end of memory");
	/* This as well: a zone that shares ids can end it with a signal that dumps. */
	if (entry->rec.core_pinned && priv_limit_core() < 0)
		return err_set(err, ZE_IO, errno, "limit core dumps");
	entry->cgroup_fd = cgroup_open2(&entry->rec, "zlogin", err);
	if (entry->cgroup_fd < 0)
		return entry->cgroup_fd;
	r = cgroup_open1(&entry->rec, entry->cgroup1_fds, err);
	if (r < 0)
		return r;
	entry->n_cgroup1 = r;
	if (!shares_ids(entry))
		return 0;
	entry->airlock_fd = airlock_open(err);
	return entry->airlock_fd < 0 ? entry->airlock_fd : 0;
}

/* The zone can hold a process that enters for ever: by freezing the cgroup that it enters. */
static bool
is_cancelled(int talk_fd, int cancel_fd)
{
	struct pollfd fds[2] = {{.fd = talk_fd, .events = POLLIN},
				{.fd = cancel_fd, .events = POLLIN}};
	int r;

	if (!cancel_fd)
		return false;
	do {
		r = poll(fds, 2, -1);
	} while (r < 0 && errno == EINTR);
	return !fds[0].revents && poll(fds, 1, CANCEL_WAIT_MS) == 0;
}

/* Wait for exec, a failure, or the terminal and then one of these. */
static int
entry_wait(int talk_fd, const struct runtime_enter_req *req, int *ret_pty_fd, struct err *err)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct entry_msg msg;
	struct iovec iov = {.iov_base = &msg, .iov_len = sizeof(msg)};
	struct cmsghdr *cmsg;
	ssize_t n;

	for (;;) {
		struct msghdr hdr = {
		    .msg_iov = &iov,
		    .msg_iovlen = 1,
		    .msg_control = control.room,
		    .msg_controllen = sizeof(control.room),
		};

		if (is_cancelled(talk_fd, req->cancel_fd))
			return err_set(err, ZE_INTR, 0,
				       "the command was given up before it had begun");
		n = recvmsg(talk_fd, &hdr, MSG_CMSG_CLOEXEC);
		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			return 0;
		if (n == sizeof(int32_t)) /* from the airlock: the error number alone */
			msg.exec = 1;
		else if (n != sizeof(msg))
			return err_set(err, ZE_IO, n < 0 ? errno : 0,
				       "talk to the entering process");
		cmsg = CMSG_FIRSTHDR(&hdr);
		if (cmsg && cmsg->cmsg_type == SCM_RIGHTS && *ret_pty_fd < 0) {
			memcpy(ret_pty_fd, CMSG_DATA(cmsg), sizeof(*ret_pty_fd));
			continue;
		}
		msg.what[sizeof(msg.what) - 1] = '\0';
		if (!msg.exec)
			return err_set(err, ZE_IO, msg.os_errno, "%s", msg.what);
		return err_set(err, msg.os_errno == ENOENT ? ZE_NOENT : ZE_IO, msg.os_errno,
			       "execute '%s'", *req->argv[0] ? req->argv[0] : "the shell of root");
	}
}

static int
entry_clone(struct entry *entry, struct runtime_entered *ret, struct err *err)
{
	int pid_fd = -EBADF;
	struct clone_args args = {
	    .flags = CLONE_PIDFD | CLONE_INTO_CGROUP,
	    .exit_signal = SIGCHLD,
	    .cgroup = (uint64_t)entry->cgroup_fd,
	};

	args.pidfd = (uint64_t)(uintptr_t)&pid_fd;
	if (setns(entry->init_fd, CLONE_NEWPID) < 0)
		return err_set(err, ZE_IO, errno, "enter the zone's pid namespace");
	ret->pid = fault_point("clone") ? -1 : runtime_clone(&args);
	if (ret->pid < 0)
		return err_set(err, ZE_IO, errno, "make a process in the zone");
	if (ret->pid == 0)
		child_main(entry);
	ret->pid_fd = pid_fd;
	return 0;
}

/*
 * The same from within the zone's namespaces, so that the child never sees the host's. The network
 * and names stay the zone's for the caller, who needs neither; its files come back.
 */
static int
entry_clone_inside(struct entry *entry, struct runtime_entered *ret, struct err *err)
{
	auto_close int home_fd = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	int r;

	if (home_fd < 0 ||
	    setns(entry->init_fd, CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC) < 0)
		return err_set(err, ZE_IO, errno, "enter the zone's namespaces");
	r = entry_clone(entry, ret, err);
	if (setns(home_fd, CLONE_NEWNS) < 0 && r == 0)
		r = err_set(err, ZE_IO, errno, "return to the host's mount namespace");
	return r;
}

/*
 * Pipes to the zone belong to its root, so that it can open /dev/stdout and the like again. A zone
 * that shares ids owns what it gets, so it gets nothing else: it could open a file that we opened
 * for reading again to write, and change its mode. (Of the null device it gets its own.)
 */
static int
check_stdio(const struct entry *entry, struct err *err)
{
	struct statfs sfs;
	int fd;

	for (int i = 0; i < 3 && !entry->req->pty; i++) {
		fd = entry->req->stdio[i] ? entry->req->stdio[i] : i;
		if (fstatfs(fd, &sfs) == 0 && sfs.f_type == PIPEFS_MAGIC)
			(void)fchown(fd, (uid_t)entry->rec.id_base, (gid_t)entry->rec.id_base);
		else if (shares_ids(entry) && !is_null(fd))
			return err_set(err, ZE_PERM, 0,
				       "descriptor %d would be the zone's own file; use a pipe", i);
	}
	return 0;
}

static bool
still_runs(const struct entry *entry)
{
	struct pollfd ended = {.fd = entry->init_fd, .events = POLLIN};
	struct runtime_record now;

	return poll(&ended, 1, 0) == 0 && runtime_record_read(entry->req->zone, &now, NULL) == 0 &&
	       !strcmp(now.state, "running") && now.init_pid == entry->rec.init_pid;
}

static int
enter(struct entry *entry, struct runtime_entered *ret, struct err *err)
{
	const struct runtime_enter_req *req = entry->req;
	struct runtime_entered entered = {.pid_fd = -EBADF, .pty_fd = -EBADF};
	auto_close int talk_fd = -EBADF;
	int pair[2], r;

	r = entry_prepare(entry, err);
	if (r == 0)
		r = check_stdio(entry, err);
	if (r < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(err, ZE_IO, errno, "make a pair of sockets");
	talk_fd = pair[0];
	entry->talk_fd = pair[1];
	r = shares_ids(entry) ? entry_clone_inside(entry, &entered, err)
			      : entry_clone(entry, &entered, err);
	if (r < 0)
		return r;
	entry->talk_fd = fd_close(entry->talk_fd);
	r = entry_wait(talk_fd, req, &entered.pty_fd, err);
	if (r == 0 && req->pty && (entered.pty_fd < 0 || !is_ptmx(entered.pty_fd)))
		r = err_set(err, ZE_FORMAT, 0, "/dev/pts/ptmx of the zone is no terminal");
	if (r < 0) {
		(void)pidfd_send_signal(entered.pid_fd, SIGKILL, NULL, 0);
		/* One that was held may not end either; the zone's init inherits it. */
		(void)waitid(P_PIDFD, (id_t)entered.pid_fd, NULL,
			     WEXITED | (r == -ZE_INTR ? WNOHANG : 0));
		(void)fd_close(entered.pid_fd);
		(void)fd_close(entered.pty_fd);
		return r;
	}
	*ret = entered;
	return 0;
}

int
runtime_enter(const struct runtime_enter_req *req, struct runtime_entered *ret, struct err *err)
{
	auto_entry struct entry entry = {.req = req,
					 .init_fd = -EBADF,
					 .cgroup_fd = -EBADF,
					 .talk_fd = -EBADF,
					 .airlock_fd = -EBADF};
	int r = enter(&entry, ret, err);

	if (r == 0 || r == -ZE_STATE)
		return r;
	/*
	 * It may be halted at any time: then that is the cause, whatever failed of it. A first
	 * process that waits for the others to be killed has no namespaces any more (ESRCH), and
	 * its descriptor does not show the end yet.
	 */
	if (r == -ZE_IO && entry.init_fd >= 0 &&
	    ((err && err->os_errno == ESRCH) || !still_runs(&entry)))
		return err_set(err, ZE_STATE, 0, "zone '%s' is not running", req->zone);
	return err_add(err, "zone '%s'", req->zone);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Process 1 of throw-away namespaces, and the programs that it starts. It stays outside the zone
 * root, in a small tmpfs that is all else its mount namespace has, so that ischroot(1) says yes and
 * the start-up helpers of packages keep quiet by themselves. It is a fork of the caller, which has
 * one thread; it cannot be looked into from inside because it is not dumpable.
 */
#include "runtime/scratch_priv.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STRINGS_MAX 1024

const char *const scratch_devices[SCRATCH_N_DEVICES] = {"null",   "zero",    "full",
							"random", "urandom", "tty"};

/* What a program gets; the rest is outside its bounding set. Nothing here reaches beyond files,
 * ids and processes of the zone. */
static const int kept_caps[] = {
    CAP_CHOWN,  CAP_DAC_OVERRIDE, CAP_FOWNER,  CAP_FSETID,           CAP_KILL,       CAP_SETGID,
    CAP_SETUID, CAP_SETPCAP,      CAP_SETFCAP, CAP_NET_BIND_SERVICE, CAP_SYS_CHROOT,
};

/* Directories with a file system of their own. */
static const struct {
	const char *fs_type, *target;
	const char *options[3];
} file_systems[] = {
    {"tmpfs", "/dev", {"mode=0755"}},
    {"devpts", "/dev/pts", {"ptmxmode=0666", "mode=0620"}},
    {"tmpfs", "/run", {"mode=0755"}},
    {"tmpfs", "/tmp", {"mode=1777"}},
};

static const struct {
	const char *path;
	mode_t mode;
} directories[] = {
    {"/dev/shm", 01777},
    {"/run/lock", 01777},
    {"/run/initramfs", 0755},
    {RUNTIME_SCRATCH_COVERED, 0755},
};

static const struct {
	const char *path, *target;
} links[] = {
    {"/dev/fd", "/proc/self/fd"},       {"/dev/stdin", "/proc/self/fd/0"},
    {"/dev/stdout", "/proc/self/fd/1"}, {"/dev/stderr", "/proc/self/fd/2"},
    {"/dev/ptmx", "pts/ptmx"},
};

/* ---- the root ------------------------------------------------------------------------------- */

/* An empty file as a place for a mount, unless there is one. */
static int
place_make(int root_fd, const char *path, int *ret_dir_fd, const char **ret_name, bool *ret_made,
	   struct err *err)
{
	auto_close int dir_fd = -EBADF, fd = -EBADF;
	struct stat st;

	dir_fd = path_open_parent_in_root(root_fd, path, true, ret_name, err);
	if (dir_fd < 0)
		return dir_fd;
	*ret_made = fstatat(dir_fd, *ret_name, &st, AT_SYMLINK_NOFOLLOW) < 0;
	if (*ret_made) {
		fd = openat(dir_fd, *ret_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		if (fd < 0)
			return err_set(err, ZE_IO, errno, "make '%s' in the zone", path);
	} else if (!S_ISREG(st.st_mode)) {
		return err_set(err, ZE_IO, 0, "'%s' in the zone is not a plain file", path);
	}
	*ret_dir_fd = fd_take(&dir_fd);
	return 0;
}

static int
mount_at(int root_fd, int mount_fd, const char *target, struct err *err)
{
	auto_close int dir_fd = -EBADF;

	dir_fd = path_mkdir_in_root(root_fd, target, 0755, err);
	if (dir_fd < 0)
		return dir_fd;
	return runtime_mount_attach(mount_fd, dir_fd, "", err);
}

static int
file_systems_mount(const struct scratch_setup *setup, struct err *err)
{
	for (size_t i = 0; i < sizeof(file_systems) / sizeof(file_systems[0]); i++) {
		auto_close int fd = -EBADF;
		int r;

		fd = runtime_mount_new(file_systems[i].fs_type, file_systems[i].options,
				       MOUNT_ATTR_NOSUID, err);
		if (fd < 0)
			return fd;
		r = mount_at(setup->root_fd, fd, file_systems[i].target, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The kernel gives a user namespace a new proc only while a whole one can be seen beside it. */
static int
proc_make(const struct scratch_setup *setup, struct err *err)
{
	uint64_t attrs = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

	/* With the host's ids, root in here is the owner of the host's settings. */
	if (setup->shares_ids)
		attrs |= MOUNT_ATTR_RDONLY;
	return runtime_mount_new("proc", NULL, attrs, err);
}

static int
dev_fill(const struct scratch_setup *setup, struct err *err)
{
	auto_close int dev_fd = -EBADF;
	int r;

	dev_fd = path_open_in_root(setup->root_fd, "/dev", O_RDONLY | O_DIRECTORY, 0, err);
	if (dev_fd < 0)
		return dev_fd;
	for (size_t i = 0; i < SCRATCH_N_DEVICES; i++) {
		auto_close int fd = -EBADF;

		fd = openat(dev_fd, scratch_devices[i], O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
		if (fd < 0)
			return err_set(err, ZE_IO, errno, "make '/dev/%s'", scratch_devices[i]);
		r = runtime_mount_attach(setup->device_fds[i], dev_fd, scratch_devices[i], err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (symlinkat(links[i].target, dev_fd, strrchr(links[i].path, '/') + 1) < 0)
			return err_set(err, ZE_IO, errno, "make '%s'", links[i].path);
	return 0;
}

static int
directories_make(const struct scratch_setup *setup, struct err *err)
{
	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
		auto_close int fd = -EBADF;

		fd = path_mkdir_in_root(setup->root_fd, directories[i].path, 0755, err);
		if (fd < 0)
			return fd;
		if (fchmod(fd, directories[i].mode) < 0)
			return err_set(err, ZE_IO, errno, "make '%s'", directories[i].path);
	}
	return 0;
}

/*
 * The program that covers a target, in the tmpfs outside the root: a copy, so that a script which
 * sets owner and mode of what it takes for a program of its package changes no file of the host.
 */
static int
cover_make(const struct scratch_setup *setup, int base_fd, size_t i, struct err *err)
{
	int source_fd = setup->bind_fds[i];
	auto_close int fd = -EBADF;
	char name[32], text[32];
	ssize_t n = 0;

	(void)snprintf(name, sizeof(name), "cover%zu", i);
	fd = openat(base_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	if (fd >= 0 && source_fd < 0) {
		n = snprintf(text, sizeof(text), "#!/bin/sh\nexit %d\n",
			     setup->binds[i].exit_status);
		n = fd_write_all(fd, text, (size_t)n);
	} else if (fd >= 0) {
		do
			n = sendfile(fd, source_fd, NULL, 1 << 30);
		while (n > 0);
	}
	if (fd < 0 || n < 0)
		return err_set(err, ZE_IO, errno, "make a cover for '%s'", setup->binds[i].target);
	return runtime_mount_clone(base_fd, name, -EBADF, false, 0, err);
}

/* Cover a file, and keep what it was where the cover finds it. */
static int
bind_file(const struct scratch_setup *setup, int base_fd, size_t i, struct err *err)
{
	const struct runtime_bind *bind = &setup->binds[i];
	auto_close int dir_fd = -EBADF, cover_fd = -EBADF, covered_fd = -EBADF, kept_fd = -EBADF;
	auto_free char *kept = NULL;
	const char *name, *kept_name;
	bool made, kept_made;
	int r;

	r = place_make(setup->root_fd, bind->target, &dir_fd, &name, &made, err);
	if (r < 0)
		return r;
	if (!made) {
		if (asprintf(&kept, RUNTIME_SCRATCH_COVERED "/%s", name) < 0) {
			kept = NULL; /* undefined after a failure */
			return err_nomem(err);
		}
		covered_fd = runtime_mount_clone(dir_fd, name, -EBADF, false, 0, err);
		if (covered_fd < 0)
			return covered_fd;
		r = place_make(setup->root_fd, kept, &kept_fd, &kept_name, &kept_made, err);
		if (r == 0)
			r = runtime_mount_attach(covered_fd, kept_fd, kept_name, err);
		if (r < 0)
			return r;
	}
	cover_fd = cover_make(setup, base_fd, i, err);
	return cover_fd < 0 ? cover_fd : runtime_mount_attach(cover_fd, dir_fd, name, err);
}

/* Leave the host's tree: a tmpfs becomes the root of the mount namespace. */
static int
base_enter(const struct scratch_setup *setup, struct err *err)
{
	static const char *const options[] = {"mode=0755", NULL};
	auto_close int base_fd = -EBADF;
	int r;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_set(err, ZE_IO, errno, "make mounts private");
	base_fd = runtime_mount_new("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, err);
	if (base_fd < 0)
		return base_fd;
	r = runtime_mount_attach(base_fd, AT_FDCWD, RUNTIME_DIR, err);
	if (r < 0)
		return r;
	if (fchdir(base_fd) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
	    umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return err_set(err, ZE_IO, errno, "leave the host's root");
	if (mkdirat(base_fd, "root", 0755) < 0)
		return err_set(err, ZE_IO, errno, "make a mount point");
	r = runtime_mount_attach(setup->root_fd, base_fd, "root", err);
	if (r < 0)
		return r;
	/* It came with the propagation of the host's mount: what is mounted in it must stay here.
	 */
	if (mount(NULL, "/root", NULL, MS_PRIVATE, NULL) < 0)
		return err_set(err, ZE_IO, errno, "make mounts private");
	return fd_take(&base_fd);
}

static int
root_assemble(const struct scratch_setup *setup, struct err *err)
{
	auto_close int base_fd = -EBADF, proc_fd = -EBADF;
	int r;

	proc_fd = proc_make(setup, err);
	if (proc_fd < 0)
		return proc_fd;
	base_fd = base_enter(setup, err);
	if (base_fd < 0)
		return base_fd;
	for (size_t i = 0; i < setup->n_layers; i++) {
		r = mount_at(setup->root_fd, setup->layers[i].fd, setup->layers[i].target, err);
		if (r < 0)
			return r;
	}
	r = mount_at(setup->root_fd, proc_fd, "/proc", err);
	if (r == 0)
		r = file_systems_mount(setup, err);
	if (r == 0)
		r = dev_fill(setup, err);
	if (r == 0)
		r = directories_make(setup, err);
	for (size_t i = 0; r == 0 && i < setup->n_binds; i++)
		r = bind_file(setup, base_fd, i, err);
	return r;
}

/* ---- the process ---------------------------------------------------------------------------- */

static int
lo_up(struct err *err)
{
	struct ifreq ifr = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	auto_close int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &ifr) < 0)
		return err_set(err, ZE_IO, errno, "bring up the loopback interface");
	return 0;
}

/*
 * What a program of the zone may do to its own root directory takes it out of there, and in a user
 * namespace it would have every capability: with the host's ids, over the cgroup of the caller.
 */
static int
forbid_user_namespaces(struct err *err)
{
	static const char path[] = "/proc/sys/user/max_user_namespaces";
	auto_close int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || fd_write_all(fd, "0", 1) < 0)
		return err_set(err, ZE_IO, errno, "write '%s'", path);
	return 0;
}

/* Ids, and whatever of the caller would show inside. In the host's tree still. */
static int
become_own(struct err *err)
{
	struct sigaction dfl = {.sa_handler = SIG_DFL};
	sigset_t none;
	int r;

	for (int sig = 1; sig < NSIG; sig++)
		(void)sigaction(sig, &dfl, NULL); /* SIGKILL and SIGSTOP refuse, and need nothing */
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)umask(022);
	if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return err_set(err, ZE_IO, errno, "take the zone's ids");
	/* After the ids: changing them clears it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0)
		return err_set(err, ZE_IO, errno, "bind to the caller");
	if (sethostname("localhost", strlen("localhost")) < 0 || setdomainname("(none)", 6) < 0)
		return err_set(err, ZE_IO, errno, "set the host name");
	/* A kernel without keyrings has none to hide. */
	(void)syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
	(void)setsid();
	r = forbid_user_namespaces(err);
	return r < 0 ? r : lo_up(err);
}

static int
privileges_drop(const struct scratch_setup *setup, struct err *err)
{
	struct sock_fprog filter = {
	    .len = (unsigned short)setup->n_filter,
	    .filter = (struct sock_filter *)(uintptr_t)setup->filter,
	};
	size_t n_kept = sizeof(kept_caps) / sizeof(kept_caps[0]), k;

	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) < 0)
		return err_set(err, ZE_IO, errno, "load the seccomp filter");
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++) {
		for (k = 0; k < n_kept && kept_caps[k] != cap; k++)
			;
		if (k == n_kept && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return err_set(err, ZE_IO, errno, "drop capability %d", cap);
	}
	return 0;
}

/*
 * Descriptors 0 to 2 are the zone's /dev/null, 3 is the socket, 4 the root, 5 the airlock if there
 * is one; nothing else stays.
 */
static int
descriptors_arrange(const struct scratch_setup *setup, struct err *err)
{
	int null_fd, sock_fd, root_fd, airlock_fd = 0;

	null_fd = path_open_in_root(setup->root_fd, "/dev/null", O_RDWR, 0, err);
	if (null_fd < 0)
		return null_fd;
	/* First out of the way of each other. */
	sock_fd = fcntl(setup->sock_fd, F_DUPFD_CLOEXEC, 6);
	root_fd = fcntl(setup->root_fd, F_DUPFD_CLOEXEC, 6);
	if (setup->shares_ids)
		airlock_fd = fcntl(setup->airlock_fd, F_DUPFD_CLOEXEC, 6);
	if (sock_fd < 0 || root_fd < 0 || airlock_fd < 0 || dup2(null_fd, 0) < 0 ||
	    dup2(null_fd, 1) < 0 || dup2(null_fd, 2) < 0 || dup3(sock_fd, 3, O_CLOEXEC) < 0 ||
	    dup3(root_fd, 4, O_CLOEXEC) < 0 ||
	    (setup->shares_ids && dup3(airlock_fd, 5, O_CLOEXEC) < 0) ||
	    close_range(setup->shares_ids ? 6 : 5, ~0U, 0) < 0)
		return err_set(err, ZE_IO, errno, "arrange descriptors");
	return 0;
}

/* ---- programs ------------------------------------------------------------------------------- */

struct program {
	char *argv[STRINGS_MAX + 2]; /* its path, then its arguments, beginning with its name */
	char *envp[STRINGS_MAX + 1];
	int output_fd;
};

/* Take a request apart in place. */
static int
program_parse(char *packet, size_t size, struct program *prog)
{
	struct scratch_ask ask;
	char *p = packet + sizeof(ask), *end = packet + size;
	char **lists[] = {prog->argv + 1, prog->envp};
	uint32_t counts[2];

	if (size <= sizeof(ask) || end[-1] != '\0')
		return -1;
	memcpy(&ask, packet, sizeof(ask));
	counts[0] = ask.n_argv;
	counts[1] = ask.n_envp;
	for (size_t list = 0; list < 2; list++) {
		if (counts[list] > STRINGS_MAX)
			return -1;
		for (uint32_t i = 0; i < counts[list]; i++) {
			if (p >= end)
				return -1;
			lists[list][i] = p;
			p += strlen(p) + 1;
		}
		lists[list][counts[list]] = NULL;
	}
	prog->argv[0] = prog->argv[1];
	return prog->argv[0] ? 0 : -1;
}

/*
 * After vfork: shares memory with process 1 until exec; only system calls.
 * @report_fd: where the airlock says why it could not; negative: there is none
 */
static _Noreturn void
program_exec(const struct program *prog, int report_fd, volatile int *ret_errno)
{
	if (setsid() >= 0 && fchdir(4) == 0 && chroot(".") == 0 && dup2(prog->output_fd, 1) >= 0 &&
	    dup2(prog->output_fd, 2) >= 0) {
		if (report_fd < 0)
			(void)execve(prog->argv[0], prog->argv + 1, prog->envp);
		else if (access(prog->argv[0], X_OK) == 0)
			(void)airlock_exec(5, report_fd, prog->argv, prog->envp);
	}
	*ret_errno = errno;
	_exit(127);
}

/* Returns 0 once the program is executed, or the error. */
static int
program_start(const struct program *prog, bool airlock, pid_t *ret_pid)
{
	volatile int exec_errno = 0;
	int pair[2] = {-EBADF, -EBADF};
	int32_t reported;

	if (airlock && pipe2(pair, O_CLOEXEC) < 0)
		return errno;
	/* fork() would copy the page tables of the caller, who holds a package database. */
	*ret_pid = vfork(); /* NOLINT(clang-analyzer-security.insecureAPI.vfork) */
	if (*ret_pid == 0)
		program_exec(prog, pair[1], &exec_errno);
	if (*ret_pid < 0)
		exec_errno = errno;
	(void)fd_close(pair[1]);
	if (airlock && read(pair[0], &reported, sizeof(reported)) == sizeof(reported))
		exec_errno = reported;
	(void)fd_close(pair[0]);
	return exec_errno;
}

/*
 * Run one program, reap whatever ends meanwhile, then end what it left running: each program starts
 * with nobody beside it, and a daemon that a script started does not outlive the script.
 */
static void
program_run(const struct program *prog, bool airlock, struct scratch_answer *ret)
{
	pid_t pid = -1, ended;
	int status = 0;

	*ret = (struct scratch_answer){.exec_errno = program_start(prog, airlock, &pid)};
	if (pid < 0)
		return;
	do
		ended = waitpid(-1, &status, 0);
	while (ended >= 0 ? ended != pid : errno == EINTR);
	ret->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	(void)kill(-1, SIGKILL); /* all but this process; there may be nobody */
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
}

static _Noreturn void
serve(int sock_fd, bool airlock)
{
	static char packet[SCRATCH_ASK_MAX];
	static struct program prog;
	struct scratch_answer answer;
	ssize_t n;

	for (;;) {
		n = scratch_sock_recv(sock_fd, packet, sizeof(packet), &prog.output_fd, 1);
		if (n <= 0 || prog.output_fd < 0 || program_parse(packet, (size_t)n, &prog) < 0)
			_exit(0);
		program_run(&prog, airlock, &answer);
		(void)fd_close(prog.output_fd);
		if (scratch_sock_send(sock_fd, &answer, sizeof(answer), NULL, 0) < 0)
			_exit(0);
	}
}

void
scratch_init(const struct scratch_setup *setup)
{
	struct err err = {0};
	char go;
	int r;

	/* No maps, no caller: nothing to do. */
	if (scratch_sock_recv(setup->sock_fd, &go, 1, NULL, 0) != 1)
		_exit(1);
	r = become_own(&err);
	if (r == 0)
		r = root_assemble(setup, &err);
	if (r == 0)
		r = privileges_drop(setup, &err);
	if (r == 0)
		r = descriptors_arrange(setup, &err);
	/* Either descriptor is the socket, arranged or not. */
	if (scratch_sock_send(r == 0 ? 3 : setup->sock_fd, &err, sizeof(err), NULL, 0) < 0 || r < 0)
		_exit(1);
	serve(3, setup->shares_ids);
}

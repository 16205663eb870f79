/* SPDX-License-Identifier: Apache-2.0 */
#include "base/proc.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define OUTPUT_MAX_DEFAULT (64 * 1024)

static const char *const default_env[] = {
    "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME=/root",
    "LC_ALL=C.UTF-8",
    NULL,
};

/* In the child: system calls only. The error number travels back through @status_fd. */
static _Noreturn void
child_exec(const struct proc_req *req, int output_fd, int status_fd, pid_t parent)
{
	const char *const *envp = req->envp ? req->envp : default_env;
	struct sigaction dfl = {.sa_handler = SIG_DFL};
	sigset_t none;
	int null_fd, e;

	for (int sig = 1; sig < NSIG; sig++)
		(void)sigaction(sig, &dfl, NULL); /* SIGKILL and SIGSTOP refuse, and need nothing */
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent || null_fd < 0 ||
	    dup2(null_fd, 0) < 0 || dup2(output_fd, 1) < 0 || dup2(output_fd, 2) < 0 ||
	    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) < 0 || chdir(req->cwd ? req->cwd : "/") < 0)
		goto fail;
	(void)execve(req->argv[0], (char *const *)(uintptr_t)req->argv,
		     (char *const *)(uintptr_t)envp);
fail:
	e = errno;
	(void)!write(status_fd, &e, sizeof(e)); /* nobody is left to be told that this failed */
	_exit(127);
}

static int
remaining_ms(const struct timespec *start, unsigned timeout_ms)
{
	struct timespec now;
	long long gone_ms;

	if (!timeout_ms)
		return -1;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	gone_ms = (now.tv_sec - start->tv_sec) * 1000LL + (now.tv_nsec - start->tv_nsec) / 1000000;
	return gone_ms >= timeout_ms ? 0 : (int)(timeout_ms - gone_ms);
}

/* Read output until the program has ended or time is up. @out_fd < 0: only wait. */
static int
pump(int pid_fd, int out_fd, const struct proc_req *req, struct str *out, struct err *err)
{
	size_t max = req->output_max_bytes ? req->output_max_bytes : OUTPUT_MAX_DEFAULT;
	struct pollfd fds[2] = {{.fd = pid_fd, .events = POLLIN}, {.fd = out_fd, .events = POLLIN}};
	struct timespec start;
	char buf[8192];
	bool ended = false;
	ssize_t n;
	int r;

	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	for (;;) {
		/* Once it has ended, take what is in the pipe; do not wait for a daemon that kept
		 * it open. */
		r = poll(fds, 2, ended ? 0 : remaining_ms(&start, req->timeout_ms));
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return err_set(err, ZE_IO, errno, "poll");
		if (r == 0)
			return ended ? 0 : -ZE_TIMEOUT;
		if (fds[1].revents) {
			n = read(out_fd, buf, sizeof(buf));
			if (n > 0 && out->len < max &&
			    str_add(out, buf,
				    (size_t)n < max - out->len ? (size_t)n : max - out->len) < 0)
				return err_nomem(err);
			if (n <= 0)
				fds[1].fd = -1;
		}
		if (fds[0].revents) {
			ended = true;
			fds[0].fd = -1;
		}
		if (ended && fds[1].fd < 0)
			return 0;
	}
}

/* Whether exec failed, and why; the descriptor is closed when it works. */
static bool
has_failed(int status_fd, int *ret_errno)
{
	ssize_t n;

	do {
		n = read(status_fd, ret_errno, sizeof(*ret_errno));
	} while (n < 0 && errno == EINTR);
	return n > 0;
}

static const char *
last_line(struct str *out)
{
	char *nl;

	while (out->len > 0 && (out->s[out->len - 1] == '\n' || out->s[out->len - 1] == ' '))
		out->s[--out->len] = '\0';
	if (!out->len)
		return "no message";
	nl = strrchr(out->s, '\n');
	return nl ? nl + 1 : out->s;
}

int
proc_run(const struct proc_req *req, struct proc_result *ret, struct err *err)
{
	auto_close int out_rd = -EBADF, out_wr = -EBADF, st_rd = -EBADF, st_wr = -EBADF,
		       pid_fd = -EBADF;
	auto_str struct str out = {0};
	int p[2], child_errno = 0, wstatus, r, status;
	pid_t pid, self = getpid();

	if (pipe2(p, O_CLOEXEC) < 0)
		return err_set(err, ZE_IO, errno, "make a pipe");
	st_rd = p[0];
	st_wr = p[1];
	if (req->output_fd <= 2) {
		if (pipe2(p, O_CLOEXEC) < 0)
			return err_set(err, ZE_IO, errno, "make a pipe");
		out_rd = p[0];
		out_wr = p[1];
	}
	pid = fork();
	if (pid < 0)
		return err_set(err, ZE_IO, errno, "start '%s'", req->argv[0]);
	if (pid == 0)
		child_exec(req, out_wr >= 0 ? out_wr : req->output_fd, st_wr, self);
	st_wr = fd_close(st_wr);
	out_wr = fd_close(out_wr);
	pid_fd = pidfd_open(pid, 0);
	if (pid_fd < 0) {
		r = err_set(err, ZE_IO, errno, "open a pidfd");
	} else {
		r = 0;
		if (!has_failed(st_rd, &child_errno))
			r = pump(pid_fd, out_rd, req, &out, err);
	}
	if (r < 0)
		(void)kill(pid, SIGKILL); /* our own child, not yet waited for: the number is its */
	while (waitpid(pid, &wstatus, 0) < 0 && errno == EINTR)
		;
	if (child_errno)
		return err_set(err, child_errno == ENOENT ? ZE_NOENT : ZE_IO, child_errno,
			       "run '%s'", req->argv[0]);
	if (r == -ZE_TIMEOUT)
		return err_set(err, ZE_TIMEOUT, 0, "'%s' was stopped after %u ms", req->argv[0],
			       req->timeout_ms);
	if (r < 0)
		return r;
	status = WIFEXITED(wstatus) ? WEXITSTATUS(wstatus) : 128 + WTERMSIG(wstatus);
	if (status)
		(void)err_set(err, ZE_CHILD, 0, "'%s' ended with status %d: %s", req->argv[0],
			      status, out_rd >= 0 ? last_line(&out) : "see its log");
	if (ret) {
		ret->exit_status = status;
		ret->output = NULL;
		if (out_rd >= 0) {
			ret->output = str_take(&out);
			if (!ret->output)
				return err_nomem(err);
		}
	}
	return status ? -ZE_CHILD : 0;
}

/* One read of /proc/PID/stat: the state letter and field 22. */
static int
read_stat(pid_t pid, char *ret_state, uint64_t *ret_ticks, struct err *err)
{
	auto_close int fd = -EBADF;
	char path[32], buf[1024], *p;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, errno == ENOENT ? ZE_NOENT : ZE_IO, errno, "open '%s'", path);
	n = read(fd, buf, sizeof(buf) - 1);
	if (n <= 0)
		return err_set(err, n == 0 || errno == ESRCH ? ZE_NOENT : ZE_IO, errno, "read '%s'",
			       path);
	buf[n] = '\0';
	/* The command name may hold anything, blanks and parentheses too: count from its last one.
	 */
	p = strrchr(buf, ')');
	if (!p || p[1] != ' ')
		return err_set(err, ZE_FORMAT, 0, "'%s' is not as proc(5) says", path);
	p += 2;
	*ret_state = *p;
	for (int field = 3; field < 22; field++) {
		p = strchr(p, ' ');
		if (!p)
			return err_set(err, ZE_FORMAT, 0, "'%s' is not as proc(5) says", path);
		p++;
	}
	*ret_ticks = strtoull(p, NULL, 10);
	return 0;
}

int
proc_start_time(pid_t pid, uint64_t *ret_ticks, struct err *err)
{
	char state;

	return read_stat(pid, &state, ret_ticks, err);
}

int
proc_open(pid_t pid, uint64_t start_ticks, struct err *err)
{
	auto_close int fd = -EBADF;
	uint64_t ticks;
	char state;
	int r;

	fd = pidfd_open(pid, 0);
	if (fd < 0)
		return err_set(err, errno == ESRCH || errno == EINVAL ? ZE_NOENT : ZE_IO, errno,
			       "open process %d", pid);
	/* The descriptor first, then the look: now the number cannot change its meaning any more.
	 */
	r = read_stat(pid, &state, &ticks, err);
	if (r < 0)
		return r;
	if (ticks != start_ticks || state == 'Z' || state == 'X')
		return err_set(err, ZE_NOENT, 0, "process %d has ended", pid);
	return fd_take(&fd);
}

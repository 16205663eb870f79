/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interactive sessions: the user's terminal in raw mode on one side, a terminal of the zone or its
 * console on the other.
 */
#include "zlogin.h"

#include "base/fd.h"
#include "control/control.h"
#include "runtime/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* More than a terminal keeps for its reader: what is left of a program's output at its end. */
#define LAST_BYTES 65536

struct session {
	int far_fd; /* the zone's side: a terminal's master, or the console's socket */
	int pid_fd; /* ends the session; -EBADF: end of file of far_fd does */
	int signal_fd;
	bool is_pty;
	bool has_stdin;
	struct escape escape;
	struct termios saved;
	bool raw;
};

static void
raw_enter(struct session *s)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &s->saved) < 0)
		return;
	raw = s->saved;
	cfmakeraw(&raw);
	s->raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
	s->escape.ends[s->escape.n_ends++] = s->saved.c_cc[VKILL];
	s->escape.ends[s->escape.n_ends++] = s->saved.c_cc[VEOL];
	s->escape.ends[s->escape.n_ends++] = s->saved.c_cc[VSUSP];
	s->escape.ends[s->escape.n_ends++] = s->saved.c_cc[VINTR];
	s->escape.eof = s->saved.c_cc[VEOF];
}

static void
raw_leave(struct session *s)
{
	if (s->raw)
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &s->saved);
	s->raw = false;
}

static void
copy_size(const struct session *s)
{
	struct winsize size;

	if (s->is_pty && ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
		(void)ioctl(s->far_fd, TIOCSWINSZ, &size);
}

/* Returns whether the session ends: SIGTERM and SIGHUP end it, SIGWINCH does not. */
static bool
from_signal(const struct session *s)
{
	struct signalfd_siginfo info;

	if (read(s->signal_fd, &info, sizeof(info)) != sizeof(info))
		return false;
	if (info.ssi_signo != SIGWINCH)
		return true;
	copy_size(s);
	return false;
}

/* Returns whether the zone's side has ended. @left: how much may still come, counted down */
static bool
from_zone(const struct session *s, size_t *left)
{
	char buf[16384];
	ssize_t n;

	n = read(s->far_fd, buf, sizeof(buf));
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return false;
	if (n <= 0 || fd_write_all(STDOUT_FILENO, buf, (size_t)n) < 0)
		return true;
	if (*left != SIZE_MAX)
		*left -= (size_t)n < *left ? (size_t)n : *left;
	return *left == 0;
}

/*
 * Waits for room when the other side is slow, so that what was typed is not lost; not for ever,
 * when a signal ends the session meanwhile, or the program ends. What the zone says is shown
 * meanwhile: it may read no more before somebody has taken that.
 */
static int
write_far(const struct session *s, const unsigned char *buf, size_t n)
{
	struct pollfd fds[3] = {{.fd = s->far_fd, .events = POLLIN | POLLOUT},
				{.fd = s->signal_fd, .events = POLLIN},
				{.fd = s->pid_fd, .events = POLLIN}};
	size_t left = SIZE_MAX;
	ssize_t done;

	/* Nobody has the terminal open any more; whoever opens it again has not seen this. */
	while (n > 0 && s->far_fd >= 0) {
		if (poll(fds, 3, -1) < 0 && errno != EINTR)
			return -1;
		if (fds[1].revents && from_signal(s))
			return -1;
		if ((fds[0].revents & POLLIN) && from_zone(s, &left))
			return 0; /* the next who reads sees it again */
		done = fds[0].revents & ~POLLIN ? write(s->far_fd, buf, n) : 0;
		if (done < 0 && errno != EAGAIN && errno != EINTR)
			return -1;
		if (done <= 0 && fds[2].revents)
			return 0; /* it has ended, and nobody reads this */
		if (done > 0) {
			buf += done;
			n -= (size_t)done;
		}
	}
	return 0;
}

/* Returns whether the user leaves. */
static bool
from_user(struct session *s)
{
	unsigned char in[4096], out[4096];
	bool leave = false;
	ssize_t n;

	n = read(STDIN_FILENO, in, sizeof(in));
	if (n < 0 && errno == EINTR)
		return false;
	if (n <= 0) {
		/* Nobody types any more; what the zone says is still shown. */
		s->has_stdin = false;
		if (s->is_pty && s->escape.eof == 0)
			(void)write_far(s, (const unsigned char *)"\004", 1);
		return !s->is_pty;
	}
	return write_far(s, out, escape_feed(&s->escape, in, (size_t)n, out, &leave)) < 0 || leave;
}

/* Returns whether the program in the zone has ended; else somebody has left it. */
static bool
serve(struct session *s)
{
	size_t left = SIZE_MAX;
	bool ended = false;

	for (;;) {
		struct pollfd fds[4] = {
		    {.fd = s->far_fd, .events = POLLIN},
		    {.fd = s->has_stdin && !ended ? STDIN_FILENO : -1, .events = POLLIN},
		    {.fd = s->signal_fd, .events = POLLIN},
		    {.fd = ended ? -1 : s->pid_fd, .events = POLLIN},
		};
		/* After its end, what it has written; not what a daemon of it may still write. */
		int r = poll(fds, 4, ended ? 20 : -1);

		if (ended && r == 0)
			return true;
		if (fds[2].revents && from_signal(s))
			return ended;
		if (fds[1].revents && from_user(s))
			return ended;
		if (fds[0].revents && from_zone(s, &left)) {
			if (s->pid_fd < 0 || ended)
				return true;
			s->far_fd = -1; /* hung up: its end will be reported by the pidfd */
		}
		if (fds[3].revents && !ended) {
			ended = true;
			left = LAST_BYTES;
		}
	}
}

static void
session_begin(struct session *s, const struct zlogin *zl)
{
	sigset_t set;

	s->escape.ch = zl->escape;
	s->has_stdin = true;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGWINCH);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	s->signal_fd = signalfd(-1, &set, SFD_CLOEXEC);
	(void)fcntl(s->far_fd, F_SETFL, O_NONBLOCK);
	raw_enter(s);
	copy_size(s);
}

static int
start(const struct zlogin *zl, struct runtime_entered *ret, struct err *err)
{
	struct command command = {0};
	struct runtime_enter_req req = {
	    .zone = zl->zone,
	    .argv = command.argv,
	    .envp = command.envp,
	    .pty = true,
	    .login_session = true,
	};
	int r = -ZE_NOENT;

	if (!zl->safe && !zl->text) {
		command_login(zl, &command);
		r = runtime_enter(&req, ret, err);
	}
	if (r == -ZE_NOENT) {
		struct zlogin as_pty = *zl;

		err_clear(err);
		as_pty.pty = true;
		command_shell(&as_pty, &command);
		req.passwd = command.passwd;
		r = runtime_enter(&req, ret, err);
	}
	free(command.words);
	return r;
}

/*
 * A login program that refuses a user has opened a terminal before, and what it ends with is not
 * told from what the user's shell ends with. So the zone is asked, where it has a program for that.
 */
static int
check_user(const struct zlogin *zl, struct err *err)
{
	const char *const argv[] = {"id", "--", zl->user, NULL};
	const char *const envp[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
	struct runtime_enter_req req = {.zone = zl->zone, .argv = argv, .envp = envp};
	auto_close int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC), pid_fd = -EBADF;
	struct runtime_entered entered;
	siginfo_t info = {0};
	int r;

	if (null_fd < 0)
		return err_set(err, ZE_IO, errno, "open /dev/null");
	for (int i = 0; i < 3; i++)
		req.stdio[i] = null_fd;
	r = runtime_enter(&req, &entered, err);
	if (r == -ZE_NOENT) {
		err_clear(err);
		return 0;
	}
	if (r < 0)
		return r;
	pid_fd = entered.pid_fd;
	while (waitid(P_PIDFD, (id_t)pid_fd, &info, WEXITED) < 0 && errno == EINTR)
		;
	if (info.si_code == CLD_EXITED && info.si_status == 1)
		return err_set(err, ZE_NOENT, 0, "zone '%s' has no user '%s'", zl->zone, zl->user);
	return 0;
}

int
session_run(const struct zlogin *zl, struct err *err)
{
	struct session s = {.signal_fd = -EBADF, .is_pty = true};
	struct runtime_entered entered;
	siginfo_t info = {0};
	unsigned number = 0;
	bool ended;
	int r;

	r = strcmp(zl->user, "root") != 0 ? check_user(zl, err) : 0;
	if (r == 0)
		r = start(zl, &entered, err);
	if (r < 0)
		return ZLOGIN_FAILED;
	s.far_fd = entered.pty_fd;
	s.pid_fd = entered.pid_fd;
	(void)ioctl(entered.pty_fd, TIOCGPTN, &number);
	if (!zl->quiet)
		(void)fprintf(stderr, "[Connected to zone '%s' pts/%u]\n", zl->zone, number);
	session_begin(&s, zl);
	ended = serve(&s);
	raw_leave(&s);
	/* The hangup ends what is in the session; a session leader that is deaf to it stays behind.
	 */
	(void)fd_close(entered.pty_fd);
	if (!zl->quiet)
		(void)fprintf(stderr, "\n[Connection to zone '%s' pts/%u closed]\n", zl->zone,
			      number);
	/* Who leaves a command does not wait for it: it may be deaf to the hangup. */
	if (!zl->text || !ended)
		return 0;
	while (waitid(P_PIDFD, (id_t)entered.pid_fd, &info, WEXITED) < 0 && errno == EINTR)
		;
	return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

int
session_console(const struct zlogin *zl, struct err *err)
{
	struct session s = {.signal_fd = -EBADF, .pid_fd = -EBADF};
	auto_lock struct config_lock lock = {.fd = -EBADF};
	auto_close int fd = -EBADF;
	pid_t holder = 0;
	int r;

	r = config_lock_zone("", zl->zone, &lock, err);
	if (r < 0)
		return ZLOGIN_FAILED;
	fd = control_console_open(zl->zone, zl->leave_at_halt, &holder, err);
	config_unlock(&lock);
	lock.fd = -EBADF;
	if (fd == -ZE_BUSY)
		(void)err_set(err, ZE_BUSY, 0, "the console of zone '%s' is in use by process %d",
			      zl->zone, holder);
	if (fd < 0)
		return ZLOGIN_FAILED;
	s.far_fd = fd;
	if (!zl->quiet)
		(void)fprintf(stderr, "[Connected to zone '%s' console]\n", zl->zone);
	session_begin(&s, zl);
	(void)serve(&s);
	raw_leave(&s);
	if (!zl->quiet)
		(void)fprintf(stderr, "\n[Connection to zone '%s' console closed]\n", zl->zone);
	return 0;
}

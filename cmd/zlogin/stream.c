/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command with three separate streams. A descriptor of the host goes into the zone only if it can
 * do nothing but carry bytes to it: /dev/null, a pipe or a file that is open for reading. For all
 * others (output, a terminal, a directory, a socket) the zone gets a pipe, and the bytes are
 * carried here. A file or named pipe that its mode opens to everybody could be opened again in the
 * zone by way of /proc, for what it was not handed over for: it counts as such. A zone that shares
 * the host's ids would own the file: then files and named pipes are carried as well.
 */
#include "zlogin.h"

#include "base/fd.h"
#include "runtime/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHUNK 65536

struct stream {
	int from_fd, to_fd; /* -1: not carried, or at its end */
	bool owns_from;     /* which of the two is our side of the pipe */
	char *buf;          /* read, not yet written; CHUNK bytes, when it is carried */
	size_t at, len;
	size_t left; /* to be read yet, once the command has ended */
};

/* Signals that are passed on to the command. */
static const int passed_on[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};

static bool
carries_only_bytes(int fd, bool carry_files)
{
	struct statfs sfs;
	struct stat st;
	int flags;

	if (fstat(fd, &st) < 0)
		return false;
	if (S_ISCHR(st.st_mode))
		return st.st_rdev == makedev(1, 3);
	/* Who has one end of a pipe can open the other: what others on the host write to the same
	 * output is not the zone's to read. */
	if (S_ISFIFO(st.st_mode) && fd != STDIN_FILENO)
		return false;
	if (carry_files)
		return fstatfs(fd, &sfs) == 0 && sfs.f_type == PIPEFS_MAGIC;
	if (S_ISFIFO(st.st_mode))
		return !(st.st_mode & (S_IROTH | S_IWOTH));
	flags = fcntl(fd, F_GETFL);
	return S_ISREG(st.st_mode) && !(st.st_mode & S_IWOTH) && flags >= 0 &&
	       (flags & O_ACCMODE) == O_RDONLY;
}

/* What the command gets for one of its three descriptors; *@ret_fd is to be closed if it is > 2. */
static int
stream_open(struct stream *stream, int fd, bool carry_files, int *ret_fd, struct err *err)
{
	int p[2];

	*ret_fd = fd;
	if (carries_only_bytes(fd, carry_files))
		return 0;
	if (!stream->buf)
		stream->buf = malloc(CHUNK);
	if (!stream->buf)
		return err_nomem(err);
	if (pipe2(p, O_CLOEXEC) < 0)
		return err_set(err, ZE_IO, errno, "make a pipe");
	stream->owns_from = fd != STDIN_FILENO;
	stream->from_fd = stream->owns_from ? p[0] : fd;
	stream->to_fd = stream->owns_from ? fd : p[1];
	*ret_fd = stream->owns_from ? p[1] : p[0];
	/* Its reader may never read: that must not keep us from carrying output. */
	if (!stream->owns_from && fcntl(p[1], F_SETFL, O_NONBLOCK) < 0)
		return err_set(err, ZE_IO, errno, "make a pipe");
	return 0;
}

static bool
is_same_file(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

/* stderr, for which stdout's pipe does when they go to the same place: the order is kept. */
static int
stream_open_stderr(struct stream *streams, bool carry_files, int *fds, struct err *err)
{
	if (streams[1].from_fd < 0 || !is_same_file(STDOUT_FILENO, STDERR_FILENO))
		return stream_open(&streams[2], STDERR_FILENO, carry_files, &fds[2], err);
	fds[2] = fcntl(fds[1], F_DUPFD_CLOEXEC, 3);
	return fds[2] < 0 ? err_set(err, ZE_IO, errno, "hand over stderr") : 0;
}

static void
stream_end(struct stream *stream)
{
	(void)fd_close(stream->owns_from ? stream->from_fd : stream->to_fd);
	stream->from_fd = stream->to_fd = -1;
	stream->at = stream->len = 0;
}

/* Read when nothing is waiting, else write. Either would not block, or may. */
static void
stream_move(struct stream *stream)
{
	ssize_t n;

	if (stream->at == stream->len) {
		n = read(stream->from_fd, stream->buf, CHUNK);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			return;
		stream->at = 0;
		stream->len = n > 0 ? (size_t)n : 0;
		stream->left -= stream->len < stream->left ? stream->len : stream->left;
		if (n <= 0)
			stream_end(stream);
		return;
	}
	n = write(stream->to_fd, stream->buf + stream->at, stream->len - stream->at);
	if (n >= 0)
		stream->at += (size_t)n;
	else if (errno != EINTR && errno != EAGAIN)
		stream_end(stream);
}

static struct pollfd
stream_poll(const struct stream *stream)
{
	if (stream->at < stream->len)
		return (struct pollfd){.fd = stream->to_fd, .events = POLLOUT};
	return (struct pollfd){.fd = stream->from_fd, .events = POLLIN};
}

static void
pass_signal(int signal_fd, pid_t pid)
{
	struct signalfd_siginfo info;

	/* To the whole job, as a terminal would. Not waited for yet: the number is our child's. */
	if (read(signal_fd, &info, sizeof(info)) == sizeof(info))
		(void)kill(-pid, (int)info.ssi_signo);
}

static int
exit_status(int pid_fd, struct err *err)
{
	siginfo_t info = {0};

	while (waitid(P_PIDFD, (id_t)pid_fd, &info, WEXITED) < 0) {
		if (errno == EINTR)
			continue;
		(void)err_set(err, ZE_IO, errno, "wait for the command");
		return ZLOGIN_FAILED;
	}
	return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

/* The command has ended: what it wrote lies in the pipe by now, and no more than that is carried.
 */
static void
stream_last(struct stream *stream)
{
	int waiting = 0;

	if (stream->from_fd >= 0 && ioctl(stream->from_fd, FIONREAD, &waiting) < 0)
		waiting = 0;
	stream->left = (size_t)waiting;
}

static bool
stream_is_out(const struct stream *stream)
{
	return stream->at == stream->len && (stream->from_fd < 0 || stream->left == 0);
}

/* Something is read, and whoever reads our output has not taken it yet. */
static bool
is_held(const struct stream *streams)
{
	return streams[1].at < streams[1].len || streams[2].at < streams[2].len;
}

/*
 * Carry bytes and signals until the command has ended and what it wrote is out. A daemon that it
 * left behind with our pipes is not waited for, however much it writes.
 */
static int
serve(const struct runtime_entered *entered, int signal_fd, struct stream *streams, struct err *err)
{
	bool ended = false;
	int r;

	for (;;) {
		struct pollfd fds[5] = {{.fd = ended ? -1 : entered->pid_fd, .events = POLLIN},
					{.fd = signal_fd, .events = POLLIN},
					stream_poll(&streams[0]),
					stream_poll(&streams[1]),
					stream_poll(&streams[2])};

		if (ended)
			fds[2].fd = -1;
		for (int i = 1; ended && i < 3; i++) {
			if (stream_is_out(&streams[i]))
				fds[2 + i].fd = -1;
		}
		if (ended && stream_is_out(&streams[1]) && stream_is_out(&streams[2]))
			return exit_status(entered->pid_fd, err);
		r = poll(fds, 5, ended && !is_held(streams) ? 0 : -1);
		if (r < 0 && errno != EINTR) {
			(void)err_set(err, ZE_IO, errno, "poll");
			return ZLOGIN_FAILED;
		}
		/* Nothing to read after all: somebody in the zone has taken it out again. */
		if (ended && r == 0)
			return exit_status(entered->pid_fd, err);
		if (fds[0].revents) {
			ended = true;
			stream_last(&streams[1]);
			stream_last(&streams[2]);
		}
		if (fds[1].revents)
			pass_signal(signal_fd, entered->pid);
		for (int i = 0; i < 3; i++) {
			if (fds[2 + i].revents)
				stream_move(&streams[i]);
		}
	}
}

static int
start(const struct zlogin *zl, const int *fds, int signal_fd, struct runtime_entered *ret,
      struct err *err)
{
	struct runtime_enter_req req = {
	    .zone = zl->zone,
	    .stdio = {fds[0], fds[1], fds[2]},
	    .cancel_fd = signal_fd,
	};
	struct command command = {0};
	int r = -ZE_NOENT;

	req.argv = command.argv;
	req.envp = command.envp;
	req.passwd = true;
	if (!zl->safe && !strcmp(zl->user, "root") && command_direct(zl->text, &command))
		r = runtime_enter(&req, ret, err);
	if (r == -ZE_NOENT) {
		err_clear(err);
		command_shell(zl, &command);
		req.passwd = command.passwd;
		r = runtime_enter(&req, ret, err);
	}
	free(command.words);
	return r;
}

/* The streams, and the command with its ends of them. */
static int
open_and_start(const struct zlogin *zl, bool carry_files, int signal_fd, struct stream *streams,
	       struct runtime_entered *ret, struct err *err)
{
	int fds[3] = {0, 0, 0}, r = 0;

	for (int i = 0; i < 3; i++)
		streams[i].from_fd = streams[i].to_fd = -1;
	for (int i = 0; r == 0 && i < 2; i++)
		r = stream_open(&streams[i], i, carry_files, &fds[i], err);
	if (r == 0)
		r = stream_open_stderr(streams, carry_files, fds, err);
	if (r == 0)
		r = start(zl, fds, signal_fd, ret, err);
	for (int i = 0; i < 3; i++) {
		if (fds[i] > 2)
			(void)fd_close(fds[i]);
		if (r < 0)
			stream_end(&streams[i]);
	}
	return r;
}

int
stream_run(const struct zlogin *zl, struct err *err)
{
	struct stream streams[3] = {{0}};
	auto_close int signal_fd = -EBADF;
	struct runtime_entered entered;
	sigset_t set;
	int r, status;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < sizeof(passed_on) / sizeof(passed_on[0]); i++)
		(void)sigaddset(&set, passed_on[i]);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (zl->no_stdin) {
		(void)close(STDIN_FILENO);
		if (open("/dev/null", O_RDONLY | O_CLOEXEC) != STDIN_FILENO) {
			(void)err_set(err, ZE_IO, errno, "open /dev/null");
			return ZLOGIN_FAILED;
		}
	}
	r = open_and_start(zl, false, signal_fd, streams, &entered, err);
	if (r == -ZE_PERM) {
		err_clear(err);
		r = open_and_start(zl, true, signal_fd, streams, &entered, err);
	}
	status = r < 0 ? ZLOGIN_FAILED : serve(&entered, signal_fd, streams, err);
	for (int i = 0; i < 3; i++)
		free(streams[i].buf);
	return status;
}

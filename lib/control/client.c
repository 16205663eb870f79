/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command's side: finding or starting a zone's zoneadmd, one request and its reply, and the
 * console.
 *
 * A daemon that is started gets one end of a socket pair as its first connection, so that nobody
 * has to wait for its socket to appear, and a pipe as stderr, so that the cause of a failed start
 * reaches the user. It greets when it serves. A connection that ends without a greeting has asked
 * nothing: the daemon was just leaving (or was killed), and another is started.
 */
#include "control_priv.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* A daemon that leaves between two looks at it can be met more than once, but not for ever. */
#define CONNECT_TRIES 4

#define START_TEXT_MAX 900 /* bytes of a failed daemon's messages that are passed on */

/* A daemon on its way up. */
struct start {
	pid_t pid;
	int socket_fd; /* our end of its first connection */
	int stderr_fd; /* what it says until it serves */
	struct str text;
};

int
control_address(const char *name, const char *which, struct sockaddr_un *ret, struct err *err)
{
	int n;

	memset(ret, 0, sizeof(*ret));
	ret->sun_family = AF_UNIX;
	n = snprintf(ret->sun_path, sizeof(ret->sun_path), "%s/%s/%s", CONTROL_DIR, name, which);
	if (n < 0 || (size_t)n >= sizeof(ret->sun_path))
		return err_set(err, ZE_INVAL, 0, "zone name '%s' is too long", name);
	return 0;
}

/* Connect to one of the zone's sockets; -ZE_NOENT when nobody serves it. */
static int
connect_to(const char *name, const char *which, int type, struct err *err)
{
	auto_close int fd = -EBADF;
	struct sockaddr_un sa;
	int r;

	r = control_address(name, which, &sa, err);
	if (r < 0)
		return r;
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(err, ZE_IO, errno, "make a socket");
	do
		r = connect(fd, (const struct sockaddr *)&sa, sizeof(sa));
	while (r < 0 && errno == EINTR);
	if (r == 0)
		return fd_take(&fd);
	if (errno == ENOENT || errno == ECONNREFUSED)
		return err_set(err, ZE_NOENT, errno, "connect to '%s'", sa.sun_path);
	return err_set(err, errno == EACCES ? ZE_PERM : ZE_IO, errno, "connect to '%s'",
		       sa.sun_path);
}

/* Returns 0, -ZE_NOENT when the connection ended without a greeting, -ZE_NOTSUP, -ZE_IO. */
static int
read_greeting(const char *name, int fd, struct err *err)
{
	struct control_hello hello;
	ssize_t n;

	n = control_packet_recv(fd, &hello, sizeof(hello));
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return err_set(err, ZE_NOENT, 0, "zoneadmd left without a greeting");
	if (n < 0)
		return err_set(err, ZE_IO, errno, "receive zoneadmd's greeting");
	if ((size_t)n < sizeof(hello))
		return err_set(err, ZE_FORMAT, 0, "malformed greeting of zoneadmd");
	if (hello.version != CONTROL_VERSION)
		return err_set(err, ZE_NOTSUP, 0,
			       "zoneadmd of zone '%s' is of another version; kill process %d: the "
			       "next command starts a new one, and the zone goes on meanwhile",
			       name, hello.pid);
	return 0;
}

/* The daemon's whole environment: what it needs, and nothing of the caller's. */
static int
daemon_environment(struct strv *env, struct err *err)
{
	const char *debug = getenv("ZONES_DEBUG");
	int r;

	r = strv_add(env, "PATH=/usr/sbin:/usr/bin:/sbin:/bin");
	if (r == 0)
		r = strv_add(env, "LC_ALL=C.UTF-8");
	if (r == 0 && debug)
		r = strv_addf(env, "ZONES_DEBUG=%s", debug);
#ifdef ZONES_FAULT_INJECTION
	/* Commands and the daemon count apart, or a test could not tell whom it hits. */
	if (r == 0 && getenv("ZONES_FAULT_DAEMON"))
		r = strv_addf(env, "ZONES_FAULT=%s", getenv("ZONES_FAULT_DAEMON"));
#endif
	return r < 0 ? err_nomem(err) : 0;
}

static int
spawn_actions(posix_spawn_file_actions_t *fa, int stderr_fd, int socket_fd)
{
	int e;

	e = posix_spawn_file_actions_addopen(fa, 0, "/dev/null", O_RDONLY, 0);
	if (!e)
		e = posix_spawn_file_actions_addopen(fa, 1, "/dev/null", O_WRONLY, 0);
	if (!e)
		e = posix_spawn_file_actions_adddup2(fa, stderr_fd, 2);
	/* After stderr: its pipe may lie at the number that the connection gets. */
	if (!e)
		e = posix_spawn_file_actions_adddup2(fa, socket_fd, CONTROL_FIRST_FD);
	if (!e)
		e = posix_spawn_file_actions_addclosefrom_np(fa, CONTROL_FIRST_FD + 1);
	if (!e)
		e = posix_spawn_file_actions_addchdir_np(fa, "/");
	return e;
}

static int
spawn_attributes(posix_spawnattr_t *attr)
{
	sigset_t all, none;
	int e;

	(void)sigfillset(&all);
	(void)sigemptyset(&none);
	e = posix_spawnattr_setsigdefault(attr, &all);
	if (!e)
		e = posix_spawnattr_setsigmask(attr, &none);
	if (!e)
		e = posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF |
						       POSIX_SPAWN_SETSIGMASK);
	return e;
}

/* Not proc_run(): nobody waits for a daemon's end. */
static int
spawn_daemon(const char *program, const char *name, int stderr_fd, int socket_fd, pid_t *ret_pid,
	     struct err *err)
{
	const char *argv[] = {program, "-z", name, "-3", NULL};
	auto_strv struct strv env = {0};
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	int e, r;

	r = daemon_environment(&env, err);
	if (r < 0)
		return r;
	e = posix_spawn_file_actions_init(&fa);
	if (e)
		return err_nomem(err);
	e = posix_spawnattr_init(&attr);
	if (!e) {
		e = spawn_actions(&fa, stderr_fd, socket_fd);
		if (!e)
			e = spawn_attributes(&attr);
		if (!e)
			e = posix_spawn(ret_pid, program, &fa, &attr,
					(char *const *)(uintptr_t)argv, env.v);
		(void)posix_spawnattr_destroy(&attr);
	}
	(void)posix_spawn_file_actions_destroy(&fa);
	return e ? err_set(err, ZE_IO, e, "start '%s'", program) : 0;
}

static int
start_daemon(const char *name, struct start *start, struct err *err)
{
	auto_close int their_fd = -EBADF, pipe_fd = -EBADF;
	auto_free char *program = NULL;
	int pair[2], r;

	r = path_sibling_program("zoneadmd", &program, err);
	if (r < 0) {
		/* Its ZE_NOENT would say here that a daemon has left, and be tried again. */
		if (err)
			err->code = ZE_IO;
		(void)err_add(err, "start zoneadmd");
		return -ZE_IO;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(err, ZE_IO, errno, "make a socket pair");
	start->socket_fd = pair[0];
	their_fd = pair[1];
	if (pipe2(pair, O_CLOEXEC) < 0)
		return err_set(err, ZE_IO, errno, "make a pipe");
	start->stderr_fd = pair[0];
	pipe_fd = pair[1];
	/* Debug lines go where the developer looks, for as long as the daemon lives. */
	return spawn_daemon(program, name, getenv("ZONES_DEBUG") ? STDERR_FILENO : pipe_fd,
			    their_fd, &start->pid, err);
}

/* Take what the daemon has said so far; returns false at the end. */
static bool
read_text(struct start *start)
{
	char buf[512];
	ssize_t n;

	n = read(start->stderr_fd, buf, sizeof(buf));
	if (n < 0 && errno == EINTR)
		return true;
	if (n <= 0)
		return false;
	if (start->text.len < START_TEXT_MAX)
		(void)str_add(&start->text, buf, (size_t)n); /* without memory: a shorter message */
	return true;
}

/* Wait until the daemon greets or gives up. */
static int
await_greeting(const char *name, struct start *start, struct err *err)
{
	struct pollfd fds[2] = {{.fd = start->socket_fd, .events = POLLIN},
				{.fd = start->stderr_fd, .events = POLLIN}};

	while (!fds[0].revents) {
		if (poll(fds, 2, -1) < 0) {
			if (errno == EINTR)
				continue;
			return err_set(err, ZE_IO, errno, "wait for zoneadmd");
		}
		if (fds[1].revents && !read_text(start))
			fds[1].fd = -1;
	}
	return read_greeting(name, start->socket_fd, err);
}

/* The daemon ended before it served: why? -ZE_NOENT when it gave way to another one. */
static int
explain_end(struct start *start, struct err *err)
{
	int status = 0;

	while (read_text(start))
		;
	while (waitpid(start->pid, &status, 0) < 0 && errno == EINTR)
		;
	while (start->text.len > 0 && start->text.s[start->text.len - 1] == '\n')
		start->text.s[--start->text.len] = '\0';
	if (start->text.len > 0)
		return err_set(err, ZE_IO, 0, "start zoneadmd: %s", start->text.s);
	if (WIFSIGNALED(status))
		return err_set(err, ZE_IO, 0, "zoneadmd was killed by signal %d while it started",
			       WTERMSIG(status));
	if (WEXITSTATUS(status))
		return err_set(err, ZE_IO, 0, "zoneadmd ended with status %d while it started",
			       WEXITSTATUS(status));
	return err_set(err, ZE_NOENT, 0, "another zoneadmd was there, and has left");
}

static int
start_and_connect(const char *name, struct err *err)
{
	struct start start = {.socket_fd = -EBADF, .stderr_fd = -EBADF};
	int r;

	r = start_daemon(name, &start, err);
	if (r == 0) {
		r = await_greeting(name, &start, err);
		if (r == -ZE_NOENT)
			r = explain_end(&start, err);
	}
	(void)fd_close(start.stderr_fd);
	str_free(&start.text);
	if (r == 0)
		return start.socket_fd;
	(void)fd_close(start.socket_fd);
	return r;
}

int
control_connect(const char *name, struct err *err)
{
	auto_close int fd = -EBADF;
	int r = -ZE_NOENT;

	if (geteuid() != 0)
		return err_set(err, ZE_PERM, 0, "only root may ask zoneadmd");
	for (int tries = 0; tries < CONNECT_TRIES && r == -ZE_NOENT; tries++) {
		fd = fd_close(fd);
		r = connect_to(name, CONTROL_SOCKET, SOCK_SEQPACKET, err);
		if (r >= 0) {
			fd = r;
			r = read_greeting(name, fd, err);
		}
		if (r == 0)
			return fd_take(&fd);
		if (r != -ZE_NOENT)
			return r;
		r = start_and_connect(name, err);
		if (r >= 0)
			err_clear(err); /* that there was none is no failure */
	}
	if (r == -ZE_NOENT)
		return err_set(err, ZE_IO, 0, "zoneadmd of zone '%s' leaves before it serves",
			       name);
	return r;
}

int
control_call(const char *name, const struct control_request *req, char *ret_note, struct err *err)
{
	auto_close int fd = -EBADF;
	int r;

	if (ret_note)
		*ret_note = '\0';
	fd = control_connect(name, err);
	if (fd < 0)
		return fd;
	r = control_send(fd, req, err);
	if (r < 0)
		return r;
	return control_wait(fd, ret_note, err);
}

/* The daemon's answer to the handshake, byte by byte: the zone's output follows it at once. */
static int
read_answer(int fd, char *buf, size_t size_bytes, struct err *err)
{
	size_t len = 0;
	ssize_t n;

	while (len + 1 < size_bytes) {
		n = read(fd, buf + len, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set(err, ZE_IO, n < 0 ? errno : 0,
				       "zoneadmd closed the console");
		if (buf[len] == '\n')
			break;
		len++;
	}
	buf[len] = '\0';
	return 0;
}

int
control_console_open(const char *name, bool leave_at_halt, pid_t *ret_holder, struct err *err)
{
	auto_close int hold_fd = -EBADF, fd = -EBADF;
	char line[CONTROL_IDENT_MAX];
	uint64_t holder;
	int len, r;

	/* While this connection is open the daemon stays, though the zone may not run. */
	hold_fd = control_connect(name, err);
	if (hold_fd < 0)
		return hold_fd;
	fd = connect_to(name, CONTROL_CONSOLE, SOCK_STREAM, err);
	if (fd < 0)
		return fd == -ZE_NOENT ? -ZE_IO : fd;
	len = snprintf(line, sizeof(line), "IDENT %d C %d\n", getpid(), leave_at_halt);
	if (send(fd, line, (size_t)len, MSG_NOSIGNAL) != len)
		return err_set(err, ZE_IO, errno, "send the console handshake");
	r = read_answer(fd, line, sizeof(line), err);
	if (r < 0)
		return r;
	if (!strcmp(line, "OK"))
		return fd_take(&fd);
	r = str_to_u64(line, 1 << 30, &holder, err);
	if (r < 0)
		return err_set(err, ZE_FORMAT, 0, "malformed answer to the console handshake");
	*ret_holder = (pid_t)holder;
	return err_set(err, ZE_BUSY, 0, "the console of zone '%s' is in use by process %d", name,
		       *ret_holder);
}

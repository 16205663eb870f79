/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's side: being the only zoneadmd of a zone, its two sockets, and who may connect.
 *
 * The lock is an flock(2) on the directory /run/zones/NAME: no file is left over, and it goes with
 * the process however that ends. Only who holds it touches the names of the sockets, so a socket
 * that is found there belongs to a daemon that was killed.
 */
#include "control_priv.h"

#include "base/err.h"
#include "base/fault.h"
#include "base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define BACKLOG 16

static int
lock_directory(const char *name, struct err *err)
{
	auto_close int fd = -EBADF;
	auto_free char *path = NULL;

	if (asprintf(&path, "%s/%s", CONTROL_DIR, name) < 0) {
		path = NULL; /* undefined after a failure */
		return err_nomem(err);
	}
	if (fault_point("mkdir") || (mkdir(CONTROL_DIR, 0700) < 0 && errno != EEXIST) ||
	    (mkdir(path, 0700) < 0 && errno != EEXIST))
		return err_set(err, ZE_IO, errno, "make directory '%s'", path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, ZE_IO, errno, "open '%s'", path);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd_take(&fd);
	if (errno == EWOULDBLOCK)
		return err_set(err, ZE_BUSY, 0, "another zoneadmd serves zone '%s'", name);
	return err_set(err, ZE_IO, errno, "lock '%s'", path);
}

/*
 * What a daemon that was killed was about to write: files that are replaced whole begin as a name
 * with a dot in front. Whoever holds the lock is the only writer.
 */
static void
remove_half_written(int dir_fd)
{
	auto_closedir DIR *dir = NULL;
	struct dirent *de;
	int fd;

	fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return; /* they only take room */
	dir = fdopendir(fd);
	if (!dir) {
		(void)fd_close(fd);
		return;
	}
	while ((de = readdir(dir)))
		if (de->d_name[0] == '.' && de->d_type == DT_REG)
			(void)unlinkat(dir_fd, de->d_name, 0);
}

static int
bind_socket(const char *name, const char *which, int type, int dir_fd, struct err *err)
{
	auto_close int fd = -EBADF;
	struct sockaddr_un sa;
	int r;

	r = control_address(name, which, &sa, err);
	if (r < 0)
		return r;
	if (fault_point("socket") || (unlinkat(dir_fd, which, 0) < 0 && errno != ENOENT))
		return err_set(err, ZE_IO, errno, "remove '%s'", sa.sun_path);
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set(err, ZE_IO, errno, "make a socket");
	/* The name gets the mode that the socket has when it is bound. */
	if (fchmod(fd, 0600) < 0 || bind(fd, (const struct sockaddr *)&sa, sizeof(sa)) < 0 ||
	    listen(fd, BACKLOG) < 0)
		return err_set(err, ZE_IO, errno, "listen at '%s'", sa.sun_path);
	return fd_take(&fd);
}

int
control_listen(const char *name, struct control_server *ret, struct err *err)
{
	auto_close int dir_fd = -EBADF, fd = -EBADF, console_fd = -EBADF;

	dir_fd = lock_directory(name, err);
	if (dir_fd < 0)
		return dir_fd;
	remove_half_written(dir_fd);
	/* The console first: who reaches the control socket may connect to the console at once. */
	console_fd = bind_socket(name, CONTROL_CONSOLE, SOCK_STREAM, dir_fd, err);
	if (console_fd < 0)
		return console_fd;
	fd = bind_socket(name, CONTROL_SOCKET, SOCK_SEQPACKET, dir_fd, err);
	if (fd < 0)
		return fd;
	ret->dir_fd = fd_take(&dir_fd);
	ret->fd = fd_take(&fd);
	ret->console_fd = fd_take(&console_fd);
	return 0;
}

void
control_unlink(struct control_server *server)
{
	/* A name that is left over does no harm: the next daemon replaces it. */
	(void)unlinkat(server->dir_fd, CONTROL_SOCKET, 0);
	(void)unlinkat(server->dir_fd, CONTROL_CONSOLE, 0);
}

void
control_close(struct control_server *server)
{
	control_unlink(server);
	/* The lock before the sockets: who is turned away by them may start the next daemon. */
	server->dir_fd = fd_close(server->dir_fd);
	server->fd = fd_close(server->fd);
	server->console_fd = fd_close(server->console_fd);
}

static int
check_peer(int fd, struct err *err)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return err_set(err, ZE_IO, errno, "ask who connects");
	if (peer.uid != 0)
		return err_set(err, ZE_PERM, 0, "process %d of user %u may not ask zoneadmd",
			       peer.pid, peer.uid);
	return 0;
}

int
control_accept(int listen_fd, struct err *err)
{
	auto_close int fd = -EBADF;
	int r;

	do
		fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	while (fd < 0 && errno == EINTR);
	if (fd < 0 && (errno == EAGAIN || errno == ECONNABORTED))
		return err_set(err, ZE_NOENT, 0, "nobody connects");
	if (fd < 0)
		return err_set(err, ZE_IO, errno, "accept a connection");
	r = check_peer(fd, err);
	if (r < 0)
		return r;
	return fd_take(&fd);
}

int
control_greet(int fd, struct err *err)
{
	struct control_hello hello = {.version = CONTROL_VERSION, .pid = getpid()};
	int r;

	r = check_peer(fd, err);
	if (r < 0)
		return r;
	return control_packet_send(fd, &hello, sizeof(hello), err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The zone's console. The daemon owns the master of the pty; what the zone prints is always taken,
 * so that nothing in the zone ever waits for a reader: it goes to a log of bounded size and into a
 * ring, from which the one client is fed at its own pace. A client that lags by more than the ring
 * loses the oldest output, not the zone its speed.
 *
 * A client connects to /run/zones/NAME/console, says "IDENT pid locale leave-at-halt", and is
 * answered "OK", or the pid of the one who has the console. Bytes follow, both ways.
 *
 * The output is the zone's and is not to be trusted: it is passed on and logged as it is, and never
 * looked into.
 */
#include "zoneadmd.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads of the master in one turn of the loop: a zone that floods must not starve the others. */
#define READS_PER_TURN 8

void
console_init(struct console *c, const char *name, const char *log_dir)
{
	/* Not the ring: nothing is read from it that was not put there, and memory costs time. */
	memset(c, 0, offsetof(struct console, ring));
	c->name = name;
	c->log_dir = log_dir;
	c->master_fd = c->peer_fd = c->log_fd = c->client.fd = -EBADF;
	for (size_t i = 0; i < CONSOLE_NEW_MAX; i++)
		c->fresh[i].fd = -EBADF;
}

void
console_close(struct console *c)
{
	console_detach(c);
	console_drop_client(c);
	for (size_t i = 0; i < CONSOLE_NEW_MAX; i++)
		c->fresh[i].fd = fd_close(c->fresh[i].fd);
	c->log_fd = fd_close(c->log_fd);
}

/* ---- the log: a console without one still works, so failures end in silence
 * --------------------------- */

static void
log_open(struct console *c)
{
	auto_free char *path = NULL;
	struct stat st;

	if (path_mkdir_p(c->log_dir, 0755, NULL) < 0 ||
	    asprintf(&path, "%s/%s.console", c->log_dir, c->name) < 0) {
		path = NULL; /* undefined after a failure */
		return;
	}
	c->log_fd =
	    open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
	if (c->log_fd < 0)
		return;
	if (fstat(c->log_fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		c->log_fd = fd_close(c->log_fd);
		return;
	}
	c->log_bytes = (uint64_t)st.st_size;
}

static void
log_rotate(struct console *c)
{
	auto_free char *path = NULL, *old = NULL;

	c->log_fd = fd_close(c->log_fd);
	if (asprintf(&path, "%s/%s.console", c->log_dir, c->name) < 0) {
		path = NULL;
		return;
	}
	if (asprintf(&old, "%s.old", path) < 0) {
		old = NULL;
		return;
	}
	/* If it cannot be kept, it is begun again: the limit counts. */
	if (rename(path, old) < 0)
		(void)unlink(path);
	log_open(c);
}

static void
log_write(struct console *c, const char *buf, size_t len)
{
	ssize_t n;

	if (c->log_fd < 0)
		log_open(c);
	if (c->log_fd >= 0 && c->log_bytes >= CONSOLE_LOG_BYTES)
		log_rotate(c);
	if (c->log_fd < 0)
		return;
	n = write(c->log_fd, buf, len);
	if (n > 0)
		c->log_bytes += (uint64_t)n;
}

/* ---- output
 * ------------------------------------------------------------------------------------------- */

static void
ring_add(struct console *c, const char *buf, size_t len)
{
	size_t at, part;

	while (len > 0) {
		at = c->head % CONSOLE_RING_BYTES;
		part = len < CONSOLE_RING_BYTES - at ? len : CONSOLE_RING_BYTES - at;
		memcpy(c->ring + at, buf, part);
		c->head += part;
		buf += part;
		len -= part;
	}
}

static void
output(struct console *c, const char *buf, size_t len)
{
	ring_add(c, buf, len);
	log_write(c, buf, len);
}

/* Send the client what it has not had, as far as its socket takes it. */
static void
client_feed(struct console *c)
{
	struct console_client *cl = &c->client;
	size_t at, part;
	ssize_t n;

	while (cl->fd >= 0 && cl->pos < c->head) {
		if (c->head - cl->pos > CONSOLE_RING_BYTES)
			cl->pos = c->head - CONSOLE_RING_BYTES;
		at = cl->pos % CONSOLE_RING_BYTES;
		part = CONSOLE_RING_BYTES - at;
		if (part > c->head - cl->pos)
			part = (size_t)(c->head - cl->pos);
		n = send(cl->fd, c->ring + at, part, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			console_drop_client(c);
		else
			cl->pos += (uint64_t)n;
	}
}

/* Returns false when there is nothing more to read. */
static bool
master_read(struct console *c)
{
	char buf[4096];
	ssize_t n;

	n = read(c->master_fd, buf, sizeof(buf));
	if (n > 0)
		output(c, buf, (size_t)n);
	return n > 0 || (n < 0 && errno == EINTR);
}

static void
master_drain(struct console *c)
{
	for (int i = 0; i < READS_PER_TURN && master_read(c); i++)
		;
	client_feed(c);
}

void
console_attach(struct console *c, int master_fd)
{
	int flags;

	c->master_fd = master_fd;
	if (master_fd < 0)
		return;
	flags = fcntl(master_fd, F_GETFL);
	if (flags < 0 || fcntl(master_fd, F_SETFL, flags | O_NONBLOCK) < 0) {
		c->master_fd = -EBADF; /* a read that blocks would stop the daemon */
		return;
	}
	/* Between two programs in the zone nobody has the slave open. The master would report a
	 * hang-up without end, and the terminal's settings would be lost. */
	c->peer_fd = ioctl(master_fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

void
console_detach(struct console *c)
{
	if (c->master_fd < 0)
		return;
	master_drain(c);
	c->master_fd = -EBADF;
	c->peer_fd = fd_close(c->peer_fd);
	c->typed_len = 0;
}

void
console_notice(struct console *c, const char *fmt, ...)
{
	char text[512], line[600];
	va_list ap;
	int n;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	n = snprintf(line, sizeof(line), "\r\n[NOTICE: %s]\r\n", text);
	output(c, line, (size_t)n);
	client_feed(c);
}

/* ---- the client
 * --------------------------------------------------------------------------------------- */

void
console_drop_client(struct console *c)
{
	c->client.fd = fd_close(c->client.fd);
	c->typed_len = 0;
}

void
console_halted(struct console *c)
{
	if (c->client.leave_at_halt)
		console_drop_client(c);
}

bool
console_busy(const struct console *c)
{
	for (size_t i = 0; i < CONSOLE_NEW_MAX; i++)
		if (c->fresh[i].fd >= 0)
			return true;
	return c->client.fd >= 0;
}

void
console_accept(struct console *c, int fd)
{
	for (size_t i = 0; i < CONSOLE_NEW_MAX; i++) {
		if (c->fresh[i].fd >= 0)
			continue;
		c->fresh[i].fd = fd;
		c->fresh[i].len = 0;
		return;
	}
	(void)fd_close(fd);
}

/* Where a new client begins: some of the past, from the beginning of a line. */
static uint64_t
scrollback_start(const struct console *c)
{
	uint64_t pos = c->head > CONSOLE_SCROLLBACK ? c->head - CONSOLE_SCROLLBACK : 0;

	if (!pos)
		return 0;
	for (; pos < c->head; pos++)
		if (c->ring[pos % CONSOLE_RING_BYTES] == '\n')
			return pos + 1;
	return c->head;
}

/* A complete handshake line: make it the client, or send it away. */
static void
identified(struct console *c, struct console_new *new)
{
	struct control_ident ident;
	char answer[16] = "OK\n";
	int fd = fd_take(&new->fd);
	bool taken = c->client.fd >= 0;
	ssize_t len;

	if (control_ident_parse(new->line, &ident, NULL) < 0) {
		(void)fd_close(fd);
		return;
	}
	if (taken)
		(void)snprintf(answer, sizeof(answer), "%d\n", c->client.pid);
	len = (ssize_t)strlen(answer);
	/* A new socket has room for a few bytes; if not, the other side has gone. */
	if (send(fd, answer, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT) != len || taken) {
		(void)fd_close(fd);
		return;
	}
	c->client = (struct console_client){
	    .fd = fd,
	    .pid = ident.pid,
	    .leave_at_halt = ident.leave_at_halt,
	    .pos = scrollback_start(c),
	};
	client_feed(c);
}

/* Byte by byte up to the newline: what follows is typed to the zone. */
static void
handshake(struct console *c, struct console_new *new)
{
	ssize_t n;

	for (;;) {
		n = read(new->fd, new->line + new->len, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0 || new->len + 1 == sizeof(new->line))
			break;
		if (new->line[new->len] == '\n') {
			new->line[new->len] = '\0';
			identified(c, new);
			return;
		}
		new->len++;
	}
	new->fd = fd_close(new->fd);
}

static void
client_read(struct console *c)
{
	ssize_t n;

	n = read(c->client.fd, c->typed, sizeof(c->typed));
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0)
		console_drop_client(c);
	else if (c->master_fd >= 0) /* what is typed while there is no zone is for nobody */
		c->typed_len = (size_t)n;
}

static void
master_write(struct console *c)
{
	ssize_t n;

	n = write(c->master_fd, c->typed, c->typed_len);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n < 0)
		n = (ssize_t)c->typed_len;
	memmove(c->typed, c->typed + n, c->typed_len - (size_t)n);
	c->typed_len -= (size_t)n;
}

/* ---- the loop's view
 * --------------------------------------------------------------------------------- */

void
console_poll(const struct console *c, struct pollfd *fds)
{
	short client = 0;

	/* No more is read from the client than the zone takes. */
	if (!c->typed_len)
		client |= POLLIN;
	if (c->client.pos < c->head)
		client |= POLLOUT;
	fds[0] = (struct pollfd){.fd = c->master_fd,
				 .events = (short)(POLLIN | (c->typed_len ? POLLOUT : 0))};
	fds[1] = (struct pollfd){.fd = c->client.fd, .events = client};
	for (size_t i = 0; i < CONSOLE_NEW_MAX; i++)
		fds[2 + i] = (struct pollfd){.fd = c->fresh[i].fd, .events = POLLIN};
}

void
console_handle(struct console *c, const struct pollfd *fds)
{
	/* An event belongs to a descriptor that may have been closed since: hence the numbers. */
	if (fds[0].fd == c->master_fd && (fds[0].revents & (POLLIN | POLLHUP)))
		master_drain(c);
	if (fds[0].fd == c->master_fd && (fds[0].revents & POLLOUT))
		master_write(c);
	if (fds[0].fd == c->master_fd && (fds[0].revents & (POLLHUP | POLLERR)) && c->peer_fd < 0)
		c->master_fd = -EBADF; /* hung up for good: do not turn in circles */
	if (fds[1].fd == c->client.fd && (fds[1].revents & POLLOUT))
		client_feed(c);
	if (fds[1].fd == c->client.fd && (fds[1].revents & (POLLIN | POLLHUP | POLLERR)))
		client_read(c);
	for (size_t i = 0; i < CONSOLE_NEW_MAX; i++)
		if (fds[2 + i].revents && c->fresh[i].fd == fds[2 + i].fd)
			handshake(c, &c->fresh[i]);
}

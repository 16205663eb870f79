/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages between commands and zoneadmd: sending, receiving, and the checks that stand between
 * bytes from a socket and a struct that is believed.
 *
 *	command                         zoneadmd
 *	   | ---------- connect ----------> |
 *	   | <--------- hello ------------- |  it serves; without it nothing was asked yet
 *	   | ---------- request ----------> |
 *	   | <--------- reply ------------- |  at once, or (shutdown) when the zone is down
 *
 * Every message is one packet of one size. Descriptors in a packet are never received: recv(2)
 * gives the kernel no room for them.
 */
#include "control_priv.h"

#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

_Static_assert(sizeof(struct control_hello) == 8, "no padding");
_Static_assert(sizeof(struct control_request) == 276, "no padding");
_Static_assert(sizeof(struct control_reply) == 12 + 2 * CONTROL_TEXT_MAX, "no padding");

/* The flags that each command takes. */
static const uint32_t command_flags[CONTROL_COMMAND_COUNT] = {
    [CONTROL_READY] = CONTROL_FLAG_STRICT,
    [CONTROL_BOOT] = CONTROL_FLAG_BOOTARGS | CONTROL_FLAG_STRICT,
    [CONTROL_HALT] = 0,
    [CONTROL_REBOOT] = CONTROL_FLAG_BOOTARGS,
    [CONTROL_SHUTDOWN] = CONTROL_FLAG_BOOTARGS | CONTROL_FLAG_REBOOT,
    [CONTROL_NOTE_UNINSTALLING] = 0,
};

int
control_packet_send(int fd, const void *buf, size_t size_bytes, struct err *err)
{
	ssize_t n;

	do
		n = send(fd, buf, size_bytes, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_set(err, ZE_IO, errno, "send to the other side");
	return 0; /* a packet goes whole or not at all */
}

ssize_t
control_packet_recv(int fd, void *buf, size_t size_bytes)
{
	ssize_t n;

	/* MSG_TRUNC: the packet's own size, so that a longer one is noticed. */
	do
		n = recv(fd, buf, size_bytes, MSG_TRUNC);
	while (n < 0 && errno == EINTR);
	return n;
}

static bool
is_printable(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return false;
	return true;
}

static int
bad_request(struct err *err, const char *what)
{
	return err_set(err, ZE_FORMAT, 0, "malformed request: %s", what);
}

int
control_request_check(const void *buf, size_t size_bytes, struct control_request *ret,
		      struct err *err)
{
	static const char zero[sizeof(ret->pad)];
	struct control_request req;

	if (size_bytes != sizeof(req))
		return bad_request(err, "its size");
	memcpy(&req, buf, sizeof(req)); /* the bytes may lie anywhere, and must not change */
	if (req.version != CONTROL_VERSION)
		return err_set(err, ZE_NOTSUP, 0, "request of version %u, expected %d", req.version,
			       CONTROL_VERSION);
	if (req.command < CONTROL_READY || req.command >= CONTROL_COMMAND_COUNT)
		return bad_request(err, "no such command");
	if (req.flags & ~command_flags[req.command])
		return bad_request(err, "flags that the command does not take");
	if (req.timeout_s > CONTROL_TIMEOUT_MAX ||
	    (req.timeout_s && req.command != CONTROL_SHUTDOWN))
		return bad_request(err, "its time-out");
	if (!memchr(req.bootargs, '\0', sizeof(req.bootargs)))
		return bad_request(err, "boot arguments without an end");
	if (!is_printable(req.bootargs))
		return bad_request(err, "control characters in boot arguments");
	if (req.bootargs[0] && !(req.flags & CONTROL_FLAG_BOOTARGS))
		return bad_request(err, "boot arguments without their flag");
	if (memcmp(req.pad, zero, sizeof(zero)) != 0)
		return bad_request(err, "padding");
	*ret = req;
	return 0;
}

int
control_reply_check(const void *buf, size_t size_bytes, struct control_reply *ret, struct err *err)
{
	struct control_reply reply;

	if (size_bytes != sizeof(reply))
		return err_set(err, ZE_FORMAT, 0, "malformed reply: its size");
	memcpy(&reply, buf, sizeof(reply));
	if (reply.version != CONTROL_VERSION)
		return err_set(err, ZE_NOTSUP, 0, "reply of version %u, expected %d", reply.version,
			       CONTROL_VERSION);
	if (reply.result > 0 || reply.result < -(int32_t)ZE_PKG) /* the last code */
		return err_set(err, ZE_FORMAT, 0, "malformed reply: its result");
	if (reply.os_errno < 0 || reply.os_errno > 4095)
		return err_set(err, ZE_FORMAT, 0, "malformed reply: its error number");
	if (!memchr(reply.message, '\0', sizeof(reply.message)) ||
	    !memchr(reply.note, '\0', sizeof(reply.note)))
		return err_set(err, ZE_FORMAT, 0, "malformed reply: text without an end");
	*ret = reply;
	return 0;
}

int
control_send(int fd, const struct control_request *req, struct err *err)
{
	struct control_request copy = *req;

	copy.version = CONTROL_VERSION;
	return control_packet_send(fd, &copy, sizeof(copy), err);
}

int
control_recv(int fd, struct control_request *ret, struct err *err)
{
	struct control_request buf;
	ssize_t n;

	n = control_packet_recv(fd, &buf, sizeof(buf));
	if (n == 0 || (n < 0 && (errno == EAGAIN || errno == ECONNRESET)))
		return err_set(err, ZE_NOENT, 0, "no request");
	if (n < 0)
		return err_set(err, ZE_IO, errno, "receive a request");
	return control_request_check(&buf, (size_t)n, ret, err);
}

int
control_reply(int fd, const struct err *cause, const char *note, struct err *err)
{
	struct control_reply reply = {.version = CONTROL_VERSION};

	if (cause) {
		reply.result = -(int32_t)cause->code;
		reply.os_errno = cause->os_errno;
		(void)snprintf(reply.message, sizeof(reply.message), "%s", cause->msg);
	}
	if (note)
		(void)snprintf(reply.note, sizeof(reply.note), "%s", note);
	return control_packet_send(fd, &reply, sizeof(reply), err);
}

int
control_wait(int fd, char *ret_note, struct err *err)
{
	struct control_reply buf, reply = {0};
	ssize_t n;
	int r;

	n = control_packet_recv(fd, &buf, sizeof(buf));
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return err_set(err, ZE_IO, 0,
			       "zoneadmd ended before it answered; see the system log, "
			       "and try again");
	if (n < 0)
		return err_set(err, ZE_IO, errno, "receive zoneadmd's reply");
	r = control_reply_check(&buf, (size_t)n, &reply, err);
	if (r < 0)
		return r;
	if (ret_note)
		memcpy(ret_note, reply.note, sizeof(reply.note));
	if (!reply.result)
		return 0;
	/* The message has the text of os_errno already. */
	r = err_set(err, (enum ze) - reply.result, 0, "%s", reply.message);
	if (err)
		err->os_errno = reply.os_errno;
	return r;
}

int
control_ident_parse(const char *line, struct control_ident *ret, struct err *err)
{
	char flag, rest;
	int pid, n = 0;

	/* The locale is part of the handshake and not used: messages are in English. */
	if (strlen(line) >= CONTROL_IDENT_MAX || !is_printable(line) ||
	    sscanf(line, "IDENT %9d %*63[^ ] %c%c%n", &pid, &flag, &rest, &n) != 2 || pid <= 0 ||
	    (flag != '0' && flag != '1'))
		return err_set(err, ZE_FORMAT, 0, "malformed console handshake");
	ret->pid = pid;
	ret->leave_at_halt = flag == '1';
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What commands say to zoneadmd: over a UNIX seqpacket socket in /run/zones/NAME the daemon greets,
 * the command sends one request, the daemon answers it. zoneadmd is started when it does not run.
 */
#ifndef CONTROL_CONTROL_H
#define CONTROL_CONTROL_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CONTROL_VERSION      1
#define CONTROL_BOOTARGS_MAX 256
#define CONTROL_TEXT_MAX     1024 /* a message or a note, with its NUL */
#define CONTROL_TIMEOUT_S    100  /* how long a clean shutdown may take */
#define CONTROL_TIMEOUT_MAX  86400

/* The descriptor that a started zoneadmd finds its first connection at (option -3). */
#define CONTROL_FIRST_FD 3

enum control_command {
	CONTROL_READY = 1,
	CONTROL_BOOT,
	CONTROL_HALT,
	CONTROL_REBOOT,
	CONTROL_SHUTDOWN,
	CONTROL_NOTE_UNINSTALLING,
};
#define CONTROL_COMMAND_COUNT 7 /* one past the last */

/* All on the wire as they are: fixed-width fields, no padding, no pointers. */

/* The daemon's first message on every connection: from here on it will answer a request. */
struct control_hello {
	uint32_t version;
	int32_t pid; /* the daemon's, for messages */
};

struct control_request {
	uint32_t version;
	uint32_t command;   /* enum control_command */
	uint32_t flags;     /* CONTROL_FLAG_* */
	uint32_t timeout_s; /* shutdown: give up after so many seconds; 0: CONTROL_TIMEOUT_S */
	char bootargs[CONTROL_BOOTARGS_MAX + 1];
	char pad[3]; /* zero */
};

#define CONTROL_FLAG_BOOTARGS 1u /* bootargs were given (even if empty) */
#define CONTROL_FLAG_REBOOT   2u /* shutdown -r */
#define CONTROL_FLAG_STRICT   4u /* ready, boot: -ZE_VERIFY when the plan has warnings too */

struct control_reply {
	uint32_t version;
	int32_t result; /* 0 or a negative enum ze */
	int32_t os_errno;
	char message[CONTROL_TEXT_MAX]; /* what failed, when result < 0 */
	char note[CONTROL_TEXT_MAX];    /* lines for the user besides ("already booted"), or "" */
};

/* ---- the command's side
 * -------------------------------------------------------------------------------- */

/**
 * control_call - ask a zone's zoneadmd, starting it when needed, and wait for the reply
 * @name: a zone; the caller holds its lock
 * @req: its version is filled in
 * @ret_note: CONTROL_TEXT_MAX bytes: lines for the user to read on stderr, or ""; may be NULL
 *
 * Returns the daemon's result with its message in @err; -ZE_IO when the daemon cannot be started or
 * died: the message has the cause. Short for control_connect(), control_send(), control_wait().
 */
int control_call(const char *name, const struct control_request *req, char *ret_note,
		 struct err *err);

/**
 * control_connect - a connection to a zone's zoneadmd, which is started when it does not run
 * @name: a zone; the caller holds its lock, so that two commands never start two daemons
 *
 * The daemon lives at least as long as the connection. Returns a descriptor; -ZE_PERM when the
 * caller is not root; -ZE_NOTSUP for a daemon of another version; -ZE_IO with what the daemon said
 * when it cannot be started.
 */
int control_connect(const char *name, struct err *err);

/**
 * control_send - put a request on a connection
 */
int control_send(int fd, const struct control_request *req, struct err *err);

/**
 * control_wait - wait for the reply; needs no lock (a shutdown takes its time, and must not keep
 * others from `halt`)
 * @ret_note: as in control_call()
 */
int control_wait(int fd, char *ret_note, struct err *err);

/**
 * control_console_open - become the one client of a zone's console
 * @name: a zone, installed or above; the caller holds its lock during the call only
 * @leave_at_halt: the daemon is to close the connection when the zone halts
 * @ret_holder: on -ZE_BUSY: the process that has the console
 *
 * Starts zoneadmd when it does not run, so that a boot can be watched; the daemon stays while the
 * console is connected. Returns a stream socket: what is read from it is the zone's output (the
 * last lines of it first), what is written is typed; end of file: the daemon closed it. -ZE_BUSY;
 * else as control_connect(). Source: zlogin(1), -C and -d.
 */
int control_console_open(const char *name, bool leave_at_halt, pid_t *ret_holder, struct err *err);

/* ---- the daemon's side
 * -------------------------------------------------------------------------------- */

struct control_server {
	int dir_fd; /* /run/zones/NAME, locked by flock(2): it is what makes the daemon single */
	int fd;     /* requests: accept from it */
	int console_fd; /* console clients: accept from it */
};

/**
 * control_listen - become the zone's daemon: take the lock, bind both sockets
 *
 * Sockets of a daemon that was killed are replaced. Returns 0; -ZE_BUSY when another zoneadmd
 * serves the zone; -ZE_IO.
 */
int control_listen(const char *name, struct control_server *ret, struct err *err);

/**
 * control_unlink - remove the sockets' names: nobody new gets in; who waits can still be accepted
 */
void control_unlink(struct control_server *server);

/**
 * control_close - the end: removes the names, closes all, gives the lock back
 */
void control_close(struct control_server *server);

/**
 * control_accept - take one connection from a listening socket, if its peer is root
 *
 * Returns a non-blocking descriptor; -ZE_NOENT when nobody waits; -ZE_PERM after somebody else was
 * turned away; -ZE_IO.
 */
int control_accept(int listen_fd, struct err *err);

/**
 * control_greet - check the peer's uid and send the greeting
 *
 * Returns 0, -ZE_PERM or -ZE_IO (the client has gone).
 */
int control_greet(int fd, struct err *err);

/**
 * control_recv - one request from a connected client, checked: length, version, every field
 *
 * Returns 0; -ZE_NOENT when the client has closed the connection or nothing is there yet;
 * -ZE_FORMAT; -ZE_IO.
 */
int control_recv(int fd, struct control_request *ret, struct err *err);

/**
 * control_reply - answer it
 * @cause: NULL or a failure
 * @note: NULL or lines for the user
 */
int control_reply(int fd, const struct err *cause, const char *note, struct err *err);

/**
 * control_request_check - whether @size_bytes bytes are a request that may be acted upon
 *
 * Every field: version, command in range, flags that the command takes, time-out in range and
 * only with shutdown, boot arguments printable, ended by a NUL within their field and absent unless
 * their flag is set, padding zero. Returns 0 or
 * -ZE_FORMAT; -ZE_NOTSUP for another version.
 */
int control_request_check(const void *buf, size_t size_bytes, struct control_request *ret,
			  struct err *err);

/**
 * control_reply_check - the same for a reply
 */
int control_reply_check(const void *buf, size_t size_bytes, struct control_reply *ret,
			struct err *err);

/* The first line that a console client sends: "IDENT pid locale leave-at-halt". */
struct control_ident {
	pid_t pid;
	bool leave_at_halt;
};

#define CONTROL_IDENT_MAX 128 /* bytes of the line, with its newline */

/**
 * control_ident_parse - read the line (without its newline); -ZE_FORMAT
 *
 * Source: the console handshake of zoneadmd: the answer is "OK", or the pid of the holder.
 */
int control_ident_parse(const char *line, struct control_ident *ret, struct err *err);

#endif

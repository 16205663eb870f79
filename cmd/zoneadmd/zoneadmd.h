/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of zoneadmd share. */
#ifndef ZONEADMD_ZONEADMD_H
#define ZONEADMD_ZONEADMD_H

#include "config/config.h"
#include "control/control.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;
struct runtime;

/* ---- console.c
 * ---------------------------------------------------------------------------------------- */

#define CONSOLE_RING_BYTES (64 * 1024)   /* what a client may lag behind before it loses output */
#define CONSOLE_SCROLLBACK 4096          /* what a new client is shown of the past, at most */
#define CONSOLE_LOG_BYTES  (1024 * 1024) /* of NAME.console, before it becomes NAME.console.old */
#define CONSOLE_NEW_MAX    4             /* clients that have not identified themselves yet */
#define CONSOLE_POLL_MAX   (2 + CONSOLE_NEW_MAX)

/* Somebody who has connected and not yet said who it is. */
struct console_new {
	int fd;
	size_t len;
	char line[CONTROL_IDENT_MAX];
};

/* The one who has the console. */
struct console_client {
	int fd;
	pid_t pid;
	bool leave_at_halt;
	uint64_t pos; /* how much of all output ever it has been sent */
};

struct console {
	const char *name; /* zone */
	const char *log_dir;
	int master_fd; /* borrowed from the runtime; -EBADF while there is no zone */
	int peer_fd;   /* a slave of our own, so that the master never sees the last one close */
	int log_fd;
	uint64_t log_bytes; /* in the file now */
	uint64_t head;      /* bytes of output ever */
	struct console_client client;
	struct console_new fresh[CONSOLE_NEW_MAX];
	char typed[1024]; /* read from the client, not yet taken by the zone */
	size_t typed_len;
	char ring[CONSOLE_RING_BYTES];
};

/**
 * console_init - an empty console
 * @name: of the zone; borrowed
 * @log_dir: where NAME.console is written; borrowed
 */
void console_init(struct console *c, const char *name, const char *log_dir);
void console_close(struct console *c);

/**
 * console_attach - drain a zone's console from now on
 * @master_fd: borrowed until console_detach(); negative is allowed: the zone has none
 */
void console_attach(struct console *c, int master_fd);

/**
 * console_detach - take what is left and let go of the master, before the runtime closes it
 */
void console_detach(struct console *c);

/**
 * console_notice - put "[NOTICE: ...]" on a line of its own, for the client and the log
 */
void console_notice(struct console *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/**
 * console_halted - the zone is down: lets a client go that wanted to leave then
 */
void console_halted(struct console *c);

/**
 * console_drop_client - close the connection of the one who has the console
 */
void console_drop_client(struct console *c);

/**
 * console_accept - take a connection over and wait for its handshake
 * @fd: non-blocking; closed when there are too many already
 */
void console_accept(struct console *c, int fd);

/**
 * console_busy - whether somebody has the console or is about to
 */
bool console_busy(const struct console *c);

/**
 * console_poll - fill CONSOLE_POLL_MAX entries for poll(2)
 * console_handle - do what they say is possible
 */
void console_poll(const struct console *c, struct pollfd *fds);
void console_handle(struct console *c, const struct pollfd *fds);

/* ---- state.c
 * ------------------------------------------------------------------------------------------ */

/* A clean shutdown that has been asked for and is waited for. */
struct zone_shutdown {
	bool pending;
	bool asked; /* init knows; at its very beginning it cannot be told yet */
	bool reboot;
	int64_t deadline_ms; /* monotonic */
	struct control_request req;
};

struct zone {
	const char *name;
	enum zone_state state; /* installed (also for what is below it), ready .. down */
	struct runtime *rt;    /* NULL below ready */
	struct console *console;
	struct zone_shutdown shutdown;
	int64_t restarts_ms[8]; /* when it last rebooted by itself, the newest first */
};

/* The answer comes when the zone is down: zone_init_ended(), zone_tick(). Or zone_init_ended()
 * itself is to be called again. */
#define ZONE_LATER 1

/**
 * zone_adopt - find out what runs: take over a live zone, clear away what a dead one left
 *
 * Fills @z, whose name and console are set. Returns 0 or a negative code.
 */
int zone_adopt(struct zone *z, struct err *err);

/**
 * zone_request - do what a request means in the zone's state
 * @ret_note: a static line for the user, set when there is one
 *
 * Returns 0, ZONE_LATER or a negative code.
 */
int zone_request(struct zone *z, const struct control_request *req, const char **ret_note,
		 struct err *err);

/**
 * zone_init_fd - readable once the zone's init has ended; -EBADF while there is none
 */
int zone_init_fd(const struct zone *z);

/**
 * zone_init_ended - take the zone down, and up again when it asked for that
 *
 * Returns the result for those who wait for a shutdown; ZONE_LATER, after a short pause, while
 * another process works on the zone.
 */
int zone_init_ended(struct zone *z, struct err *err);

/**
 * zone_timeout_ms - for poll(2): until the shutdown's deadline, or -1
 */
int zone_timeout_ms(const struct zone *z);

/**
 * zone_tick - whether the shutdown has taken too long: then -ZE_TIMEOUT for those who wait; else 0
 */
int zone_tick(struct zone *z, struct err *err);

void zone_free(struct zone *z);

/* ---- server.c
 * ----------------------------------------------------------------------------------------- */

/**
 * server_run - serve until there is nothing left to hold
 * @first_fd: the connection that the daemon was started with, or -EBADF
 *
 * Says on stderr why it cannot serve; stderr goes to /dev/null once it does. Returns an exit code.
 */
int server_run(const char *name, int first_fd);

#endif

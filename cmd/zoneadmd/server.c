/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's loop: connections and their requests, the zone's init, the console, signals, one at
 * a time and without threads. It serves for as long as there is something to hold: a zone that is
 * ready or above, a console client, or a connection.
 *
 * A connection carries one request. It is closed after the reply, and when the daemon is about to
 * leave, only once the daemon has given its names and lock back: who waits for the end of the
 * connection finds nothing of it.
 */
#include "zoneadmd.h"

#include "base/err.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

#define LOG_DIR     "/var/log/zones"
#define CLIENTS_MAX 16
#define WAITING_MAX 12 /* of them, for a shutdown: a halt must still get in */

struct client {
	int fd;
	enum {
		CLIENT_ASKS,  /* its request has not come yet */
		CLIENT_WAITS, /* for a shutdown */
		CLIENT_DONE,  /* it has its reply */
	} phase;
};

struct server {
	struct control_server control;
	struct zone zone;
	struct console console;
	struct client clients[CLIENTS_MAX];
	int signal_fd;
	bool stop; /* a signal: leave, though the zone runs */
};

enum {
	POLL_SIGNAL,
	POLL_CONTROL,
	POLL_CONSOLE,
	POLL_INIT,
	POLL_CLIENTS,
	POLL_CONSOLE_FDS = POLL_CLIENTS + CLIENTS_MAX,
	POLL_COUNT = POLL_CONSOLE_FDS + CONSOLE_POLL_MAX,
};

/* ---- what the system log gets
 * ------------------------------------------------------------------------- */

static const char *const command_names[CONTROL_COMMAND_COUNT] = {
    [CONTROL_READY] = "ready",       [CONTROL_BOOT] = "boot",
    [CONTROL_HALT] = "halt",         [CONTROL_REBOOT] = "reboot",
    [CONTROL_SHUTDOWN] = "shutdown", [CONTROL_NOTE_UNINSTALLING] = "uninstall",
};

static void
log_result(const struct server *s, const char *what, const struct err *cause)
{
	if (cause)
		syslog(LOG_ERR, "zone '%s': %s: %s", s->zone.name, what, cause->msg);
	else
		syslog(LOG_INFO, "zone '%s': %s: the zone is %s", s->zone.name, what,
		       zone_state_name(s->zone.state));
}

/* ---- clients
 * ------------------------------------------------------------------------------------------ */

static void
client_add(struct server *s, int fd)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		if (s->clients[i].fd >= 0)
			continue;
		if (control_greet(fd, NULL) < 0)
			break; /* it has gone again */
		s->clients[i] = (struct client){.fd = fd, .phase = CLIENT_ASKS};
		return;
	}
	(void)fd_close(fd);
}

static void
accept_clients(struct server *s)
{
	struct err err;
	int fd;

	for (;;) {
		fd = control_accept(s->control.fd, &err);
		if (fd >= 0)
			client_add(s, fd);
		else if (fd == -ZE_PERM)
			syslog(LOG_WARNING, "zone '%s': %s", s->zone.name, err.msg);
		else
			return;
	}
}

static void
accept_consoles(struct server *s)
{
	int fd;

	for (;;) {
		fd = control_accept(s->control.console_fd, NULL);
		if (fd >= 0)
			console_accept(&s->console, fd);
		else if (fd != -ZE_PERM)
			return;
	}
}

static void
client_reply(struct client *c, const struct err *cause, const char *note)
{
	/* A client that has gone does not need its answer. */
	(void)control_reply(c->fd, cause, note, NULL);
	c->phase = CLIENT_DONE;
}

static void
reply_to_waiting(struct server *s, const struct err *cause)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (s->clients[i].fd >= 0 && s->clients[i].phase == CLIENT_WAITS)
			client_reply(&s->clients[i], cause, NULL);
}

/* Somebody took the zone down while others wait for its clean end. */
static void
end_overtaken_shutdown(struct server *s)
{
	struct err err;

	if (s->zone.shutdown.pending)
		return;
	(void)err_set(&err, ZE_STATE, 0, "the zone was halted before it had shut down");
	reply_to_waiting(s, &err);
}

/* As zone_request(), for one client among the others. */
static int
answer(struct server *s, const struct control_request *req, const char **ret_note, struct err *err)
{
	size_t waiting = 0;

	for (size_t i = 0; i < CLIENTS_MAX; i++)
		waiting += s->clients[i].fd >= 0 && s->clients[i].phase == CLIENT_WAITS;
	if (req->command == CONTROL_SHUTDOWN && waiting >= WAITING_MAX)
		return err_set(err, ZE_BUSY, 0,
			       "%zu commands wait for the zone to shut down already; halt it, or "
			       "wait with them",
			       waiting);
	return zone_request(&s->zone, req, ret_note, err);
}

static void
client_handle(struct server *s, struct client *c)
{
	const char *note = NULL;
	struct control_request req;
	struct err err;
	int r;

	if (c->phase == CLIENT_WAITS) { /* it can only have closed: the shutdown goes on */
		c->fd = fd_close(c->fd);
		return;
	}
	r = control_recv(c->fd, &req, &err);
	if (r == -ZE_NOENT) {
		c->fd = fd_close(c->fd);
		return;
	}
	if (r < 0) {
		client_reply(c, &err, NULL);
		syslog(LOG_WARNING, "zone '%s': %s", s->zone.name, err.msg);
		return;
	}
	r = answer(s, &req, &note, &err);
	if (r == ZONE_LATER) {
		c->phase = CLIENT_WAITS;
		return;
	}
	client_reply(c, r < 0 ? &err : NULL, note);
	end_overtaken_shutdown(s);
	/* The log last: it takes longer than all else here. What the command itself tells is none
	 * of its business. */
	if (r != -ZE_VERIFY || !(req.flags & CONTROL_FLAG_STRICT))
		log_result(s, command_names[req.command], r < 0 ? &err : NULL);
}

/* ---- the loop
 * ----------------------------------------------------------------------------------------- */

static void
init_ended(struct server *s)
{
	struct err err;
	int r;

	r = zone_init_ended(&s->zone, &err);
	if (r == ZONE_LATER)
		return;
	reply_to_waiting(s, r < 0 ? &err : NULL);
	log_result(s, "its init has ended", r < 0 ? &err : NULL);
}

static void
tick(struct server *s)
{
	struct err err;

	if (zone_tick(&s->zone, &err) == 0)
		return;
	reply_to_waiting(s, &err);
	log_result(s, "shutdown", &err);
}

static bool
has_nothing_to_hold(const struct server *s)
{
	if (s->zone.state >= ZONE_STATE_READY || console_busy(&s->console))
		return false;
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (s->clients[i].fd >= 0 && s->clients[i].phase != CLIENT_DONE)
			return false;
	return true;
}

static void
close_done_clients(struct server *s)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (s->clients[i].fd >= 0 && s->clients[i].phase == CLIENT_DONE)
			s->clients[i].fd = fd_close(s->clients[i].fd);
}

static void
fill(const struct server *s, struct pollfd *fds)
{
	fds[POLL_SIGNAL] = (struct pollfd){.fd = s->signal_fd, .events = POLLIN};
	fds[POLL_CONTROL] = (struct pollfd){.fd = s->control.fd, .events = POLLIN};
	fds[POLL_CONSOLE] = (struct pollfd){.fd = s->control.console_fd, .events = POLLIN};
	fds[POLL_INIT] = (struct pollfd){.fd = zone_init_fd(&s->zone), .events = POLLIN};
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		fds[POLL_CLIENTS + i] = (struct pollfd){.fd = s->clients[i].fd, .events = POLLIN};
	console_poll(&s->console, fds + POLL_CONSOLE_FDS);
}

/* Init's end before requests: "halt" of a zone that has just ended must see it so. */
static void
handle(struct server *s, const struct pollfd *fds)
{
	struct signalfd_siginfo si;

	console_handle(&s->console, fds + POLL_CONSOLE_FDS);
	if (fds[POLL_INIT].revents)
		init_ended(s);
	tick(s);
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (fds[POLL_CLIENTS + i].revents)
			client_handle(s, &s->clients[i]);
	if (fds[POLL_CONSOLE].revents)
		accept_consoles(s);
	if (fds[POLL_CONTROL].revents)
		accept_clients(s);
	if (fds[POLL_SIGNAL].revents && read(s->signal_fd, &si, sizeof(si)) == sizeof(si))
		s->stop = si.ssi_signo != SIGHUP;
}

static int
loop(struct server *s)
{
	struct pollfd fds[POLL_COUNT];

	while (!s->stop && !has_nothing_to_hold(s)) {
		close_done_clients(s);
		fill(s, fds);
		if (poll(fds, POLL_COUNT, zone_timeout_ms(&s->zone)) >= 0) {
			handle(s, fds);
		} else if (errno != EINTR) {
			syslog(LOG_ERR, "zone '%s': poll: %m", s->zone.name);
			return 1;
		}
	}
	return 0;
}

/* Blocked for good in the daemon; the runtime sets an empty mask in what it starts. */
static int
open_signals(struct err *err)
{
	sigset_t set;
	int fd;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return err_set(err, ZE_IO, errno, "block signals");
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return err_set(err, ZE_IO, errno, "make a signalfd");
	return fd;
}

/* From here on failures go to the client and the log. Debug lines stay where they were asked for.
 */
static void
leave_stderr(void)
{
	auto_close int fd = -EBADF;

	if (getenv("ZONES_DEBUG"))
		return;
	fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (fd >= 0)
		(void)dup2(fd, STDERR_FILENO);
}

static int
begin(struct server *s, const char *name, struct err *err)
{
	int r;

	s->signal_fd = open_signals(err);
	if (s->signal_fd < 0)
		return s->signal_fd;
	r = control_listen(name, &s->control, err);
	if (r < 0)
		return r;
	console_init(&s->console, name, LOG_DIR);
	s->zone = (struct zone){.name = name, .console = &s->console};
	return zone_adopt(&s->zone, err);
}

int
server_run(const char *name, int first_fd)
{
	static struct server s = {
	    .control = {.dir_fd = -EBADF, .fd = -EBADF, .console_fd = -EBADF}};
	struct err err;
	int r;

	for (size_t i = 0; i < CLIENTS_MAX; i++)
		s.clients[i].fd = -EBADF;
	openlog("zoneadmd", LOG_PID, LOG_DAEMON);
	r = begin(&s, name, &err);
	if (r == -ZE_BUSY)
		return 0; /* there is one: that is all that was wanted */
	if (r < 0) {
		(void)fprintf(stderr, "%s\n", err.msg);
		syslog(LOG_ERR, "zone '%s': %s", name, err.msg);
		control_close(&s.control);
		return 1;
	}
	if (first_fd >= 0)
		client_add(&s, first_fd);
	leave_stderr();
	r = loop(&s);
	control_close(&s.control);
	/* Connections that are still open, and the zone if it runs on, are left to the kernel. */
	console_close(&s.console);
	zone_free(&s.zone);
	return r;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each request means in each state of the zone, and what happens when its init ends.
 *
 *	             ready          boot           halt       reboot        shutdown
 *	below        error          error          error      error         error      (no files)
 *	installed    up             up, start      note       error         error
 *	ready        note           start          down       error         error
 *	running      down, up       note           down       down, up,     ask init; down
 *	                                                      start         when it ends
 *	shutting_down, down: what is left is cleared away first; shutdown is refused
 *
 * The daemon does one thing at a time, so no request ever sees a zone half-way. A boot that fails
 * takes the platform down again; a reboot that fails leaves the zone installed and says so on the
 * console. A take-down that fails leaves the state that the runtime finds, and may be asked for
 * again.
 */
#include "zoneadmd.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/str.h"
#include "runtime/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A zone that reboots by itself this often within this time is left halted: it would eat the host.
 */
#define RESTARTS_MAX       8
#define RESTARTS_WITHIN_MS 10000

/* How soon an init that has just begun is asked again to end. */
#define ASK_AGAIN_MS 100

/* Between two looks at a lock that another process has. */
#define LOCK_PAUSE_NS (20 * 1000 * 1000)

/* The daemon is small and holds a whole zone: better that something else goes when memory is short.
 * What it starts must not inherit that. */
#define OOM_DAEMON "-500"
#define OOM_ZONE   "0"

enum action {
	REFUSE,
	NOTE, /* it is so already */
	UP,
	UP_START,
	START,
	DOWN,
	DOWN_UP,
	DOWN_UP_START,
	ASK_INIT,
	TELL_CONSOLE,
};

#define STATE_COUNT (ZONE_STATE_MOUNTED + 1)

#define ALL_LIVE(action)                                                                           \
	[ZONE_STATE_RUNNING] = (action), [ZONE_STATE_SHUTTING_DOWN] = (action),                    \
	[ZONE_STATE_DOWN] = (action)

static const unsigned char actions[CONTROL_COMMAND_COUNT][STATE_COUNT] = {
    [CONTROL_READY] = {[ZONE_STATE_INSTALLED] = UP, [ZONE_STATE_READY] = NOTE, ALL_LIVE(DOWN_UP)},
    [CONTROL_BOOT] = {[ZONE_STATE_INSTALLED] = UP_START,
		      [ZONE_STATE_READY] = START,
		      [ZONE_STATE_RUNNING] = NOTE,
		      [ZONE_STATE_SHUTTING_DOWN] = DOWN_UP_START,
		      [ZONE_STATE_DOWN] = DOWN_UP_START},
    [CONTROL_HALT] = {[ZONE_STATE_INSTALLED] = NOTE, [ZONE_STATE_READY] = DOWN, ALL_LIVE(DOWN)},
    [CONTROL_REBOOT] = {ALL_LIVE(DOWN_UP_START)},
    [CONTROL_SHUTDOWN] = {[ZONE_STATE_RUNNING] = ASK_INIT},
    [CONTROL_NOTE_UNINSTALLING] = {[ZONE_STATE_CONFIGURED] = TELL_CONSOLE,
				   [ZONE_STATE_INCOMPLETE] = TELL_CONSOLE,
				   [ZONE_STATE_INSTALLED] = TELL_CONSOLE},
};

static const struct {
	const char *name; /* for "cannot ... while the zone is ..." */
	const char *note; /* when it is so already */
} commands[CONTROL_COMMAND_COUNT] = {
    [CONTROL_READY] = {"make it ready", "already ready"},
    [CONTROL_BOOT] = {"boot", "already booted"},
    [CONTROL_HALT] = {"halt", "already halted"},
    [CONTROL_REBOOT] = {"reboot", NULL},
    [CONTROL_SHUTDOWN] = {"shut down", NULL},
    [CONTROL_NOTE_UNINSTALLING] = {"uninstall", NULL},
};

static int64_t
now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * (int64_t)1000 + ts.tv_nsec / 1000000;
}

/* Without /proc or the right to lower it, the daemon is as others are. */
static void
set_oom_score(const char *score)
{
	auto_close int fd = -EBADF;

	fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd >= 0)
		(void)fd_write_all(fd, score, strlen(score));
}

/* ---- the plan
 * ----------------------------------------------------------------------------------------- */

static int
add_lines(struct str *text, const struct strv *lines)
{
	int r = 0;

	for (size_t i = 0; i < lines->n && r == 0; i++)
		r = str_addf(text, "%s%s", text->len ? "\n" : "", lines->v[i]);
	return r;
}

static int
split_words(const char *text, struct strv *ret, struct err *err)
{
	auto_free char *copy = strdup(text);
	char *save = NULL;

	if (!copy)
		return err_nomem(err);
	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
		if (strv_add(ret, w) < 0)
			return err_nomem(err);
	return 0;
}

/*
 * @bootargs: NULL for those of the configuration
 * @strict: the command has not looked at the plan; it does when there is anything to print
 */
static int
make_plan(const char *name, const char *bootargs, bool ready_only, bool strict,
	  struct runtime_plan **ret, struct err *err)
{
	static const char *const no_words[] = {NULL};
	auto_strv struct strv problems = {0}, warnings = {0}, words = {0};
	auto_index struct config_index index = {0};
	auto_config struct config *cfg = NULL;
	struct runtime_plan_req req = {.ready_only = ready_only};
	const struct config_entry *entry;
	auto_str struct str text = {0};
	int r;

	r = config_load("", name, &cfg, err);
	if (r == 0)
		r = config_index_load("", &index, err);
	if (r == 0 && bootargs)
		r = split_words(bootargs, &words, err);
	if (r < 0)
		return r;
	entry = config_index_find(&index, name);
	if (!entry)
		return err_set(err, ZE_NOENT, 0, "no such zone configured");
	req.config = cfg;
	req.uuid = entry->uuid;
	if (bootargs)
		req.bootargs = words.n ? (const char *const *)words.v : no_words;
	r = runtime_plan_make(&req, &problems, &warnings, ret, err);
	if (r == 0 && strict && warnings.n > 0) {
		runtime_plan_freep(ret);
		*ret = NULL;
		return err_set(err, ZE_VERIFY, 0, "%s", warnings.v[0]);
	}
	if (add_lines(&text, &problems) < 0) {
		runtime_plan_freep(ret);
		*ret = NULL;
		return err_nomem(err);
	}
	if (r == -ZE_VERIFY && text.len)
		return err_set(err, ZE_VERIFY, 0, "%s", text.s);
	return r;
}

/* ---- up and down
 * -------------------------------------------------------------------------------------- */

/* The state as the runtime sees it; what it cannot tell is still in the way. */
static enum zone_state
look(const char *name, struct err *err)
{
	struct runtime_status status;
	int r;

	r = runtime_status(name, &status, err);
	if (r == 0)
		return status.state;
	return r == -ZE_NOENT ? ZONE_STATE_INSTALLED : ZONE_STATE_DOWN;
}

static int
go_down(struct zone *z, struct err *err)
{
	int r;

	z->shutdown.pending = false;
	console_detach(z->console);
	r = runtime_down(z->name, err);
	runtime_free(z->rt);
	z->rt = NULL;
	z->state = r < 0 ? look(z->name, NULL) : ZONE_STATE_INSTALLED;
	if (r < 0 && z->state == ZONE_STATE_INSTALLED)
		z->state = ZONE_STATE_DOWN; /* nothing lives, but something is left: halt again */
	return r;
}

static int
go_up(struct zone *z, const struct runtime_plan *plan, struct err *err)
{
	int r;

	set_oom_score(OOM_ZONE);
	r = runtime_ready(plan, &z->rt, err);
	set_oom_score(OOM_DAEMON);
	if (r < 0) {
		z->rt = NULL;
		z->state = look(z->name, NULL);
		return r;
	}
	z->state = ZONE_STATE_READY;
	console_attach(z->console, runtime_console_fd(z->rt));
	return 0;
}

static int
start(struct zone *z, struct err *err)
{
	struct err ignored;
	int r;

	r = runtime_start(z->rt, err);
	if (r == 0) {
		z->state = ZONE_STATE_RUNNING;
		return 0;
	}
	/* The cause is what the user needs; a failure to clear away is seen in the state. */
	(void)go_down(z, &ignored);
	return r;
}

static int
up_and_start(struct zone *z, const char *bootargs, bool strict, struct err *err)
{
	auto_runtime_plan struct runtime_plan *plan = NULL;
	int r;

	r = make_plan(z->name, bootargs, false, strict, &plan, err);
	if (r == -ZE_VERIFY && strict)
		return r;
	if (bootargs && *bootargs)
		console_notice(z->console, "Zone booting up with arguments: %s", bootargs);
	else
		console_notice(z->console, "Zone booting up");
	if (r == 0)
		r = go_up(z, plan, err);
	if (r == 0)
		r = start(z, err);
	if (r < 0)
		console_notice(z->console, "Zone boot failed");
	return r;
}

static int
boot_from_ready(struct zone *z, const char *bootargs, struct err *err)
{
	int r;

	/* Boot arguments are part of the plan, and the plan of a ready zone is carried out already.
	 */
	if (bootargs && *bootargs) {
		r = go_down(z, err);
		return r < 0 ? r : up_and_start(z, bootargs, false, err);
	}
	console_notice(z->console, "Zone booting up");
	r = start(z, err);
	if (r < 0)
		console_notice(z->console, "Zone boot failed");
	return r;
}

static int
ready(struct zone *z, bool strict, struct err *err)
{
	auto_runtime_plan struct runtime_plan *plan = NULL;
	int r;

	r = make_plan(z->name, NULL, true, strict, &plan, err);
	if (r == 0)
		r = go_up(z, plan, err);
	if (r == 0)
		console_notice(z->console, "Zone readied");
	return r;
}

static int
halt(struct zone *z, struct err *err)
{
	int r;

	r = go_down(z, err);
	if (r < 0)
		return r;
	console_notice(z->console, "Zone halted");
	console_halted(z->console);
	return 0;
}

static int
reboot(struct zone *z, const char *bootargs, struct err *err)
{
	int r;

	console_notice(z->console, "Zone rebooting");
	r = go_down(z, err);
	if (r < 0)
		return r;
	return up_and_start(z, bootargs, false, err);
}

/* ---- a clean shutdown
 * --------------------------------------------------------------------------------- */

static int
ask_init(struct zone *z, const struct control_request *req, struct err *err)
{
	unsigned timeout_s = req->timeout_s ? req->timeout_s : CONTROL_TIMEOUT_S;
	bool restart = req->flags & CONTROL_FLAG_REBOOT;
	int r;

	r = runtime_ask_shutdown(z->rt, restart, err);
	if (r < 0 && r != -ZE_BUSY)
		return r;
	/* Asked twice: the last one says what is to come, and all wait for the same end. */
	z->shutdown = (struct zone_shutdown){
	    .pending = true,
	    .asked = r == 0,
	    .reboot = restart,
	    .deadline_ms = now_ms() + timeout_s * (int64_t)1000,
	    .req = *req,
	};
	return ZONE_LATER;
}

static int
left_ms(const struct zone *z)
{
	int64_t left = z->shutdown.deadline_ms - now_ms();

	return left > 0 ? (int)left : 0;
}

int
zone_timeout_ms(const struct zone *z)
{
	int left;

	if (!z->shutdown.pending)
		return -1;
	left = left_ms(z);
	return z->shutdown.asked || left < ASK_AGAIN_MS ? left : ASK_AGAIN_MS;
}

int
zone_tick(struct zone *z, struct err *err)
{
	int r;

	if (!z->shutdown.pending)
		return 0;
	if (!z->shutdown.asked && z->state == ZONE_STATE_RUNNING) {
		r = runtime_ask_shutdown(z->rt, z->shutdown.reboot, err);
		z->shutdown.asked = r == 0;
		z->shutdown.pending = r == 0 || r == -ZE_BUSY;
		if (!z->shutdown.pending)
			return r;
	}
	if (left_ms(z) > 0)
		return 0;
	z->shutdown.pending = false;
	return err_set(err, ZE_TIMEOUT, 0,
		       "the zone has not shut down within %u seconds and is still running; "
		       "halt it, or wait",
		       z->shutdown.req.timeout_s ? z->shutdown.req.timeout_s : CONTROL_TIMEOUT_S);
}

/* ---- init has ended
 * ----------------------------------------------------------------------------------- */

static bool
restarts_too_often(struct zone *z)
{
	size_t last = sizeof(z->restarts_ms) / sizeof(z->restarts_ms[0]) - 1;
	int64_t now = now_ms();
	bool too_often = z->restarts_ms[last] && now - z->restarts_ms[last] < RESTARTS_WITHIN_MS;

	_Static_assert(sizeof(z->restarts_ms) / sizeof(z->restarts_ms[0]) == RESTARTS_MAX,
		       "one place for each");
	memmove(z->restarts_ms + 1, z->restarts_ms, last * sizeof(z->restarts_ms[0]));
	z->restarts_ms[0] = now;
	return too_often;
}

static int
restart_by_itself(struct zone *z, struct err *err)
{
	int r;

	if (!restarts_too_often(z))
		return reboot(z, NULL, err);
	r = halt(z, err);
	if (r < 0)
		return r;
	console_notice(z->console, "Zone reboots too often; left halted");
	return err_set(err, ZE_STATE, 0,
		       "rebooted by itself %d times within %d seconds; left halted", RESTARTS_MAX,
		       RESTARTS_WITHIN_MS / 1000);
}

/*
 * While the zone goes down and comes up again it looks halted. So nobody may work on it meanwhile:
 * the daemon holds the zone's lock, as a command does that asks it for something. It does not wait
 * for the lock: who has it may be a command that waits for the daemon.
 */
int
zone_init_ended(struct zone *z, struct err *err)
{
	static const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};
	auto_lock struct config_lock lock = {.fd = -EBADF};
	struct zone_shutdown asked = z->shutdown;
	enum runtime_end end;

	z->state = ZONE_STATE_SHUTTING_DOWN;
	/* Without a lock for another reason it is still better to take the zone down. */
	if (config_trylock_zone("", z->name, &lock, NULL) == -ZE_BUSY) {
		(void)nanosleep(&pause, NULL);
		return ZONE_LATER;
	}
	end = runtime_reap(z->rt);
	z->shutdown.pending = false;
	if (asked.pending && asked.reboot)
		return reboot(
		    z, asked.req.flags & CONTROL_FLAG_BOOTARGS ? asked.req.bootargs : NULL, err);
	if (!asked.pending && end == RUNTIME_END_REBOOT)
		return restart_by_itself(z, err);
	return halt(z, err);
}

int
zone_init_fd(const struct zone *z)
{
	return z->rt ? runtime_init_fd(z->rt) : -EBADF;
}

/* ---- requests
 * ----------------------------------------------------------------------------------------- */

/* Below ready the index knows better than we do: an install may have come and gone. */
static int
current_state(const struct zone *z, enum zone_state *ret, struct err *err)
{
	auto_index struct config_index index = {0};
	const struct config_entry *entry;
	int r;

	*ret = z->state;
	if (z->state >= ZONE_STATE_READY)
		return 0;
	r = config_index_load("", &index, err);
	if (r < 0)
		return r;
	entry = config_index_find(&index, z->name);
	if (!entry)
		return err_set(err, ZE_NOENT, 0, "no such zone configured");
	*ret = entry->state;
	return 0;
}

static int
act(struct zone *z, enum action action, const struct control_request *req, struct err *err)
{
	const char *args = req->flags & CONTROL_FLAG_BOOTARGS ? req->bootargs : NULL;
	bool strict = req->flags & CONTROL_FLAG_STRICT;
	int r;

	switch (action) {
	case REFUSE:
	case NOTE:
		break;
	case UP:
		return ready(z, strict, err);
	case UP_START:
		return up_and_start(z, args, strict, err);
	case START:
		return boot_from_ready(z, args, err);
	case DOWN:
		return halt(z, err);
	case DOWN_UP:
		r = halt(z, err);
		return r < 0 ? r : ready(z, false, err);
	case DOWN_UP_START:
		return reboot(z, args, err);
	case ASK_INIT:
		return ask_init(z, req, err);
	case TELL_CONSOLE:
		console_notice(z->console, "Zone is being uninstalled; disconnecting");
		console_drop_client(z->console);
		break;
	}
	return 0;
}

int
zone_request(struct zone *z, const struct control_request *req, const char **ret_note,
	     struct err *err)
{
	enum zone_state state;
	enum action action;
	int r;

	r = current_state(z, &state, err);
	if (r < 0)
		return r;
	action = actions[req->command][state];
	if (action == REFUSE)
		return err_set(err, ZE_STATE, 0, "cannot %s while the zone is %s",
			       commands[req->command].name, zone_state_name(state));
	if (action == NOTE)
		*ret_note = commands[req->command].note;
	return act(z, action, req, err);
}

/* ---- the daemon's own beginning and end
 * --------------------------------------------------------------- */

int
zone_adopt(struct zone *z, struct err *err)
{
	int r;

	set_oom_score(OOM_DAEMON);
	r = runtime_adopt(z->name, &z->rt, err);
	if (r == 0) {
		z->state = look(z->name, NULL);
		console_attach(z->console, runtime_console_fd(z->rt));
		/* The kernel hung the terminal up when the last daemon ended, for good. */
		if (runtime_console_fd(z->rt) < 0)
			console_notice(z->console, "Zone taken over; its console comes back when "
						   "it is booted again");
		return 0;
	}
	z->rt = NULL;
	z->state = ZONE_STATE_INSTALLED;
	if (r != -ZE_NOENT && r != -ZE_FORMAT)
		return r;
	/* Its record cannot be read, but it lives: whether it may be killed, its `halt` says. */
	if (r == -ZE_FORMAT && look(z->name, NULL) == ZONE_STATE_DOWN) {
		err_clear(err);
		z->state = ZONE_STATE_DOWN;
		return 0;
	}
	/* It may have ended, or its boot may have been cut off, while nobody was there to clear up.
	 * What cannot be cleared away is a state of the zone, not a reason not to serve: `halt`
	 * tries it again and tells why. */
	err_clear(err);
	(void)go_down(z, NULL);
	return 0;
}

void
zone_free(struct zone *z)
{
	console_detach(z->console);
	runtime_free(z->rt);
	z->rt = NULL;
}

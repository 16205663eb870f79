/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zoneadmd's table of requests and states, with a runtime that only writes down what is asked of it
 * and fails where the test wants it to.
 */
#include "base/err.h"
#include "base/fd.h"
#include "base/str.h"
#include "runtime/runtime.h"
#include "zoneadmd/zoneadmd.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- the fakes
 * ---------------------------------------------------------------------------------------- */

static struct {
	enum zone_state index_state; /* what the index says */
	enum zone_state live;        /* what runs; installed: nothing */
	enum runtime_end end;
	bool adoptable, locked;
	bool deaf;           /* init has just begun */
	const char *failing; /* the call that is to fail */
	struct str calls;
} host;

static struct config_entry entry;

static int
call(const char *what, struct err *err)
{
	assert_int_equal(str_addf(&host.calls, "%s%s", host.calls.len ? " " : "", what), 0);
	if (host.failing && !strcmp(host.failing, what))
		return err_set(err, ZE_IO, 28, "%s", what);
	return 0;
}

const char *
zone_state_name(enum zone_state state)
{
	static const char *const names[] = {"configured", "incomplete",    "installed", "ready",
					    "running",    "shutting_down", "down",      "mounted"};

	return names[state];
}

int
config_load(const char *root, const char *name, struct config **ret, struct err *err)
{
	(void)root, (void)name, (void)ret, (void)err;
	return 0;
}

void
config_freep(struct config **cfg)
{
	(void)cfg;
}

int
config_index_load(const char *root, struct config_index *ret, struct err *err)
{
	(void)root, (void)err;
	entry.state = host.index_state;
	ret->entries = &entry;
	ret->n = 1;
	return 0;
}

int
config_trylock_zone(const char *root, const char *name, struct config_lock *ret, struct err *err)
{
	(void)root, (void)ret;
	assert_string_equal(name, "web");
	return host.locked ? err_set(err, ZE_BUSY, 0, "locked") : 0;
}

void
config_unlock(struct config_lock *lock)
{
	(void)lock;
}

void
config_index_free(struct config_index *index)
{
	(void)index;
}

const struct config_entry *
config_index_find(const struct config_index *index, const char *name)
{
	return index->n && !strcmp(name, "web") ? &index->entries[0] : NULL;
}

int
runtime_plan_make(const struct runtime_plan_req *req, struct strv *problems, struct strv *warnings,
		  struct runtime_plan **ret, struct err *err)
{
	auto_str struct str what = {0};

	(void)ret;
	assert_int_equal(str_addf(&what, "plan(%s", req->ready_only ? "ready" : "boot"), 0);
	for (size_t i = 0; req->bootargs && req->bootargs[i]; i++)
		assert_int_equal(str_addf(&what, " %s", req->bootargs[i]), 0);
	assert_int_equal(str_addf(&what, "%s)", req->bootargs ? "" : " default"), 0);
	(void)call(what.s, NULL);
	if (host.failing && !strcmp(host.failing, "plan")) {
		assert_int_equal(strv_add(problems, "fs /data: no such directory"), 0);
		assert_int_equal(strv_add(problems, "net eth9: no such link"), 0);
		return err_set(err, ZE_VERIFY, 0, "2 problems");
	}
	assert_int_equal(strv_add(warnings, "no cpu controller"), 0);
	return 0;
}

void
runtime_plan_freep(struct runtime_plan **plan)
{
	(void)plan;
}

int
runtime_ready(const struct runtime_plan *plan, struct runtime **ret, struct err *err)
{
	int r = call("ready", err);

	(void)plan;
	if (r < 0)
		return r;
	*ret = (struct runtime *)&host;
	host.live = ZONE_STATE_READY;
	return 0;
}

int
runtime_start(struct runtime *rt, struct err *err)
{
	int r = call("start", err);

	assert_ptr_equal(rt, &host);
	if (r == 0)
		host.live = ZONE_STATE_RUNNING;
	return r;
}

int
runtime_adopt(const char *name, struct runtime **ret, struct err *err)
{
	int r = call("adopt", err);

	assert_string_equal(name, "web");
	if (r < 0)
		return r;
	if (!host.adoptable)
		return err_set(err, ZE_NOENT, 0, "nothing runs");
	*ret = (struct runtime *)&host;
	return 0;
}

int
runtime_down(const char *name, struct err *err)
{
	int r = call("down", err);

	assert_string_equal(name, "web");
	if (r == 0)
		host.live = ZONE_STATE_INSTALLED;
	return r;
}

void
runtime_free(struct runtime *rt)
{
	(void)rt;
}

int
runtime_status(const char *name, struct runtime_status *ret, struct err *err)
{
	(void)name;
	if (host.live == ZONE_STATE_INSTALLED)
		return err_set(err, ZE_NOENT, 0, "nothing runs");
	ret->state = host.live;
	return 0;
}

int
runtime_init_fd(const struct runtime *rt)
{
	(void)rt;
	return -EBADF;
}

int
runtime_console_fd(const struct runtime *rt)
{
	(void)rt;
	return -EBADF;
}

enum runtime_end
runtime_reap(struct runtime *rt)
{
	assert_ptr_equal(rt, &host);
	return host.end;
}

int
runtime_ask_shutdown(const struct runtime *rt, bool reboot, struct err *err)
{
	(void)rt;
	if (host.deaf)
		return err_set(err, ZE_BUSY, 0, "it has just begun");
	return call(reboot ? "ask-reboot" : "ask-halt", err);
}

/* ---- the world
 * --------------------------------------------------------------------------------------- */

struct world {
	struct zone z;
	struct console c;
	const char *note;
	struct err err;
};

static struct world *world;

static int
setup(void **state)
{
	(void)state;
	memset(&host, 0, sizeof(host));
	host.index_state = host.live = ZONE_STATE_INSTALLED;
	world = calloc(1, sizeof(*world));
	if (!world)
		return -1;
	console_init(&world->c, "web", "/dev/null/log"); /* no log can be made there */
	world->z = (struct zone){.name = "web", .console = &world->c};
	world->z.state = ZONE_STATE_INSTALLED;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	console_close(&world->c);
	str_free(&host.calls);
	free(world);
	return 0;
}

static void
assert_calls(const char *expected)
{
	assert_string_equal(host.calls.s ? host.calls.s : "", expected);
	str_free(&host.calls);
}

static void
assert_note(const char *expected)
{
	assert_string_equal(world->note ? world->note : "", expected);
	world->note = NULL;
}

static void
assert_console_ends(const char *notice)
{
	char tail[512];
	size_t len = strlen(notice);

	assert_true(world->c.head > len + 2);
	for (size_t i = 0; i < len; i++)
		tail[i] = world->c.ring[(world->c.head - 2 - len + i) % CONSOLE_RING_BYTES];
	tail[len] = '\0';
	assert_string_equal(tail, notice);
}

static int
ask(enum control_command command, const char *args)
{
	struct control_request req = {.version = CONTROL_VERSION, .command = command};

	if (args) {
		req.flags = CONTROL_FLAG_BOOTARGS;
		(void)snprintf(req.bootargs, sizeof(req.bootargs), "%s", args);
	}
	return zone_request(&world->z, &req, &world->note, &world->err);
}

/* Bring the zone into a state without anything to check. */
static void
be(enum zone_state state)
{
	host.failing = NULL;
	world->z.state = host.live = state;
	world->z.rt = state >= ZONE_STATE_READY ? (struct runtime *)&host : NULL;
	world->z.shutdown.pending = false;
}

/* ---- tests
 * -------------------------------------------------------------------------------------------- */

static void
every_request_does_in_every_state_what_the_table_says(void **state)
{
	static const struct {
		enum zone_state state;
		enum control_command command;
		const char *calls, *note;
		enum zone_state after;
	} rows[] = {
	    {ZONE_STATE_INSTALLED, CONTROL_READY, "plan(ready default) ready", "",
	     ZONE_STATE_READY},
	    {ZONE_STATE_INSTALLED, CONTROL_BOOT, "plan(boot default) ready start", "",
	     ZONE_STATE_RUNNING},
	    {ZONE_STATE_INSTALLED, CONTROL_HALT, "", "already halted", ZONE_STATE_INSTALLED},
	    {ZONE_STATE_INSTALLED, CONTROL_NOTE_UNINSTALLING, "", "", ZONE_STATE_INSTALLED},
	    {ZONE_STATE_READY, CONTROL_READY, "", "already ready", ZONE_STATE_READY},
	    {ZONE_STATE_READY, CONTROL_BOOT, "start", "", ZONE_STATE_RUNNING},
	    {ZONE_STATE_READY, CONTROL_HALT, "down", "", ZONE_STATE_INSTALLED},
	    {ZONE_STATE_RUNNING, CONTROL_READY, "down plan(ready default) ready", "",
	     ZONE_STATE_READY},
	    {ZONE_STATE_RUNNING, CONTROL_BOOT, "", "already booted", ZONE_STATE_RUNNING},
	    {ZONE_STATE_RUNNING, CONTROL_HALT, "down", "", ZONE_STATE_INSTALLED},
	    {ZONE_STATE_RUNNING, CONTROL_REBOOT, "down plan(boot default) ready start", "",
	     ZONE_STATE_RUNNING},
	    {ZONE_STATE_SHUTTING_DOWN, CONTROL_HALT, "down", "", ZONE_STATE_INSTALLED},
	    {ZONE_STATE_SHUTTING_DOWN, CONTROL_REBOOT, "down plan(boot default) ready start", "",
	     ZONE_STATE_RUNNING},
	    {ZONE_STATE_DOWN, CONTROL_READY, "down plan(ready default) ready", "",
	     ZONE_STATE_READY},
	    {ZONE_STATE_DOWN, CONTROL_BOOT, "down plan(boot default) ready start", "",
	     ZONE_STATE_RUNNING},
	    {ZONE_STATE_DOWN, CONTROL_HALT, "down", "", ZONE_STATE_INSTALLED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		be(rows[i].state);
		if (ask(rows[i].command, NULL) != 0)
			fail_msg("row %zu: %s", i, world->err.msg);
		assert_calls(rows[i].calls);
		assert_note(rows[i].note);
		if (world->z.state != rows[i].after)
			fail_msg("row %zu: the zone is %s", i, zone_state_name(world->z.state));
	}
}

static void
what_is_not_in_the_table_is_refused_by_name(void **state)
{
	static const struct {
		enum zone_state state;
		enum control_command command;
		const char *message;
	} rows[] = {
	    {ZONE_STATE_CONFIGURED, CONTROL_BOOT, "cannot boot while the zone is configured"},
	    {ZONE_STATE_INCOMPLETE, CONTROL_BOOT, "cannot boot while the zone is incomplete"},
	    {ZONE_STATE_CONFIGURED, CONTROL_READY,
	     "cannot make it ready while the zone is "
	     "configured"},
	    {ZONE_STATE_CONFIGURED, CONTROL_HALT, "cannot halt while the zone is configured"},
	    {ZONE_STATE_INSTALLED, CONTROL_REBOOT, "cannot reboot while the zone is installed"},
	    {ZONE_STATE_INSTALLED, CONTROL_SHUTDOWN,
	     "cannot shut down while the zone is "
	     "installed"},
	    {ZONE_STATE_READY, CONTROL_REBOOT, "cannot reboot while the zone is ready"},
	    {ZONE_STATE_READY, CONTROL_SHUTDOWN, "cannot shut down while the zone is ready"},
	    {ZONE_STATE_SHUTTING_DOWN, CONTROL_SHUTDOWN,
	     "cannot shut down while the zone is shutting_down"},
	    {ZONE_STATE_RUNNING, CONTROL_NOTE_UNINSTALLING,
	     "cannot uninstall while the zone is running"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].state <= ZONE_STATE_INSTALLED) {
			be(ZONE_STATE_INSTALLED);
			host.index_state = rows[i].state;
		} else {
			be(rows[i].state);
		}
		assert_int_equal(ask(rows[i].command, NULL), -ZE_STATE);
		assert_string_equal(world->err.msg, rows[i].message);
		assert_calls("");
	}
}

static void
boot_arguments_go_into_the_plan(void **state)
{
	(void)state;
	assert_int_equal(ask(CONTROL_BOOT, " -s  -v "), 0);
	assert_calls("plan(boot -s -v) ready start");
	assert_console_ends("[NOTICE: Zone booting up with arguments:  -s  -v ]");
	assert_int_equal(ask(CONTROL_REBOOT, ""), 0); /* given, and empty: not the property's */
	assert_calls("down plan(boot) ready start");
	be(ZONE_STATE_READY);
	assert_int_equal(ask(CONTROL_BOOT, "-s"), 0); /* the ready zone was planned without them */
	assert_calls("down plan(boot -s) ready start");
}

static void
all_problems_of_a_plan_are_reported(void **state)
{
	(void)state;
	host.failing = "plan";
	assert_int_equal(ask(CONTROL_BOOT, NULL), -ZE_VERIFY);
	assert_string_equal(world->err.msg, "fs /data: no such directory\nnet eth9: no such link");
	assert_int_equal(world->z.state, ZONE_STATE_INSTALLED);
	assert_console_ends("[NOTICE: Zone boot failed]");
}

static void
a_boot_that_fails_leaves_the_zone_installed(void **state)
{
	(void)state;
	host.failing = "ready";
	assert_int_equal(ask(CONTROL_BOOT, NULL), -ZE_IO);
	assert_calls("plan(boot default) ready");
	assert_int_equal(world->z.state, ZONE_STATE_INSTALLED);
	host.failing = "start";
	assert_int_equal(ask(CONTROL_BOOT, NULL), -ZE_IO);
	assert_calls("plan(boot default) ready start down");
	assert_string_equal(world->err.msg, "start: No space left on device");
	assert_int_equal(world->z.state, ZONE_STATE_INSTALLED);
	assert_null(world->z.rt);
	assert_console_ends("[NOTICE: Zone boot failed]");
}

static void
a_reboot_that_fails_leaves_the_zone_installed_and_says_so(void **state)
{
	(void)state;
	be(ZONE_STATE_RUNNING);
	host.failing = "start";
	assert_int_equal(ask(CONTROL_REBOOT, NULL), -ZE_IO);
	assert_calls("down plan(boot default) ready start down");
	assert_int_equal(world->z.state, ZONE_STATE_INSTALLED);
	assert_console_ends("[NOTICE: Zone boot failed]");
}

static void
a_halt_that_fails_can_be_tried_again(void **state)
{
	(void)state;
	be(ZONE_STATE_RUNNING);
	host.live = ZONE_STATE_SHUTTING_DOWN;
	host.failing = "down";
	assert_int_equal(ask(CONTROL_HALT, NULL), -ZE_IO);
	assert_int_equal(world->z.state, ZONE_STATE_SHUTTING_DOWN);
	assert_int_equal(ask(CONTROL_BOOT, NULL), -ZE_IO); /* not over what is left */
	host.failing = NULL;
	str_free(&host.calls);
	assert_int_equal(ask(CONTROL_HALT, NULL), 0);
	assert_calls("down");
	assert_int_equal(world->z.state, ZONE_STATE_INSTALLED);
	assert_console_ends("[NOTICE: Zone halted]");
}

static void
leftovers_of_a_zone_that_is_gone_are_no_clean_halt(void **state)
{
	(void)state;
	be(ZONE_STATE_RUNNING);
	host.live = ZONE_STATE_INSTALLED; /* no process, but a mount that is busy */
	host.failing = "down";
	assert_int_equal(ask(CONTROL_HALT, NULL), -ZE_IO);
	assert_int_equal(world->z.state, ZONE_STATE_DOWN);
}

static void
init_that_halts_or_reboots_is_obeyed(void **state)
{
	(void)state;
	be(ZONE_STATE_RUNNING);
	host.end = RUNTIME_END_REBOOT;
	assert_int_equal(zone_init_ended(&world->z, &world->err), 0);
	assert_calls("down plan(boot default) ready start");
	assert_int_equal(world->z.state, ZONE_STATE_RUNNING);
	host.end = RUNTIME_END_HALT;
	assert_int_equal(zone_init_ended(&world->z, &world->err), 0);
	assert_calls("down");
	assert_int_equal(world->z.state, ZONE_STATE_INSTALLED);
	assert_console_ends("[NOTICE: Zone halted]");
}

static void
while_others_work_on_the_zone_init_ends_later(void **state)
{
	(void)state;
	be(ZONE_STATE_RUNNING);
	host.end = RUNTIME_END_REBOOT;
	host.locked = true;
	assert_int_equal(zone_init_ended(&world->z, &world->err), ZONE_LATER);
	assert_calls("");
	assert_int_equal(world->z.state, ZONE_STATE_SHUTTING_DOWN);
	assert_int_equal(ask(CONTROL_NOTE_UNINSTALLING, NULL), -ZE_STATE);
	host.locked = false;
	assert_int_equal(zone_init_ended(&world->z, &world->err), 0);
	assert_calls("down plan(boot default) ready start");
	/* A command that waits for us has the lock: it is served. */
	host.locked = true;
	assert_int_equal(zone_init_ended(&world->z, &world->err), ZONE_LATER);
	assert_int_equal(ask(CONTROL_HALT, NULL), 0);
	assert_calls("down");
	assert_int_equal(world->z.state, ZONE_STATE_INSTALLED);
}

static void
a_zone_that_only_reboots_is_left_halted(void **state)
{
	(void)state;
	be(ZONE_STATE_RUNNING);
	host.end = RUNTIME_END_REBOOT;
	for (int i = 0; i < 8; i++)
		assert_int_equal(zone_init_ended(&world->z, &world->err), 0);
	str_free(&host.calls);
	assert_int_equal(zone_init_ended(&world->z, &world->err), -ZE_STATE);
	assert_calls("down");
	assert_int_equal(world->z.state, ZONE_STATE_INSTALLED);
	assert_console_ends("[NOTICE: Zone reboots too often; left halted]");
}

static void
shutdown_waits_for_init(void **state)
{
	(void)state;
	be(ZONE_STATE_RUNNING);
	host.end = RUNTIME_END_REBOOT; /* whatever it does, it was asked to halt */
	assert_int_equal(ask(CONTROL_SHUTDOWN, NULL), ZONE_LATER);
	assert_calls("ask-halt");
	assert_int_equal(world->z.state, ZONE_STATE_RUNNING);
	assert_in_range(zone_timeout_ms(&world->z), 1000, CONTROL_TIMEOUT_S * 1000);
	assert_int_equal(zone_tick(&world->z, &world->err), 0);
	assert_int_equal(zone_init_ended(&world->z, &world->err), 0);
	assert_calls("down");
	assert_int_equal(zone_timeout_ms(&world->z), -1);
}

static void
an_init_that_has_just_begun_is_asked_again(void **state)
{
	(void)state;
	be(ZONE_STATE_RUNNING);
	host.deaf = true;
	assert_int_equal(ask(CONTROL_SHUTDOWN, NULL), ZONE_LATER);
	assert_in_range(zone_timeout_ms(&world->z), 1, 1000);
	assert_int_equal(zone_tick(&world->z, &world->err), 0);
	assert_calls("");
	host.deaf = false;
	assert_int_equal(zone_tick(&world->z, &world->err), 0);
	assert_int_equal(zone_tick(&world->z, &world->err), 0);
	assert_calls("ask-halt");
	assert_in_range(zone_timeout_ms(&world->z), 1001, CONTROL_TIMEOUT_S * 1000);
	/* One that never listens takes too long, as any other. */
	host.deaf = true;
	assert_int_equal(ask(CONTROL_SHUTDOWN, NULL), ZONE_LATER);
	world->z.shutdown.deadline_ms = 0;
	assert_int_equal(zone_tick(&world->z, &world->err), -ZE_TIMEOUT);
	/* One that cannot be asked is told. */
	assert_int_equal(ask(CONTROL_SHUTDOWN, NULL), ZONE_LATER);
	host.deaf = false;
	host.failing = "ask-halt";
	assert_int_equal(zone_tick(&world->z, &world->err), -ZE_IO);
	assert_int_equal(zone_timeout_ms(&world->z), -1);
}

static void
shutdown_with_reboot_boots_again_with_its_arguments(void **state)
{
	struct control_request req = {
	    .version = CONTROL_VERSION,
	    .command = CONTROL_SHUTDOWN,
	    .flags = CONTROL_FLAG_REBOOT | CONTROL_FLAG_BOOTARGS,
	    .bootargs = "-s",
	};

	(void)state;
	be(ZONE_STATE_RUNNING);
	host.end = RUNTIME_END_HALT;
	assert_int_equal(zone_request(&world->z, &req, &world->note, &world->err), ZONE_LATER);
	assert_calls("ask-reboot");
	assert_int_equal(zone_init_ended(&world->z, &world->err), 0);
	assert_calls("down plan(boot -s) ready start");
}

static void
a_shutdown_that_takes_too_long_fails_and_kills_nothing(void **state)
{
	(void)state;
	be(ZONE_STATE_RUNNING);
	assert_int_equal(ask(CONTROL_SHUTDOWN, NULL), ZONE_LATER);
	world->z.shutdown.deadline_ms = 0;
	assert_int_equal(zone_timeout_ms(&world->z), 0);
	assert_int_equal(zone_tick(&world->z, &world->err), -ZE_TIMEOUT);
	assert_non_null(strstr(world->err.msg, "within 100 seconds"));
	assert_calls("ask-halt");
	assert_int_equal(world->z.state, ZONE_STATE_RUNNING);
	assert_int_equal(zone_tick(&world->z, &world->err), 0); /* said once */
}

static void
a_halt_ends_the_waiting_for_a_shutdown(void **state)
{
	(void)state;
	be(ZONE_STATE_RUNNING);
	assert_int_equal(ask(CONTROL_SHUTDOWN, NULL), ZONE_LATER);
	assert_int_equal(ask(CONTROL_HALT, NULL), 0);
	assert_false(world->z.shutdown.pending);
}

static void
a_daemon_that_starts_takes_over_or_clears_away(void **state)
{
	(void)state;
	host.adoptable = true;
	host.live = ZONE_STATE_RUNNING;
	assert_int_equal(zone_adopt(&world->z, &world->err), 0);
	assert_calls("adopt");
	assert_int_equal(world->z.state, ZONE_STATE_RUNNING);

	be(ZONE_STATE_INSTALLED);
	host.adoptable = false;
	assert_int_equal(zone_adopt(&world->z, &world->err), 0);
	assert_calls("adopt down");
	assert_int_equal(world->z.state, ZONE_STATE_INSTALLED);

	host.failing = "down"; /* it serves all the same: halt can be asked for */
	assert_int_equal(zone_adopt(&world->z, &world->err), 0);
	assert_int_equal(world->z.state, ZONE_STATE_DOWN);
	str_free(&host.calls);

	host.failing = "adopt";
	assert_int_equal(zone_adopt(&world->z, &world->err), -ZE_IO);
	assert_calls("adopt");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(every_request_does_in_every_state_what_the_table_says),
	    TEST(what_is_not_in_the_table_is_refused_by_name),
	    TEST(boot_arguments_go_into_the_plan),
	    TEST(all_problems_of_a_plan_are_reported),
	    TEST(a_boot_that_fails_leaves_the_zone_installed),
	    TEST(a_reboot_that_fails_leaves_the_zone_installed_and_says_so),
	    TEST(a_halt_that_fails_can_be_tried_again),
	    TEST(leftovers_of_a_zone_that_is_gone_are_no_clean_halt),
	    TEST(init_that_halts_or_reboots_is_obeyed),
	    TEST(while_others_work_on_the_zone_init_ends_later),
	    TEST(a_zone_that_only_reboots_is_left_halted),
	    TEST(shutdown_waits_for_init),
	    TEST(an_init_that_has_just_begun_is_asked_again),
	    TEST(shutdown_with_reboot_boots_again_with_its_arguments),
	    TEST(a_shutdown_that_takes_too_long_fails_and_kills_nothing),
	    TEST(a_halt_ends_the_waiting_for_a_shutdown),
	    TEST(a_daemon_that_starts_takes_over_or_clears_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What is let through from a socket: requests, replies, the console handshake. */
#include "base/err.h"
#include "base/fd.h"
#include "control/control.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static const struct control_request good_boot = {
    .version = CONTROL_VERSION,
    .command = CONTROL_BOOT,
    .flags = CONTROL_FLAG_BOOTARGS,
    .bootargs = "-s -v",
};

static void
assert_refused(const struct control_request *req, enum ze code, const char *why)
{
	struct control_request got = {0};
	struct err err;

	assert_int_equal(control_request_check(req, sizeof(*req), &got, &err), -(int)code);
	if (!strstr(err.msg, why))
		fail_msg("'%s' does not say '%s'", err.msg, why);
	assert_int_equal(got.version, 0); /* nothing is handed out */
}

static void
a_good_request_passes(void **state)
{
	struct control_request got;
	struct err err;

	(void)state;
	assert_int_equal(control_request_check(&good_boot, sizeof(good_boot), &got, &err), 0);
	assert_memory_equal(&got, &good_boot, sizeof(got));
}

static void
a_request_of_another_size_is_refused(void **state)
{
	char buf[sizeof(good_boot) + 1] = {0};
	struct control_request got;
	struct err err;

	(void)state;
	memcpy(buf, &good_boot, sizeof(good_boot));
	assert_int_equal(control_request_check(buf, sizeof(buf), &got, &err), -ZE_FORMAT);
	assert_int_equal(control_request_check(buf, sizeof(good_boot) - 1, &got, &err), -ZE_FORMAT);
	assert_int_equal(control_request_check(buf, 0, &got, &err), -ZE_FORMAT);
	assert_string_equal(err.msg, "malformed request: its size");
}

static void
another_version_is_told_apart_from_rubbish(void **state)
{
	struct control_request req = good_boot;

	(void)state;
	req.version = CONTROL_VERSION + 1;
	assert_refused(&req, ZE_NOTSUP, "version 2, expected 1");
}

static void
every_field_is_checked(void **state)
{
	struct control_request req;

	(void)state;
	req = good_boot;
	req.command = 0;
	assert_refused(&req, ZE_FORMAT, "no such command");
	req.command = CONTROL_COMMAND_COUNT;
	assert_refused(&req, ZE_FORMAT, "no such command");
	req.command = UINT32_MAX;
	assert_refused(&req, ZE_FORMAT, "no such command");

	req = good_boot;
	req.flags |= CONTROL_FLAG_REBOOT;
	assert_refused(&req, ZE_FORMAT, "flags");
	req.flags = 1U << 31;
	assert_refused(&req, ZE_FORMAT, "flags");
	req = good_boot;
	req.command = CONTROL_HALT;
	assert_refused(&req, ZE_FORMAT, "flags");

	req = good_boot;
	req.timeout_s = 1;
	assert_refused(&req, ZE_FORMAT, "time-out");
	req.command = CONTROL_SHUTDOWN;
	req.timeout_s = CONTROL_TIMEOUT_MAX + 1;
	assert_refused(&req, ZE_FORMAT, "time-out");

	req = good_boot;
	req.flags = 0;
	assert_refused(&req, ZE_FORMAT, "without their flag");
	req = good_boot;
	req.bootargs[1] = '\n';
	assert_refused(&req, ZE_FORMAT, "control characters");
	req = good_boot;
	req.pad[2] = 1;
	assert_refused(&req, ZE_FORMAT, "padding");
}

static void
boot_arguments_without_an_end_are_refused(void **state)
{
	struct control_request req = good_boot;

	(void)state;
	memset(req.bootargs, 'a', sizeof(req.bootargs));
	assert_refused(&req, ZE_FORMAT, "without an end");
	req.bootargs[CONTROL_BOOTARGS_MAX] = '\0';
	assert_int_equal(control_request_check(&req, sizeof(req), &req, NULL), 0);
}

static void
socket_pair(int pair[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
}

static void
a_request_and_its_reply_cross_a_socket(void **state)
{
	struct control_request req = {.command = CONTROL_HALT}, got;
	char note[CONTROL_TEXT_MAX] = "old";
	struct err cause, err;
	int pair[2];

	(void)state;
	socket_pair(pair);
	assert_int_equal(control_send(pair[0], &req, &err), 0);
	assert_int_equal(control_recv(pair[1], &got, &err), 0);
	assert_int_equal(got.command, CONTROL_HALT);
	assert_int_equal(got.version, CONTROL_VERSION);

	assert_int_equal(control_reply(pair[1], NULL, "already halted", &err), 0);
	assert_int_equal(control_wait(pair[0], note, &err), 0);
	assert_string_equal(note, "already halted");

	(void)err_set(&cause, ZE_STORAGE, 28, "mount '/zones/a'");
	assert_int_equal(control_reply(pair[1], &cause, NULL, &err), 0);
	assert_int_equal(control_wait(pair[0], note, &err), -ZE_STORAGE);
	assert_string_equal(err.msg, "mount '/zones/a': No space left on device");
	assert_int_equal(err.os_errno, 28);
	assert_string_equal(note, "");
	(void)fd_close(pair[0]);
	(void)fd_close(pair[1]);
}

static void
a_longer_packet_is_not_cut_to_size(void **state)
{
	char buf[sizeof(good_boot) + 4] = {0};
	struct control_request got;
	struct err err;
	int pair[2];

	(void)state;
	socket_pair(pair);
	memcpy(buf, &good_boot, sizeof(good_boot));
	assert_int_equal(send(pair[0], buf, sizeof(buf), 0), sizeof(buf));
	assert_int_equal(control_recv(pair[1], &got, &err), -ZE_FORMAT);
	(void)fd_close(pair[0]);
	assert_int_equal(control_recv(pair[1], &got, &err), -ZE_NOENT);
	(void)fd_close(pair[1]);
}

static void
a_daemon_that_dies_is_an_error_of_its_own(void **state)
{
	struct err err;
	int pair[2];

	(void)state;
	socket_pair(pair);
	(void)fd_close(pair[1]);
	assert_int_equal(control_wait(pair[0], NULL, &err), -ZE_IO);
	assert_non_null(strstr(err.msg, "ended before it answered"));
	(void)fd_close(pair[0]);
}

static void
a_reply_is_checked_too(void **state)
{
	struct control_reply reply = {.version = CONTROL_VERSION}, got;
	struct err err;

	(void)state;
	assert_int_equal(control_reply_check(&reply, sizeof(reply), &got, &err), 0);
	reply.result = 1;
	assert_int_equal(control_reply_check(&reply, sizeof(reply), &got, &err), -ZE_FORMAT);
	reply.result = INT32_MIN;
	assert_int_equal(control_reply_check(&reply, sizeof(reply), &got, &err), -ZE_FORMAT);
	reply.result = -ZE_PKG;
	assert_int_equal(control_reply_check(&reply, sizeof(reply), &got, &err), 0);
	reply.os_errno = -1;
	assert_int_equal(control_reply_check(&reply, sizeof(reply), &got, &err), -ZE_FORMAT);
	reply.os_errno = 0;
	memset(reply.note, 'x', sizeof(reply.note));
	assert_int_equal(control_reply_check(&reply, sizeof(reply), &got, &err), -ZE_FORMAT);
	assert_int_equal(control_reply_check(&reply, 5, &got, &err), -ZE_FORMAT);
}

static void
the_console_handshake_is_one_exact_line(void **state)
{
	static const char *const bad[] = {
	    "",
	    "IDENT",
	    "IDENT 12",
	    "IDENT 12 C",
	    "IDENT 12 C 2",
	    "IDENT 12 C 1 ",
	    "IDENT 12 C 1x",
	    "IDENT 0 C 1",
	    "IDENT -4 C 1",
	    "IDENT 12345678901 C 1",
	    "ident 12 C 1",
	    "IDENT 12 C\t1",
	    /* more letters than a locale may have */
	    ("IDENT 12 "
	     "CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC 1"),
	};
	struct control_ident ident;
	struct err err;

	(void)state;
	assert_int_equal(control_ident_parse("IDENT 4711 C.UTF-8 1", &ident, &err), 0);
	assert_int_equal(ident.pid, 4711);
	assert_true(ident.leave_at_halt);
	assert_int_equal(control_ident_parse("IDENT 1 C 0", &ident, &err), 0);
	assert_false(ident.leave_at_halt);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (control_ident_parse(bad[i], &ident, &err) != -ZE_FORMAT)
			fail_msg("accepted: '%s'", bad[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_good_request_passes),
	    cmocka_unit_test(a_request_of_another_size_is_refused),
	    cmocka_unit_test(another_version_is_told_apart_from_rubbish),
	    cmocka_unit_test(every_field_is_checked),
	    cmocka_unit_test(boot_arguments_without_an_end_are_refused),
	    cmocka_unit_test(a_request_and_its_reply_cross_a_socket),
	    cmocka_unit_test(a_longer_packet_is_not_cut_to_size),
	    cmocka_unit_test(a_daemon_that_dies_is_an_error_of_its_own),
	    cmocka_unit_test(a_reply_is_checked_too),
	    cmocka_unit_test(the_console_handshake_is_one_exact_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

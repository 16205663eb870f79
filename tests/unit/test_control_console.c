/* SPDX-License-Identifier: Apache-2.0 */
/* zoneadmd's console, with a pty in the place of a zone and sockets in the place of clients. */
#include "base/err.h"
#include "base/fd.h"
#include "base/path.h"
#include "zoneadmd/zoneadmd.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

struct world {
	struct console c;
	char dir[64];
	int master_fd, slave_fd;
};

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct termios raw;

	if (!w)
		return -1;
	(void)snprintf(w->dir, sizeof(w->dir), "/tmp/test_console.XXXXXX");
	if (!mkdtemp(w->dir) || openpty(&w->master_fd, &w->slave_fd, NULL, NULL, NULL) < 0 ||
	    tcgetattr(w->slave_fd, &raw) < 0)
		return -1;
	cfmakeraw(&raw);
	if (tcsetattr(w->slave_fd, TCSANOW, &raw) < 0)
		return -1;
	console_init(&w->c, "web", w->dir);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	console_close(&w->c);
	(void)fd_close(w->slave_fd);
	(void)fd_close(w->master_fd);
	(void)path_rm_tree_at(AT_FDCWD, w->dir, NULL);
	free(w);
	return 0;
}

/* Turn the loop until nothing happens any more. */
static void
turn(struct world *w)
{
	struct pollfd fds[CONSOLE_POLL_MAX];

	for (int i = 0; i < 10000; i++) {
		console_poll(&w->c, fds);
		if (poll(fds, CONSOLE_POLL_MAX, 20) <= 0)
			return;
		console_handle(&w->c, fds);
	}
	fail_msg("the loop does not come to rest");
}

static int
connect_client(struct world *w, const char *ident)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	console_accept(&w->c, pair[1]);
	/* Who is sent away at once cannot be written to. */
	(void)!send(pair[0], ident, strlen(ident), MSG_NOSIGNAL);
	turn(w);
	return pair[0];
}

static void
assert_reads(int fd, const char *expected)
{
	char buf[8192];
	ssize_t n;

	n = read(fd, buf, sizeof(buf) - 1);
	buf[n > 0 ? n : 0] = '\0';
	assert_string_equal(buf, expected);
}

static void
zone_prints(struct world *w, const char *text)
{
	assert_int_equal(write(w->slave_fd, text, strlen(text)), strlen(text));
	turn(w);
}

static void
assert_log(const struct world *w, const char *suffix, const char *expected)
{
	auto_free char *buf = NULL;
	char path[128];
	size_t size;

	(void)snprintf(path, sizeof(path), "%s/web.console%s", w->dir, suffix);
	assert_int_equal(path_file_read(path, 16 << 20, &buf, &size, NULL), 0);
	assert_string_equal(buf, expected);
}

static void
a_client_types_to_the_zone_and_sees_its_output(void **state)
{
	struct world *w = *state;
	int fd;

	console_attach(&w->c, w->master_fd);
	/* What comes behind the handshake's newline is typed. */
	fd = connect_client(w, "IDENT 77 C 0\nls\n");
	assert_reads(fd, "OK\n");
	assert_reads(w->slave_fd, "ls\n");
	zone_prints(w, "files\n");
	assert_reads(fd, "files\n");
	assert_log(w, "", "files\n");
	(void)close(fd);
	turn(w);
	assert_false(console_busy(&w->c));
}

static void
a_second_client_is_told_who_has_the_console(void **state)
{
	struct world *w = *state;
	int first, second;

	first = connect_client(w, "IDENT 77 C 0\n");
	assert_reads(first, "OK\n");
	second = connect_client(w, "IDENT 78 C 0\n");
	assert_reads(second, "77\n");
	assert_int_equal(read(second, &(char){0}, 1), 0); /* and sent away */
	(void)close(second);
	(void)close(first);
	turn(w);
	first = connect_client(w, "IDENT 79 C 0\n");
	assert_reads(first, "OK\n");
	(void)close(first);
}

static void
a_client_without_a_proper_handshake_is_sent_away(void **state)
{
	static const char *const bad[] = {
	    "hello\n", "IDENT 1 C 7\n",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaa"};
	struct world *w = *state;
	char byte;
	int fd;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fd = connect_client(w, bad[i]);
		assert_true(read(fd, &byte, 1) == 0 || errno == ECONNRESET);
		(void)close(fd);
		assert_false(console_busy(&w->c));
	}
	/* No more than a few may dally. */
	for (int i = 0; i < CONSOLE_NEW_MAX; i++)
		(void)connect_client(w, "IDENT");
	fd = connect_client(w, "IDENT");
	assert_true(read(fd, &byte, 1) == 0 || errno == ECONNRESET);
	(void)close(fd);
}

static void
a_new_client_sees_the_last_lines(void **state)
{
	struct world *w = *state;
	int fd;

	console_attach(&w->c, w->master_fd);
	zone_prints(w, "login: ");
	fd = connect_client(w, "IDENT 77 C 0\n");
	assert_reads(fd, "OK\nlogin: ");
	(void)close(fd);
	turn(w);
	for (int i = 0; i < 64; i++)
		zone_prints(
		    w, "0123456\n0123456\n0123456\n0123456\n0123456\n0123456\n0123456\n0123456\n"
		       "0123456\n0123456\n0123456\n0123456\n0123456\n0123456\n0123456\n0123456\n");
	fd = connect_client(w, "IDENT 77 C 0\n");
	{
		char buf[8192];
		ssize_t n = read(fd, buf, sizeof(buf));

		assert_in_range(n, CONSOLE_SCROLLBACK - 16, CONSOLE_SCROLLBACK + 3);
		assert_memory_equal(buf, "OK\n0123456\n", 11);
	}
	(void)close(fd);
}

static void
a_client_that_does_not_read_does_not_stop_the_zone(void **state)
{
	struct world *w = *state;
	char block[1024];
	size_t got = 0;
	ssize_t n;
	int fd;

	console_attach(&w->c, w->master_fd);
	fd = connect_client(w, "IDENT 77 C 0\n");
	memset(block, 'x', sizeof(block));
	for (int i = 0; i < 2048; i++) {
		struct pollfd fds[CONSOLE_POLL_MAX];

		assert_int_equal(write(w->slave_fd, block, sizeof(block)), sizeof(block));
		console_poll(&w->c, fds);
		assert_true(poll(fds, CONSOLE_POLL_MAX, 1000) > 0);
		console_handle(&w->c, fds);
	}
	console_notice(&w->c, "the end");
	do {
		char buf[65536];

		n = read(fd, buf, sizeof(buf));
		got += n > 0 ? (size_t)n : 0;
		turn(w);
		if (n > 10)
			assert_true(memcmp(buf + n - 10, "xxxxxxxxxx", 10) == 0 ||
				    memcmp(buf + n - 10, "the end]\r\n", 10) == 0);
	} while (n > 0);
	assert_true(got > CONSOLE_RING_BYTES && got < 2048 * sizeof(block));
	(void)close(fd);
}

static void
the_log_is_bounded_and_the_old_part_kept(void **state)
{
	struct world *w = *state;
	char block[4096], path[128];
	struct stat st;

	memset(block, 'a', sizeof(block));
	block[sizeof(block) - 1] = '\0';
	console_attach(&w->c, w->master_fd);
	for (int i = 0; i < 3 * CONSOLE_LOG_BYTES / 4096; i++) {
		struct pollfd fds[CONSOLE_POLL_MAX];

		assert_int_equal(write(w->slave_fd, block, 2048), 2048);
		console_poll(&w->c, fds);
		(void)poll(fds, CONSOLE_POLL_MAX, 1000);
		console_handle(&w->c, fds);
	}
	turn(w);
	(void)snprintf(path, sizeof(path), "%s/web.console", w->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_in_range(st.st_size, 1, CONSOLE_LOG_BYTES + 4096);
	assert_int_equal(st.st_mode & 07777, 0600);
	(void)snprintf(path, sizeof(path), "%s/web.console.old", w->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_in_range(st.st_size, CONSOLE_LOG_BYTES, CONSOLE_LOG_BYTES + 4096);
}

static void
a_log_that_cannot_be_written_is_done_without(void **state)
{
	struct world *w = *state;
	char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/web.console", w->dir);
	assert_int_equal(symlink("/dev/null", path), 0); /* never followed */
	console_attach(&w->c, w->master_fd);
	zone_prints(w, "hello");
	fd = connect_client(w, "IDENT 77 C 0\n");
	assert_reads(fd, "OK\nhello");
	(void)close(fd);
}

static void
notices_stand_on_lines_of_their_own(void **state)
{
	struct world *w = *state;

	console_notice(&w->c, "Zone booting up with arguments: %s", "-s");
	assert_log(w, "", "\r\n[NOTICE: Zone booting up with arguments: -s]\r\n");
}

static void
the_console_outlives_the_zone(void **state)
{
	struct world *w = *state;
	int fd, stay;

	console_attach(&w->c, w->master_fd);
	fd = connect_client(w, "IDENT 77 C 1\n");
	assert_reads(fd, "OK\n");
	assert_int_equal(write(w->slave_fd, "bye", 3), 3);
	console_detach(&w->c); /* what was printed last is not lost */
	console_notice(&w->c, "Zone halted");
	console_halted(&w->c);
	assert_reads(fd, "bye\r\n[NOTICE: Zone halted]\r\n");
	assert_int_equal(read(fd, &(char){0}, 1), 0); /* it wanted to leave at halt */
	(void)close(fd);

	stay = connect_client(w, "IDENT 78 C 0\n");
	console_halted(&w->c);
	assert_true(console_busy(&w->c));
	/* Typed to no zone: taken and dropped, not kept for the next. */
	assert_int_equal(write(stay, "x", 1), 1);
	turn(w);
	console_attach(&w->c, w->master_fd);
	turn(w);
	assert_int_equal(w->c.typed_len, 0);
	(void)close(stay);
}

static void
nobody_on_the_zones_side_is_no_hang_up(void **state)
{
	struct world *w = *state;

	console_attach(&w->c, w->master_fd);
	w->slave_fd = fd_close(w->slave_fd);
	turn(w); /* would not come to rest */
	assert_int_equal(w->c.master_fd, w->master_fd);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(a_client_types_to_the_zone_and_sees_its_output),
	    TEST(a_second_client_is_told_who_has_the_console),
	    TEST(a_client_without_a_proper_handshake_is_sent_away),
	    TEST(a_new_client_sees_the_last_lines),
	    TEST(a_client_that_does_not_read_does_not_stop_the_zone),
	    TEST(the_log_is_bounded_and_the_old_part_kept),
	    TEST(a_log_that_cannot_be_written_is_done_without),
	    TEST(notices_stand_on_lines_of_their_own),
	    TEST(the_console_outlives_the_zone),
	    TEST(nobody_on_the_zones_side_is_no_hang_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

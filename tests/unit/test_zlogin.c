/* SPDX-License-Identifier: Apache-2.0 */
/* What the user types, and which program a request becomes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/str.h"
#include "zlogin/zlogin.h"

#include <stdlib.h>
#include <string.h>

/* Feeds @in in pieces of @piece bytes; returns what reached the zone, "!" appended for leaving. */
static char *
typed(struct escape *escape, const char *in, size_t piece)
{
	char *out = calloc(1, strlen(in) + 2);
	bool leave = false;
	size_t len = 0, n;

	assert_non_null(out);
	for (; *in && !leave; in += n) {
		n = strlen(in) < piece ? strlen(in) : piece;
		len += escape_feed(escape, (const unsigned char *)in, n, (unsigned char *)out + len,
				   &leave);
	}
	if (leave)
		out[len] = '!';
	return out;
}

static void
assert_typed(int ch, const char *in, const char *expected)
{
	for (size_t piece = 1; piece <= 4; piece++) {
		struct escape escape = {.ch = ch, .ends = {3, 21}, .n_ends = 2, .eof = 4};
		auto_free char *got = typed(&escape, in, piece);

		assert_string_equal(got, expected);
	}
}

static void
escapes_count_at_the_beginning_of_a_line_only(void **state)
{
	(void)state;
	assert_typed('~', "~.", "!");
	assert_typed('~', "ls\r~.rest", "ls\r!");
	assert_typed('~', "ls\n~\004", "ls\n!");
	assert_typed('~', "ls~.", "ls~.");
	assert_typed('~', "ab\003~.", "ab\003!");
	assert_typed('~', "ab\025~.", "ab\025!");
}

static void
an_escape_sends_itself_once_and_other_characters_without_it(void **state)
{
	(void)state;
	assert_typed('~', "~~", "~");
	assert_typed('~', "~~.", "~.");
	assert_typed('~', "~x~.", "x~.");
	assert_typed('~', "~\r~.", "\r!");
}

static void
the_escape_character_can_be_changed_or_taken_away(void **state)
{
	(void)state;
	assert_typed('!', "~.\r!.", "~.\r!");
	assert_typed(-1, "~.\r~.", "~.\r~.");
}

static void
assert_direct(const char *text, const char *expected)
{
	struct command command = {0};
	auto_str struct str got = {0};

	if (command_direct(text, &command)) {
		for (size_t i = 0; command.argv[i]; i++)
			assert_int_equal(str_addf(&got, "[%s]", command.argv[i]), 0);
	}
	free(command.words);
	assert_string_equal(got.s ? got.s : "", expected);
}

static void
plain_words_need_no_shell(void **state)
{
	(void)state;
	assert_direct("true", "[true]");
	assert_direct("  systemctl   is-system-running ", "[systemctl][is-system-running]");
	assert_direct("/bin/ls -l /etc", "[/bin/ls][-l][/etc]");
}

static void
what_means_something_to_a_shell_gets_one(void **state)
{
	static const char *const texts[] = {
	    "echo x",  "a;b",    "a|b",  "a&",   "a>b",    "$HOME",   "`a`", "a*",  "~",
	    "A=1 b",   "'a b'",  "a\\b", "a\nb", "a\tb",   "(a)",     "{a}", "[a]", "#a",
	    "cd /tmp", "kill 1", "",     "  ",   "exec a", "a \"b\"", "!a",  "a?",  "test a",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_direct(texts[i], "");
	assert_direct("a 1 2 3 4 5 6 7 8 9", "");
}

static void
assert_quoted(char *const *operands, int n, const char *expected)
{
	auto_free char *got = command_quote(operands, n);

	assert_string_equal(got, expected);
}

static void
several_operands_keep_their_blanks(void **state)
{
	char a[] = "echo", b[] = "a b", c[] = "it's", d[] = "", e[] = "$X", f[] = "a  $(b)";
	char *several[] = {a, b, c, d, e}, *one[] = {f};

	(void)state;
	assert_quoted(several, 5, "echo 'a b' 'it'\\''s' '' $X");
	assert_quoted(one, 1, "a  $(b)");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(escapes_count_at_the_beginning_of_a_line_only),
	    cmocka_unit_test(an_escape_sends_itself_once_and_other_characters_without_it),
	    cmocka_unit_test(the_escape_character_can_be_changed_or_taken_away),
	    cmocka_unit_test(plain_words_need_no_shell),
	    cmocka_unit_test(what_means_something_to_a_shell_gets_one),
	    cmocka_unit_test(several_operands_keep_their_blanks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "zonecfg/parse.h"

#include <string.h>

/* A command in one canonical form: word, then each argument in brackets of its own. */
static void
render(const struct call *call, struct str *out)
{
	assert_int_equal(str_addf(out, "%s", call->word), 0);
	for (size_t i = 0; i < call->n; i++) {
		const struct call_arg *arg = &call->args[i];

		(void)str_addf(out, " {%s%s", arg->name ? arg->name : "", arg->name ? "=" : "");
		if (arg->is_list)
			(void)str_addf(out, "list:");
		if (arg->is_complex)
			(void)str_addf(out, "complex:");
		for (size_t k = 0; k < arg->values.n; k++)
			(void)str_addf(out, "%s<%s>", k ? "," : "", arg->values.v[k]);
		(void)str_addf(out, "}");
	}
	(void)str_addf(out, ";");
}

static void
expect(const char *line, const char *commands)
{
	struct lexer lx = {.line = line};
	auto_str struct str out = {0};
	struct err err = {0};
	int r;

	for (;;) {
		auto_call struct call call = {0};

		r = parse_next(&lx, &call, &err);
		if (r <= 0)
			break;
		render(&call, &out);
	}
	if (r < 0)
		(void)str_addf(&out, "%s", err.msg);
	assert_string_equal(out.s ? out.s : "", commands);
}

static void
commands_are_separated_by_semicolons(void **state)
{
	(void)state;
	expect("", "");
	expect(" ; ;\t", "");
	expect("add fs; end", "add {<fs>};end;");
	expect("verify;commit;", "verify;commit;");
}

static void
comments_begin_only_where_commands_do(void **state)
{
	(void)state;
	expect("# add fs; end", "");
	expect("end;# add fs; end", "end;");
	expect("set pool=a#b # c", "set {pool=<a#b>} {<#>} {<c>};");
}

static void
values_may_be_spelled_like_keywords(void **state)
{
	(void)state;
	expect("set add=set", "set {add=<set>};");
	expect("add add", "add {<add>};");
}

static void
blanks_around_equals_do_not_matter(void **state)
{
	(void)state;
	expect("set a = b", "set {a=<b>};");
	expect("set a= b c =d", "set {a=<b>} {c=<d>};");
}

static void
quotes_hold_anything_and_end_with_the_line(void **state)
{
	(void)state;
	expect("set a=\"b; c = [d] (e), # f\"", "set {a=<b; c = [d] (e), # f>};");
	expect("set a=\"\"", "set {a=<>};");
	expect("set a=\"b; c", "set {a=<b; c>};");
	expect("set a=b\"c\"d", "set {a=<b>} {<c>} {<d>};");
	expect("\"set\" a=b", "syntax error at 'set': a command was expected");
}

static void
commas_separate_only_in_lists(void **state)
{
	(void)state;
	expect("set a=b,c", "set {a=<b,c>};");
	expect("set a=[b,c]", "set {a=list:<b>,<c>};");
	expect("set a=[ b , \"c,d\" ]", "set {a=list:<b>,<c,d>};");
	expect("set a=[]", "set {a=list:};");
	expect("add a [b]", "add {<a>} {list:<b>};");
}

static void
complex_values_get_one_form(void **state)
{
	(void)state;
	expect("add value (a=b,c=d)", "add {<value>} {complex:<(a=b,c=d)>};");
	expect("add value ( a = b , c = [d] )", "add {<value>} {complex:<(a=b,c=[d])>};");
	expect("set value=[(a=1),(b=\"2 3\")]", "set {value=list:complex:<(a=1)>,<(b=2 3)>};");
}

static void
mistakes_name_the_token(void **state)
{
	(void)state;
	expect("end; set a=", "end;syntax error at the end of the command: a value was expected");
	expect("set a==b", "syntax error at '=': a value that holds '=' must be in quotes");
	expect("set a=[b c]", "syntax error at 'c': ',' or ']' was expected");
	expect("set a=[b,(c=d)]", "syntax error at '(': a list holds values of one kind");
	expect("set a=[b,]", "syntax error at ']': a value was expected in [value,...]");
	expect("set a=(b=\"c)\")", "syntax error at 'c)': not possible in (name=value,...)");
	expect("set a=(b", "syntax error at the end of the command: '=' was expected in "
			   "(name=value,...)");
	expect("[", "syntax error at '[': a command was expected");
	expect(")", "syntax error at ')': a command was expected");
}

static void
expect_line(const char *line, size_t len, const char *message)
{
	struct err err = {0};
	int r;

	r = lex_check_line(line, len, &err);
	assert_int_equal(r, *message ? -ZE_INVAL : 0);
	assert_string_equal(err.msg, message);
}

#define EXPECT_LINE(text, message) expect_line(text, sizeof(text) - 1, message)

static void
lines_that_are_not_text_are_refused(void **state)
{
	(void)state;
	EXPECT_LINE("a\tb\r", "");
	EXPECT_LINE("\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80", "");
	EXPECT_LINE("a\0b", "the line has a control character (byte 2 is 0x00)");
	EXPECT_LINE("\x1b[2J", "the line has a control character (byte 1 is 0x1b)");
	EXPECT_LINE("\x7f", "the line has a control character (byte 1 is 0x7f)");
	EXPECT_LINE("ab\xff", "the line is not valid UTF-8 (byte 3 is 0xff)");
	EXPECT_LINE("\xc0\x80", "the line is not valid UTF-8 (byte 1 is 0xc0)");
	EXPECT_LINE("\xe0\x80\x80", "the line is not valid UTF-8 (byte 1 is 0xe0)");
	EXPECT_LINE("\xed\xa0\x80", "the line is not valid UTF-8 (byte 1 is 0xed)");
	EXPECT_LINE("\xf4\x90\x80\x80", "the line is not valid UTF-8 (byte 1 is 0xf4)");
	EXPECT_LINE("\xe2\x82", "the line is not valid UTF-8 (byte 1 is 0xe2)");
}

static void
words_that_need_quotes_are_known(void **state)
{
	(void)state;
	assert_true(lex_is_plain_word("192.0.2.1/24"));
	assert_false(lex_is_plain_word(""));
	for (const char *p = " \t;=[](),\"#"; *p; p++)
		assert_false(lex_is_plain_word((char[]){'a', *p, '\0'}));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(commands_are_separated_by_semicolons),
	    cmocka_unit_test(comments_begin_only_where_commands_do),
	    cmocka_unit_test(values_may_be_spelled_like_keywords),
	    cmocka_unit_test(blanks_around_equals_do_not_matter),
	    cmocka_unit_test(quotes_hold_anything_and_end_with_the_line),
	    cmocka_unit_test(commas_separate_only_in_lists),
	    cmocka_unit_test(complex_values_get_one_form),
	    cmocka_unit_test(mistakes_name_the_token),
	    cmocka_unit_test(lines_that_are_not_text_are_refused),
	    cmocka_unit_test(words_that_need_quotes_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

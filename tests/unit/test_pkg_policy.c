/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/dpkg_priv.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

static struct err err;

static int
parse(const char *text, struct dpkg_policy *ret)
{
	return dpkg_policy_parse("p.conf", text, strlen(text), ret, &err);
}

static void
the_built_in_policy_is_valid(void **state)
{
	auto_dpkg_policy struct dpkg_policy policy = {0};

	(void)state;
	if (dpkg_policy_read(NULL, &policy, &err) < 0)
		fail_msg("%s", err.msg);
	assert_non_null(dpkg_policy_set(&policy, "default"));
	assert_true(policy.n_rules > 50);
}

static void
a_missing_file_means_the_built_in_policy(void **state)
{
	auto_dpkg_policy struct dpkg_policy policy = {0};

	(void)state;
	assert_int_equal(dpkg_policy_read("/nonexistent/packages.conf", &policy, &err), 0);
	assert_string_equal(policy.file, "the built-in packages.conf");
}

static void
every_statement_is_understood(void **state)
{
	auto_dpkg_policy struct dpkg_policy policy = {0};

	(void)state;
	assert_int_equal(parse("set default = @essential a @mine # comment\n"
			       "set mine = b c*\n"
			       "include d e\n"
			       "exclude f\n"
			       "\tglobal  g-*\n"
			       "conffile keep /etc/x/*\n"
			       "file exclude /usr/share/doc/*",
			       &policy),
			 0);
	assert_int_equal(policy.n_sets, 2);
	assert_int_equal(dpkg_policy_set(&policy, "mine")->n, 2);
	assert_int_equal(policy.n_rules, 4);
	assert_string_equal(policy.rules[3].word, "g-*");
	assert_int_equal(policy.rules[3].verb, DPKG_GLOBAL);
	assert_int_equal(policy.rules[3].line, 5);
	assert_string_equal(policy.keep_conffiles.v[0], "/etc/x/*");
	assert_string_equal(policy.exclude_files.v[0], "/usr/share/doc/*");
}

static void
errors_name_file_and_line(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
	    {"set default = a\nfrobnicate x\n", "p.conf:2: unknown statement 'frobnicate'"},
	    {"include\n", "p.conf:1: a package name is missing after 'include, exclude or global'"},
	    {"include a/b\n", "p.conf:1: not a package name: 'a/b'"},
	    {"set default a\n", "p.conf:1: expected 'set NAME = PACKAGE...'"},
	    {"set required = a\n",
	     "p.conf:1: a set of every host cannot be defined anew: 'required'"},
	    {"conffile drop /x\n", "p.conf:1: expected the word 'keep'"},
	    {"file exclude x\n", "p.conf:1: not an absolute path: 'x'"},
	    {"\nset default = @none\n", "p.conf:2: no set 'none' is defined"},
	    {"include a\n", "p.conf: no line 'set default = ...' says what a zone gets"},
	    {"set default = @a\nset a = @b\nset b = @a\n", "p.conf:2: set 'a' contains itself"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dpkg_policy policy;

		assert_int_equal(parse(cases[i].text, &policy), -ZE_INVAL);
		assert_string_equal(err.msg, cases[i].message);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_built_in_policy_is_valid),
	    cmocka_unit_test(a_missing_file_means_the_built_in_policy),
	    cmocka_unit_test(every_statement_is_understood),
	    cmocka_unit_test(errors_name_file_and_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The small languages of the database: paragraphs, relations, versions, lists, scripts. */
#include "pkg/dpkg_priv.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static struct err err;

static struct deb822
paragraphs(const char *text)
{
	return (struct deb822){.file = "f", .p = text, .end = text + strlen(text)};
}

static void
fields_keep_their_value_and_their_lines(void **state)
{
	struct deb822 d = paragraphs("\nA: one \nB:\n x\n y\n\nC:2\n");
	struct deb822_field f;

	(void)state;
	assert_int_equal(deb822_next(&d), 1);
	assert_int_equal(deb822_field(&d, &f, &err), 1);
	assert_true(deb822_is(&f, "a"));
	assert_int_equal(f.value_len, 3);
	assert_memory_equal(f.value, "one", 3);
	assert_int_equal(deb822_field(&d, &f, &err), 1);
	assert_int_equal(f.line, 3);
	assert_int_equal(f.raw_len, 9);
	assert_memory_equal(f.raw, "B:\n x\n y\n", 9);
	assert_memory_equal(f.value, "\n x\n y", f.value_len);
	assert_int_equal(deb822_field(&d, &f, &err), 0);
	assert_int_equal(deb822_next(&d), 1);
	assert_int_equal(deb822_field(&d, &f, &err), 1);
	assert_memory_equal(f.value, "2", f.value_len);
	assert_int_equal(deb822_next(&d), 0);
}

static void
a_line_that_is_no_field_is_named(void **state)
{
	struct deb822 d = paragraphs("A: 1\nno field\n");
	struct deb822_field f;

	(void)state;
	assert_int_equal(deb822_next(&d), 1);
	assert_int_equal(deb822_field(&d, &f, &err), 1);
	assert_int_equal(deb822_field(&d, &f, &err), -ZE_FORMAT);
	assert_string_equal(err.msg, "f:2: not a field");
}

static void
comments_count_only_where_they_are_allowed(void **state)
{
	struct deb822 d = paragraphs("# c\nA: 1\n# c\n 2\n");
	struct deb822_field f;

	(void)state;
	d.comments = true;
	assert_int_equal(deb822_next(&d), 1);
	assert_int_equal(deb822_field(&d, &f, &err), 1);
	assert_true(deb822_is(&f, "A"));
	assert_int_equal(deb822_field(&d, &f, &err), 0);
}

static void
versions_are_ordered_as_dpkg_orders_them(void **state)
{
	/* Each is below the next. */
	static const char *const rising[] = {
	    "1.0~~",    "1.0~~a",  "1.0~",  "1.0",   "1.0-1~deb12u1", "1.0-1",
	    "1.0-1+b1", "1.0-1.1", "1.0-2", "1.0a",  "1.0+dfsg",      "1.0.1",
	    "1.2",      "1.10",    "2",     "1:0.5", "1:0.5-9",       "2:0",
	};
	const size_t n = sizeof(rising) / sizeof(rising[0]);

	(void)state;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++) {
			int r = dpkg_version_compare(rising[i], rising[j]);

			if ((i < j && r >= 0) || (i == j && r != 0) || (i > j && r <= 0))
				fail_msg("'%s' and '%s' compare as %d", rising[i], rising[j], r);
		}
	assert_int_equal(dpkg_version_compare("0:1", "1"), 0);
	assert_int_equal(dpkg_version_compare("1.001-0", "1.1"), 0);
}

static void
relations_have_groups_alternatives_architectures_and_versions(void **state)
{
	static const char text[] = "a (>= 1:2-3), b:any | c (<<4) |d,\n e";
	struct arena arena = {0};
	struct dpkg_group *groups;
	size_t n;

	(void)state;
	assert_int_equal(dpkg_relation_parse(&arena, text, strlen(text), &groups, &n, &err), 0);
	assert_int_equal(n, 3);
	assert_string_equal(groups[0].alts[0].name, "a");
	assert_int_equal(groups[0].alts[0].op, DPKG_GE);
	assert_string_equal(groups[0].alts[0].version, "1:2-3");
	assert_int_equal(groups[1].n, 3);
	assert_string_equal(groups[1].alts[0].arch, "any");
	assert_int_equal(groups[1].alts[1].op, DPKG_LT);
	assert_string_equal(groups[1].alts[2].name, "d");
	assert_string_equal(groups[2].alts[0].name, "e");
	arena_free(&arena);
}

static void
bad_relations_are_refused_with_what_is_wrong(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
	    {"a, , b", "a package name is missing"},
	    {"a |", "a package name is missing"},
	    {"a (1)", "no relation to a version after 'a ('"},
	    {"a (>= )", "a version is missing"},
	    {"a (>= 1", "no ')' after version '1'"},
	    {"a:", "an architecture is missing"},
	    {"a b", "unexpected 'b' after 'a'"},
	};
	struct dpkg_group *groups;
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena arena = {0};

		assert_int_equal(dpkg_relation_parse(&arena, cases[i].text, strlen(cases[i].text),
						     &groups, &n, &err),
				 -ZE_FORMAT);
		assert_string_equal(err.msg, cases[i].message);
		arena_free(&arena);
	}
}

static int
parse_list(const char *text, struct arena *arena, const char ***paths, size_t *n)
{
	char *copy = arena_strndup(arena, text, strlen(text));

	return dpkg_list_parse(arena, "p.list", copy, strlen(copy), paths, n, &err);
}

static void
lists_are_paths_without_the_root(void **state)
{
	struct arena arena = {0};
	const char **paths;
	size_t n;

	(void)state;
	assert_int_equal(parse_list("/.\n/usr\n/usr/a b", &arena, &paths, &n), 0);
	assert_int_equal(n, 2);
	assert_string_equal(paths[1], "/usr/a b");
	arena_free(&arena);
}

static void
lists_that_would_leave_the_root_are_refused(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
	    {"/.\n/usr/../etc/shadow\n", "p.list:2: the path has a part '.' or '..'"},
	    {"/.\nusr\n", "p.list:2: the path is not absolute"},
	    {"/.\n/a//b\n", "p.list:2: the path has an empty part"},
	    {"/a/\n", "p.list:1: the path has an empty part"},
	    {"/a/.\n", "p.list:1: the path has a part '.' or '..'"},
	    {"/a\n\n/b\n", "p.list:2: the path is not absolute"},
	};
	const char **paths;
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena arena = {0};

		assert_int_equal(parse_list(cases[i].text, &arena, &paths, &n), -ZE_PKG);
		assert_string_equal(err.msg, cases[i].message);
		arena_free(&arena);
	}
}

static void
only_scripts_that_do_nothing_are_empty(void **state)
{
	static const struct {
		const char *text;
		bool empty;
	} cases[] = {
	    {"#!/bin/sh\nset -e\n# x\n\nexit 0\n", true},
	    {"#!/bin/sh -e\ndpkg-maintscript-helper rm_conffile /etc/x 1.2~ p -- \"$@\"\n", true},
	    {"#! /bin/sh\nset -e\n  dpkg-maintscript-helper dir_to_symlink /a b 1 -- \"$@\"", true},
	    {"#!/bin/sh\nset -e\nldconfig\n", false},
	    {"#!/bin/sh\ndpkg-maintscript-helper supports rm_conffile\n", false},
	    {"#!/bin/sh\ndpkg-maintscript-helper rm_conffile /x;reboot -- \"$@\"\n", false},
	    {"#!/bin/sh\ndpkg-maintscript-helper rm_conffile $(reboot) -- \"$@\"\n", false},
	    {"#!/bin/sh\ndpkg-maintscript-helper rm_conffile \\\n reboot -- \"$@\"\n", false},
	    {"#!/bin/sh\nset -e\nexit 1\n", false},
	    {"#!/usr/bin/perl\nexit 0\n", false},
	    {"\177ELF", false},
	    {"", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (dpkg_script_is_empty(cases[i].text, strlen(cases[i].text)) != cases[i].empty)
			fail_msg("'%s' is taken for %s", cases[i].text,
				 cases[i].empty ? "a script" : "empty");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fields_keep_their_value_and_their_lines),
	    cmocka_unit_test(a_line_that_is_no_field_is_named),
	    cmocka_unit_test(comments_count_only_where_they_are_allowed),
	    cmocka_unit_test(versions_are_ordered_as_dpkg_orders_them),
	    cmocka_unit_test(relations_have_groups_alternatives_architectures_and_versions),
	    cmocka_unit_test(bad_relations_are_refused_with_what_is_wrong),
	    cmocka_unit_test(lists_are_paths_without_the_root),
	    cmocka_unit_test(lists_that_would_leave_the_root_are_refused),
	    cmocka_unit_test(only_scripts_that_do_nothing_are_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

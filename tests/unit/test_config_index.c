/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "base/str.h"
#include "config/config_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define UUID  "9f2b3d5e-0000-4000-8000-000000000001"
#define UUID2 "9F2B3D5E-0000-4000-8000-000000000002"

static struct err err;

static const char text[] = "# a comment\n"
			   "web:installed:/zones/web:" UUID "\n"
			   "global:installed:/\n"
			   "\n"
			   "nonsense\n"
			   "colon:incomplete:\"/zones/a:b\":" UUID2 ":R:none\n"
			   "../etc:installed:/zones/x:\n"
			   "up:running:/zones/up:\n"
			   "rel:installed:zones/rel:\n"
			   "open:configured:\"/zones/open\n"
			   "web:configured:/zones/other:\n"
			   "baduuid:installed:/zones/baduuid:xyz\n"
			   "last:configured:/zones/last";

static void
lines_are_read_and_malformed_ones_skipped(void **state)
{
	auto_index struct config_index index = {0};
	const struct config_entry *entry;

	(void)state;
	assert_int_equal(config_index_parse(text, sizeof(text) - 1, &index, &err), 0);
	assert_int_equal(index.n, 5);
	assert_string_equal(index.entries[0].name, "global");
	assert_string_equal(index.entries[0].zonepath, "/");
	assert_int_equal(index.entries[0].state, ZONE_STATE_INSTALLED);
	assert_string_equal(index.entries[1].name, "web");
	assert_int_equal(index.entries[1].state, ZONE_STATE_INSTALLED);
	assert_string_equal(index.entries[1].uuid, UUID);
	assert_string_equal(index.entries[2].name, "colon");
	assert_string_equal(index.entries[2].zonepath, "/zones/a:b");
	assert_int_equal(index.entries[2].state, ZONE_STATE_INCOMPLETE);
	assert_string_equal(index.entries[3].name, "baduuid");
	assert_string_equal(index.entries[3].uuid, "");
	assert_string_equal(index.entries[4].name, "last");
	entry = config_index_find(&index, "last");
	assert_ptr_equal(entry, &index.entries[4]);
	assert_null(config_index_find(&index, "up"));
	entry = config_index_find_uuid(&index, "9f2b3d5e-0000-4000-8000-000000000002");
	assert_ptr_equal(entry, &index.entries[2]);
	assert_null(config_index_find_uuid(&index, ""));
}

static void
an_empty_index_has_the_global_zone(void **state)
{
	auto_index struct config_index index = {0};

	(void)state;
	assert_int_equal(config_index_parse("", 0, &index, &err), 0);
	assert_int_equal(index.n, 1);
	assert_string_equal(index.entries[0].name, "global");
}

static void
bytes_that_are_no_text_are_skipped(void **state)
{
	static const char bytes[] =
	    "a\0b:installed:/x:\nc:installed:/x\0y:\nd:installed:/\x1b[1m:\n"
	    "e:installed:/e:\n";
	auto_index struct config_index index = {0};

	(void)state;
	assert_int_equal(config_index_parse(bytes, sizeof(bytes) - 1, &index, &err), 0);
	assert_int_equal(index.n, 2);
	assert_string_equal(index.entries[1].name, "e");
}

static int
edit(const char *before, const struct config_index_change *change, struct str *ret, bool *changed)
{
	ret->len = 0;
	return config_index_edit(before, strlen(before), change, ret, changed, &err);
}

static void
a_change_touches_one_line(void **state)
{
	static const enum zone_state incomplete = ZONE_STATE_INCOMPLETE;
	const struct config_index_change change = {.name = "web", .state = &incomplete};
	auto_str struct str out = {0};
	bool changed;

	(void)state;
	assert_int_equal(edit(text, &change, &out, &changed), 0);
	assert_true(changed);
	assert_string_equal(out.s, "# a comment\n"
				   "web:incomplete:/zones/web:" UUID "\n"
				   "global:installed:/\n"
				   "\n"
				   "nonsense\n"
				   "colon:incomplete:\"/zones/a:b\":" UUID2 ":R:none\n"
				   "../etc:installed:/zones/x:\n"
				   "up:running:/zones/up:\n"
				   "rel:installed:zones/rel:\n"
				   "open:configured:\"/zones/open\n"
				   "web:configured:/zones/other:\n"
				   "baduuid:installed:/zones/baduuid:xyz\n"
				   "last:configured:/zones/last\n");
}

static void
quotes_and_further_fields_are_kept(void **state)
{
	const struct config_index_change rename = {.name = "a", .new_name = "b"};
	const struct config_index_change move = {.name = "a", .zonepath = "/x:y"};
	auto_str struct str out = {0};
	bool changed;

	(void)state;
	assert_int_equal(edit("a:installed:\"/z:z\":" UUID ":R:none\n", &rename, &out, &changed),
			 0);
	assert_string_equal(out.s, "b:installed:\"/z:z\":" UUID ":R:none\n");
	assert_int_equal(edit("a:installed:/z:" UUID "\n", &move, &out, &changed), 0);
	assert_string_equal(out.s, "a:installed:\"/x:y\":" UUID "\n");
}

static void
leaving_configured_makes_a_uuid_and_returning_drops_it(void **state)
{
	static const enum zone_state installed = ZONE_STATE_INSTALLED;
	static const enum zone_state configured = ZONE_STATE_CONFIGURED;
	const struct config_index_change up = {.name = "a", .state = &installed};
	const struct config_index_change down = {.name = "a", .state = &configured};
	auto_index struct config_index index = {0};
	auto_str struct str out = {0}, back = {0}, other = {0};
	bool changed;

	(void)state;
	assert_int_equal(edit("a:configured:/a:\n", &up, &out, &changed), 0);
	assert_int_equal(config_index_parse(out.s, out.len, &index, &err), 0);
	assert_int_equal(strlen(index.entries[1].uuid), CONFIG_UUID_LEN);
	assert_int_equal(index.entries[1].uuid[14], '4');
	assert_non_null(strchr("89ab", index.entries[1].uuid[19]));
	assert_int_equal(edit("a:configured:/a:\n", &up, &other, &changed), 0);
	assert_string_not_equal(out.s, other.s);
	assert_int_equal(edit(out.s, &down, &back, &changed), 0);
	assert_string_equal(back.s, "a:configured:/a:\n");
}

static void
adding_and_removing(void **state)
{
	const struct config_index_change add = {.name = "n", .zonepath = "/n", .add = true};
	const struct config_index_change remove = {.name = "n", .remove = true};
	auto_str struct str out = {0};
	bool changed;

	(void)state;
	assert_int_equal(edit("# no newline", &add, &out, &changed), 0);
	assert_string_equal(out.s, "# no newline\nn:configured:/n:\n");
	assert_int_equal(edit("n:configured:/n:\n", &add, &out, &changed), 0);
	assert_false(changed);
	/* Every line of that name, or the zone would come back. */
	assert_int_equal(
	    edit("n:configured:/n:\na:configured:/a:\nn:installed:/m:\n", &remove, &out, &changed),
	    0);
	assert_string_equal(out.s, "a:configured:/a:\n");
	assert_int_equal(edit("a:configured:/a:\n", &remove, &out, &changed), -ZE_NOENT);
	assert_string_equal(err.msg, "n: No such zone configured");
}

static void
a_host_has_at_most_8191_zones(void **state)
{
	const struct config_index_change add = {.name = "new", .zonepath = "/new", .add = true},
					 more = {.name = "more", .zonepath = "/more", .add = true},
					 move = {.name = "z1", .zonepath = "/x", .add = true};
	auto_str struct str full = {0}, out = {0}, moved = {0};
	bool changed;

	(void)state;
	assert_int_equal(str_addf(&full, "# not one\nnor:this:one\nglobal:installed:/\n"), 0);
	for (int i = 1; i < CONFIG_ZONES_MAX; i++)
		assert_int_equal(str_addf(&full, "z%d:configured:/z:\n", i), 0);
	assert_int_equal(edit(full.s, &add, &out, &changed), 0);
	str_free(&full);
	full = out;
	out = (struct str){0};
	assert_int_equal(edit(full.s, &move, &moved, &changed), 0);
	assert_int_equal(edit(full.s, &more, &out, &changed), -ZE_INVAL);
	assert_string_equal(err.msg, "this host has 8191 zones already, and no more are possible; "
				     "delete one first");
}

static void
eight_thousand_zones_are_read_in_no_time(void **state)
{
	auto_index struct config_index index = {0};
	auto_str struct str all = {0};

	(void)state;
	for (int copy = 0; copy < 2; copy++)
		for (int i = 0; i < 8000; i++)
			assert_int_equal(str_addf(&all, "zone%d:configured:/zones/%d:\n", i, i), 0);
	assert_int_equal(config_index_parse(all.s, all.len, &index, &err), 0);
	assert_int_equal(index.n, 8001);
	assert_string_equal(index.entries[8000].name, "zone7999");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines_are_read_and_malformed_ones_skipped),
	    cmocka_unit_test(an_empty_index_has_the_global_zone),
	    cmocka_unit_test(bytes_that_are_no_text_are_skipped),
	    cmocka_unit_test(a_change_touches_one_line),
	    cmocka_unit_test(quotes_and_further_fields_are_kept),
	    cmocka_unit_test(leaving_configured_makes_a_uuid_and_returning_drops_it),
	    cmocka_unit_test(adding_and_removing),
	    cmocka_unit_test(a_host_has_at_most_8191_zones),
	    cmocka_unit_test(eight_thousand_zones_are_read_in_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

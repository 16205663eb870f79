/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void
every_property_stands_in_the_range_of_its_type(void **state)
{
	unsigned p = 0;

	(void)state;
	for (unsigned type = 0; type < CONFIG_TYPE_COUNT; type++) {
		assert_int_equal(config_types[type].first, p);
		assert_true(config_types[type].end > config_types[type].first);
		for (; p < (unsigned)config_types[type].end; p++)
			assert_int_equal(config_props[p].type, type);
	}
	assert_int_equal(p, CONFIG_PROP_COUNT);
}

static void
every_row_is_complete(void **state)
{
	(void)state;
	for (unsigned type = 0; type < CONFIG_TYPE_COUNT; type++) {
		assert_non_null(config_types[type].name);
		assert_non_null(config_types[type].help);
	}
	for (unsigned p = 0; p < CONFIG_PROP_COUNT; p++) {
		const struct config_prop_desc *desc = &config_props[p];

		assert_non_null(desc->name);
		assert_non_null(desc->help);
		assert_true(desc->min <= desc->max);
		if (desc->kind == CONFIG_KIND_ENUM || desc->kind == CONFIG_KIND_BOOL)
			assert_non_null(desc->choices);
		/* What must be there cannot be cleared. */
		assert_false(desc->required && desc->clearable);
		assert_false(desc->rctl && desc->xml_name);
	}
}

static void
every_default_is_a_value_that_can_be_set(void **state)
{
	struct err err;

	(void)state;
	for (unsigned p = 0; p < CONFIG_PROP_COUNT; p++) {
		auto_res struct config_res *res = NULL;

		if (!config_props[p].deflt)
			continue;
		assert_int_equal(config_res_new(config_props[p].type, &res, &err), 0);
		assert_string_equal(config_res_get(res, p), config_props[p].deflt);
		assert_false(config_res_is_set(res, p));
		assert_int_equal(config_res_set(res, p, config_props[p].deflt, &err), 0);
		assert_true(config_res_is_set(res, p));
		assert_string_equal(config_res_get(res, p), config_props[p].deflt);
	}
}

static void
names_are_found_and_only_in_their_type(void **state)
{
	(void)state;
	for (int type = CONFIG_GLOBAL + 1; type < CONFIG_TYPE_COUNT; type++)
		assert_int_equal(config_type_find(config_types[type].name), type);
	for (unsigned p = 0; p < CONFIG_PROP_COUNT; p++)
		assert_int_equal(config_prop_find(config_props[p].type, config_props[p].name), p);
	assert_int_equal(config_type_find("global"), -ZE_INVAL);
	assert_int_equal(config_type_find("nosuch"), -ZE_INVAL);
	assert_int_equal(config_prop_find(CONFIG_FS, "address"), -ZE_INVAL);
	assert_int_equal(config_prop_find(CONFIG_GLOBAL, ""), -ZE_INVAL);
}

static void
what_clear_accepts_is_what_the_manual_says(void **state)
{
	static const enum config_prop clearable[] = {
	    CONFIG_AUTOBOOT,
	    CONFIG_POOL,
	    CONFIG_LIMITPRIV,
	    CONFIG_BOOTARGS,
	    CONFIG_SCHEDULING_CLASS,
	    CONFIG_IP_TYPE,
	    CONFIG_HOSTID,
	    CONFIG_FS_ALLOWED,
	    CONFIG_MAX_LWPS,
	    CONFIG_CPU_SHARES,
	    CONFIG_FS_RAW,
	    CONFIG_NET_DEFROUTER,
	    CONFIG_NET_ALLOWED_ADDRESS,
	    CONFIG_DEDICATED_CPU_IMPORTANCE,
	    CONFIG_CAPPED_MEMORY_PHYSICAL,
	    CONFIG_CAPPED_MEMORY_SWAP,
	    CONFIG_CAPPED_MEMORY_LOCKED,
	};
	static const enum config_prop kept[] = {
	    CONFIG_ZONENAME,     CONFIG_ZONEPATH,   CONFIG_BRAND,       CONFIG_FS_DIR,
	    CONFIG_NET_PHYSICAL, CONFIG_ADMIN_USER, CONFIG_ATTR_VALUE,  CONFIG_DEVICE_MATCH,
	    CONFIG_DATASET_NAME, CONFIG_RCTL_VALUE, CONFIG_RCTL_NAME,   CONFIG_CAPPED_CPU_NCPUS,
	    CONFIG_FS_FSTYPE,    CONFIG_FS_SPECIAL, CONFIG_ADMIN_AUTHS, CONFIG_INHERIT_PKG_DIR_DIR,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(clearable) / sizeof(clearable[0]); i++)
		assert_true(config_props[clearable[i]].clearable);
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		assert_false(config_props[kept[i]].clearable);
}

static void
zone_names_follow_the_rule(void **state)
{
	static const char *const good[] = {"a", "Z9", "0", "web-1.example_x", "global", "SYSx"};
	static const char *const bad[] = {"",   ".a",  "-a", "_a",  "a/b", "a b",
					  "..", "a:b", "é",  "a\n", "../x"};
	char longest[CONFIG_NAME_MAX + 2];
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(config_name_check(good[i], &err), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(config_name_check(bad[i], &err), -ZE_INVAL);
		assert_string_equal(err.msg,
				    "a zone name begins with a letter or digit, goes on with "
				    "letters, digits, '_', '-' and '.', and has at most 63 "
				    "characters");
	}
	memset(longest, 'a', sizeof(longest) - 1);
	longest[CONFIG_NAME_MAX + 1] = '\0';
	assert_int_equal(config_name_check(longest, &err), -ZE_INVAL);
	longest[CONFIG_NAME_MAX] = '\0';
	assert_int_equal(config_name_check(longest, &err), 0);
}

static void
reserved_names_are_known(void **state)
{
	(void)state;
	assert_true(config_name_reserved("global"));
	assert_true(config_name_reserved("SUNWdefault"));
	assert_true(config_name_reserved("SYSblank"));
	assert_false(config_name_reserved("Global"));
	assert_false(config_name_reserved("sysadmin"));
}

static void
states_have_names_and_names_states(void **state)
{
	enum zone_state parsed;
	struct err err;

	(void)state;
	for (unsigned s = ZONE_STATE_CONFIGURED; s <= ZONE_STATE_MOUNTED; s++) {
		assert_int_equal(zone_state_parse(zone_state_name(s), &parsed, &err), 0);
		assert_int_equal(parsed, s);
	}
	assert_string_equal(zone_state_name(ZONE_STATE_SHUTTING_DOWN), "shutting_down");
	assert_int_equal(zone_state_parse("up", &parsed, &err), -ZE_INVAL);
	assert_string_equal(err.msg, "'up' is not a zone state");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_property_stands_in_the_range_of_its_type),
	    cmocka_unit_test(every_row_is_complete),
	    cmocka_unit_test(every_default_is_a_value_that_can_be_set),
	    cmocka_unit_test(names_are_found_and_only_in_their_type),
	    cmocka_unit_test(what_clear_accepts_is_what_the_manual_says),
	    cmocka_unit_test(zone_names_follow_the_rule),
	    cmocka_unit_test(reserved_names_are_known),
	    cmocka_unit_test(states_have_names_and_names_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "base/fd.h"
#include "base/str.h"
#include "config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static struct config *cfg;
static struct err err;

static int
setup(void **state)
{
	(void)state;
	return config_new("z", &cfg, &err);
}

static int
teardown(void **state)
{
	(void)state;
	config_free(cfg);
	cfg = NULL;
	return 0;
}

/* A resource with up to two properties. */
static struct config_res *
make(enum config_type type, enum config_prop prop, const char *value, enum config_prop prop2,
     const char *value2)
{
	struct config_res *res;

	assert_int_equal(config_res_new(type, &res, &err), 0);
	assert_int_equal(config_res_set(res, prop, value, &err), 0);
	if (value2)
		assert_int_equal(config_res_set(res, prop2, value2, &err), 0);
	return res;
}

static struct config_res *
rctl(const char *name, const char *value)
{
	return make(CONFIG_RCTL, CONFIG_RCTL_NAME, name, CONFIG_RCTL_VALUE, value);
}

static void
add(struct config_res *res)
{
	assert_int_equal(config_add(cfg, res, NULL, &err), 0);
}

/* What `select`, `set` and `end` do. Returns what config_add() does. */
static int
change(enum config_type type, size_t i, enum config_prop prop, const char *value)
{
	auto_res struct config_res *copy = NULL;
	int r;

	assert_int_equal(config_res_copy(config_at(cfg, type, i), &copy, &err), 0);
	assert_int_equal(config_res_set(copy, prop, value, &err), 0);
	r = config_add(cfg, copy, config_at(cfg, type, i), &err);
	if (r == 0)
		copy = NULL;
	return r;
}

static void
a_new_zone_is_blank(void **state)
{
	(void)state;
	assert_string_equal(config_zonename(cfg), "z");
	assert_string_equal(config_zonepath(cfg), "");
	assert_string_equal(config_brand(cfg), "native");
	assert_string_equal(config_get(cfg, CONFIG_IP_TYPE), "shared");
	assert_null(config_get(cfg, CONFIG_POOL));
	for (unsigned type = CONFIG_GLOBAL + 1; type < CONFIG_TYPE_COUNT; type++) {
		assert_int_equal(config_count(cfg, type), 0);
		assert_null(config_at(cfg, type, 0));
	}
}

static void
a_key_is_taken_once(void **state)
{
	auto_res struct config_res *again =
	    make(CONFIG_NET, CONFIG_NET_ADDRESS, "192.0.2.1", CONFIG_NET_PHYSICAL, "eth0");
	(void)state;
	add(make(CONFIG_NET, CONFIG_NET_ADDRESS, "192.0.2.1", CONFIG_NET_PHYSICAL, "eth0"));
	add(make(CONFIG_NET, CONFIG_NET_ADDRESS, "192.0.2.1", CONFIG_NET_PHYSICAL, "eth1"));
	assert_int_equal(config_add(cfg, again, NULL, &err), -ZE_EXIST);
	assert_string_equal(err.msg, "net 'address=192.0.2.1,physical=eth0' already exists");
	assert_int_equal(config_count(cfg, CONFIG_NET), 2);
	/* In its own place it may be put. */
	assert_int_equal(config_add(cfg, again, config_at(cfg, CONFIG_NET, 0), &err), 0);
	(void)ptr_take(&again);
	assert_int_equal(config_count(cfg, CONFIG_NET), 2);
	assert_string_equal(config_res_get(config_at(cfg, CONFIG_NET, 0), CONFIG_NET_PHYSICAL),
			    "eth0");
}

static void
a_replacement_keeps_the_place_and_frees_the_key(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		char dir[16];

		(void)snprintf(dir, sizeof(dir), "/d%d", i);
		add(make(CONFIG_INHERIT_PKG_DIR, CONFIG_INHERIT_PKG_DIR_DIR, dir, 0, NULL));
	}
	assert_int_equal(
	    config_add(cfg,
		       make(CONFIG_INHERIT_PKG_DIR, CONFIG_INHERIT_PKG_DIR_DIR, "/new", 0, NULL),
		       config_at(cfg, CONFIG_INHERIT_PKG_DIR, 1), &err),
	    0);
	assert_string_equal(
	    config_res_get(config_at(cfg, CONFIG_INHERIT_PKG_DIR, 1), CONFIG_INHERIT_PKG_DIR_DIR),
	    "/new");
	add(make(CONFIG_INHERIT_PKG_DIR, CONFIG_INHERIT_PKG_DIR_DIR, "/d1", 0, NULL));
	config_remove(cfg, config_at(cfg, CONFIG_INHERIT_PKG_DIR, 0));
	add(make(CONFIG_INHERIT_PKG_DIR, CONFIG_INHERIT_PKG_DIR_DIR, "/d0", 0, NULL));
	assert_int_equal(config_count(cfg, CONFIG_INHERIT_PKG_DIR), 4);
	assert_string_equal(
	    config_res_get(config_at(cfg, CONFIG_INHERIT_PKG_DIR, 0), CONFIG_INHERIT_PKG_DIR_DIR),
	    "/new");
}

static void
a_changed_key_stays_unique(void **state)
{
	(void)state;
	add(make(CONFIG_DEVICE, CONFIG_DEVICE_MATCH, "/dev/a", 0, NULL));
	add(make(CONFIG_DEVICE, CONFIG_DEVICE_MATCH, "/dev/b", 0, NULL));
	assert_int_equal(change(CONFIG_DEVICE, 1, CONFIG_DEVICE_MATCH, "/dev/a"), -ZE_EXIST);
	assert_string_equal(err.msg, "device 'match=/dev/a' already exists");
	assert_string_equal(config_res_get(config_at(cfg, CONFIG_DEVICE, 1), CONFIG_DEVICE_MATCH),
			    "/dev/b");
	assert_int_equal(change(CONFIG_DEVICE, 1, CONFIG_DEVICE_MATCH, "/dev/c"), 0);
	add(make(CONFIG_DEVICE, CONFIG_DEVICE_MATCH, "/dev/b", 0, NULL));
}

/* illumos has a net resource for each address of an interface of an exclusive zone. */
static void
one_interface_has_several_allowed_addresses(void **state)
{
	auto_res struct config_res *again =
	    make(CONFIG_NET, CONFIG_NET_PHYSICAL, "eth0", CONFIG_NET_ALLOWED_ADDRESS, "10.0.0.3");

	(void)state;
	add(make(CONFIG_NET, CONFIG_NET_PHYSICAL, "eth0", CONFIG_NET_ALLOWED_ADDRESS, "10.0.0.2"));
	add(make(CONFIG_NET, CONFIG_NET_PHYSICAL, "eth0", CONFIG_NET_ALLOWED_ADDRESS, "10.0.0.3"));
	assert_int_equal(config_add(cfg, again, NULL, &err), -ZE_EXIST);
	assert_string_equal(err.msg, "net 'allowed-address=10.0.0.3,physical=eth0' already exists");
}

static void
a_single_resource_is_there_once(void **state)
{
	auto_res struct config_res *again =
	    make(CONFIG_DEDICATED_CPU, CONFIG_DEDICATED_CPU_NCPUS, "2", 0, NULL);
	static const enum config_type types[] = {CONFIG_DEDICATED_CPU, CONFIG_CAPPED_CPU,
						 CONFIG_CAPPED_MEMORY};

	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(config_can_add(cfg, types[i], &err), 0);
	add(make(CONFIG_DEDICATED_CPU, CONFIG_DEDICATED_CPU_NCPUS, "1-2", 0, NULL));
	add(make(CONFIG_CAPPED_CPU, CONFIG_CAPPED_CPU_NCPUS, "1", 0, NULL));
	add(make(CONFIG_CAPPED_MEMORY, CONFIG_CAPPED_MEMORY_PHYSICAL, "1G", 0, NULL));
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(config_can_add(cfg, types[i], &err), -ZE_EXIST);
		assert_memory_equal(err.msg, config_types[types[i]].name,
				    strlen(config_types[types[i]].name));
	}
	assert_int_equal(config_add(cfg, again, NULL, &err), -ZE_EXIST);
	assert_string_equal(err.msg, "dedicated-cpu already exists");
}

static void
setting_an_alias_writes_the_rctl(void **state)
{
	struct config_res *global = config_global(cfg);

	(void)state;
	assert_int_equal(config_res_set(global, CONFIG_MAX_LWPS, "500", &err), 0);
	assert_int_equal(config_res_set(global, CONFIG_CPU_SHARES, "5", &err), 0);
	assert_int_equal(config_count(cfg, CONFIG_RCTL), 2);
	assert_string_equal(config_res_get(config_at(cfg, CONFIG_RCTL, 0), CONFIG_RCTL_VALUE),
			    "(priv=privileged,limit=500,action=deny)");
	assert_string_equal(config_res_get(config_at(cfg, CONFIG_RCTL, 1), CONFIG_RCTL_VALUE),
			    "(priv=privileged,limit=5,action=none)");
	assert_int_equal(config_res_set(global, CONFIG_MAX_LWPS, "600", &err), 0);
	assert_int_equal(config_count(cfg, CONFIG_RCTL), 2);
	assert_string_equal(config_get(cfg, CONFIG_MAX_LWPS), "600");
	config_res_clear(global, CONFIG_MAX_LWPS);
	assert_int_equal(config_count(cfg, CONFIG_RCTL), 1);
	assert_null(config_get(cfg, CONFIG_MAX_LWPS));
	assert_int_equal(config_res_set(global, CONFIG_CPU_SHARES, "", &err), 0);
	assert_int_equal(config_count(cfg, CONFIG_RCTL), 0);
}

/* Source: zonecfg(8) of Solaris 11, max-processes. */
static void
max_processes_sets_max_lwps_once(void **state)
{
	struct config_res *global = config_global(cfg);

	(void)state;
	assert_int_equal(config_res_set(global, CONFIG_MAX_PROCESSES, "200", &err), 0);
	assert_string_equal(config_get(cfg, CONFIG_MAX_LWPS), "2000");
	assert_int_equal(config_count(cfg, CONFIG_RCTL), 2);
	assert_int_equal(config_res_set(global, CONFIG_MAX_PROCESSES, "300", &err), 0);
	assert_string_equal(config_get(cfg, CONFIG_MAX_LWPS), "2000");
	config_res_clear(global, CONFIG_MAX_LWPS);
	assert_string_equal(config_get(cfg, CONFIG_MAX_PROCESSES), "300");
	assert_int_equal(config_res_set(global, CONFIG_MAX_PROCESSES, "922337203685477581", &err),
			 0);
	assert_string_equal(config_get(cfg, CONFIG_MAX_LWPS), "9223372036854775807");
}

static void
max_processes_leaves_an_rctl_without_alias_alone(void **state)
{
	(void)state;
	add(rctl("zone.max-lwps", "(priv=privileged,limit=100,action=none)"));
	assert_int_equal(config_res_set(config_global(cfg), CONFIG_MAX_PROCESSES, "200", &err), 0);
	assert_null(config_get(cfg, CONFIG_MAX_LWPS));
	assert_int_equal(config_count(cfg, CONFIG_RCTL), 2);
}

static void
an_alias_shows_what_the_rctl_says(void **state)
{
	(void)state;
	add(rctl("zone.max-lwps", "(priv=privileged,limit=100,action=deny)"));
	assert_string_equal(config_get(cfg, CONFIG_MAX_LWPS), "100");
	assert_int_equal(
	    change(CONFIG_RCTL, 0, CONFIG_RCTL_VALUE, "(priv=privileged,limit=200,action=none)"),
	    0);
	assert_null(config_get(cfg, CONFIG_MAX_LWPS));
	assert_int_equal(config_res_set(config_global(cfg), CONFIG_MAX_LWPS, "300", &err),
			 -ZE_INVAL);
	assert_string_equal(err.msg, "max-lwps: alias not allowed: rctl 'zone.max-lwps' does not "
				     "have a single privileged value with action=deny; change or "
				     "remove that");
	assert_int_equal(
	    change(CONFIG_RCTL, 0, CONFIG_RCTL_VALUE, "(action=deny,priv=privileged,limit=400)"),
	    0);
	assert_string_equal(config_get(cfg, CONFIG_MAX_LWPS), "400");
	/* Under another name it is another's alias. */
	assert_int_equal(change(CONFIG_RCTL, 0, CONFIG_RCTL_NAME, "zone.max-processes"), 0);
	assert_null(config_get(cfg, CONFIG_MAX_LWPS));
	assert_string_equal(config_get(cfg, CONFIG_MAX_PROCESSES), "400");
	config_remove(cfg, config_at(cfg, CONFIG_RCTL, 0));
	assert_null(config_get(cfg, CONFIG_MAX_PROCESSES));
}

static void
an_rctl_with_another_privilege_has_no_alias(void **state)
{
	(void)state;
	add(rctl("zone.max-shm-ids", "(priv=basic,limit=100,action=deny)"));
	assert_null(config_get(cfg, CONFIG_MAX_SHM_IDS));
	assert_int_equal(config_res_set(config_global(cfg), CONFIG_MAX_SHM_IDS, "1", &err),
			 -ZE_INVAL);
	/* Clearing what is not shown leaves the rctl alone. */
	config_res_clear(config_global(cfg), CONFIG_MAX_SHM_IDS);
	assert_int_equal(config_count(cfg, CONFIG_RCTL), 1);
}

static void
capped_cpu_is_an_rctl(void **state)
{
	(void)state;
	add(make(CONFIG_CAPPED_CPU, CONFIG_CAPPED_CPU_NCPUS, "1.5", 0, NULL));
	assert_string_equal(config_res_get(config_at(cfg, CONFIG_RCTL, 0), CONFIG_RCTL_NAME),
			    "zone.cpu-cap");
	assert_string_equal(config_res_get(config_at(cfg, CONFIG_RCTL, 0), CONFIG_RCTL_VALUE),
			    "(priv=privileged,limit=150,action=deny)");
	config_remove(cfg, config_at(cfg, CONFIG_CAPPED_CPU, 0));
	assert_int_equal(config_count(cfg, CONFIG_RCTL), 0);
	add(rctl("zone.cpu-cap", "(priv=privileged,limit=25,action=deny)"));
	assert_int_equal(config_count(cfg, CONFIG_CAPPED_CPU), 1);
	assert_string_equal(
	    config_res_get(config_at(cfg, CONFIG_CAPPED_CPU, 0), CONFIG_CAPPED_CPU_NCPUS), "0.25");
	config_remove(cfg, config_at(cfg, CONFIG_RCTL, 0));
	assert_int_equal(config_count(cfg, CONFIG_CAPPED_CPU), 0);
}

static void
capped_memory_is_a_cap_and_rctls(void **state)
{
	struct config_res *copy;

	(void)state;
	add(make(CONFIG_CAPPED_MEMORY, CONFIG_CAPPED_MEMORY_PHYSICAL, "1G",
		 CONFIG_CAPPED_MEMORY_SWAP, "2G"));
	assert_int_equal(config_count(cfg, CONFIG_RCTL), 1);
	/* As zonecfg edits: a copy takes the place of the original. */
	assert_int_equal(config_res_copy(config_at(cfg, CONFIG_CAPPED_MEMORY, 0), &copy, &err), 0);
	config_res_clear(copy, CONFIG_CAPPED_MEMORY_SWAP);
	assert_int_equal(config_res_set(copy, CONFIG_CAPPED_MEMORY_LOCKED, "512M", &err), 0);
	assert_int_equal(config_count(cfg, CONFIG_RCTL), 1);
	assert_int_equal(config_add(cfg, copy, config_at(cfg, CONFIG_CAPPED_MEMORY, 0), &err), 0);
	assert_int_equal(config_count(cfg, CONFIG_RCTL), 1);
	assert_string_equal(config_res_get(config_at(cfg, CONFIG_RCTL, 0), CONFIG_RCTL_NAME),
			    "zone.max-locked-memory");
	config_remove(cfg, config_at(cfg, CONFIG_RCTL, 0));
	assert_int_equal(config_count(cfg, CONFIG_CAPPED_MEMORY), 1);
	assert_false(config_res_is_set(config_at(cfg, CONFIG_CAPPED_MEMORY, 0),
				       CONFIG_CAPPED_MEMORY_LOCKED));
	config_remove(cfg, config_at(cfg, CONFIG_CAPPED_MEMORY, 0));
	assert_int_equal(config_count(cfg, CONFIG_CAPPED_MEMORY), 0);
}

static void
physical_joins_a_capped_memory_that_rctls_made(void **state)
{
	auto_res struct config_res *swap =
	    make(CONFIG_CAPPED_MEMORY, CONFIG_CAPPED_MEMORY_SWAP, "1G", 0, NULL);

	(void)state;
	add(rctl("zone.max-swap", "(priv=privileged,limit=104857600,action=deny)"));
	assert_int_equal(config_count(cfg, CONFIG_CAPPED_MEMORY), 1);
	assert_int_equal(config_add(cfg, swap, NULL, &err), -ZE_EXIST);
	assert_string_equal(err.msg, "capped-memory already exists");
	add(make(CONFIG_CAPPED_MEMORY, CONFIG_CAPPED_MEMORY_PHYSICAL, "50M", 0, NULL));
	assert_int_equal(config_count(cfg, CONFIG_CAPPED_MEMORY), 1);
	assert_string_equal(
	    config_res_get(config_at(cfg, CONFIG_CAPPED_MEMORY, 0), CONFIG_CAPPED_MEMORY_PHYSICAL),
	    "52428800");
	assert_string_equal(
	    config_res_get(config_at(cfg, CONFIG_CAPPED_MEMORY, 0), CONFIG_CAPPED_MEMORY_SWAP),
	    "104857600");
}

static void
capped_cpu_is_refused_over_an_rctl_it_cannot_show(void **state)
{
	auto_res struct config_res *res =
	    make(CONFIG_CAPPED_CPU, CONFIG_CAPPED_CPU_NCPUS, "1", 0, NULL);

	(void)state;
	add(rctl("zone.cpu-cap", "(priv=privileged,limit=25,action=none)"));
	assert_int_equal(config_add(cfg, res, NULL, &err), -ZE_INVAL);
	assert_string_equal(err.msg, "ncpus: alias not allowed: rctl 'zone.cpu-cap' does not have "
				     "a single privileged value with action=deny; change or remove "
				     "that");
	assert_int_equal(config_count(cfg, CONFIG_CAPPED_CPU), 0);
	assert_int_equal(config_count(cfg, CONFIG_RCTL), 1);
}

static void
an_anet_without_name_gets_the_first_free_one(void **state)
{
	struct config_res *res;

	(void)state;
	add(make(CONFIG_ANET, CONFIG_ANET_LINKNAME, "net1", 0, NULL));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(config_res_new(CONFIG_ANET, &res, &err), 0);
		add(res);
	}
	assert_string_equal(config_res_get(config_at(cfg, CONFIG_ANET, 1), CONFIG_ANET_LINKNAME),
			    "net0");
	assert_string_equal(config_res_get(config_at(cfg, CONFIG_ANET, 2), CONFIG_ANET_LINKNAME),
			    "net2");
	config_remove(cfg, config_at(cfg, CONFIG_ANET, 1));
	assert_int_equal(config_res_new(CONFIG_ANET, &res, &err), 0);
	add(res);
	assert_string_equal(config_res_get(config_at(cfg, CONFIG_ANET, 2), CONFIG_ANET_LINKNAME),
			    "net0");
}

static void
a_copy_is_equal_until_either_changes(void **state)
{
	auto_config struct config *copy = NULL;

	(void)state;
	add(make(CONFIG_CAPPED_MEMORY, CONFIG_CAPPED_MEMORY_PHYSICAL, "1G",
		 CONFIG_CAPPED_MEMORY_SWAP, "2G"));
	add(make(CONFIG_FS, CONFIG_FS_DIR, "/a", CONFIG_FS_OPTIONS, "ro"));
	assert_int_equal(config_copy(cfg, &copy, &err), 0);
	assert_true(config_equal(cfg, copy));
	assert_int_equal(change(CONFIG_FS, 0, CONFIG_FS_OPTIONS, "nosuid"), 0);
	assert_false(config_equal(cfg, copy));
	assert_string_equal(config_res_get(config_at(copy, CONFIG_FS, 0), CONFIG_FS_OPTIONS), "ro");
	assert_int_equal(change(CONFIG_FS, 0, CONFIG_FS_OPTIONS, "ro"), 0);
	assert_true(config_equal(cfg, copy));
	/* A default says the same as the value written out. */
	assert_int_equal(config_res_set(config_global(copy), CONFIG_AUTOBOOT, "false", &err), 0);
	assert_true(config_equal(cfg, copy));
	config_remove(copy, config_at(copy, CONFIG_FS, 0));
	assert_false(config_equal(cfg, copy));
}

static void
thousands_of_resources_are_added_in_no_time(void **state)
{
	struct timespec before, after;
	char address[32];

	(void)state;
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
	for (unsigned i = 0; i < 20000; i++) {
		(void)snprintf(address, sizeof(address), "10.%u.%u.1", i / 256, i % 256);
		add(make(CONFIG_NET, CONFIG_NET_ADDRESS, address, CONFIG_NET_PHYSICAL, "eth0"));
	}
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
	/* A few hundredths of a second; a comparison of each with each takes many times this. */
	assert_true(after.tv_sec - before.tv_sec < 3);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(a_new_zone_is_blank),
	    TEST(a_key_is_taken_once),
	    TEST(a_replacement_keeps_the_place_and_frees_the_key),
	    TEST(a_changed_key_stays_unique),
	    TEST(one_interface_has_several_allowed_addresses),
	    TEST(a_single_resource_is_there_once),
	    TEST(setting_an_alias_writes_the_rctl),
	    TEST(max_processes_sets_max_lwps_once),
	    TEST(max_processes_leaves_an_rctl_without_alias_alone),
	    TEST(an_alias_shows_what_the_rctl_says),
	    TEST(an_rctl_with_another_privilege_has_no_alias),
	    TEST(capped_cpu_is_an_rctl),
	    TEST(capped_memory_is_a_cap_and_rctls),
	    TEST(physical_joins_a_capped_memory_that_rctls_made),
	    TEST(capped_cpu_is_refused_over_an_rctl_it_cannot_show),
	    TEST(an_anet_without_name_gets_the_first_free_one),
	    TEST(a_copy_is_equal_until_either_changes),
	    TEST(thousands_of_resources_are_added_in_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

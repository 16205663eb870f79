/* SPDX-License-Identifier: Apache-2.0 */
/* Boot arguments, limits and mounts: what a configuration becomes, without anything being made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/str.h"
#include "runtime/runtime_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- boot arguments ---- */

/* Runs plan_bootargs() on a property and returns "argv | problems | warnings". */
static char *
bootargs(const char *property, const char *init)
{
	auto_strv struct strv argv = {0}, problems = {0}, warnings = {0};
	const struct strv *parts[] = {&argv, &problems, &warnings};
	struct str out = {0};
	struct err err = {0};

	assert_int_equal(plan_bootargs(NULL, property, init, &argv, &problems, &warnings, &err), 0);
	for (size_t p = 0; p < 3; p++) {
		for (size_t i = 0; i < parts[p]->n; i++)
			assert_int_equal(str_addf(&out, "%s%s", i ? " " : "", parts[p]->v[i]), 0);
		if (p < 2)
			assert_int_equal(str_addf(&out, "|"), 0);
	}
	return str_take(&out);
}

static void
assert_bootargs(const char *property, const char *init, const char *expected)
{
	auto_free char *got = bootargs(property, init);

	assert_string_equal(got, expected);
}

static void
boot_arguments_become_argv_of_init(void **state)
{
	(void)state;
	assert_bootargs("", NULL, "/sbin/init||");
	assert_bootargs(NULL, "/lib/systemd/systemd", "/lib/systemd/systemd||");
	assert_bootargs("-s", NULL, "/sbin/init -s||");
	assert_bootargs("-m verbose", NULL, "/sbin/init systemd.show_status=1||");
	assert_bootargs("  -m milestone=single-user,debug\t", NULL,
			"/sbin/init -s systemd.log_level=debug||");
	assert_bootargs("-mmilestone=all", NULL, "/sbin/init||");
	assert_bootargs("-i /bin/sh", NULL, "/bin/sh||");
	assert_bootargs("-i/bin/sh -s", "/x", "/bin/sh -s||");
	assert_bootargs("-s -- single -m x", NULL, "/sbin/init -s single -m x||");
}

static void
bad_boot_arguments_are_told_by_name(void **state)
{
	(void)state;
	assert_bootargs("-m", NULL, "/sbin/init|boot arguments: -m needs a value|");
	assert_bootargs("-i", NULL, "/sbin/init|boot arguments: -i needs a value|");
	assert_bootargs("-m verbose,nonsense", NULL,
			"/sbin/init systemd.show_status=1|"
			"boot arguments: unknown option 'nonsense' of -m|");
	assert_bootargs("-i sh", NULL, "sh|init 'sh' is not an absolute path|");
	assert_bootargs("-v word", NULL,
			"/sbin/init -v||boot arguments: option '-v' is passed to init "
			"boot arguments: 'word' is ignored");
}

/* ---- limits ---- */

static void
add_rctl(struct config *cfg, const char *name, const char *value)
{
	struct config_res *res;
	struct err err = {0};

	assert_int_equal(config_res_new(CONFIG_RCTL, &res, &err), 0);
	assert_int_equal(config_res_set(res, CONFIG_RCTL_NAME, name, &err), 0);
	assert_int_equal(config_res_add_value(res, CONFIG_RCTL_VALUE, value, &err), 0);
	assert_int_equal(config_add(cfg, res, NULL, &err), 0);
}

/* The limits of a configuration as "FILE=VALUE ..." and the warnings behind "|". */
static char *
limits(const struct config *cfg, unsigned controllers2, unsigned controllers1)
{
	auto_free struct runtime_plan *plan = calloc(1, sizeof(*plan));
	auto_strv struct strv warnings = {0};
	struct str out = {0};
	struct err err = {0};

	assert_non_null(plan);
	plan->host.controllers2 = controllers2;
	plan->host.controllers1 = controllers1;
	assert_int_equal(plan_limits(cfg, plan, &warnings, &err), 0);
	for (size_t i = 0; i < plan->n_limits; i++)
		assert_int_equal(
		    str_addf(&out, "%s=%s ", plan->limits[i].file, plan->limits[i].value), 0);
	for (size_t i = 0; i < plan->n_sysctls; i++)
		assert_int_equal(str_addf(&out, "%s=%s ", strrchr(plan->sysctls[i].path, '/') + 1,
					  plan->sysctls[i].value),
				 0);
	if (plan->has_memlock)
		assert_int_equal(
		    str_addf(&out, "memlock=%llu ", (unsigned long long)plan->memlock_bytes), 0);
	for (size_t i = 0; i < warnings.n; i++)
		assert_int_equal(str_addf(&out, "|%s", warnings.v[i]), 0);
	return str_take(&out);
}

#define ALL ((1u << CGROUP_COUNT) - 1)

/* pids.max of a configuration on a host that can have @threads. */
static void
assert_pids(const struct config *cfg, uint64_t threads, const char *expected)
{
	auto_free struct runtime_plan *plan = calloc(1, sizeof(*plan));
	auto_strv struct strv warnings = {0};
	struct err err = {0};

	assert_non_null(plan);
	plan->host.controllers2 = 1u << CGROUP_PIDS;
	plan->host.threads = threads;
	assert_int_equal(plan_limits(cfg, plan, &warnings, &err), 0);
	assert_string_equal(plan->limits[0].file, "pids.max");
	assert_string_equal(plan->limits[0].value, expected);
}

static void
a_small_host_gives_a_zone_few_threads_by_itself(void **state)
{
	auto_config struct config *cfg = NULL;

	(void)state;
	assert_int_equal(config_new("z", &cfg, NULL), 0);
	assert_pids(cfg, 8000, "2000");
	assert_pids(cfg, 1000000, "16384");
	add_rctl(cfg, "zone.max-lwps", "(priv=privileged,limit=7000,action=deny)");
	assert_pids(cfg, 8000, "7000");
}

static void
more_threads_than_the_kernel_takes_are_as_many_as_it_takes(void **state)
{
	auto_config struct config *cfg = NULL;

	(void)state;
	assert_int_equal(config_new("z", &cfg, NULL), 0);
	add_rctl(cfg, "zone.max-lwps", "(priv=privileged,limit=9223372036854775807,action=deny)");
	assert_pids(cfg, 0, "4194304");
}

static void
a_zone_without_limits_has_a_limit_of_threads(void **state)
{
	auto_config struct config *cfg = NULL;
	auto_free char *v2 = NULL, *v1 = NULL, *none = NULL;

	(void)state;
	assert_int_equal(config_new("z", &cfg, NULL), 0);
	v2 = limits(cfg, ALL, 0);
	assert_string_equal(v2, "cpu.weight=1 pids.max=16384 ");
	v1 = limits(cfg, 0, ALL);
	assert_string_equal(v1, "pids.max=16384 ");
	none = limits(cfg, 0, 0);
	assert_string_equal(none, "");
}

static void
resource_controls_become_files_of_the_cgroup(void **state)
{
	auto_config struct config *cfg = NULL;
	auto_free char *v2 = NULL, *v1 = NULL;

	(void)state;
	assert_int_equal(config_new("z", &cfg, NULL), 0);
	add_rctl(cfg, "zone.cpu-cap", "(priv=privileged,limit=150,action=deny)");
	add_rctl(cfg, "zone.cpu-shares", "(priv=privileged,limit=20,action=none)");
	add_rctl(cfg, "zone.max-lwps", "(priv=privileged,limit=300,action=deny)");
	add_rctl(cfg, "zone.max-swap", "(priv=privileged,limit=1073741824,action=deny)");
	add_rctl(cfg, "zone.max-locked-memory", "(priv=privileged,limit=4096,action=deny)");
	add_rctl(cfg, "zone.max-sem-ids", "(priv=privileged,limit=17,action=deny)");
	v2 = limits(cfg, ALL, 0);
	assert_string_equal(v2, "cpu.max=150000 100000 cpu.weight=20 memory.max=1073741824 "
				"memory.swap.max=0 pids.max=300 sem=32000 1024000000 500 17 "
				"memlock=4096 ");
	v1 = limits(cfg, 0, ALL);
	assert_string_equal(v1, "cpu.cfs_period_us=100000 cpu.cfs_quota_us=150000 cpu.shares=20480 "
				"memory.limit_in_bytes=1073741824 "
				"memory.memsw.limit_in_bytes=1073741824 pids.max=300 "
				"sem=32000 1024000000 500 17 memlock=4096 ");
}

static void
a_limit_that_cannot_be_kept_is_a_warning(void **state)
{
	auto_config struct config *cfg = NULL;
	auto_free char *got = NULL;

	(void)state;
	assert_int_equal(config_new("z", &cfg, NULL), 0);
	add_rctl(cfg, "zone.max-lwps", "(priv=privileged,limit=300,action=deny)");
	add_rctl(cfg, "zone.max-lofi", "(priv=privileged,limit=3,action=deny)");
	got = limits(cfg, 1u << CGROUP_CPU, 1u << CGROUP_MEMORY);
	assert_string_equal(got, "cpu.weight=1 |rctl zone.max-lofi: has no counterpart here and is "
				 "skipped|zone.max-lwps: not enforced, this host has no pids "
				 "controller");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(boot_arguments_become_argv_of_init),
	    cmocka_unit_test(bad_boot_arguments_are_told_by_name),
	    cmocka_unit_test(a_zone_without_limits_has_a_limit_of_threads),
	    cmocka_unit_test(a_small_host_gives_a_zone_few_threads_by_itself),
	    cmocka_unit_test(more_threads_than_the_kernel_takes_are_as_many_as_it_takes),
	    cmocka_unit_test(resource_controls_become_files_of_the_cgroup),
	    cmocka_unit_test(a_limit_that_cannot_be_kept_is_a_warning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

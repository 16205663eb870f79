/* SPDX-License-Identifier: Apache-2.0 */
/* Properties that hold for every configuration, tried with thousands of random ones. */
#include "base/err.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/str.h"
#include "config/config_priv.h"
#include "config_random.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define SEEDS         5000
#define XMLLINT_SEEDS 200

static struct err err;

static struct config *
random_config(uint64_t seed)
{
	struct config *cfg = NULL;

	if (config_random(seed, &cfg, &err) < 0)
		fail_msg("seed %ju: %s", (uintmax_t)seed, err.msg);
	return cfg;
}

static char *
exported(const struct config *cfg)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(config_export(cfg, out), 0);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void
random_configurations_pass_the_check(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		auto_config struct config *cfg = random_config(seed);
		auto_strv struct strv problems = {0};

		if (config_check(cfg, &problems) < 0)
			fail_msg("seed %ju: %s", (uintmax_t)seed, problems.v[0]);
	}
}

static void
every_property_is_set_by_some_seed(void **state)
{
	bool seen[CONFIG_PROP_COUNT] = {false};

	(void)state;
	for (uint64_t seed = 0; seed < 500; seed++) {
		auto_config struct config *cfg = random_config(seed);

		for (unsigned p = 0; p < CONFIG_PROP_COUNT; p++) {
			enum config_type type = config_props[p].type;
			const struct config_res *res =
			    type == CONFIG_GLOBAL ? config_global(cfg) : config_at(cfg, type, 0);

			seen[p] |= res && config_res_is_set(res, p);
		}
	}
	for (unsigned p = 0; p < CONFIG_PROP_COUNT; p++)
		if (!seen[p])
			fail_msg("%s of %s", config_props[p].name,
				 config_types[config_props[p].type].name);
}

static void
written_and_read_it_is_identical(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		auto_config struct config *cfg = random_config(seed), *again = NULL;
		auto_str struct str first = {0}, second = {0};
		auto_free char *before = NULL, *after = NULL;

		assert_int_equal(config_xml(cfg, &first, &err), 0);
		if (config_xml_parse(first.s, first.len, &again, &err) < 0)
			fail_msg("seed %ju: %s\n%s", (uintmax_t)seed, err.msg, first.s);
		if (!config_equal(cfg, again))
			fail_msg("seed %ju differs:\n%s", (uintmax_t)seed, first.s);
		assert_int_equal(config_xml(again, &second, &err), 0);
		assert_string_equal(first.s, second.s);
		before = exported(cfg);
		after = exported(again);
		assert_string_equal(before, after);
	}
}

static void
a_copy_is_identical(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 500; seed++) {
		auto_config struct config *cfg = random_config(seed), *copy = NULL;
		auto_free char *before = exported(cfg), *after = NULL;

		assert_int_equal(config_copy(cfg, &copy, &err), 0);
		assert_true(config_equal(cfg, copy));
		after = exported(copy);
		assert_string_equal(before, after);
	}
}

/* Taking everything out again leaves no alias and no key behind. */
static void
emptied_it_is_blank(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 500; seed++) {
		auto_config struct config *cfg = random_config(seed), *blank = NULL;

		for (unsigned k = 1; k < CONFIG_TYPE_COUNT; k++) {
			/* From either side of the aliases. */
			unsigned type = seed % 2 ? k : CONFIG_TYPE_COUNT - k;

			while (config_count(cfg, type) > 0)
				config_remove(cfg, config_at(cfg, type, 0));
		}
		for (unsigned p = CONFIG_ZONEPATH; p < (unsigned)config_types[CONFIG_GLOBAL].end;
		     p++)
			config_res_clear(config_global(cfg), p);
		assert_int_equal(config_new("random", &blank, &err), 0);
		assert_true(config_equal(cfg, blank));
	}
}

static void
the_document_type_describes_what_is_written(void **state)
{
	char dir[] = "/tmp/zones-unit-XXXXXX";
	const char *argv[6 + XMLLINT_SEEDS] = {"/usr/bin/xmllint", "--nonet", "--noout",
					       "--dtdvalid",
					       ZONES_SOURCE_ROOT "/lib/config/zonecfg.dtd.1"};
	const struct proc_req req = {.argv = argv};
	size_t n = 5;

	(void)state;
	assert_non_null(mkdtemp(dir));
	for (uint64_t seed = 0; seed < XMLLINT_SEEDS; seed++) {
		auto_config struct config *cfg = random_config(seed);
		auto_str struct str doc = {0};
		char *path = NULL;

		assert_int_equal(config_xml(cfg, &doc, &err), 0);
		assert_true(asprintf(&path, "%s/%ju.xml", dir, (uintmax_t)seed) > 0);
		assert_int_equal(path_file_replace(path, doc.s, doc.len, 0644, &err), 0);
		argv[n++] = path;
	}
	if (proc_run(&req, NULL, &err) < 0)
		fail_msg("%s", err.msg);
	while (n-- > 5)
		free((char *)(uintptr_t)argv[n]);
	assert_int_equal(path_rm_tree_at(AT_FDCWD, dir, &err), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(random_configurations_pass_the_check),
	    cmocka_unit_test(every_property_is_set_by_some_seed),
	    cmocka_unit_test(written_and_read_it_is_identical),
	    cmocka_unit_test(a_copy_is_identical),
	    cmocka_unit_test(emptied_it_is_blank),
	    cmocka_unit_test(the_document_type_describes_what_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The example in lib/config/README.md, word for word, and that it does what it says. */
#include "base/err.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int
example(const char *root, struct err *err)
{
	auto_lock struct config_lock lock = {.fd = -EBADF};
	auto_strv struct strv problems = {0};
	auto_config struct config *cfg = NULL;
	auto_res struct config_res *net = NULL;
	int r;

	r = config_lock_zone(root, "web", &lock, err);
	if (r == 0)
		r = config_template(root, "SYSblank", "web", &cfg, err);
	if (r == 0)
		r = config_res_set(config_global(cfg), CONFIG_ZONEPATH, "/zones/web", err);
	if (r == 0)
		r = config_res_new(CONFIG_NET, &net, err);
	if (r == 0)
		r = config_res_set(net, CONFIG_NET_ADDRESS, "192.0.2.10/24", err);
	if (r == 0)
		r = config_res_set(net, CONFIG_NET_PHYSICAL, "eth0", err);
	if (r == 0)
		r = config_add(cfg, net, NULL, err);
	if (r < 0)
		return r;
	(void)ptr_take(&net); /* it is the configuration's now */
	r = config_check(cfg, &problems);
	if (r < 0)
		return err_set(err, ZE_VERIFY, 0, "%s", problems.n ? problems.v[0] : "no memory");
	return config_save(root, cfg, NULL, err);
}

/* From the line of its "static int" to the "}" at the start of a line. */
static char *
example_in(const char *path)
{
	auto_free char *text = NULL;
	const char *start, *end;
	struct err err;
	size_t size;

	assert_int_equal(path_file_read(path, 1 << 20, &text, &size, &err), 0);
	start = strstr(text, "static int\nexample(");
	assert_non_null(start);
	end = strstr(start, "\n}\n");
	assert_non_null(end);
	return strndup(start, (size_t)(end - start));
}

static void
the_example_is_what_was_compiled(void **state)
{
	auto_free char *shown = example_in(ZONES_SOURCE_ROOT "/lib/config/README.md");
	auto_free char *compiled = example_in(ZONES_SOURCE_ROOT "/tests/unit/test_config_readme.c");

	(void)state;
	assert_string_equal(shown, compiled);
}

static void
the_example_makes_a_zone(void **state)
{
	auto_config struct config *cfg = NULL;
	char root[] = "/tmp/zones-unit-XXXXXX";
	struct err err;

	(void)state;
	assert_non_null(mkdtemp(root));
	assert_int_equal(example(root, &err), 0);
	assert_int_equal(config_load(root, "web", &cfg, &err), 0);
	assert_int_equal(config_count(cfg, CONFIG_NET), 1);
	assert_int_equal(path_rm_tree_at(AT_FDCWD, root, &err), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_example_is_what_was_compiled),
	    cmocka_unit_test(the_example_makes_a_zone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

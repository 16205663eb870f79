/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions in memory: nothing can be read or written below their root. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fd.h"
#include "config_random.h"
#include "zonecfg/zonecfg.h"

#include <stdlib.h>
#include <string.h>

#define ROUNDS 4000

static const struct zonecfg_opts opts = {
    .program = "zonecfg", .zone = "random", .root = "/proc/no-such-root"};

static void
open_session(struct session *s)
{
	assert_int_equal(session_open(s, &opts, SESSION_STREAM), 0);
	assert_null(s->cfg);
	s->read_only = false;
}

static void
type(struct session *s, const char *line)
{
	session_line(s, line, strlen(line));
}

/* What a configuration looks like to `export`. */
static char *
exported(const struct config *cfg)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	assert_non_null(f);
	assert_int_equal(config_export(cfg, f), 0);
	assert_int_equal(fclose(f), 0);
	return text;
}

static void
export_is_a_fixed_point(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < ROUNDS; seed++) {
		auto_config struct config *cfg = NULL;
		auto_free char *first = NULL, *second = NULL;
		auto_session struct session s = {0};
		struct err err = {0};
		FILE *in;

		if (config_random(seed, &cfg, &err) < 0)
			fail_msg("seed %ju: %s", (uintmax_t)seed, err.msg);
		first = exported(cfg);
		open_session(&s);
		in = fmemopen(first, strlen(first), "r");
		assert_non_null(in);
		session_input(&s, in);
		(void)fclose(in);
		if (s.failed || !s.cfg)
			fail_msg("seed %ju: not accepted:\n%s", (uintmax_t)seed, first);
		second = exported(s.cfg);
		assert_string_equal(first, second);
		if (!config_equal(cfg, s.cfg))
			fail_msg("seed %ju: not equal:\n%s", (uintmax_t)seed, first);
	}
}

/* ---- completion ----------------------------------------------------------------------------- */

static void
expect_completion(const struct session *s, const char *line, size_t start, const char *candidates)
{
	auto_strv struct strv found = {0};
	auto_str struct str all = {0};
	size_t at = 0;

	assert_int_equal(complete(s, line, &found, &at), 0);
	for (size_t i = 0; i < found.n; i++)
		assert_int_equal(str_addf(&all, "%s%s", i ? " " : "", found.v[i]), 0);
	assert_string_equal(all.s ? all.s : "", candidates);
	if (found.n)
		assert_int_equal(at, start);
}

static void
commands_complete_by_scope(void **state)
{
	auto_session struct session s = {0};

	(void)state;
	open_session(&s);
	expect_completion(&s, "e", 0, "exit export");
	expect_completion(&s, "verify; ex", 8, "exit export");
	expect_completion(&s, "c", 0, "clear commit create");
	type(&s, "create -b; add fs");
	expect_completion(&s, "e", 0, "end exit");
	expect_completion(&s, "c", 0, "cancel clear");
}

static void
a_scope_opened_earlier_on_the_line_counts(void **state)
{
	auto_session struct session s = {0};

	(void)state;
	open_session(&s);
	expect_completion(&s, "create -b; add fs; e", 19, "end exit");
	expect_completion(&s, "create -b; add fs; set sp", 23, "special=");
	expect_completion(&s, "create -b; add fs; set dir=/a; end; e", 36, "exit export");
	expect_completion(&s, "create -b; add fs; cancel; set autob", 31, "autoboot=");
	type(&s, "create -b; add admin; set user=u; set auths=login");
	expect_completion(&s, "end; add admin; add auths m", 26, "manage");
	expect_completion(&s, "end; add admin; remove auths ", 29, "");
	expect_completion(&s, "cancel; add no; set autob", 20, "autoboot=");
}

static void
properties_and_their_values_complete(void **state)
{
	auto_session struct session s = {0};

	(void)state;
	open_session(&s);
	type(&s, "create -b");
	expect_completion(&s, "set zonep", 4, "zonepath=");
	expect_completion(&s, "set ip-type=", 12, "exclusive shared");
	expect_completion(&s, "set ip-type = e", 14, "exclusive");
	expect_completion(&s, "set autoboot=t", 13, "true");
	expect_completion(&s, "clear zone", 6, "");
	expect_completion(&s, "clear ip", 6, "ip-type");
	expect_completion(&s, "add capped-", 4, "capped-cpu capped-memory");
	type(&s, "add admin");
	expect_completion(&s, "set auths=[login,", 17, "clonefrom login manage");
	expect_completion(&s, "add auths m", 10, "manage");
	expect_completion(&s, "add ", 4, "auths");
	type(&s, "set auths=[login,manage]");
	expect_completion(&s, "remove auths ", 13, "login manage");
	expect_completion(&s, "set nothing=", 12, "");
}

static void
resources_complete_by_what_is_there(void **state)
{
	auto_session struct session s = {0};

	(void)state;
	open_session(&s);
	type(&s, "create -b");
	expect_completion(&s, "select ", 7, "");
	type(&s, "add net; set physical=eth0; set address=192.0.2.1/24; end");
	type(&s, "add attr; set name=a; set type=string; set value=\"x y\"; end");
	expect_completion(&s, "select ", 7, "attr net");
	expect_completion(&s, "select net p", 11, "physical=");
	expect_completion(&s, "remove net physical=", 20, "eth0");
	expect_completion(&s, "remove -F net physical=eth0 ad", 28, "address=");
	expect_completion(&s, "info net address=192", 17, "192.0.2.1/24");
	expect_completion(&s, "select attr value=", 18, "\"x y\"");
	expect_completion(&s, "select attr value=\"x", 18, "\"x y\"");
	expect_completion(&s, "info zonen", 5, "zonename");
}

static void
templates_and_topics_complete(void **state)
{
	auto_session struct session s = {0};

	(void)state;
	open_session(&s);
	expect_completion(&s, "create -t SYS", 10, "SYSblank SYSdefault");
	expect_completion(&s, "help zonep", 5, "zonepath");
	expect_completion(&s, "help syn", 5, "syntax");
	expect_completion(&s, "bogus ", 6, "");
}

/* ---- what a session keeps ------------------------------------------------------------------- */

static void
a_wrong_element_leaves_the_list_alone(void **state)
{
	auto_session struct session s = {0};
	size_t n;

	(void)state;
	open_session(&s);
	type(&s, "create -b; add admin; set user=joe; set auths=login");
	type(&s, "set auths=[manage,nonsense]");
	assert_string_equal(config_res_get(s.res, CONFIG_ADMIN_AUTHS), "login");
	type(&s, "add auths [manage,nonsense]");
	assert_string_equal(config_res_get(s.res, CONFIG_ADMIN_AUTHS), "login");
	type(&s, "set auths=[]");
	assert_null(config_res_list(s.res, CONFIG_ADMIN_AUTHS, &n));
}

static void
a_cancelled_resource_changes_nothing(void **state)
{
	auto_session struct session s = {0};

	(void)state;
	open_session(&s);
	type(&s, "create -b; add net; set physical=eth0; set address=192.0.2.1; end");
	type(&s, "select net; set physical=eth1; cancel");
	assert_null(s.res);
	assert_string_equal(config_res_get(config_at(s.cfg, CONFIG_NET, 0), CONFIG_NET_PHYSICAL),
			    "eth0");
	type(&s, "add net; cancel");
	assert_int_equal(config_count(s.cfg, CONFIG_NET), 1);
}

static void
a_failed_end_leaves_the_scope_open(void **state)
{
	auto_session struct session s = {0};

	(void)state;
	open_session(&s);
	type(&s, "create -b; add fs; set dir=/a; end");
	assert_non_null(s.res);
	assert_true(s.failed);
	type(&s, "set special=/b; set type=lofs; end");
	assert_null(s.res);
	assert_int_equal(config_count(s.cfg, CONFIG_FS), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(export_is_a_fixed_point),
	    cmocka_unit_test(commands_complete_by_scope),
	    cmocka_unit_test(a_scope_opened_earlier_on_the_line_counts),
	    cmocka_unit_test(properties_and_their_values_complete),
	    cmocka_unit_test(resources_complete_by_what_is_there),
	    cmocka_unit_test(templates_and_topics_complete),
	    cmocka_unit_test(a_wrong_element_leaves_the_list_alone),
	    cmocka_unit_test(a_cancelled_resource_changes_nothing),
	    cmocka_unit_test(a_failed_end_leaves_the_scope_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

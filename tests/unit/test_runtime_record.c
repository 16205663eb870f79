/* SPDX-License-Identifier: Apache-2.0 */
/* Records of live zones, users of a zone, and system call filters: what is read strictly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/fd.h"
#include "runtime/runtime_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORD                                                                                     \
	"state=running\ncgroup=zones/z\ncgroup_home=zones/z\ncgroup2=/sys/fs/"                     \
	"cgroup\nhierarchies1=\nshared1=\nfilter=.filter-1\n"                                      \
	"id=7\ninit_pid=42\ninit_start=99\ndaemon_pid=41\ndaemon_start=98\nid_base=524288\nid_"    \
	"owner=524288\n"                                                                           \
	"caps=255\ncore_pinned=1\nmemlock_bytes=0\n"

static int
parse(const char *text, struct runtime_record *ret, struct err *err)
{
	auto_free char *copy = strdup(text);

	return runtime_record_parse("z", copy, ret, err);
}

static void
a_record_is_read_back(void **state)
{
	struct runtime_record rec;
	struct err err = {0};

	(void)state;
	assert_int_equal(parse(RECORD, &rec, &err), 0);
	assert_string_equal(rec.state, "running");
	assert_string_equal(rec.cgroup, "zones/z");
	assert_string_equal(rec.hierarchies1, "");
	assert_int_equal(rec.id, 7);
	assert_int_equal(rec.init_pid, 42);
	assert_int_equal(rec.id_base, 524288);
	assert_int_equal(rec.core_pinned, 1);
}

static void
assert_refused(const char *text, const char *message)
{
	struct runtime_record rec = {.id = 1234};
	struct err err = {0};

	assert_int_equal(parse(text, &rec, &err), -ZE_FORMAT);
	assert_string_equal(err.msg, message);
	assert_int_equal(rec.id, 1234);
}

static void
a_record_that_is_not_whole_or_right_is_refused(void **state)
{
	(void)state;
	assert_refused("", "record of zone 'z': no 'state'");
	assert_refused("state=running\n", "record of zone 'z': no 'cgroup'");
	assert_refused(RECORD "id=7\n", "record of zone 'z': line 18 is not as it must be");
	assert_refused(RECORD "future=1\n", "record of zone 'z': line 18 is not as it must be");
	assert_refused("state\n" RECORD, "record of zone 'z': line 1 is not as it must be");
	assert_refused("\n" RECORD, "record of zone 'z': line 1 is not as it must be");
	assert_refused("id=10000\n", "record of zone 'z': line 1 is not as it must be");
	assert_refused("id=-1\n", "record of zone 'z': line 1 is not as it must be");
	assert_refused("id=1 \n", "record of zone 'z': line 1 is not as it must be");
	assert_refused("id_base=4294967296\n", "record of zone 'z': line 1 is not as it must be");
	assert_refused("state=a-state-that-is-too-long\n",
		       "record of zone 'z': line 1 is not as it must be");
}

static void
a_state_that_is_not_live_is_refused(void **state)
{
	auto_free char *text = strdup(RECORD);
	char *at = strstr(text, "running");

	(void)state;
	memcpy(at, "flying!", 7);
	assert_refused(text, "record of zone 'z': bad state 'flying!' or ID");
	at = strstr(text, "id=7");
	memcpy(strstr(text, "flying!"), "running", 7);
	at[3] = '0';
	assert_refused(text, "record of zone 'z': bad state 'running' or ID");
}

static void
assert_user(const char *text, const char *user, const char *home, const char *shell)
{
	struct passwd_entry got;

	passwd_find(text, strlen(text), user, &got);
	assert_string_equal(got.home, home);
	assert_string_equal(got.shell, shell);
}

static void
a_user_is_found_by_the_whole_name(void **state)
{
	static const char text[] =
	    "rooty:x:1:1::/a:/b\nroot:x:0:0:Root:/root:/bin/bash\nroot:x:0:0::/2:/2\n";

	(void)state;
	assert_user(text, "root", "/root", "/bin/bash");
	assert_user(text, "rooty", "/a", "/b");
	assert_user(text, "roo", "/", "/bin/sh");
	assert_user("", "root", "/", "/bin/sh");
	assert_user("root:x:0:0::/home:/bin/zsh", "root", "/home", "/bin/zsh");
}

static void
fields_that_are_no_paths_have_a_default(void **state)
{
	char text[1024];

	(void)state;
	assert_user("root", "root", "/", "/bin/sh");
	assert_user("root:x:0:0", "root", "/", "/bin/sh");
	assert_user("root:x:0:0:::", "root", "/", "/bin/sh");
	assert_user("root:x:0:0::home:sh\n", "root", "/", "/bin/sh");
	assert_user(":x:0:0::/h:/s\n", "root", "/", "/bin/sh");
	(void)snprintf(text, sizeof(text), "root:x:0:0::/%0600d:/bin/sh\n", 0);
	assert_user(text, "root", "/", "/bin/sh");
}

static void
filters_are_named_for_what_they_allow(void **state)
{
	char a[48], b[48], c[48];

	(void)state;
	filter_name(0xff, false, a, sizeof(a));
	filter_name(0xff, true, b, sizeof(b));
	filter_name(0xfe, false, c, sizeof(c));
	assert_string_not_equal(a, b);
	assert_string_not_equal(a, c);
	assert_int_equal(a[0], '.');
}

static void
dangerous_calls_are_not_on_the_list(void **state)
{
	static const char *const names[] = {
	    "init_module",  "finit_module", "kexec_load",     "bpf",        "open_by_handle_at",
	    "keyctl",       "swapon",       "syslog",         "socketcall", "perf_event_open",
	    "settimeofday", "reboot",       "io_uring_setup",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		for (const char *const *p = syscalls_allowed; *p; p++)
			assert_string_not_equal(*p, names[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_record_is_read_back),
	    cmocka_unit_test(a_record_that_is_not_whole_or_right_is_refused),
	    cmocka_unit_test(a_state_that_is_not_live_is_refused),
	    cmocka_unit_test(a_user_is_found_by_the_whole_name),
	    cmocka_unit_test(fields_that_are_no_paths_have_a_default),
	    cmocka_unit_test(filters_are_named_for_what_they_allow),
	    cmocka_unit_test(dangerous_calls_are_not_on_the_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

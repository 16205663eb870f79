/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "base/str.h"
#include "config/config.h"

#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define CAP(name) ((uint64_t)1 << CAP_##name)

/* What systemd needs as the init of a zone. */
#define INIT_CAPS                                                                                  \
	(CAP(SYS_ADMIN) | CAP(SETPCAP) | CAP(SETUID) | CAP(SETGID) | CAP(CHOWN) |                  \
	 CAP(DAC_OVERRIDE) | CAP(DAC_READ_SEARCH) | CAP(FOWNER) | CAP(FSETID) | CAP(SETFCAP) |     \
	 CAP(KILL) | CAP(SYS_PTRACE) | CAP(SYS_CHROOT) | CAP(NET_BIND_SERVICE) | CAP(SYS_BOOT) |   \
	 CAP(SYS_RESOURCE) | CAP(AUDIT_WRITE) | CAP(IPC_LOCK) | CAP(IPC_OWNER) | CAP(SYS_PACCT))

static struct err err;

static uint64_t
caps(const char *limitpriv, bool exclusive_ip)
{
	uint64_t mask = 0;

	if (config_priv_caps(limitpriv, exclusive_ip, &mask, &err) < 0)
		fail_msg("%s: %s", limitpriv ? limitpriv : "default", err.msg);
	return mask;
}

static void
the_default_is_what_init_needs(void **state)
{
	(void)state;
	assert_int_equal(caps(NULL, false), INIT_CAPS);
	assert_int_equal(caps("", false), INIT_CAPS);
	assert_int_equal(caps("default", false), INIT_CAPS);
	assert_int_equal(caps(NULL, true), INIT_CAPS | CAP(NET_ADMIN) | CAP(NET_RAW));
}

static void
what_is_dangerous_for_the_host_is_never_there(void **state)
{
	static const uint64_t never =
	    CAP(SYS_MODULE) | CAP(SYS_RAWIO) | CAP(MKNOD) | CAP(MAC_ADMIN) | CAP(MAC_OVERRIDE) |
	    CAP(SYSLOG) | CAP(PERFMON) | CAP(BPF) | CAP(CHECKPOINT_RESTORE) | CAP(AUDIT_CONTROL) |
	    CAP(AUDIT_READ) | CAP(WAKE_ALARM) | CAP(BLOCK_SUSPEND) | CAP(LINUX_IMMUTABLE);

	(void)state;
	assert_int_equal(
	    caps("default,proc_priocntl,sys_time,cap_lease,cap_sys_tty_config", true) & never, 0);
}

static void
privileges_are_added_and_removed(void **state)
{
	(void)state;
	assert_int_equal(caps("default,sys_time", false), INIT_CAPS | CAP(SYS_TIME));
	assert_int_equal(caps("default,PRIV_PROC_PRIOCNTL", false), INIT_CAPS | CAP(SYS_NICE));
	assert_int_equal(caps("default,cap_sys_nice", false), INIT_CAPS | CAP(SYS_NICE));
	assert_int_equal(caps("default,net_rawaccess", false), INIT_CAPS | CAP(NET_RAW));
	assert_int_equal(caps("default,!net_privaddr", false), INIT_CAPS & ~CAP(NET_BIND_SERVICE));
	assert_int_equal(caps("default,-net_privaddr", false), INIT_CAPS & ~CAP(NET_BIND_SERVICE));
	assert_int_equal(caps("default,!cap_sys_ptrace", false), INIT_CAPS & ~CAP(SYS_PTRACE));
	assert_int_equal(caps("default,!cap_sys_ptrace,cap_sys_ptrace", false), INIT_CAPS);
	/* Three privileges stand for one capability: it goes with the last of them. */
	assert_int_equal(caps("default,!file_dac_read", false), INIT_CAPS);
	assert_int_equal(caps("default,!file_dac_read,!file_dac_search,!file_dac_execute", false),
			 INIT_CAPS & ~CAP(DAC_READ_SEARCH));
	/* Without "default" the list is all there is. */
	assert_int_equal(caps("basic,sys_mount,file_chown", false),
			 CAP(SETPCAP) | CAP(SYS_ADMIN) | CAP(CHOWN));
}

static void
the_kinds_of_problems_differ(void **state)
{
	static const struct {
		const char *limitpriv, *problems;
		bool exclusive;
	} cases[] = {
	    {"default,sys_config", "limitpriv: privilege 'sys_config' is prohibited in a zone\n",
	     false},
	    {"default,cap_mknod", "limitpriv: privilege 'cap_mknod' is prohibited in a zone\n",
	     true},
	    {"default,sys_ip_config",
	     "limitpriv: privilege 'sys_ip_config' is prohibited in a zone with ip-type "
	     "'shared'\n",
	     false},
	    {"default,sys_ip_config", "", true},
	    {"default,!sys_ip_config",
	     "limitpriv: privilege 'sys_ip_config' is required in a zone with ip-type "
	     "'exclusive' and missing\n",
	     true},
	    {"default,!proc_fork",
	     "limitpriv: privilege 'proc_fork' is required in a zone and missing\n", false},
	    {"default,!cap_sys_admin",
	     "limitpriv: privilege 'cap_sys_admin' is required in a zone and missing\n", false},
	    {"basic", "limitpriv: privilege 'sys_mount' is required in a zone and missing\n",
	     false},
	    {"default,sys_everything", "limitpriv: privilege 'sys_everything' is unknown\n", false},
	    {"default,,file_chown", "limitpriv: privilege '' is unknown\n", false},
	    {"all",
	     "limitpriv: the set 'all' has privileges that are prohibited in a zone\n"
	     "limitpriv: privilege 'proc_exec' is required in a zone and missing\n"
	     "limitpriv: privilege 'proc_fork' is required in a zone and missing\n"
	     "limitpriv: privilege 'sys_mount' is required in a zone and missing\n",
	     false},
	    {"default,foo,sys_devices,!proc_exec",
	     "limitpriv: privilege 'foo' is unknown\n"
	     "limitpriv: privilege 'sys_devices' is prohibited in a zone\n"
	     "limitpriv: privilege 'proc_exec' is required in a zone and missing\n",
	     false},
	};
	uint64_t mask;
	int r;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		auto_strv struct strv problems = {0};
		auto_str struct str all = {0};

		assert_int_equal(str_addf(&all, "%s", ""), 0);
		r = config_priv_check(cases[i].limitpriv, cases[i].exclusive, &problems);
		for (size_t k = 0; k < problems.n; k++)
			assert_int_equal(str_addf(&all, "%s\n", problems.v[k]), 0);
		assert_string_equal(all.s, cases[i].problems);
		assert_int_equal(r, problems.n ? -ZE_VERIFY : 0);
		assert_int_equal(
		    config_priv_caps(cases[i].limitpriv, cases[i].exclusive, &mask, &err),
		    problems.n ? -ZE_INVAL : 0);
	}
}

static void
shared_ids_take_privileges_away(void **state)
{
	static const struct {
		const char *limitpriv, *warnings;
	} cases[] = {
	    {NULL, ""},
	    {"default,!sys_acct,cap_sys_time", ""},
	    {"default,!file_dac_read", ""},
	    {"default,proc_owner",
	     "limitpriv: privilege 'proc_owner' is not given in full to a zone with idmap "
	     "'shared'\n"},
	    {"default,sys_mount",
	     "limitpriv: privilege 'sys_mount' is not given to a zone with idmap 'shared'\n"},
	    {"default,PRIV_FILE_DAC_READ,cap_sys_admin",
	     "limitpriv: privilege 'file_dac_read' is not given to a zone with idmap 'shared'\n"
	     "limitpriv: privilege 'cap_sys_admin' is not given to a zone with idmap 'shared'\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		auto_strv struct strv warnings = {0};
		auto_str struct str all = {0};
		uint64_t before = caps(cases[i].limitpriv, false), mask = before;

		assert_int_equal(str_addf(&all, "%s", ""), 0);
		assert_int_equal(config_priv_share(cases[i].limitpriv, &mask, &warnings), 0);
		for (size_t k = 0; k < warnings.n; k++)
			assert_int_equal(str_addf(&all, "%s\n", warnings.v[k]), 0);
		assert_string_equal(all.s, cases[i].warnings);
		assert_int_equal(
		    mask, before & ~(CAP(SYS_ADMIN) | CAP(DAC_READ_SEARCH) | CAP(SYS_PTRACE)));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_default_is_what_init_needs),
	    cmocka_unit_test(what_is_dangerous_for_the_host_is_never_there),
	    cmocka_unit_test(privileges_are_added_and_removed),
	    cmocka_unit_test(the_kinds_of_problems_differ),
	    cmocka_unit_test(shared_ids_take_privileges_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

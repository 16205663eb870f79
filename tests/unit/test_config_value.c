/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct value {
	enum config_prop prop;
	const char *in;
	const char *out; /* what it becomes, or what the message says */
};

static const struct value good[] = {
    {CONFIG_ZONEPATH, "/zones/z", "/zones/z"},
    {CONFIG_ZONEPATH, "//zones/./z//", "/zones/z"},
    {CONFIG_ZONEPATH, "/...", "/..."},
    {CONFIG_AUTOBOOT, "true", "true"},
    {CONFIG_BOOTARGS, "-m verbose", "-m verbose"},
    {CONFIG_SCHEDULING_CLASS, "FSS", "FSS"},
    {CONFIG_HOSTID, "0", "0"},
    {CONFIG_HOSTID, "0xFFFFFFFE", "0xFFFFFFFE"},
    {CONFIG_MAX_LWPS, "100", "100"},
    {CONFIG_MAX_LWPS, "0100", "100"},
    {CONFIG_MAX_SHM_MEMORY, "1.5k", "1536"},
    {CONFIG_NET_ADDRESS, "192.0.2.1", "192.0.2.1"},
    {CONFIG_NET_ADDRESS, "192.0.2.1/32", "192.0.2.1/32"},
    {CONFIG_NET_ADDRESS, "2001:db8::1/64", "2001:db8::1/64"},
    {CONFIG_NET_ADDRESS, "web-1.example", "web-1.example"},
    {CONFIG_NET_DEFROUTER, "fe80::1", "fe80::1"},
    {CONFIG_NET_ALLOWED_ADDRESS, "192.0.2.1/24,192.0.2.2", "192.0.2.1/24,192.0.2.2"},
    {CONFIG_NET_PHYSICAL, "eth0.100", "eth0.100"},
    {CONFIG_NET_PHYSICAL, "iprb0:1", "iprb0:1"},
    {CONFIG_ANET_MAC_ADDRESS, "2:8:20:AB:0:1", "02:08:20:ab:00:01"},
    {CONFIG_ANET_MAC_ADDRESS, "auto", "auto"},
    {CONFIG_ANET_MAXBW, "100", "100M"},
    {CONFIG_ANET_MAXBW, "2g", "2G"},
    {CONFIG_ANET_LINK_PROTECTION, "mac-nospoof,ip-nospoof", "mac-nospoof,ip-nospoof"},
    {CONFIG_DEDICATED_CPU_NCPUS, "2", "2"},
    {CONFIG_DEDICATED_CPU_NCPUS, "2-2", "2"},
    {CONFIG_DEDICATED_CPU_NCPUS, "1-4", "1-4"},
    {CONFIG_CAPPED_CPU_NCPUS, ".5", "0.50"},
    {CONFIG_CAPPED_CPU_NCPUS, "1", "1.00"},
    {CONFIG_CAPPED_CPU_NCPUS, "0.01", "0.01"},
    {CONFIG_CAPPED_MEMORY_PHYSICAL, "50M", "52428800"},
    {CONFIG_CAPPED_MEMORY_PHYSICAL, "0.5G", "536870912"},
    {CONFIG_CAPPED_MEMORY_SWAP, "52428800", "52428800"},
    {CONFIG_DATASET_NAME, "tank/zones/web data", "tank/zones/web data"},
    {CONFIG_RCTL_NAME, "zone.max-lwps", "zone.max-lwps"},
    {CONFIG_RCTL_VALUE, "(limit=5, action=none,priv=privileged)",
     "(priv=privileged,limit=5,action=none)"},
    {CONFIG_ATTR_VALUE, "Grüße & <more> 日本 😀", "Grüße & <more> 日本 😀"},
    {CONFIG_ADMIN_AUTHS, "login,manage", "login,manage"},
};

static const struct value bad[] = {
    {CONFIG_ZONENAME, "../x", "zonename: '../x': a zone name begins with"},
    {CONFIG_ZONEPATH, "", "zonepath: a value is required"},
    {CONFIG_ZONEPATH, "zones", "zonepath: 'zones' is not an absolute path"},
    {CONFIG_ZONEPATH, "/a/../b", "zonepath: '/a/../b' is not a path without '..'"},
    {CONFIG_ZONEPATH, "/a/..", "zonepath: '/a/..' is not a path without '..'"},
    {CONFIG_BRAND, "../lx", "brand: '../lx' is not a name"},
    {CONFIG_AUTOBOOT, "yes", "autoboot: 'yes' is not one of true, false"},
    {CONFIG_IP_TYPE, "Shared", "ip-type: 'Shared' is not one of shared, exclusive"},
    {CONFIG_HOSTID, "ffffffff", "hostid: 'ffffffff' is not a host identifier"},
    {CONFIG_HOSTID, "0x", "hostid: '0x' is not a host identifier"},
    {CONFIG_HOSTID, "123456789", "hostid: '123456789' is not a host identifier"},
    {CONFIG_MAX_LWPS, "99", "max-lwps: '99' is not between 100 and 9223372036854775807"},
    {CONFIG_MAX_LWPS, "-1", "max-lwps: '-1' is not a number"},
    {CONFIG_MAX_LWPS, "18446744073709551616", "max-lwps: '18446744073709551616' is not a number"},
    {CONFIG_CPU_SHARES, "0", "cpu-shares: '0' is not between 1 and 65535"},
    {CONFIG_MAX_SHM_MEMORY, "1X", "max-shm-memory: '1X' is not a size"},
    {CONFIG_MAX_SHM_MEMORY, "1KB", "max-shm-memory: '1KB' is not a size"},
    {CONFIG_MAX_SHM_MEMORY, "K", "max-shm-memory: 'K' is not a size"},
    {CONFIG_MAX_SHM_MEMORY, "1.5", "max-shm-memory: '1.5' is not a size"},
    {CONFIG_MAX_SHM_MEMORY, "1.G", "max-shm-memory: '1.G' is not a size"},
    {CONFIG_MAX_SHM_MEMORY, "16777216T", "max-shm-memory: '16777216T' is not a size"},
    {CONFIG_MAX_SHM_MEMORY, "99999999999999999999",
     "max-shm-memory: '99999999999999999999' is not a size"},
    {CONFIG_CAPPED_MEMORY_SWAP, "49M", "swap: '49M' is not between 50M and "},
    {CONFIG_CAPPED_MEMORY_PHYSICAL, "1023K", "physical: '1023K' is not between 1M and "},
    {CONFIG_NET_ADDRESS, "300.1.1.1", "address: '300.1.1.1' is not an IP address or host name"},
    {CONFIG_NET_ADDRESS, "192.0.2", "address: '192.0.2' is not an IP address or host name"},
    {CONFIG_NET_ADDRESS, "192.0.2.1/33", "is not an address with a prefix length from 1 to 32"},
    {CONFIG_NET_ADDRESS, "192.0.2.1/", "is not an address with a prefix length from 1 to 32"},
    {CONFIG_NET_ADDRESS, "2001:db8::1",
     "address: '2001:db8::1' is not an IPv6 address with its prefix length"},
    {CONFIG_NET_ADDRESS, "2001:db8::1/129", "prefix length from 1 to 128"},
    {CONFIG_NET_ADDRESS, "-web", "address: '-web' is not an IP address or host name"},
    {CONFIG_NET_ADDRESS, "web_1", "address: 'web_1' is not an IP address or host name"},
    {CONFIG_NET_ADDRESS, "host/24", "address: 'host/24' is not an IP address or host name"},
    {CONFIG_NET_DEFROUTER, "192.0.2.1/24", "is not an address without prefix length"},
    {CONFIG_NET_DEFROUTER, "router", "defrouter: 'router' is not an IP address"},
    {CONFIG_NET_ALLOWED_ADDRESS, "192.0.2.1,", "allowed-address: an element is empty"},
    {CONFIG_NET_ALLOWED_ADDRESS, "a.example", "'a.example' is not an IP address"},
    {CONFIG_NET_PHYSICAL, "a/b", "physical: 'a/b' is not an interface name"},
    {CONFIG_NET_PHYSICAL, "..", "physical: '..' is not an interface name"},
    {CONFIG_ANET_MAC_ADDRESS, "01:00:5e:00:00:01", "hardware address of one interface"},
    {CONFIG_ANET_MAC_ADDRESS, "02:00:5e:00:00", "mac-address: '02:00:5e:00:00' is not a hardware"},
    {CONFIG_ANET_VLAN_ID, "4095", "vlan-id: '4095' is not between 0 and 4094"},
    {CONFIG_ANET_MAXBW, "0", "maxbw: '0' is not a bandwidth"},
    {CONFIG_DEDICATED_CPU_NCPUS, "0", "ncpus: '0' is not between 1 and 65535"},
    {CONFIG_DEDICATED_CPU_NCPUS, "4-1", "ncpus: '4-1' is not a range from low to high"},
    {CONFIG_DEDICATED_CPU_NCPUS, "1-2-3", "ncpus: '1-2-3' is not a number N or a range N-M"},
    {CONFIG_CAPPED_CPU_NCPUS, "0", "ncpus: '0' is not between 0.01 and 65535"},
    {CONFIG_CAPPED_CPU_NCPUS, "1.234", "ncpus: '1.234' is not a number of CPUs"},
    {CONFIG_CAPPED_CPU_NCPUS, "1.", "ncpus: '1.' is not a number of CPUs"},
    {CONFIG_CAPPED_CPU_NCPUS, ".", "ncpus: '.' is not a number of CPUs"},
    {CONFIG_DATASET_NAME, "/tank", "name: '/tank' is not a dataset name"},
    {CONFIG_DATASET_NAME, "tank/../x", "name: 'tank/../x' is not a dataset name"},
    {CONFIG_DATASET_NAME, "tank@snap", "name: 'tank@snap' is not a dataset name"},
    {CONFIG_RCTL_NAME, "task.max-lwps", "is not the name of a resource control of zones"},
    {CONFIG_RCTL_VALUE, "(priv=privileged,limit=5)", "is not of the form (priv=privileged,limit=N"},
    {CONFIG_RCTL_VALUE, "(priv=root,limit=5,action=deny)", "'root' is not a privilege level"},
    {CONFIG_RCTL_VALUE, "(priv=privileged,limit=-5,action=deny)", "is not of the form"},
    {CONFIG_RCTL_VALUE, "(priv=privileged,limit=5,limit=6)", "is not of the form"},
    {CONFIG_RCTL_VALUE, "(priv=privileged,limit=5,action=kill)", "'kill' is not an action"},
    {CONFIG_RCTL_VALUE, "(", "is not of the form"},
    {CONFIG_RCTL_VALUE, "()", "is not of the form"},
    {CONFIG_ATTR_NAME, "a b", "name: 'a b' is not a name"},
    {CONFIG_ATTR_TYPE, "float", "type: 'float' is not one of string, boolean, int, uint"},
    {CONFIG_ATTR_VALUE, "a\"b", "value: the value has a control character or a double quote"},
    {CONFIG_ATTR_VALUE, "a\033[31m", "value: the value has a control character"},
    {CONFIG_ATTR_VALUE, "a\xc2\x9b", "value: the value has a control character"},
    {CONFIG_ATTR_VALUE, "a\xff", "value: the value is not valid UTF-8"},
    {CONFIG_ATTR_VALUE, "\xc0\xaf", "value: the value is not valid UTF-8"},
    {CONFIG_ATTR_VALUE, "\xed\xa0\x80", "value: the value is not valid UTF-8"},
    {CONFIG_ATTR_VALUE, "\xef\xbf\xbf", "value: the value is not valid UTF-8"},
    {CONFIG_ATTR_VALUE, "\xe6\x97", "value: the value is not valid UTF-8"},
    {CONFIG_ADMIN_AUTHS, "login,root", "auths: 'root' is not one of login, manage, clonefrom"},
    {CONFIG_ADMIN_AUTHS, "login,login", "auths: 'login' is in the list already"},
};

static void
good_values_are_stored_in_one_form(void **state)
{
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		auto_res struct config_res *res = NULL;

		assert_int_equal(config_res_new(config_props[good[i].prop].type, &res, &err), 0);
		assert_int_equal(config_res_set(res, good[i].prop, good[i].in, &err), 0);
		assert_string_equal(config_res_get(res, good[i].prop), good[i].out);
		/* The stored form is a value like any other, and stays as it is. */
		assert_int_equal(config_res_set(res, good[i].prop, good[i].out, &err), 0);
		assert_string_equal(config_res_get(res, good[i].prop), good[i].out);
	}
}

static void
bad_values_are_refused_and_change_nothing(void **state)
{
	struct err err;
	int r;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		auto_res struct config_res *res = NULL;

		assert_int_equal(config_res_new(config_props[bad[i].prop].type, &res, &err), 0);
		r = config_res_set(res, bad[i].prop, bad[i].in, &err);
		if (r >= 0 || !strstr(err.msg, bad[i].out))
			fail_msg("%s=%s: %d '%s'", config_props[bad[i].prop].name, bad[i].in, r,
				 r < 0 ? err.msg : "");
		assert_true(r == -ZE_INVAL || r == -ZE_EXIST);
		assert_false(config_res_is_set(res, bad[i].prop));
	}
}

static void
a_gigantic_value_is_refused_with_a_short_message(void **state)
{
	size_t size = 1 << 20;
	char *value = malloc(size);
	struct err err;

	(void)state;
	assert_non_null(value);
	memset(value, 'a', size - 1);
	value[size - 1] = '\0';
	for (unsigned p = 0; p < CONFIG_PROP_COUNT; p++) {
		auto_res struct config_res *res = NULL;

		assert_int_equal(config_res_new(config_props[p].type, &res, &err), 0);
		assert_int_equal(config_res_set(res, p, value, &err), -ZE_INVAL);
		assert_true(strlen(err.msg) < 300);
		value[0] = value[0] == 'a' ? '/' : 'a';
	}
	free(value);
}

static void
an_empty_value_clears_what_is_optional(void **state)
{
	auto_res struct config_res *res = NULL;
	struct err err;

	(void)state;
	assert_int_equal(config_res_new(CONFIG_FS, &res, &err), 0);
	assert_int_equal(config_res_set(res, CONFIG_FS_RAW, "/dev/sdb", &err), 0);
	assert_int_equal(config_res_set(res, CONFIG_FS_RAW, "", &err), 0);
	assert_false(config_res_is_set(res, CONFIG_FS_RAW));
	assert_int_equal(config_res_set(res, CONFIG_FS_DIR, "", &err), -ZE_INVAL);
	assert_string_equal(err.msg, "dir: a value is required");
}

static void
lists_grow_and_shrink(void **state)
{
	auto_res struct config_res *res = NULL;
	const char *const *list;
	struct err err;
	size_t n;

	(void)state;
	assert_int_equal(config_res_new(CONFIG_FS, &res, &err), 0);
	assert_null(config_res_list(res, CONFIG_FS_OPTIONS, &n));
	assert_int_equal(n, 0);
	assert_int_equal(config_res_add_value(res, CONFIG_FS_OPTIONS, "ro", &err), 0);
	assert_int_equal(config_res_add_value(res, CONFIG_FS_OPTIONS, "size=5,mode=7", &err), 0);
	list = config_res_list(res, CONFIG_FS_OPTIONS, &n);
	assert_int_equal(n, 2);
	assert_string_equal(list[1], "size=5,mode=7");
	assert_string_equal(config_res_get(res, CONFIG_FS_OPTIONS), "ro,size=5,mode=7");
	assert_int_equal(config_res_remove_value(res, CONFIG_FS_OPTIONS, "rw", &err), -ZE_NOENT);
	assert_string_equal(err.msg, "options: 'rw' is not in the list");
	assert_int_equal(config_res_remove_value(res, CONFIG_FS_OPTIONS, "ro", &err), 0);
	assert_string_equal(config_res_get(res, CONFIG_FS_OPTIONS), "size=5,mode=7");
	assert_int_equal(config_res_set(res, CONFIG_FS_OPTIONS, "rw", &err), 0);
	assert_string_equal(config_res_get(res, CONFIG_FS_OPTIONS), "rw");
	assert_int_equal(config_res_remove_value(res, CONFIG_FS_OPTIONS, "rw", &err), 0);
	assert_false(config_res_is_set(res, CONFIG_FS_OPTIONS));
	assert_int_equal(config_res_add_value(res, CONFIG_FS_DIR, "/x", &err), -ZE_INVAL);
	assert_string_equal(err.msg, "dir: holds one value; use 'set'");
	assert_int_equal(config_res_remove_value(res, CONFIG_FS_DIR, "/x", &err), -ZE_INVAL);
	assert_string_equal(err.msg, "dir: holds one value; use 'clear'");
}

static void
a_list_has_a_limit(void **state)
{
	auto_res struct config_res *res = NULL;
	char option[512];
	struct err err;
	int r = 0;

	(void)state;
	memset(option, 'x', sizeof(option) - 1);
	option[sizeof(option) - 1] = '\0';
	assert_int_equal(config_res_new(CONFIG_FS, &res, &err), 0);
	for (int i = 0; r == 0 && i < 100; i++)
		r = config_res_add_value(res, CONFIG_FS_OPTIONS, option, &err);
	assert_int_equal(r, -ZE_INVAL);
	assert_string_equal(err.msg, "options: the list has more than 8192 bytes");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(good_values_are_stored_in_one_form),
	    cmocka_unit_test(bad_values_are_refused_and_change_nothing),
	    cmocka_unit_test(a_gigantic_value_is_refused_with_a_short_message),
	    cmocka_unit_test(an_empty_value_clears_what_is_optional),
	    cmocka_unit_test(lists_grow_and_shrink),
	    cmocka_unit_test(a_list_has_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

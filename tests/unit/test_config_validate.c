/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "base/str.h"
#include "config/config_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The content of a document and the problems that it has, one a line. */
struct check_case {
	const char *attrs, *content, *problems;
};

#define RCTL(name, limit, action)                                                                  \
	"<rctl name=\"" name "\"><rctl-value priv=\"privileged\" limit=\"" limit                   \
	"\" action=\"" action "\"/></rctl>"
#define ZONE "name=\"z\" zonepath=\"/z\" "

static const struct check_case cases[] = {
    {ZONE, "", ""},
    {"name=\"z\"", "", "zonepath: not specified: a required resource is missing\n"},
    {"name=\"z\" zonepath=\"/\"", "", "zonepath: '/' cannot be a zonepath\n"},
    {ZONE "pool=\"SUNWtmp\"", "", "pool: 'SUNWtmp': names that begin with SUNW are reserved\n"},

    /* What is required */
    {ZONE, "<filesystem directory=\"\" special=\"/a\" type=\"lofs\"/>",
     "fs: dir not specified: a required property is missing\n"},
    {ZONE, "<filesystem directory=\"/a\" special=\"\" type=\"\"/>",
     "fs 'dir=/a': special not specified: a required property is missing\n"
     "fs 'dir=/a': type not specified: a required property is missing\n"},
    {ZONE, "<rctl name=\"zone.max-lwps\"/>",
     "rctl 'name=zone.max-lwps': value not specified: a required property is missing\n"},
    {ZONE, "<tmp_pool importance=\"2\"/>",
     "dedicated-cpu: ncpus not specified: a required property is missing\n"},

    /* fs */
    {ZONE, "<filesystem directory=\"/a\" special=\"h:/x\" type=\"nfs4\"/>",
     "fs 'dir=/a': type 'nfs4' cannot be mounted for a zone\n"},
    {ZONE, "<filesystem directory=\"/a\" special=\"proc\" type=\"proc\"/>",
     "fs 'dir=/a': type 'proc' cannot be mounted for a zone\n"},
    {ZONE, "<filesystem directory=\"/a\" special=\"swap\" type=\"tmpfs\"/>", ""},
    {ZONE, "<filesystem directory=\"/a\" special=\"/x/..\" type=\"lofs\"/>",
     "fs 'dir=/a': special '/x/..' is not an absolute path without '..'\n"},
    {ZONE, "<filesystem directory=\"/a\" special=\"export\" type=\"lofs\"/>",
     "fs 'dir=/a': special 'export' is not an absolute path without '..'\n"},
    {ZONE, "<filesystem directory=\"/a\" special=\"/tank\" type=\"zfs\"/>",
     "fs 'dir=/a': special '/tank' is not the name of a dataset\n"},

    /* net and ip-type */
    {ZONE, "<network address=\"192.0.2.1\" physical=\"eth0:1\"/>",
     "net 'address=192.0.2.1,physical=eth0:1': physical 'eth0:1' is a logical interface\n"},
    {ZONE, "<network address=\"192.0.2.1\" physical=\"interface-name-long\"/>",
     "net 'address=192.0.2.1,physical=interface-name-long': physical 'interface-name-long' has "
     "more than 15 characters\n"},
    {ZONE, "<network address=\"\" physical=\"eth0\"/>",
     "net 'physical=eth0': address not specified: a required property is missing\n"},
    {ZONE "ip-type=\"exclusive\"", "<network address=\"\" physical=\"eth0\"/>", ""},
    {ZONE "ip-type=\"exclusive\"",
     "<network address=\"192.0.2.1\" physical=\"eth0\" defrouter=\"192.0.2.2\"/>",
     "net 'address=192.0.2.1,physical=eth0': address '192.0.2.1' and ip-type 'exclusive' are "
     "incompatible\n"
     "net 'address=192.0.2.1,physical=eth0': defrouter '192.0.2.2' and ip-type 'exclusive' are "
     "incompatible without allowed-address\n"},
    {ZONE "ip-type=\"exclusive\"",
     "<network address=\"\" physical=\"eth0\" allowed-address=\"192.0.2.1\" "
     "defrouter=\"192.0.2.2\"/>",
     ""},
    {ZONE, "<network address=\"192.0.2.1\" physical=\"eth0\" allowed-address=\"192.0.2.1/24\"/>",
     "net 'address=192.0.2.1,allowed-address=192.0.2.1/24,physical=eth0': allowed-address "
     "'192.0.2.1/24' and ip-type 'shared' "
     "are incompatible\n"},
    {ZONE "nesting=\"true\"", "", ""},
    {ZONE "idmap=\"shared\" nesting=\"false\"", "", ""},
    {ZONE "idmap=\"shared\" nesting=\"true\"", "",
     "nesting 'true' and idmap 'shared' are incompatible\n"},
    {ZONE, "<automatic-network/>", "anet and ip-type 'shared' are incompatible\n"},
    {ZONE "ip-type=\"exclusive\"", "<automatic-network/>", ""},

    {ZONE, "<device match=\"/etc/shadow\"/>",
     "device 'match=/etc/shadow': match '/etc/shadow' is not below /dev\n"},

    /* CPU */
    {ZONE "pool=\"web\"",
     "<pset ncpu_min=\"1\" ncpu_max=\"2\"/>" RCTL("zone.cpu-cap", "150", "deny")
	 RCTL("zone.cpu-shares", "5", "none"),
     "dedicated-cpu and capped-cpu are incompatible\n"
     "dedicated-cpu and pool 'web' are incompatible\n"
     "dedicated-cpu and cpu-shares '5' are incompatible\n"},
    {ZONE "scheduling-class=\"TS\"", RCTL("zone.cpu-shares", "5", "none"),
     "cpu-shares '5' and scheduling-class 'TS' are incompatible\n"},
    {ZONE "scheduling-class=\"FSS\"", RCTL("zone.cpu-shares", "5", "none"), ""},

    /* Memory */
    {ZONE, "<mcap physcap=\"52428800\"/>" RCTL("zone.max-locked-memory", "52428801", "deny"),
     "capped-memory: locked '52428801' is more than physical '52428800'\n"},

    /* attr */
    {ZONE, "<attr name=\"zone.x\" type=\"string\" value=\"1\"/>",
     "attr 'name=zone.x': name 'zone.x': names that begin with 'zone' are reserved\n"},
    {ZONE,
     "<attr name=\"a\" type=\"boolean\" value=\"1\"/><attr name=\"b\" type=\"int\" "
     "value=\"1.5\"/><attr name=\"c\" type=\"uint\" value=\"-1\"/><attr name=\"d\" type=\"int\" "
     "value=\"-9223372036854775808\"/><attr name=\"e\" type=\"int\" "
     "value=\"9223372036854775808\"/>",
     "attr 'name=a': value '1' is neither true nor false\n"
     "attr 'name=b': value '1.5' is not an integer\n"
     "attr 'name=c': value '-1' is not an unsigned integer\n"
     "attr 'name=e': value '9223372036854775808' is not an integer\n"},

    /* rctl */
    {ZONE, RCTL("zone.cpu-shares", "5", "deny"),
     "rctl 'name=zone.cpu-shares': value '(priv=privileged,limit=5,action=deny)': this resource "
     "control cannot deny\n"},
    {ZONE, RCTL("zone.cpu-shares", "65536", "none"),
     "rctl 'name=zone.cpu-shares': value '(priv=privileged,limit=65536,action=none)': the limit is "
     "not between 1 and 65535\n"},
    {ZONE, RCTL("zone.cpu-cap", "5", "none"),
     "rctl 'name=zone.cpu-cap': value '(priv=privileged,limit=5,action=none)': this resource "
     "control always denies\n"},
    {ZONE, RCTL("zone.max-lwps", "99", "deny"),
     "rctl 'name=zone.max-lwps': value '(priv=privileged,limit=99,action=deny)': the limit is not "
     "between 100 and 9223372036854775807\n"},
    {ZONE,
     "<rctl name=\"zone.new\"><rctl-value priv=\"basic\" limit=\"1\" "
     "action=\"signal=SIGTERM\"/></rctl>",
     "rctl 'name=zone.new': value '(priv=basic,limit=1,action=signal=SIGTERM)': the privilege must "
     "be 'privileged'\n"
     "rctl 'name=zone.new': value '(priv=basic,limit=1,action=signal=SIGTERM)': a signal cannot be "
     "sent to a zone\n"},

    /* The global zone */
    {"name=\"global\" pool=\"web\"", RCTL("zone.max-lwps", "500", "deny"), ""},
    {"name=\"global\" zonepath=\"/z\" bootargs=\"-v\"",
     "<device match=\"/dev/a\"/>" RCTL("zone.max-swap", "52428800", "deny"),
     "zonepath: cannot be set for the global zone\n"
     "bootargs: cannot be set for the global zone\n"
     "capped-memory: swap '52428800' is less than 100M\n"
     "device: the global zone cannot have one\n"},
};

static void
every_rule_is_reported_on_a_line_of_its_own(void **state)
{
	struct err err;
	int r;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		auto_config struct config *cfg = NULL;
		auto_strv struct strv problems = {0};
		auto_str struct str doc = {0}, all = {0};

		assert_int_equal(str_addf(&all, "%s", ""), 0);
		assert_int_equal(
		    str_addf(&doc, "<zone %s>%s</zone>", cases[i].attrs, cases[i].content), 0);
		if (config_xml_parse(doc.s, doc.len, &cfg, &err) < 0)
			fail_msg("%s: %s", doc.s, err.msg);
		r = config_check(cfg, &problems);
		for (size_t k = 0; k < problems.n; k++)
			assert_int_equal(str_addf(&all, "%s\n", problems.v[k]), 0);
		assert_string_equal(all.s, cases[i].problems);
		assert_int_equal(r, *cases[i].problems ? -ZE_VERIFY : 0);
	}
}

static void
an_unfinished_resource_tells_what_it_lacks(void **state)
{
	auto_res struct config_res *res = NULL;
	auto_strv struct strv problems = {0};
	struct err err;

	(void)state;
	assert_int_equal(config_res_new(CONFIG_CAPPED_MEMORY, &res, &err), 0);
	assert_int_equal(config_res_check(res, &problems), -ZE_VERIFY);
	assert_int_equal(problems.n, 1);
	assert_string_equal(problems.v[0],
			    "capped-memory: none of physical, swap and locked is specified");
	assert_int_equal(config_res_set(res, CONFIG_CAPPED_MEMORY_SWAP, "1G", &err), 0);
	/* The lines of before are not problems of this. */
	assert_int_equal(config_res_check(res, &problems), 0);
	assert_int_equal(problems.n, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_rule_is_reported_on_a_line_of_its_own),
	    cmocka_unit_test(an_unfinished_resource_tells_what_it_lacks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

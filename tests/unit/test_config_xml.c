/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "base/fd.h"
#include "base/str.h"
#include "config/config_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct err err;

static int
parse(const char *doc, struct config **ret)
{
	return config_xml_parse(doc, strlen(doc), ret, &err);
}

/* As a present-day system writes it: everything in any order, empty attributes, DOCTYPE. */
static const char theirs[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<!DOCTYPE zone PUBLIC \"-//Sun Microsystems Inc//DTD Zones//EN\" "
    "\"file:///usr/share/lib/xml/dtd/zonecfg.dtd.1\">\n"
    "<!-- DO NOT EDIT & so on -->\n"
    "<zone name=\"web\" zonepath=\"/zones/web\" autoboot=\"true\" brand=\"\" pool=\"\" "
    "limitpriv=\"default,sys_time\" bootargs=\"-m verbose\" scheduling-class=\"FSS\" "
    "ip-type=\"\" hostid=\"80f0c086\" fs-allowed=\"ufs,pcfs\" version=\"1\">\n"
    "  <rctl name=\"zone.max-swap\">\n"
    "    <rctl-value priv=\"privileged\" limit=\"104857600\" action=\"deny\"/>\n"
    "  </rctl>\n"
    "  <mcap physcap=\"52428800\"/>\n"
    "  <network address=\"192.0.2.10/24\" physical=\"bge0\" defrouter=\"192.0.2.1\" "
    "allowed-address=\"\"/>\n"
    "  <filesystem special=\"/dev/dsk/c0t0d0s7\" raw=\"/dev/rdsk/c0t0d0s7\" directory=\"/mnt\" "
    "type=\"ufs\">\n"
    "    <fsoption name=\"ro\"/>\n"
    "    <fsoption name=\"nodevices\"></fsoption>\n"
    "  </filesystem>\n"
    "  <inherited-pkg-dir directory=\"/usr\"/>\n"
    "  <device match=\"/dev/dsk/c0*\"/>\n"
    "  <deleted-device match=\"/dev/old\"/>\n"
    "  <pset ncpu_min=\"1\" ncpu_max=\"4\"/>\n"
    "  <tmp_pool importance=\"5\"/>\n"
    "  <attr name=\"comment\" type=\"string\" value=\"a &lt;b&gt; &amp; &quot;\"/>\n"
    "  <dataset name=\"tank/web\"/>\n"
    "  <admin user=\"bob\" auths=\"login,manage\"/>\n"
    "  <security-flags lower=\"aslr\" default=\"\" upper=\"aslr,noexecstack\"/>\n"
    "  <package name=\"SUNWcsr\" version=\"11.10\"/>\n"
    "  <patch id=\"1-1\"><obsoletes id=\"1-0\"/><incompatible id=\"2-0\"/></patch>\n"
    "  <dev-perm name=\"/dev/null\" uid=\"0\" gid=\"3\" mode=\"666\" acl=\"\"/>\n"
    "</zone>\n";

static void
a_document_of_another_system_is_read(void **state)
{
	auto_config struct config *cfg = NULL;
	struct config_res *res;
	auto_free char *doc = strdup(theirs);
	size_t n;

	(void)state;
	/* The language of commands has no double quote, so nobody can have put it there. */
	assert_int_equal(parse(doc, &cfg), -ZE_FORMAT);
	assert_string_equal(err.msg, "line 19: attr: value: the value has a control character or "
				     "a double quote");
	memcpy(strstr(doc, "&quot;"), "&apos;", 6);
	assert_int_equal(parse(doc, &cfg), 0);
	assert_string_equal(config_zonename(cfg), "web");
	assert_string_equal(config_brand(cfg), "native");
	assert_string_equal(config_get(cfg, CONFIG_IP_TYPE), "shared");
	assert_string_equal(config_get(cfg, CONFIG_AUTOBOOT), "true");
	assert_string_equal(config_get(cfg, CONFIG_FS_ALLOWED), "ufs,pcfs");
	res = config_at(cfg, CONFIG_CAPPED_MEMORY, 0);
	assert_string_equal(config_res_get(res, CONFIG_CAPPED_MEMORY_PHYSICAL), "52428800");
	assert_string_equal(config_res_get(res, CONFIG_CAPPED_MEMORY_SWAP), "104857600");
	res = config_at(cfg, CONFIG_FS, 0);
	assert_string_equal(config_res_get(res, CONFIG_FS_RAW), "/dev/rdsk/c0t0d0s7");
	(void)config_res_list(res, CONFIG_FS_OPTIONS, &n);
	assert_int_equal(n, 2);
	res = config_at(cfg, CONFIG_NET, 0);
	assert_false(config_res_is_set(res, CONFIG_NET_ALLOWED_ADDRESS));
	res = config_at(cfg, CONFIG_DEDICATED_CPU, 0);
	assert_string_equal(config_res_get(res, CONFIG_DEDICATED_CPU_NCPUS), "1-4");
	assert_string_equal(config_res_get(res, CONFIG_DEDICATED_CPU_IMPORTANCE), "5");
	assert_string_equal(config_res_get(config_at(cfg, CONFIG_ATTR, 0), CONFIG_ATTR_VALUE),
			    "a <b> & '");
	assert_int_equal(config_count(cfg, CONFIG_SECURITY_FLAGS), 1);
	assert_int_equal(config_count(cfg, CONFIG_ADMIN), 1);
}

static void
what_is_written_is_read_the_same(void **state)
{
	auto_config struct config *cfg = NULL, *again = NULL;
	auto_str struct str first = {0}, second = {0};
	auto_free char *doc = strdup(theirs);

	(void)state;
	memcpy(strstr(doc, "&quot;"), "&apos;", 6);
	assert_int_equal(parse(doc, &cfg), 0);
	assert_int_equal(config_xml(cfg, &first, &err), 0);
	assert_int_equal(parse(first.s, &again), 0);
	assert_true(config_equal(cfg, again));
	assert_int_equal(config_xml(again, &second, &err), 0);
	assert_string_equal(first.s, second.s);
}

static void
a_minimal_document_has_its_documented_form(void **state)
{
	auto_config struct config *cfg = NULL;
	auto_str struct str doc = {0};

	(void)state;
	assert_int_equal(config_new("zone1", &cfg, &err), 0);
	assert_int_equal(config_res_set(config_global(cfg), CONFIG_ZONEPATH, "/zones/a&b", &err),
			 0);
	assert_int_equal(config_res_set(config_global(cfg), CONFIG_CPU_SHARES, "5", &err), 0);
	assert_int_equal(config_xml(cfg, &doc, &err), 0);
	assert_string_equal(doc.s,
			    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
			    "<!DOCTYPE zone PUBLIC \"-//Sun Microsystems Inc//DTD Zones//EN\" "
			    "\"file:///usr/share/lib/xml/dtd/zonecfg.dtd.1\">\n"
			    "<zone name=\"zone1\" zonepath=\"/zones/a&amp;b\" autoboot=\"false\">\n"
			    "  <rctl name=\"zone.cpu-shares\">\n"
			    "    <rctl-value priv=\"privileged\" limit=\"5\" action=\"none\"/>\n"
			    "  </rctl>\n"
			    "</zone>\n");
}

#define ZONE(content) "<zone name=\"a\" zonepath=\"/a\" autoboot=\"false\">\n" content "</zone>\n"

static const struct {
	const char *doc, *message;
} refused[] = {
    {"", "line 1: no element found"},
    {"<zone", "line 1: unclosed token"},
    {"<domain/>", "line 1: the document is a 'domain', not a 'zone'"},
    {"<zone name=\"a\" shell=\"/bin/sh\"/>", "line 1: unknown attribute 'shell' of element 'zone'"},
    {"<zone name=\"a\" version=\"2\"/>", "line 1: version '2' is not known"},
    {"<zone name=\"../a\"/>", "line 1: global: zonename: '../a': a zone name begins with"},
    {"<zone name=\"a\" name=\"b\"/>", "line 1: duplicate attribute"},
    {"<zone name=\"a\" autoboot=\"on\"/>", "line 1: global: autoboot: 'on' is not one of"},
    {ZONE("<filesystem dir=\"/x\"/>"), "line 2: unknown attribute 'dir' of element 'filesystem'"},
    {ZONE("<volume/>"), "line 2: unknown element 'volume' in 'zone'"},
    {ZONE("<fsoption name=\"ro\"/>"), "line 2: unknown element 'fsoption' in 'zone'"},
    {ZONE("<network physical=\"x\"><net-attr name=\"a\"/></network>"),
     "line 2: unknown element 'net-attr' in 'network'"},
    {ZONE("<pset ncpu_min=\"1\" ncpu_max=\"2\"><x/></pset>"), "line 2: unknown element 'x'"},
    {ZONE("<pset ncpu_min=\"1\"/>"), "line 2: element 'pset' has no attribute 'ncpu_max'"},
    {ZONE("<pset ncpu_min=\"4\" ncpu_max=\"2\"/>"), "ncpus: '4-2' is not a range from low to high"},
    {ZONE("<mcap physcap=\"52428800\"/><mcap physcap=\"52428800\"/>"),
     "line 2: there is a second element 'mcap'"},
    {ZONE("<rctl name=\"zone.x\"><rctl-value priv=\"privileged\" limit=\"-1\" "
	  "action=\"deny\"/></rctl>"),
     "line 2: rctl-value: value: '(priv=privileged,limit=-1,action=deny)' is not of the form"},
    {ZONE("<rctl name=\"zone.x\"><rctl-value priv=\"privileged,limit=5\" limit=\"1\" "
	  "action=\"deny\"/></rctl>"),
     "is not of the form"},
    {ZONE("<rctl name=\"zone.x\"><rctl-value limit=\"1\" action=\"deny\"/></rctl>"),
     "line 2: element 'rctl-value' has no attribute 'priv'"},
    {ZONE("<device match=\"/dev/a\"/>\n<device match=\"/dev/a\"/>\n"),
     "line 3: device: device 'match=/dev/a' already exists"},
    {ZONE("<inherited-pkg-dir directory=\"/a/../../etc\"/>"),
     "line 2: inherit-pkg-dir: dir: '/a/../../etc' is not a path without '..'"},
    {ZONE("text"), "line 2: unexpected text between the elements"},
    {ZONE("<patch id=\"1\"><a><b/></a></patch>"), NULL},
    {ZONE("<patch id=\"1\"><a><b><c/></b></a></patch>"), "line 2: elements are nested too deep"},
    {ZONE("<device match=\"&#27;\"/>"), "line 2: reference to invalid character number"},
    {ZONE("<device match=\"/dev/\xff\"/>"), "line 2: not well-formed (invalid token)"},
    {"<!DOCTYPE html><zone name=\"a\"/>", "line 1: the document type is 'html', not 'zone'"},
    {"<!DOCTYPE zone [<!ENTITY a \"b\">]><zone name=\"a\"/>",
     "line 1: declarations in the document are not allowed"},
    {"<!DOCTYPE zone [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><zone name=\"&a;\"/>",
     "line 1: entities are not allowed"},
    {"<!DOCTYPE zone [<!ENTITY % a SYSTEM \"file:///etc/passwd\"> %a;]><zone name=\"a\"/>",
     "line 1: declarations in the document are not allowed"},
    {"<!DOCTYPE zone SYSTEM \"file:///x\">\n<zone name=\"a\" zonepath=\"/a/&x;b\"/>",
     "line 2: entities are not allowed"},
};

static void
what_is_not_known_is_refused_by_line_and_name(void **state)
{
	int r;

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		auto_config struct config *cfg = NULL;

		r = parse(refused[i].doc, &cfg);
		if (!refused[i].message) {
			assert_int_equal(r, 0);
			continue;
		}
		if (r != -ZE_FORMAT || !strstr(err.msg, refused[i].message))
			fail_msg("%s: %d '%s'", refused[i].doc, r, r < 0 ? err.msg : "");
		assert_null(cfg);
	}
}

static void
a_nul_in_the_document_is_refused(void **state)
{
	static const char doc[] = "<zone name=\"a\" zonepath=\"/a\0b\"/>";
	auto_config struct config *cfg = NULL;

	(void)state;
	assert_int_equal(config_xml_parse(doc, sizeof(doc) - 1, &cfg, &err), -ZE_FORMAT);
	assert_string_equal(err.msg, "line 1: not well-formed (invalid token)");
}

/* Nested a million deep, and half a million interfaces that want a name: neither may take long. */
static void
a_hostile_document_costs_little(void **state)
{
	static const char net[] = "<automatic-network/>";
	auto_config struct config *cfg = NULL;
	auto_str struct str doc = {0};

	(void)state;
	for (int i = 0; i < 1000000; i++)
		assert_int_equal(str_add(&doc, "<zone>", 6), 0);
	assert_int_equal(config_xml_parse(doc.s, doc.len, &cfg, &err), -ZE_FORMAT);
	assert_string_equal(err.msg, "line 1: unknown element 'zone' in 'zone'");
	doc.len = 0;
	assert_int_equal(str_addf(&doc, "<zone name=\"a\">"), 0);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(str_add(&doc, net, sizeof(net) - 1), 0);
	assert_int_equal(str_addf(&doc, "</zone>"), 0);
	assert_int_equal(config_xml_parse(doc.s, doc.len, &cfg, &err), 0);
	assert_int_equal(config_count(cfg, CONFIG_ANET), 100000);
	assert_string_equal(
	    config_res_get(config_at(cfg, CONFIG_ANET, 99999), CONFIG_ANET_LINKNAME), "net99999");
}

static void
a_document_that_is_too_large_is_refused(void **state)
{
	auto_config struct config *cfg = NULL;
	char *doc = calloc(1, CONFIG_FILE_MAX_BYTES + 1);

	(void)state;
	assert_non_null(doc);
	assert_int_equal(config_xml_parse(doc, CONFIG_FILE_MAX_BYTES + 1, &cfg, &err), -ZE_FORMAT);
	assert_string_equal(err.msg, "larger than 8388608 bytes");
	free(doc);
}

static void
elements_that_say_nothing_make_no_resource(void **state)
{
	auto_config struct config *cfg = NULL;

	(void)state;
	assert_int_equal(parse(ZONE("<mcap physcap=\"\"/><tmp_pool importance=\"\"/>"), &cfg), 0);
	assert_int_equal(config_count(cfg, CONFIG_CAPPED_MEMORY), 0);
	assert_int_equal(config_count(cfg, CONFIG_DEDICATED_CPU), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_document_of_another_system_is_read),
	    cmocka_unit_test(what_is_written_is_read_the_same),
	    cmocka_unit_test(a_minimal_document_has_its_documented_form),
	    cmocka_unit_test(what_is_not_known_is_refused_by_line_and_name),
	    cmocka_unit_test(a_nul_in_the_document_is_refused),
	    cmocka_unit_test(a_hostile_document_costs_little),
	    cmocka_unit_test(elements_that_say_nothing_make_no_resource),
	    cmocka_unit_test(a_document_that_is_too_large_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "base/fd.h"
#include "config/config_priv.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct config *cfg;
static struct err err;

static const char doc[] =
    "<zone name=\"zone1\" zonepath=\"/zones/zone1\" autoboot=\"false\">"
    "<inherited-pkg-dir directory=\"/usr\"/>"
    "<filesystem directory=\"/export\" special=\"/export\" type=\"lofs\">"
    "<fsoption name=\"rw\"/><fsoption name=\"retry=5\"/></filesystem>"
    "<network address=\"192.0.2.10/24\" physical=\"iprb0\"/>"
    "<mcap physcap=\"52428800\"/>"
    "<attr name=\"a\" type=\"string\" value=\"two words\"/>"
    "<admin user=\"bob\" auths=\"login,manage\"/>"
    "<rctl name=\"zone.cpu-shares\"><rctl-value priv=\"privileged\" limit=\"5\" "
    "action=\"none\"/></rctl>"
    "<rctl name=\"zone.cpu-cap\"><rctl-value priv=\"privileged\" limit=\"150\" "
    "action=\"deny\"/></rctl>"
    "<rctl name=\"zone.max-swap\"><rctl-value priv=\"privileged\" limit=\"104857600\" "
    "action=\"deny\"/></rctl>"
    "</zone>";

static int
setup(void **state)
{
	(void)state;
	return config_xml_parse(doc, sizeof(doc) - 1, &cfg, &err);
}

static int
teardown(void **state)
{
	(void)state;
	config_free(cfg);
	cfg = NULL;
	return 0;
}

static char *
printed(int (*print)(const struct config *, FILE *))
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(print(cfg, out), 0);
	assert_int_equal(fclose(out), 0);
	return text;
}

static char *
printed_prop(enum config_prop prop)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(config_info_prop(cfg, prop, out), 0);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void
info_is_as_documented(void **state)
{
	auto_free char *text = printed(config_info);

	(void)state;
	assert_string_equal(text, "zonename: zone1\n"
				  "zonepath: /zones/zone1\n"
				  "brand: native\n"
				  "autoboot: false\n"
				  "bootargs:\n"
				  "pool:\n"
				  "limitpriv:\n"
				  "scheduling-class:\n"
				  "ip-type: shared\n"
				  "[cpu-shares: 5]\n"
				  "inherit-pkg-dir:\n"
				  "\tdir: /usr\n"
				  "fs:\n"
				  "\tdir: /export\n"
				  "\tspecial: /export\n"
				  "\traw not specified\n"
				  "\ttype: lofs\n"
				  "\toptions: [rw,retry=5]\n"
				  "net:\n"
				  "\taddress: 192.0.2.10/24\n"
				  "\tphysical: iprb0\n"
				  "\tdefrouter not specified\n"
				  "capped-cpu:\n"
				  "\t[ncpus: 1.50]\n"
				  "capped-memory:\n"
				  "\tphysical: 50M\n"
				  "\t[swap: 100M]\n"
				  "attr:\n"
				  "\tname: a\n"
				  "\ttype: string\n"
				  "\tvalue: two words\n"
				  "rctl:\n"
				  "\tname: zone.cpu-shares\n"
				  "\tvalue: (priv=privileged,limit=5,action=none)\n"
				  "rctl:\n"
				  "\tname: zone.cpu-cap\n"
				  "\tvalue: (priv=privileged,limit=150,action=deny)\n"
				  "rctl:\n"
				  "\tname: zone.max-swap\n"
				  "\tvalue: (priv=privileged,limit=104857600,action=deny)\n"
				  "admin:\n"
				  "\tuser: bob\n"
				  "\tauths: login,manage\n");
}

static void
info_of_one_property(void **state)
{
	static const struct {
		enum config_prop prop;
		const char *text;
	} props[] = {
	    {CONFIG_ZONENAME, "zonename: zone1\n"},
	    {CONFIG_POOL, "pool:\n"},
	    {CONFIG_CPU_SHARES, "[cpu-shares: 5]\n"},
	    {CONFIG_MAX_LWPS, "max-lwps not specified\n"},
	    {CONFIG_HOSTID, "hostid:\n"},
	    {CONFIG_IDMAP, "idmap: private\n"},
	    {CONFIG_NESTING, "nesting: false\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(props) / sizeof(props[0]); i++) {
		auto_free char *text = printed_prop(props[i].prop);

		assert_string_equal(text, props[i].text);
	}
}

static void
extensions_are_shown_when_set(void **state)
{
	auto_free char *text = NULL;

	(void)state;
	assert_int_equal(config_res_set(config_global(cfg), CONFIG_INIT, "/sbin/tini", &err), 0);
	assert_int_equal(config_res_set(config_global(cfg), CONFIG_IDMAP, "private", &err), 0);
	assert_int_equal(config_res_set(config_global(cfg), CONFIG_NESTING, "false", &err), 0);
	text = printed(config_info);
	assert_non_null(strstr(text, "ip-type: shared\nidmap: private\ninit: /sbin/tini\n"
				     "nesting: false\n[cpu-shares: 5]\n"));
}

static void
an_unfinished_resource_shows_what_it_lacks(void **state)
{
	auto_res struct config_res *res = NULL;
	auto_free char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_int_equal(config_res_new(CONFIG_FS, &res, &err), 0);
	assert_int_equal(config_info_res(res, out), 0);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, "fs:\n\tdir not specified\n\tspecial not specified\n"
				  "\traw not specified\n\ttype not specified\n\toptions: []\n");
}

static void
sizes_are_shown_rounded_and_exported_exactly(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *shown, *exact;
	} sizes[] = {
	    {0, "0", "0"},
	    {1023, "1023", "1023"},
	    {1024, "1K", "1K"},
	    {1536, "1.5K", "1536"},
	    {52428800, "50M", "50M"},
	    {52428801, "50M", "52428801"},
	    {(uint64_t)10 << 30, "10G", "10G"},
	    {((uint64_t)9 << 30) + ((uint64_t)1 << 29), "9.5G", "9728M"},
	    {(uint64_t)3 << 40, "3T", "3T"},
	    {(uint64_t)2048 << 40, "2048T", "2048T"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		auto_str struct str shown = {0}, exact = {0};

		assert_int_equal(config_size_text(sizes[i].bytes, false, &shown), 0);
		assert_int_equal(config_size_text(sizes[i].bytes, true, &exact), 0);
		assert_string_equal(shown.s, sizes[i].shown);
		assert_string_equal(exact.s, sizes[i].exact);
	}
}

static void
export_makes_it_again(void **state)
{
	auto_free char *text = printed(config_export);

	(void)state;
	assert_string_equal(text, "create -b\n"
				  "set zonepath=/zones/zone1\n"
				  "set autoboot=false\n"
				  "set ip-type=shared\n"
				  "add inherit-pkg-dir\nset dir=/usr\nend\n"
				  "add fs\nset dir=/export\nset special=/export\nset type=lofs\n"
				  "add options rw\nadd options \"retry=5\"\nend\n"
				  "add net\nset address=192.0.2.10/24\nset physical=iprb0\nend\n"
				  "add rctl\nset name=zone.cpu-shares\n"
				  "add value (priv=privileged,limit=5,action=none)\nend\n"
				  "add rctl\nset name=zone.cpu-cap\n"
				  "add value (priv=privileged,limit=150,action=deny)\nend\n"
				  "add rctl\nset name=zone.max-swap\n"
				  "add value (priv=privileged,limit=104857600,action=deny)\nend\n"
				  "add attr\nset name=a\nset type=string\n"
				  "set value=\"two words\"\nend\n"
				  "add capped-memory\nset physical=50M\nend\n"
				  "add admin\nset user=bob\nset auths=login,manage\nend\n");
}

static void
json_has_everything_with_types(void **state)
{
	auto_free char *text = printed(config_json);
	json_t *json = json_loads(text, 0, NULL);
	json_t *fs, *rctl;

	(void)state;
	assert_non_null(json);
	assert_string_equal(json_string_value(json_object_get(json, "zonename")), "zone1");
	assert_string_equal(json_string_value(json_object_get(json, "brand")), "native");
	assert_true(json_is_false(json_object_get(json, "autoboot")));
	assert_int_equal(json_integer_value(json_object_get(json, "cpu-shares")), 5);
	assert_null(json_object_get(json, "pool"));
	fs = json_array_get(json_object_get(json, "fs"), 0);
	assert_int_equal(json_array_size(json_object_get(fs, "options")), 2);
	rctl = json_array_get(json_object_get(json, "rctl"), 1);
	rctl = json_array_get(json_object_get(rctl, "value"), 0);
	assert_int_equal(json_integer_value(json_object_get(rctl, "limit")), 150);
	for (unsigned type = CONFIG_GLOBAL + 1; type < CONFIG_TYPE_COUNT; type++)
		assert_true(json_is_array(json_object_get(json, config_types[type].name)));
	json_decref(json);
}

static json_t *
at(json_t *json, const char *key)
{
	json_t *value = json_object_get(json, key);

	if (!value)
		fail_msg("the schema has no '%s'", key);
	return value;
}

static void
the_schema_has_every_type_and_property(void **state)
{
	json_t *schema = json_load_file(ZONES_SOURCE_ROOT "/docs/zone-config.schema.json", 0, NULL);
	size_t count = 0, rows = CONFIG_PROP_COUNT + CONFIG_TYPE_COUNT - 1;
	json_t *props;

	(void)state;
	assert_non_null(schema);
	count = json_object_size(at(schema, "properties"));
	for (unsigned type = 0; type < CONFIG_TYPE_COUNT; type++) {
		props = at(schema, "properties");
		if (type != CONFIG_GLOBAL) {
			props = at(at(at(props, config_types[type].name), "items"), "properties");
			count += json_object_size(props);
		}
		for (unsigned p = config_types[type].first; p < (unsigned)config_types[type].end;
		     p++)
			(void)at(props, config_props[p].name);
	}
	/* And nothing else. */
	assert_int_equal(count, rows);
	json_decref(schema);
}

static void
a_full_disk_is_noticed(void **state)
{
	FILE *out = fopen("/dev/full", "we");

	(void)state;
	assert_non_null(out);
	(void)setvbuf(out, NULL, _IONBF, 0);
	assert_int_equal(config_info(cfg, out), -ZE_IO);
	assert_int_equal(config_export(cfg, out), -ZE_IO);
	assert_int_equal(config_json(cfg, out), -ZE_IO);
	(void)fclose(out);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(info_is_as_documented),
	    TEST(info_of_one_property),
	    TEST(extensions_are_shown_when_set),
	    TEST(an_unfinished_resource_shows_what_it_lacks),
	    TEST(sizes_are_shown_rounded_and_exported_exactly),
	    TEST(export_makes_it_again),
	    TEST(json_has_everything_with_types),
	    TEST(the_schema_has_every_type_and_property),
	    TEST(a_full_disk_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

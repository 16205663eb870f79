/* SPDX-License-Identifier: Apache-2.0 */
/* Which paths a zone gets, in which order its scripts run. */
#include "pkg/dpkg_priv.h"

#include "base/err.h"
#include "base/fd.h"
#include "fake_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static struct err err;
static struct fake_host fake;
static struct pkg_host *host;
static struct pkg_plan *plan;

static int
setup(void **state)
{
	(void)state;
	fake_host_make(&fake);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	pkg_plan_free(plan);
	pkg_host_close(host);
	plan = NULL;
	host = NULL;
	fake_host_free(&fake);
	return 0;
}

static void
add(const char *name, const char *fields, const char *files)
{
	fake_host_add(&fake,
		      &(struct fake_package){.name = name, .fields = fields, .files = files});
}

static int
make_plan(const struct pkg_request *req)
{
	int r;

	fake_host_done(&fake);
	r = pkg_host_open(fake.root, &host, &err);
	return r < 0 ? r : pkg_plan_make(host, req, &plan, &err);
}

static void
need_plan(const struct pkg_request *req)
{
	if (make_plan(req) < 0)
		fail_msg("%s", err.msg);
}

static const struct pkg_entry *
entry(const char *path)
{
	uint32_t i = strmap_get(&dpkg_plan_of(plan)->by_path, path, strlen(path));

	if (i == STRMAP_NONE || (plan->entries[i].flags & PKG_ENTRY_SKIP))
		return NULL;
	return &plan->entries[i];
}

#define ESSENTIAL "Essential: yes\n"

static void
paths_through_links_of_merged_usr_are_one(void **state)
{
	(void)state;
	add("a", ESSENTIAL, "/bin/sh=x\n/lib/a/b=y\n");
	need_plan(&(struct pkg_request){0});
	assert_non_null(entry("usr/bin/sh"));
	assert_non_null(entry("usr/lib/a/b"));
	assert_null(entry("bin/sh"));
	assert_string_equal(entry("bin")->content, "usr/bin");
	assert_true(S_ISLNK(entry("bin")->mode));
	/* Nothing of the zone is below /sbin. */
	assert_null(entry("sbin"));
}

static void
directories_that_nobody_lists_are_made_first(void **state)
{
	bool seen = false;

	(void)state;
	add("a", ESSENTIAL, "/opt/x/y/z=1\n");
	need_plan(&(struct pkg_request){0});
	assert_true(S_ISDIR(entry("opt/x/y")->mode));
	assert_true(entry("opt/x")->flags & PKG_ENTRY_PARENT);
	for (size_t i = 0; i < plan->n_entries; i++) {
		seen |= !strcmp(plan->entries[i].path, "opt/x/y");
		if (!strcmp(plan->entries[i].path, "opt/x/y/z"))
			assert_true(seen);
	}
}

static void
a_directory_that_the_administrator_moved_is_one_again(void **state)
{
	auto_free char *link = NULL;

	(void)state;
	add("a", ESSENTIAL, NULL);
	fake_host_write(&fake, "/data/www/page", "x", 0644);
	fake_host_write(&fake, "/var/x", "", 0644);
	assert_true(asprintf(&link, "%s/var/www", fake.root) > 0);
	assert_int_equal(symlink("/data/www", link), 0);
	fake_host_write(&fake, "/var/lib/dpkg/info/a.list", "/.\n/var\n/var/www\n/var/www/page\n",
			0644);
	/* Absolute links lead out of a fake root; a relative one is the same to the plan. */
	assert_int_equal(unlink(link), 0);
	assert_int_equal(symlink("../data/www", link), 0);
	need_plan(&(struct pkg_request){0});
	assert_true(S_ISDIR(entry("var/www")->mode));
	assert_int_equal(entry("var/www/page")->size_bytes, 1);
}

static void
diversions_hold_if_their_package_comes_along(void **state)
{
	(void)state;
	add("a", ESSENTIAL, "/usr/bin/tool.real=a's\n");
	add("b", "Priority: standard\n", "/usr/bin/tool=b's own\n");
	fake_host_write(&fake, "/var/lib/dpkg/info/a.list", "/.\n/usr/bin/tool\n", 0644);
	fake_host_write(&fake, "/var/lib/dpkg/diversions", "/usr/bin/tool\n/usr/bin/tool.real\nb\n",
			0644);
	need_plan(&(struct pkg_request){0});
	assert_string_equal(entry("usr/bin/tool")->source, "usr/bin/tool.real");
	assert_null(entry("usr/bin/tool.real"));
	pkg_plan_free(plan);
	plan = NULL;
	assert_int_equal(
	    pkg_plan_make(host, &(struct pkg_request){.packages = (const char *const[]){"b", NULL}},
			  &plan, &err),
	    0);
	assert_string_equal(entry("usr/bin/tool")->source, "usr/bin/tool");
	assert_int_equal(entry("usr/bin/tool")->size_bytes, 7);
	assert_string_equal(entry("usr/bin/tool.real")->source, "usr/bin/tool.real");
}

static void
inherited_directories_are_mount_points_and_nothing_below(void **state)
{
	(void)state;
	add("a", ESSENTIAL, "/bin/sh=x\n/etc/x/y=1\n/usr/share/z=2\n/usrlocal=3\n");
	need_plan(&(struct pkg_request){.inherit_dirs =
					    (const char *const[]){"/usr", "/lib", "/opt/", NULL}});
	assert_non_null(entry("etc/x/y"));
	assert_non_null(entry("usrlocal"));
	assert_true(S_ISDIR(entry("usr")->mode));
	assert_true(S_ISDIR(entry("opt")->mode));
	assert_true(S_ISLNK(entry("bin")->mode));
	assert_null(entry("usr/bin/sh"));
	assert_null(entry("usr/share"));
	assert_null(entry("usr/lib"));
}

static void
bad_inherited_directories_are_refused(void **state)
{
	(void)state;
	add("a", ESSENTIAL, NULL);
	assert_int_equal(
	    make_plan(&(struct pkg_request){.inherit_dirs = (const char *const[]){"/", NULL}}),
	    -ZE_INVAL);
	assert_string_equal(err.msg, "the inherited directory '/' is the root");
	assert_int_equal(
	    pkg_plan_make(
		host, &(struct pkg_request){.inherit_dirs = (const char *const[]){"/a/..", NULL}},
		&plan, &err),
	    -ZE_INVAL);
	assert_string_equal(err.msg, "the inherited directory '/a/..' has a part '.' or '..'");
}

static void
what_the_host_lost_is_noted_once(void **state)
{
	(void)state;
	add("a", ESSENTIAL, "/usr/share/a\n/usr/share/a/1=x\n/usr/share/a/2=x\n/usr/bin/a=x\n");
	fake_host_remove(&fake, "/usr/share/a");
	fake_host_remove(&fake, "/usr/bin/a");
	need_plan(&(struct pkg_request){0});
	assert_int_equal(plan->changed.n, 2);
	assert_string_equal(plan->changed.v[0], "/usr/bin/a: missing on the host (package a)");
	assert_string_equal(plan->changed.v[1], "/usr/share/a: missing on the host (package a)");
	assert_null(entry("usr/share/a"));
}

static void
what_dpkg_was_told_to_leave_out_is_not_noted(void **state)
{
	(void)state;
	add("a", ESSENTIAL, "/usr/share/doc/a/x=1\n/usr/share/doc/a/copyright=2\n");
	fake_host_write(&fake, "/etc/dpkg/dpkg.cfg.d/docker",
			"path-exclude=/usr/share/doc/*\npath-include /usr/share/doc/*/copyright\n",
			0644);
	fake_host_remove(&fake, "/usr/share/doc/a/x");
	fake_host_remove(&fake, "/usr/share/doc/a/copyright");
	need_plan(&(struct pkg_request){0});
	assert_int_equal(plan->changed.n, 1);
	assert_string_equal(plan->changed.v[0],
			    "/usr/share/doc/a/copyright: missing on the host (package a)");
}

static void
changed_files_are_noted_and_can_be_refused(void **state)
{
	struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	auto_free char *list = NULL;

	(void)state;
	add("a", ESSENTIAL, "/usr/bin/a=x\n/usr/bin/b=y\n");
	fake_host_write(&fake, "/usr/bin/b", "z", 0755);
	assert_true(asprintf(&list, "%s/var/lib/dpkg/info/a.list", fake.root) > 0);
	assert_int_equal(utimensat(-1, list, times, 0), 0);
	need_plan(&(struct pkg_request){0});
	assert_int_equal(plan->changed.n, 1);
	assert_string_equal(plan->changed.v[0], "/usr/bin/b: changed on the host (package a)");
	assert_non_null(entry("usr/bin/b"));
	pkg_plan_free(plan);
	plan = NULL;
	assert_int_equal(
	    pkg_plan_make(host, &(struct pkg_request){.refuse_changed = true}, &plan, &err),
	    -ZE_PKG);
	assert_string_equal(err.msg,
			    "1 packaged files of this host are not as delivered; the first: "
			    "/usr/bin/b: changed on the host (package a)");
}

static void
second_names_stay_second_names(void **state)
{
	auto_free char *a = NULL, *b = NULL;

	(void)state;
	add("a", ESSENTIAL, "/usr/bin/a=x\n/usr/bin/b=x\n");
	assert_true(asprintf(&a, "%s/usr/bin/a", fake.root) > 0);
	assert_true(asprintf(&b, "%s/usr/bin/b", fake.root) > 0);
	assert_int_equal(unlink(b), 0);
	assert_int_equal(link(a, b), 0);
	need_plan(&(struct pkg_request){0});
	assert_int_equal(entry("usr/bin/a")->twin, PKG_NO_TWIN);
	assert_ptr_equal(&plan->entries[entry("usr/bin/b")->twin], entry("usr/bin/a"));
}

static void
the_policy_leaves_out_files(void **state)
{
	auto_free char *path = NULL;

	(void)state;
	add("a", ESSENTIAL, "/usr/share/locale/de/x=1\n/usr/share/x=2\n");
	fake_host_write(&fake, "/policy", "set default =\nfile exclude /usr/share/locale/*\n",
			0644);
	assert_true(asprintf(&path, "%s/policy", fake.root) > 0);
	need_plan(&(struct pkg_request){.policy_path = path});
	assert_null(entry("usr/share/locale/de/x"));
	assert_non_null(entry("usr/share/x"));
}

/* ---- steps ---- */

static void
add_scripts(const char *name, const char *fields, const char *preinst, const char *postinst)
{
	auto_free char *files = NULL;

	assert_true(asprintf(&files, "/usr/share/%s=x\n", name) > 0);
	fake_host_add(&fake, &(struct fake_package){.name = name,
						    .fields = fields,
						    .files = files,
						    .preinst = preinst,
						    .postinst = postinst});
}

/* "package script, ...", a host step as "-". */
static char *
steps(void)
{
	auto_str struct str out = {0};

	for (size_t i = 0; i < pkg_step_count(plan); i++) {
		const struct pkg_step *s = pkg_step_at(plan, i);

		assert_int_equal(str_addf(&out, "%s%s%s%s", i ? ", " : "",
					  *s->package ? s->package
					  : s->argv   ? ""
						      : "-",
					  *s->package ? " " : "", s->what),
				 0);
	}
	return str_take(&out);
}

#define SCRIPT "#!/bin/sh\ntrue\n"
#define EMPTY  "#!/bin/sh\nset -e\nexit 0\n"

static void
scripts_run_in_the_order_of_the_bootstrap(void **state)
{
	auto_free char *order = NULL;

	(void)state;
	add_scripts("aaa", ESSENTIAL "Depends: libz\n", NULL, SCRIPT);
	add_scripts("base-files", ESSENTIAL, NULL, SCRIPT);
	add_scripts("base-passwd", ESSENTIAL, SCRIPT, SCRIPT);
	add_scripts("libz", NULL, SCRIPT, SCRIPT);
	add_scripts("late", "Priority: important\nPre-Depends: pre\nDepends: user\n", SCRIPT,
		    SCRIPT);
	add_scripts("pre", NULL, NULL, SCRIPT);
	add_scripts("user", "Depends: other\n", SCRIPT, SCRIPT);
	add_scripts("other", NULL, EMPTY, EMPTY);
	add_scripts("plain", "Priority: important\nDepends: late\n", NULL, SCRIPT);
	need_plan(&(struct pkg_request){0});
	order = steps();
	assert_string_equal(order,
			    "base-passwd preinst, libz preinst, base-passwd postinst, "
			    "base-files postinst, libz postinst, aaa postinst, pre postinst, "
			    "-copy, user preinst, -copy, late preinst, -copy, "
			    "user postinst, late postinst, plain postinst, -status, triggers");
	assert_int_equal(entry("usr/share/plain")->level, 0);
	assert_int_equal(entry("usr/share/other")->level, 1);
	assert_int_equal(entry("usr/share/user")->level, 2);
	assert_int_equal(entry("usr/share/late")->level, 3);
	assert_int_equal(entry("usr/share")->level, 0);
}

static void
circles_of_dependencies_are_taken_by_name(void **state)
{
	auto_free char *order = NULL;

	(void)state;
	add_scripts("z", ESSENTIAL "Depends: b\n", NULL, SCRIPT);
	add_scripts("b", "Depends: c\n", NULL, SCRIPT);
	add_scripts("c", "Depends: a\n", NULL, SCRIPT);
	add_scripts("a", "Depends: b\n", NULL, SCRIPT);
	need_plan(&(struct pkg_request){0});
	order = steps();
	assert_string_equal(order,
			    "a postinst, b postinst, c postinst, z postinst, -status, triggers");
}

static bool
has_env(const struct pkg_step *step, const char *wanted)
{
	for (const char *const *e = step->envp; *e; e++)
		if (!strcmp(*e, wanted))
			return true;
	return false;
}

static void
scripts_see_what_dpkg_would_give_them(void **state)
{
	const struct pkg_step *step;

	(void)state;
	fake_host_add(&fake, &(struct fake_package){
				 .name = "dpkg", .version = "1.21.22-x", .fields = ESSENTIAL});
	fake_host_add(&fake, &(struct fake_package){.name = "liba",
						    .fields = ESSENTIAL "Multi-Arch: same\n",
						    .preinst = SCRIPT,
						    .postinst = SCRIPT});
	need_plan(&(struct pkg_request){0});
	step = pkg_step_at(plan, 0);
	assert_string_equal(step->package, "liba:amd64");
	assert_string_equal(step->argv[0], "/var/lib/dpkg/info/liba:amd64.preinst");
	assert_string_equal(step->argv[1], "install");
	assert_null(step->argv[2]);
	step = pkg_step_at(plan, 1);
	assert_string_equal(step->argv[0], "/var/lib/dpkg/info/liba:amd64.postinst");
	assert_string_equal(step->argv[1], "configure");
	assert_string_equal(step->argv[2], "");
	assert_null(step->argv[3]);
	assert_true(has_env(step, "DPKG_MAINTSCRIPT_PACKAGE=liba"));
	assert_true(has_env(step, "DPKG_MAINTSCRIPT_ARCH=amd64"));
	assert_true(has_env(step, "DPKG_MAINTSCRIPT_NAME=postinst"));
	assert_true(has_env(step, "DPKG_RUNNING_VERSION=1.21.22"));
	assert_true(has_env(step, "DEBIAN_FRONTEND=noninteractive"));
	assert_true(has_env(step, "PATH=/usr/sbin:/usr/bin:/sbin:/bin"));
}

static void
only_programs_of_the_zone_are_stood_in_for(void **state)
{
	const struct pkg_standin *standins;

	(void)state;
	add("dpkg", ESSENTIAL, "/usr/bin/dpkg-maintscript-helper=x\n/usr/bin/py3compile=x\n");
	need_plan(&(struct pkg_request){0});
	assert_int_equal(pkg_standins(plan, &standins), 1);
	assert_string_equal(standins[0].program, "zones-maintscript-helper");
	pkg_plan_free(plan);
	plan = NULL;
	assert_int_equal(
	    pkg_plan_make(
		host, &(struct pkg_request){.inherit_dirs = (const char *const[]){"/usr", NULL}},
		&plan, &err),
	    0);
	assert_int_equal(pkg_standins(plan, &standins), 2);
	assert_string_equal(standins[1].target, "/usr/bin/py3compile");
}

int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(paths_through_links_of_merged_usr_are_one),
	    TEST(directories_that_nobody_lists_are_made_first),
	    TEST(a_directory_that_the_administrator_moved_is_one_again),
	    TEST(diversions_hold_if_their_package_comes_along),
	    TEST(inherited_directories_are_mount_points_and_nothing_below),
	    TEST(bad_inherited_directories_are_refused),
	    TEST(what_the_host_lost_is_noted_once),
	    TEST(what_dpkg_was_told_to_leave_out_is_not_noted),
	    TEST(changed_files_are_noted_and_can_be_refused),
	    TEST(second_names_stay_second_names),
	    TEST(the_policy_leaves_out_files),
	    TEST(scripts_run_in_the_order_of_the_bootstrap),
	    TEST(circles_of_dependencies_are_taken_by_name),
	    TEST(scripts_see_what_dpkg_would_give_them),
	    TEST(only_programs_of_the_zone_are_stood_in_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

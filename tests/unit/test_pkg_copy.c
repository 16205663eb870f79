/* SPDX-License-Identifier: Apache-2.0 */
/* From a plan to a root: files, configuration as delivered, the database, users, apt's sources. */
#include "pkg/dpkg_priv.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/path.h"
#include "fake_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct err err;
static struct fake_host fake;
static char zone[64];
static int root_fd;
static struct pkg_host *host;
static struct pkg_plan *plan;
static struct strv missing, changed, logged;
static struct pkg_notes notes = {.missing = &missing, .changed = &changed, .log = &logged};

static int
setup(void **state)
{
	(void)state;
	fake_host_make(&fake);
	(void)strcpy(zone, "/tmp/fake-zone-XXXXXX");
	assert_non_null(mkdtemp(zone));
	root_fd = open(zone, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(root_fd >= 0);
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
	root_fd = fd_close(root_fd);
	strv_free(&missing);
	strv_free(&changed);
	strv_free(&logged);
	fake_host_free(&fake);
	return path_rm_tree_at(AT_FDCWD, zone, &err);
}

static void
install(const struct pkg_request *req)
{
	fake_host_done(&fake);
	if (pkg_host_open(fake.root, &host, &err) < 0 ||
	    pkg_plan_make(host, req, &plan, &err) < 0 ||
	    pkg_copy(plan, root_fd, NULL, &notes, &err) < 0)
		fail_msg("%s", err.msg);
}

static void
assert_content(const char *path, const char *expected)
{
	auto_free char *text = fake_host_read(zone, path);

	assert_string_equal(text, expected);
}

static bool
is_there(const char *path)
{
	struct stat st;

	return fstatat(root_fd, path + 1, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

#define ESSENTIAL "Essential: yes\n"

static void
files_have_mode_and_time_of_the_host(void **state)
{
	struct timespec times[2] = {{.tv_sec = 1234567}, {.tv_sec = 1234567}};
	auto_free char *path = NULL;
	char target[64] = "";
	struct stat st;

	(void)state;
	fake_host_add(&fake,
		      &(struct fake_package){.name = "a",
					     .fields = ESSENTIAL,
					     .files = "/bin/tool=content\n/usr/lib/a/link>../b\n"});
	fake_host_write(&fake, "/bin/tool", "content", 04755);
	assert_true(asprintf(&path, "%s/usr/lib/a", fake.root) > 0);
	assert_int_equal(utimensat(-1, path, times, 0), 0);
	install(&(struct pkg_request){0});
	assert_content("/usr/bin/tool", "content");
	assert_int_equal(fstatat(root_fd, "usr/bin/tool", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 04755);
	assert_int_equal(readlinkat(root_fd, "usr/lib/a/link", target, sizeof(target)), 4);
	assert_string_equal(target, "../b");
	/* Set last, when everything is in it. */
	assert_int_equal(fstatat(root_fd, "usr/lib/a", &st, 0), 0);
	assert_int_equal(st.st_mtim.tv_sec, 1234567);
	assert_int_equal(readlinkat(root_fd, "bin", target, sizeof(target)), 7);
}

static void
late_files_wait_for_their_step(void **state)
{
	(void)state;
	fake_host_add(&fake, &(struct fake_package){.name = "a", .fields = ESSENTIAL});
	fake_host_add(&fake, &(struct fake_package){.name = "b",
						    .fields = "Priority: important\n",
						    .files = "/opt/b/file=x\n",
						    .preinst = "#!/bin/sh\ntrue\n"});
	install(&(struct pkg_request){0});
	assert_false(is_there("/opt/b"));
	assert_string_equal(pkg_step_at(plan, 0)->what, "preinst");
	assert_string_equal(pkg_step_at(plan, 1)->what, "copy");
	/* The preinst made a link of a name that the package has: it is replaced, not followed. */
	assert_int_equal(mkdirat(root_fd, "opt", 0755), 0);
	assert_int_equal(mkdirat(root_fd, "opt/b", 0755), 0);
	assert_int_equal(symlinkat("/tmp/outside", root_fd, "opt/b/file"), 0);
	assert_int_equal(pkg_step_host(plan, 1, root_fd, &notes, &err), 0);
	assert_content("/opt/b/file", "x");
}

static void
a_directory_that_leads_out_of_the_zone_does_not(void **state)
{
	auto_free char *outside = NULL, *trapped = NULL;

	(void)state;
	fake_host_add(&fake, &(struct fake_package){.name = "a", .fields = ESSENTIAL});
	fake_host_add(&fake, &(struct fake_package){.name = "b",
						    .fields = "Priority: important\n",
						    .files = "/opt/b/file=x\n",
						    .preinst = "#!/bin/sh\ntrue\n"});
	install(&(struct pkg_request){0});
	assert_true(asprintf(&outside, "%s/trap", fake.root) > 0);
	fake_host_write(&fake, "/trap/b/there", "", 0644);
	assert_int_equal(symlinkat(outside, root_fd, "opt"), 0);
	assert_true(pkg_step_host(plan, 1, root_fd, &notes, &err) < 0);
	trapped = fake_host_read(fake.root, "/trap/b/file");
	assert_string_equal(trapped, "");
}

/* ---- configuration ---- */

static void
edited_configuration_is_taken_from_beside_it(void **state)
{
	(void)state;
	fake_host_add(&fake, &(struct fake_package){.name = "a",
						    .fields = ESSENTIAL,
						    .files = "/usr/share/a/c.conf=C\n",
						    .conffiles = "/etc/a.conf=A\n/etc/b.conf=B\n"
								 "/etc/c.conf=C\n/etc/d.conf=D\n"});
	fake_host_write(&fake, "/etc/b.conf", "secret", 0640);
	fake_host_write(&fake, "/etc/b.conf.dpkg-dist", "B", 0600);
	fake_host_write(&fake, "/etc/c.conf", "secret", 0644);
	fake_host_write(&fake, "/etc/d.conf", "secret", 0644);
	install(&(struct pkg_request){.offline = true,
				      .keep_edited = (const char *const[]){"/etc/d*", NULL}});
	assert_content("/etc/a.conf", "A");
	assert_content("/etc/b.conf", "B");
	assert_content("/etc/c.conf", "C");
	assert_content("/etc/d.conf", "secret");
	assert_int_equal(missing.n, 0);
}

static void
configuration_that_is_not_to_be_had_is_listed(void **state)
{
	(void)state;
	fake_host_add(&fake, &(struct fake_package){.name = "a",
						    .version = "1:2-3",
						    .fields = ESSENTIAL,
						    .conffiles = "/etc/a.conf=A\n/etc/b.conf=B\n"});
	fake_host_write(&fake, "/etc/a.conf", "secret", 0644);
	fake_host_remove(&fake, "/etc/b.conf");
	install(&(struct pkg_request){.offline = true});
	assert_false(is_there("/etc/a.conf"));
	assert_false(is_there("/etc/b.conf"));
	assert_int_equal(missing.n, 2);
	assert_string_equal(missing.v[0],
			    "/etc/a.conf: edited on this host, and 'a_1%3a2-3_amd64.deb' is not in "
			    "'/var/cache/apt/archives', and no mirror may be asked");
	assert_string_equal(
	    missing.v[1], "/etc/b.conf: removed on this host, and 'a_1%3a2-3_amd64.deb' is not in "
			  "'/var/cache/apt/archives', and no mirror may be asked");
}

static void
a_link_in_the_place_of_configuration_becomes_a_file(void **state)
{
	auto_free char *path = NULL;
	struct stat st;

	(void)state;
	fake_host_add(&fake, &(struct fake_package){
				 .name = "a", .fields = ESSENTIAL, .conffiles = "/etc/a.conf=A\n"});
	fake_host_write(&fake, "/srv/a.conf", "A", 0600);
	assert_true(asprintf(&path, "%s/etc/a.conf", fake.root) > 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("../srv/a.conf", path), 0);
	install(&(struct pkg_request){.offline = true});
	assert_content("/etc/a.conf", "A");
	assert_int_equal(fstatat(root_fd, "etc/a.conf", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
}

/* ---- the database ---- */

static void
the_database_is_unpacked_and_then_installed(void **state)
{
	(void)state;
	fake_host_add(&fake, &(struct fake_package){.name = "libc-bin",
						    .fields = ESSENTIAL "Config-Version: 1\n",
						    .triggers = "interest ldconfig\n# c\n"
								"interest-noawait /usr/lib/x\n"});
	fake_host_add(&fake, &(struct fake_package){.name = "lib",
						    .status = "hold ok triggers-awaited",
						    .fields = "Priority: important\n"
							      "Triggers-Awaited: x\n",
						    .files = "/usr/lib/x/y=1\n",
						    .triggers = "activate-noawait ldconfig\n"});
	fake_host_add(&fake, &(struct fake_package){.name = "other"});
	install(&(struct pkg_request){0});
	assert_content("/var/lib/dpkg/status",
		       "Package: libc-bin\nStatus: install ok unpacked\nArchitecture: amd64\n"
		       "Version: 1\nEssential: yes\nDescription: libc-bin\n\n"
		       "Package: lib\nStatus: install ok unpacked\nArchitecture: amd64\n"
		       "Version: 1\nPriority: important\nDescription: lib\n\n");
	assert_content("/var/lib/dpkg/triggers/File", "/usr/lib/x libc-bin/noawait\n");
	assert_content("/var/lib/dpkg/triggers/ldconfig", "libc-bin\n");
	assert_content("/var/lib/dpkg/info/format", "1\n");
	assert_content("/var/lib/dpkg/info/lib.list", "/.\n/usr/lib/x/y\n");
	assert_false(is_there("/var/lib/dpkg/info/other.list"));
	/* The last host step: installed, with the triggers that lib set off. */
	assert_string_equal(pkg_step_at(plan, 0)->what, "status");
	assert_int_equal(pkg_step_host(plan, 0, root_fd, &notes, &err), 0);
	assert_content("/var/lib/dpkg/status",
		       "Package: libc-bin\nStatus: install ok triggers-pending\n"
		       "Architecture: amd64\nVersion: 1\nEssential: yes\n"
		       "Description: libc-bin\nTriggers-Pending: ldconfig /usr/lib/x\n\n"
		       "Package: lib\nStatus: install ok installed\nArchitecture: amd64\n"
		       "Version: 1\nPriority: important\nDescription: lib\n\n");
}

static void
the_end_is_refused_while_a_package_is_not_installed(void **state)
{
	(void)state;
	fake_host_add(&fake, &(struct fake_package){.name = "a", .fields = ESSENTIAL});
	install(&(struct pkg_request){0});
	assert_int_equal(pkg_finish(plan, root_fd, &notes, &err), -ZE_PKG);
	assert_string_equal(err.msg,
			    "package 'a' is 'install ok unpacked' in the zone, not installed");
	assert_int_equal(pkg_step_host(plan, 0, root_fd, &notes, &err), 0);
	assert_int_equal(pkg_finish(plan, root_fd, &notes, &err), 0);
}

static void
bad_triggers_are_refused(void **state)
{
	(void)state;
	fake_host_add(&fake, &(struct fake_package){
				 .name = "a", .fields = ESSENTIAL, .triggers = "interest ../x\n"});
	fake_host_done(&fake);
	assert_int_equal(pkg_host_open(fake.root, &host, &err), 0);
	assert_int_equal(pkg_plan_make(host, &(struct pkg_request){0}, &plan, &err), 0);
	assert_int_equal(pkg_copy(plan, root_fd, NULL, &notes, &err), -ZE_PKG);
	assert_string_equal(err.msg,
			    "/var/lib/dpkg/info/a.triggers: 'interest ../x' is no trigger");
}

static bool
stop_at_once(void *arg, uint64_t done_bytes, size_t done_files)
{
	(void)done_bytes;
	*(size_t *)arg = done_files;
	return false;
}

static void
copying_stops_when_it_is_told_to(void **state)
{
	struct pkg_progress on = {.fn = stop_at_once};
	struct pkg_plan_facts facts;
	auto_str struct str files = {0};
	size_t done = 0;

	(void)state;
	on.arg = &done;
	for (int i = 0; i < 2000; i++)
		assert_int_equal(str_addf(&files, "/usr/share/doc/a/%d=x\n", i), 0);
	fake_host_add(&fake,
		      &(struct fake_package){.name = "a", .fields = ESSENTIAL, .files = files.s});
	fake_host_done(&fake);
	assert_int_equal(pkg_host_open(fake.root, &host, &err), 0);
	assert_int_equal(pkg_plan_make(host, &(struct pkg_request){0}, &plan, &err), 0);
	pkg_plan_facts(plan, &facts);
	assert_int_equal(pkg_copy(plan, root_fd, &on, &notes, &err), -ZE_INTR);
	assert_string_equal(err.msg, "interrupted");
	assert_true(done < facts.files);
}

static void
a_trigger_that_repeats_its_package_is_forgotten(void **state)
{
	(void)state;
	fake_host_add(&fake,
		      &(struct fake_package){.name = "ca-certificates",
					     .fields = ESSENTIAL,
					     .files = "/etc/ca-certificates/update.d\n",
					     .postinst = "#!/bin/sh\n"
							 "dpkg-trigger update-ca-certificates\n",
					     .triggers = "interest update-ca-certificates\n"});
	install(&(struct pkg_request){0});
	assert_int_equal(path_file_write_in_root(root_fd, "var/lib/dpkg/triggers/Unincorp",
						 "update-ca-certificates -\nother -\n", 34, 0644,
						 &err),
			 0);
	assert_int_equal(pkg_step_host(plan, 1, root_fd, &notes, &err), 0);
	assert_content("/var/lib/dpkg/triggers/Unincorp", "other -\n");
	/* With a hook it has something to do. */
	assert_int_equal(path_file_write_in_root(root_fd, "etc/ca-certificates/update.d/java", "",
						 0, 0755, &err),
			 0);
	assert_int_equal(path_file_write_in_root(root_fd, "var/lib/dpkg/triggers/Unincorp",
						 "update-ca-certificates -\n", 25, 0644, &err),
			 0);
	assert_int_equal(pkg_step_host(plan, 1, root_fd, &notes, &err), 0);
	assert_content("/var/lib/dpkg/triggers/Unincorp", "update-ca-certificates -\n");
}

static void
diversions_of_absent_packages_stay_behind(void **state)
{
	(void)state;
	fake_host_add(&fake, &(struct fake_package){.name = "a", .fields = ESSENTIAL});
	fake_host_write(&fake, "/var/lib/dpkg/diversions",
			"/x\n/x.a\na\n/y\n/y.b\nb\n/z\n/z.local\n:\n", 0644);
	install(&(struct pkg_request){0});
	assert_content("/var/lib/dpkg/diversions", "/x\n/x.a\na\n");
}

/* ---- users, sources ---- */

static void
first_users_are_the_masters(void **state)
{
	(void)state;
	fake_host_add(
	    &fake, &(struct fake_package){
		       .name = "base-passwd",
		       .fields = ESSENTIAL,
		       .files = "/usr/share/base-passwd/passwd.master=root:*:0:0:r:/root:/bin/sh\n"
				"/usr/share/base-passwd/group.master=root:*:0:\n"});
	fake_host_write(&fake, "/etc/passwd", "root:HASH:0:0:::\nadmin:HASH:1000:1000:::\n", 0644);
	install(&(struct pkg_request){0});
	assert_content("/etc/passwd", "root:*:0:0:r:/root:/bin/sh");
	assert_content("/etc/group", "root:*:0:");
	assert_false(is_there("/etc/shadow"));
}

static void
sources_come_without_what_is_private(void **state)
{
	(void)state;
	fake_host_add(&fake, &(struct fake_package){.name = "apt",
						    .fields = ESSENTIAL,
						    .files = "/usr/bin/apt-get=x\n"});
	fake_host_write(
	    &fake, "/etc/apt/sources.list",
	    "# mirror\ndeb [signed-by=/usr/share/keyrings/k.gpg] http://m/debian x main\n"
	    "deb https://user:pw@private/ x main\ndeb file:/srv/mirror x main\n",
	    0644);
	fake_host_write(&fake, "/etc/apt/sources.list.d/a.sources",
			"Types: deb\nURIs: http://a/\nSuites: x\n\n"
			"# other\nTypes: deb\nURIs: http://b/\n https://u@c/\nSuites: x\n",
			0644);
	fake_host_write(&fake, "/etc/apt/sources.list.d/b.list", "deb http://secret/ x main\n",
			0600);
	fake_host_write(&fake, "/etc/apt/auth.conf", "machine x password y\n", 0644);
	fake_host_write(&fake, "/usr/share/keyrings/k.gpg", "key", 0644);
	fake_host_write(&fake, "/etc/apt/trusted.gpg.d/t.asc", "trust", 0644);
	install(&(struct pkg_request){0});
	assert_content("/etc/apt/sources.list",
		       "# mirror\ndeb [signed-by=/usr/share/keyrings/k.gpg] http://m/debian x "
		       "main\n");
	assert_content("/etc/apt/sources.list.d/a.sources",
		       "Types: deb\nURIs: http://a/\nSuites: x\n\n");
	assert_content("/usr/share/keyrings/k.gpg", "key");
	assert_content("/etc/apt/trusted.gpg.d/t.asc", "trust");
	assert_false(is_there("/etc/apt/sources.list.d/b.list"));
	assert_false(is_there("/etc/apt/auth.conf"));
	assert_true(strv_has(&logged, "/etc/apt/sources.list:3: left out: it has credentials"));
	assert_true(
	    strv_has(&logged, "/etc/apt/sources.list:4: left out: only this host can reach it"));
	assert_true(
	    strv_has(&logged, "/etc/apt/sources.list.d/a.sources:6: left out: it has credentials"));
	assert_true(strv_has(
	    &logged, "/etc/apt/sources.list.d/b.list: left out: not everybody may read it"));
	assert_true(strv_has(&logged, "/etc/apt/auth.conf: left out: it has credentials"));
}

static void
marks_of_what_was_asked_for_are_manual(void **state)
{
	(void)state;
	fake_host_add(&fake, &(struct fake_package){.name = "apt",
						    .fields = ESSENTIAL "Depends: lib\n",
						    .files = "/usr/bin/apt-get=x\n"});
	fake_host_add(&fake, &(struct fake_package){.name = "lib"});
	fake_host_write(&fake, "/var/lib/apt/extended_states",
			"Package: apt\nArchitecture: amd64\nAuto-Installed: 1\n\n"
			"Package: lib\nArchitecture: amd64\nAuto-Installed: 1\n\n"
			"Package: gone\nArchitecture: amd64\nAuto-Installed: 1\n\n",
			0644);
	install(&(struct pkg_request){0});
	assert_content("/var/lib/apt/extended_states",
		       "Package: lib\nArchitecture: amd64\nAuto-Installed: 1\n\n");
}

int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(files_have_mode_and_time_of_the_host),
	    TEST(late_files_wait_for_their_step),
	    TEST(a_directory_that_leads_out_of_the_zone_does_not),
	    TEST(edited_configuration_is_taken_from_beside_it),
	    TEST(configuration_that_is_not_to_be_had_is_listed),
	    TEST(a_link_in_the_place_of_configuration_becomes_a_file),
	    TEST(the_database_is_unpacked_and_then_installed),
	    TEST(the_end_is_refused_while_a_package_is_not_installed),
	    TEST(bad_triggers_are_refused),
	    TEST(copying_stops_when_it_is_told_to),
	    TEST(a_trigger_that_repeats_its_package_is_forgotten),
	    TEST(diversions_of_absent_packages_stay_behind),
	    TEST(first_users_are_the_masters),
	    TEST(sources_come_without_what_is_private),
	    TEST(marks_of_what_was_asked_for_are_manual),
	};

	(void)umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

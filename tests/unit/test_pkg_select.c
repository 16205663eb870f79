/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a database and choosing from it. */
#include "pkg/dpkg_priv.h"

#include "base/err.h"
#include "base/fd.h"
#include "fake_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static struct err err;
static struct fake_host fake;

static int
setup(void **state)
{
	(void)state;
	fake_host_make(&fake);
	fake_host_add(&fake, &(struct fake_package){.name = "dpkg", .fields = "Essential: yes\n"});
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	fake_host_free(&fake);
	return 0;
}

static void
add(const char *name, const char *fields)
{
	fake_host_add(&fake, &(struct fake_package){.name = name, .fields = fields});
}

/* The chosen packages, sorted and joined by blanks; or the error. */
static char *
choose(const struct pkg_request *req)
{
	auto_pkg_host struct pkg_host *host = NULL;
	auto_pkg_plan struct pkg_plan *plan = NULL;
	auto_str struct str out = {0};

	fake_host_done(&fake);
	if (pkg_host_open(fake.root, &host, &err) < 0 || pkg_plan_make(host, req, &plan, &err) < 0)
		return strdup(err.msg);
	for (size_t i = 0; i < dpkg_host_of(host)->n_pkgs; i++)
		if (dpkg_plan_of(plan)->choices[i].chosen)
			assert_int_equal(str_addf(&out, "%s%s", out.len ? " " : "",
						  dpkg_host_of(host)->pkgs[i].key),
					 0);
	return str_take(&out);
}

#define ASSERT_CHOSEN(expected, ...)                                                               \
	do {                                                                                       \
		auto_free char *chosen = choose(&(struct pkg_request){__VA_ARGS__});               \
		assert_string_equal(chosen, expected);                                             \
	} while (0)

static const char *const no_policy; /* the built-in one */

static void
the_default_set_is_closed_over_dependencies(void **state)
{
	(void)state;
	add("required-one", "Priority: required\nDepends: lib-a (>= 1), lib-b | lib-c\n");
	add("lib-a", "Pre-Depends: lib-d\n");
	add("lib-b", "Recommends: not-this\n");
	add("lib-c", NULL);
	add("lib-d", NULL);
	add("not-this", NULL);
	ASSERT_CHOSEN("dpkg required-one lib-a lib-b lib-d", .policy_path = no_policy);
}

static void
an_alternative_that_is_too_old_is_passed_over(void **state)
{
	(void)state;
	add("a", "Priority: important\nDepends: b (>= 2) | c\n");
	add("b", NULL);
	add("c", NULL);
	ASSERT_CHOSEN("dpkg a c", .policy_path = no_policy);
}

static void
providers_satisfy_and_with_a_version_only_if_they_say_one(void **state)
{
	(void)state;
	add("a", "Priority: important\nDepends: virtual, numbered (>= 2)\n");
	add("p0", "Provides: numbered\n");
	add("p1", "Provides: virtual, numbered (= 1)\n");
	add("p2", "Provides: numbered (= 2)\n");
	ASSERT_CHOSEN("dpkg a p1 p2", .policy_path = no_policy);
}

static void
architectures_are_kept_apart(void **state)
{
	(void)state;
	add("a", "Priority: important\nDepends: lib, tool\n");
	fake_host_add(&fake, &(struct fake_package){
				 .name = "lib", .arch = "i386", .fields = "Multi-Arch: same\n"});
	add("lib", "Multi-Arch: same\n");
	fake_host_add(&fake, &(struct fake_package){.name = "tool",
						    .arch = "i386",
						    .fields = "Multi-Arch: foreign\n"});
	ASSERT_CHOSEN("dpkg a lib:amd64 tool", .policy_path = no_policy);
}

static void
packages_of_the_machine_stay_out_of_all(void **state)
{
	(void)state;
	fake_host_add(&fake,
		      &(struct fake_package){.name = "any-name", .files = "/boot/vmlinuz=x\n"});
	fake_host_add(&fake, &(struct fake_package){.name = "other-name",
						    .files = "/lib/modules/6.1/a.ko=x\n"});
	add("sect", "Section: non-free/kernel\n");
	add("grub-pc", NULL);
	add("scoped", "X-Zone-Scope: global\n");
	add("user-of-grub", "Depends: grub-pc\n");
	add("plain", NULL);
	ASSERT_CHOSEN("dpkg plain", .policy_path = no_policy, .all = true);
	ASSERT_CHOSEN("dpkg plain", .policy_path = no_policy,
		      .inherit_dirs = (const char *const[]){"/usr", NULL});
}

static void
what_cannot_come_along_is_counted_and_logged(void **state)
{
	auto_pkg_host struct pkg_host *host = NULL;
	auto_pkg_plan struct pkg_plan *plan = NULL;
	struct pkg_plan_facts facts;

	(void)state;
	add("grub-pc", NULL);
	add("user-of-grub", "Depends: grub-pc\n");
	fake_host_done(&fake);
	assert_int_equal(pkg_host_open(fake.root, &host, &err), 0);
	assert_int_equal(pkg_plan_make(host,
				       &(struct pkg_request){.policy_path = no_policy, .all = true},
				       &plan, &err),
			 0);
	pkg_plan_facts(plan, &facts);
	assert_int_equal(facts.packages, 1);
	assert_int_equal(facts.skipped, 1);
	assert_string_equal(plan->log.v[0],
			    "package 'user-of-grub' was skipped: it needs package 'grub-pc', which "
			    "belongs to the global zone by the policy");
}

static void
what_is_asked_for_by_name_comes_with_what_it_needs(void **state)
{
	(void)state;
	add("grub-pc", "Depends: grub-common\n");
	add("grub-common", NULL);
	ASSERT_CHOSEN("dpkg grub-pc grub-common", .policy_path = no_policy,
		      .packages = (const char *const[]){"grub-pc", NULL});
}

static void
names_that_the_host_does_not_have_are_an_error(void **state)
{
	(void)state;
	ASSERT_CHOSEN("package 'nginx' is not installed on this host; install it there first",
		      .policy_path = no_policy, .packages = (const char *const[]){"nginx", NULL});
	ASSERT_CHOSEN("package 'nginx' is not installed on this host", .policy_path = no_policy,
		      .exclude = (const char *const[]){"nginx", NULL});
}

static void
essential_packages_cannot_be_left_out(void **state)
{
	(void)state;
	ASSERT_CHOSEN("package 'dpkg' is essential and cannot be left out",
		      .policy_path = no_policy, .exclude = (const char *const[]){"dpkg", NULL});
	add("vital", "Priority: required\nDepends: lib\n");
	add("lib", NULL);
	add("other", NULL);
	ASSERT_CHOSEN("package 'lib' is needed by essential ones and cannot be left out",
		      .policy_path = no_policy, .exclude = (const char *const[]){"lib", NULL});
	ASSERT_CHOSEN("dpkg vital lib", .policy_path = no_policy, .all = true,
		      .exclude = (const char *const[]){"*", NULL});
}

static void
leaving_out_what_an_asked_one_needs_is_an_error(void **state)
{
	(void)state;
	add("a", "Depends: b | c\n");
	add("b", NULL);
	ASSERT_CHOSEN("package 'a' needs 'b | c', which was left out", .policy_path = no_policy,
		      .packages = (const char *const[]){"a", NULL},
		      .exclude = (const char *const[]){"b", NULL});
}

static void
names_count_before_globs(void **state)
{
	(void)state;
	add("a", "Depends: b\n");
	add("b", NULL);
	add("c", "Priority: important\n");
	ASSERT_CHOSEN("dpkg a b", .policy_path = no_policy,
		      .packages = (const char *const[]){"a", NULL},
		      .exclude = (const char *const[]){"*", NULL});
}

static void
a_relation_that_the_host_broke_is_refused(void **state)
{
	(void)state;
	add("a", "Priority: important\nDepends: gone (>= 2)\n");
	ASSERT_CHOSEN(
	    "package 'a' needs 'gone (>= 2)', which this host does not have: run 'apt-get "
	    "--fix-broken install'",
	    .policy_path = no_policy);
}

static void
half_done_packages_are_refused_only_if_they_are_wanted(void **state)
{
	(void)state;
	fake_host_add(
	    &fake, &(struct fake_package){.name = "half", .status = "install ok half-configured"});
	fake_host_add(
	    &fake, &(struct fake_package){.name = "gone", .status = "deinstall ok config-files"});
	fake_host_add(&fake, &(struct fake_package){.name = "held",
						    .status = "hold ok installed",
						    .fields = "Priority: important\n"});
	ASSERT_CHOSEN("dpkg held", .policy_path = no_policy);
	ASSERT_CHOSEN("package 'half' is 'half-configured' on this host: run 'dpkg --configure -a' "
		      "or reinstall it",
		      .policy_path = no_policy, .all = true);
}

static void
the_policy_file_includes_and_excludes(void **state)
{
	auto_free char *path = NULL;

	(void)state;
	add("a", "Priority: standard\n");
	add("b", "Priority: standard\n");
	add("c", NULL);
	fake_host_write(&fake, "/policy",
			"set default = @standard\nexclude *\ninclude a\ninclude c\n", 0644);
	assert_true(asprintf(&path, "%s/policy", fake.root) > 0);
	ASSERT_CHOSEN("dpkg a c", .policy_path = path);
}

/* ---- opening ---- */

static void
assert_open_fails(int code, const char *message)
{
	struct pkg_host *host;

	assert_int_equal(pkg_host_open(fake.root, &host, &err), -code);
	assert_string_equal(err.msg, message);
}

static void
a_root_without_a_database_is_not_supported(void **state)
{
	auto_free char *message = NULL;

	(void)state;
	assert_true(asprintf(&message, "no known package manager in '%s'", fake.root) > 0);
	assert_open_fails(ZE_NOTSUP, message);
}

static void
an_interrupted_dpkg_is_told_how_to_finish(void **state)
{
	(void)state;
	fake_host_done(&fake);
	fake_host_write(&fake, "/var/lib/dpkg/updates/0001", "", 0644);
	assert_open_fails(ZE_PKG, "dpkg was interrupted on this host "
				  "('/var/lib/dpkg/updates/0001'): run 'dpkg --configure -a' "
				  "first");
}

static void
a_running_package_manager_is_waited_for_and_named(void **state)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	auto_free char *path = NULL, *message = NULL;
	int ready[2], fd;
	pid_t pid;
	char c;

	(void)state;
	fake_host_done(&fake);
	fake_host_write(&fake, "/var/lib/dpkg/lock", "", 0640);
	assert_true(asprintf(&path, "%s/var/lib/dpkg/lock", fake.root) > 0);
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0 || fcntl(fd, F_SETLK, &lock) < 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_true(asprintf(&message,
			     "process %d holds '/var/lib/dpkg/lock': a package manager is at work; "
			     "try again when it is done",
			     pid) > 0);
	assert_open_fails(ZE_BUSY, message);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	ASSERT_CHOSEN("dpkg", .policy_path = no_policy);
}

static void
damage_is_named_by_file_and_line(void **state)
{
	static const struct {
		const char *status, *message;
	} cases[] = {
	    {"", "'/var/lib/dpkg/status' lists no installed package"},
	    {"garbage\n", "/var/lib/dpkg/status:1: not a field"},
	    {"Package: a\nPackage: b\n", "/var/lib/dpkg/status:2: a second 'Package'"},
	    {"Package: a\nVersion: 1\n", "/var/lib/dpkg/status:1: no 'Status'"},
	    {"Package: a\nStatus: installed\n",
	     "/var/lib/dpkg/status:1: 'Status' is not three words"},
	    {"\nPackage: ../a\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n",
	     "/var/lib/dpkg/status:2: 'Package' is missing or not a package name"},
	    {"Package: a\nStatus: install ok installed\nVersion: 1/2\nArchitecture: all\n",
	     "/var/lib/dpkg/status:1: 'Version' is missing or not one"},
	    {"Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n"
	     "Depends: b (\n",
	     "/var/lib/dpkg/status:5: package 'a', Depends: no relation to a version after 'b ('"},
	    {"Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n"
	     "Conffiles:\n /etc/a 123\n",
	     "package 'a': /var/lib/dpkg/status:6: a digest of 'Conffiles' is not 32 hexadecimal "
	     "digits"},
	    {"Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n"
	     "Conffiles:\n /../x 00000000000000000000000000000000\n",
	     "package 'a': /var/lib/dpkg/status:6: a path of 'Conffiles' is not absolute and "
	     "plain"},
	    {"Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n\n"
	     "Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n",
	     "/var/lib/dpkg/status:6: a second entry for package 'a'"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fake_host_write(&fake, "/var/lib/dpkg/status", cases[i].status, 0644);
		assert_open_fails(ZE_PKG, cases[i].message);
	}
}

static void
a_missing_list_is_refused(void **state)
{
	(void)state;
	fake_host_remove(&fake, "/var/lib/dpkg/info/dpkg.list");
	ASSERT_CHOSEN("'/var/lib/dpkg/info/dpkg.list' is missing: the files of package 'dpkg' are "
		      "not known; reinstall it",
		      .policy_path = no_policy);
}

int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(the_default_set_is_closed_over_dependencies),
	    TEST(an_alternative_that_is_too_old_is_passed_over),
	    TEST(providers_satisfy_and_with_a_version_only_if_they_say_one),
	    TEST(architectures_are_kept_apart),
	    TEST(packages_of_the_machine_stay_out_of_all),
	    TEST(what_cannot_come_along_is_counted_and_logged),
	    TEST(what_is_asked_for_by_name_comes_with_what_it_needs),
	    TEST(names_that_the_host_does_not_have_are_an_error),
	    TEST(essential_packages_cannot_be_left_out),
	    TEST(leaving_out_what_an_asked_one_needs_is_an_error),
	    TEST(names_count_before_globs),
	    TEST(a_relation_that_the_host_broke_is_refused),
	    TEST(half_done_packages_are_refused_only_if_they_are_wanted),
	    TEST(the_policy_file_includes_and_excludes),
	    TEST(a_root_without_a_database_is_not_supported),
	    TEST(an_interrupted_dpkg_is_told_how_to_finish),
	    TEST(a_running_package_manager_is_waited_for_and_named),
	    TEST(damage_is_named_by_file_and_line),
	    TEST(a_missing_list_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

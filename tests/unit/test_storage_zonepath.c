/* SPDX-License-Identifier: Apache-2.0 */
/* Zonepaths, mounts below them and facts of their file systems, in a private mount namespace. */
#include "storage/storage.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* A tmpfs over a directory whose parents are root's alone. */
#define TOP "/srv"

static struct err err;

static int
setup(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	return mount("none", TOP, "tmpfs", 0, "mode=755");
}

static int
teardown(void **state)
{
	(void)state;
	return umount2(TOP, MNT_DETACH);
}

/* The lines about a path, joined. */
static const char *
problems_of(const char *zonepath)
{
	static char text[1024];
	auto_strv struct strv problems = {0};
	bool exists;

	if (storage_zonepath_check(zonepath, &problems, &exists, &err) < 0)
		fail_msg("%s", err.msg);
	text[0] = '\0';
	for (size_t i = 0; i < problems.n; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s\n",
			       problems.v[i]);
	return text;
}

static void
a_missing_zonepath_is_no_problem_and_is_made(void **state)
{
	struct stat st;
	bool made = false;

	(void)state;
	assert_string_equal(problems_of(TOP "/a/b"), "");
	assert_int_equal(storage_zonepath_make(TOP "/a/b", &made, &err), 0);
	assert_true(made);
	assert_int_equal(stat(TOP "/a", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(stat(TOP "/a/b", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(storage_zonepath_make(TOP "/a/b", &made, &err), 0);
	assert_false(made);
	assert_string_equal(problems_of(TOP "/a/b"), "");
}

static void
every_problem_of_the_path_is_told(void **state)
{
	(void)state;
	assert_int_equal(mkdir(TOP "/a", 0700), 0);
	assert_int_equal(chmod(TOP "/a", 01777), 0);
	assert_int_equal(mkdir(TOP "/a/b", 0700), 0);
	assert_int_equal(chown(TOP "/a/b", 1, 1), 0);
	assert_int_equal(mkdir(TOP "/a/b/c", 0700), 0);
	assert_int_equal(chmod(TOP "/a/b/c", 0711), 0);
	assert_string_equal(
	    problems_of(TOP "/a/b/c"),
	    "'/srv/a' has mode 1777; nobody but root may be able to write to it\n"
	    "'/srv/a/b' belongs to user 1; it must belong to root\n"
	    "'/srv/a/b/c' has mode 0711; it must be 0700, or users of the host reach the zone's "
	    "files\n");
	assert_int_equal(storage_zonepath_make(TOP "/a/b/c", NULL, &err), -ZE_VERIFY);
	assert_non_null(strstr(err.msg, "'/srv/a' has mode 1777"));
}

static void
links_and_files_are_not_followed(void **state)
{
	(void)state;
	assert_int_equal(mkdir(TOP "/real", 0755), 0);
	assert_int_equal(symlink("real", TOP "/link"), 0);
	assert_string_equal(problems_of(TOP "/link/z"),
			    "'/srv/link' is a symbolic link; a zonepath must be named by its real "
			    "path\n");
	assert_int_equal(mknod(TOP "/file", S_IFREG | 0644, 0), 0);
	assert_string_equal(problems_of(TOP "/file"), "'/srv/file' is not a directory\n");
	assert_int_equal(storage_zonepath_make(TOP "/link/z", NULL, &err), -ZE_VERIFY);
	assert_int_equal(access(TOP "/real/z", F_OK), -1);
}

static void
a_mount_below_is_found_by_its_real_name(void **state)
{
	(void)state;
	assert_int_equal(mkdir(TOP "/z", 0700), 0);
	assert_int_equal(mkdir(TOP "/zz", 0700), 0);
	assert_int_equal(mkdir(TOP "/z/a b\\\n", 0700), 0);
	assert_int_equal(mount("none", TOP "/z", "tmpfs", 0, NULL), 0);
	assert_int_equal(mount("none", TOP "/zz", "tmpfs", 0, NULL), 0);
	assert_int_equal(storage_mounts_check(TOP "/z", &err), 0);
	assert_int_equal(mkdir(TOP "/z/a b\\\n", 0700), 0);
	assert_int_equal(mount("none", TOP "/z/a b\\\n", "tmpfs", 0, NULL), 0);
	assert_int_equal(storage_mounts_check(TOP "/z", &err), -ZE_BUSY);
	assert_string_equal(err.msg,
			    "something is mounted on '" TOP "/z/a b\\\n'; unmount it first");
	assert_int_equal(storage_mounts_check(TOP "/nothing", &err), 0);
}

static void
facts_are_those_of_the_nearest_parent(void **state)
{
	struct storage_facts facts;
	bool can = false;

	(void)state;
	assert_int_equal(storage_facts(TOP "/not/there/yet", &facts, &err), 0);
	assert_string_equal(facts.fs_type, "tmpfs");
	assert_true(facts.is_volatile);
	assert_false(facts.is_network || facts.is_nosuid || facts.can_snapshot);
	assert_true(facts.free_bytes > 0);
	assert_int_equal(mount("none", TOP, NULL, MS_REMOUNT | MS_NOSUID, NULL), 0);
	assert_int_equal(storage_facts(TOP, &facts, &err), 0);
	assert_true(facts.is_nosuid);
	assert_int_equal(storage_facts("/proc", &facts, &err), 0);
	assert_string_equal(facts.fs_type, "type 0x9fa0");
	assert_int_equal(storage_can_idmap("/proc", &can, &err), 0);
	assert_false(can);
}

/* As in lib/storage/README.md. */
static int
example(const char *a, const char *b, uint64_t *ret_bytes, struct err *e)
{
	struct storage_usage usage;
	const char *backend;
	int r;

	r = storage_zonepath_make(a, NULL, e);
	if (r == 0)
		r = storage_create(a, &backend, e);
	if (r == 0)
		r = storage_zonepath_make(b, NULL, e);
	if (r == 0)
		r = storage_clone(a, b, STORAGE_AUTO, NULL, NULL, e);
	if (r == 0)
		r = storage_usage(b, &usage, e);
	if (r == 0)
		*ret_bytes = usage.exclusive_bytes;
	return r;
}

static void
the_example_of_the_readme_works(void **state)
{
	uint64_t bytes = 1;

	(void)state;
	assert_int_equal(example(TOP "/a", TOP "/b", &bytes, &err), 0);
	assert_int_equal(bytes, 0);
	assert_int_equal(access(TOP "/b/root", F_OK), 0);
}

int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(a_missing_zonepath_is_no_problem_and_is_made),
	    TEST(every_problem_of_the_path_is_told),
	    TEST(links_and_files_are_not_followed),
	    TEST(a_mount_below_is_found_by_its_real_name),
	    TEST(facts_are_those_of_the_nearest_parent),
	    TEST(the_example_of_the_readme_works),
	};

	(void)umask(022);
	if (geteuid() == 0 &&
	    (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)) {
		perror("make a private mount namespace");
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "base/fd.h"
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[64];
static int dir_fd;

static int
setup(void **state)
{
	(void)state;
	(void)strcpy(dir, "/tmp/zones-unit-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir_fd < 0 ? -1 : 0;
}

static int
teardown(void **state)
{
	struct err err;

	(void)state;
	(void)close(dir_fd);
	return path_rm_tree_at(AT_FDCWD, dir, &err);
}

static void
symlink_out_of_the_root_resolves_inside(void **state)
{
	auto_free char *text = NULL;
	struct err err;
	size_t size;

	(void)state;
	assert_int_equal(mkdirat(dir_fd, "etc", 0755), 0);
	assert_int_equal(path_file_write_in_root(dir_fd, "/etc/passwd", "mine", 4, 0644, &err), 0);
	assert_int_equal(symlinkat("/../../../etc/passwd", dir_fd, "link"), 0);
	assert_int_equal(path_file_read_in_root(dir_fd, "link", 100, &text, &size, &err), 0);
	assert_string_equal(text, "mine");
}

static void
writing_never_follows_the_last_link(void **state)
{
	struct err err;
	struct stat st;

	(void)state;
	assert_int_equal(symlinkat("/target", dir_fd, "x"), 0);
	assert_int_equal(path_file_write_in_root(dir_fd, "x", "new", 3, 0600, &err), 0);
	assert_int_equal(fstatat(dir_fd, "x", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(fstatat(dir_fd, "target", &st, 0), -1);
}

static void
fifo_is_refused_without_blocking(void **state)
{
	auto_free char *text = NULL;
	struct err err;
	size_t size;

	(void)state;
	assert_int_equal(mkfifoat(dir_fd, "fifo", 0600), 0);
	assert_int_equal(path_file_read_in_root(dir_fd, "fifo", 100, &text, &size, &err),
			 -ZE_FORMAT);
}

static void
file_larger_than_the_limit_is_refused(void **state)
{
	auto_free char *text = NULL;
	struct err err;
	size_t size;

	(void)state;
	assert_int_equal(path_file_write_in_root(dir_fd, "big", "12345", 5, 0600, &err), 0);
	assert_int_equal(path_file_read_in_root(dir_fd, "big", 4, &text, &size, &err), -ZE_FORMAT);
}

/* 3000 directories, each in the one before. */
static void
deep_make(void)
{
	int fd = dup(dir_fd), next;

	assert_int_equal(mkdirat(fd, "deep", 0755), 0);
	for (int i = 0; i < 3000; i++) {
		next = openat(fd, i ? "d" : "deep", O_RDONLY | O_DIRECTORY);
		assert_true(next >= 0);
		(void)close(fd);
		fd = next;
		assert_int_equal(mkdirat(fd, "d", 0755), 0);
	}
	(void)close(fd);
}

static void
tree_of_any_depth_is_removed(void **state)
{
	struct err err;

	(void)state;
	deep_make();
	assert_int_equal(path_rm_tree_at(dir_fd, "deep", &err), 0);
	assert_int_equal(faccessat(dir_fd, "deep", F_OK, 0), -1);
}

static void
names_that_deep_directories_get_may_be_planted(void **state)
{
	const struct rlimit few = {.rlim_cur = 256, .rlim_max = 256};
	struct rlimit old;
	struct err err;
	char name[64];

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	deep_make();
	for (int i = 0; i < 600; i++) {
		(void)snprintf(name, sizeof(name), "deep/.zones-rm-%d", i);
		assert_int_equal(mkdirat(dir_fd, name, 0755), 0);
		(void)strcat(name, "/x");
		assert_int_equal(mkdirat(dir_fd, name, 0755), 0);
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(path_rm_tree_at(dir_fd, "deep", &err), 0);
	(void)setrlimit(RLIMIT_NOFILE, &old);
	assert_int_equal(faccessat(dir_fd, "deep", F_OK, 0), -1);
}

static bool
lock(const char *name, int flag)
{
	auto_close int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	int flags;

	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
		return false;
	flags |= flag;
	return ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0;
}

static void
locked_files_and_directories_are_removed(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(mkdirat(dir_fd, "tree", 0755), 0);
	assert_int_equal(mkdirat(dir_fd, "tree/dir", 0755), 0);
	assert_int_equal(path_file_write_in_root(dir_fd, "tree/dir/a", "x", 1, 0600, &err), 0);
	assert_int_equal(path_file_write_in_root(dir_fd, "tree/dir/b", "x", 1, 0600, &err), 0);
	if (!lock("tree/dir/a", FS_IMMUTABLE_FL))
		skip(); /* not root, or a file system without flags */
	assert_true(lock("tree/dir/b", FS_APPEND_FL));
	assert_true(lock("tree/dir", FS_IMMUTABLE_FL));
	assert_true(lock("tree", FS_APPEND_FL));
	assert_int_equal(path_rm_tree_at(dir_fd, "tree", &err), 0);
	assert_int_equal(faccessat(dir_fd, "tree", F_OK, 0), -1);
}

static void
link_to_a_tree_is_removed_and_the_tree_is_not(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(mkdirat(dir_fd, "kept", 0755), 0);
	assert_int_equal(path_file_write_in_root(dir_fd, "kept/file", "x", 1, 0600, &err), 0);
	assert_int_equal(mkdirat(dir_fd, "gone", 0755), 0);
	assert_int_equal(symlinkat("../kept", dir_fd, "gone/link"), 0);
	assert_int_equal(path_rm_tree_at(dir_fd, "gone", &err), 0);
	assert_int_equal(faccessat(dir_fd, "kept/file", F_OK, 0), 0);
}

/* Swaps ten directories of the tree for links to what is kept, as long as there are both. */
static pid_t
swapper(void)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	for (char a[] = "tree/0", b[] = "tree/a";; a[5] = a[5] == '9' ? '0' : (char)(a[5] + 1)) {
		b[5] = (char)(a[5] - '0' + 'a');
		(void)renameat2(dir_fd, a, dir_fd, b, RENAME_EXCHANGE);
	}
}

static void
directory_that_turns_into_a_link_is_not_followed(void **state)
{
	struct err err;
	pid_t pid;

	(void)state;
	assert_int_equal(path_file_write_in_root(dir_fd, "kept/file", "x", 1, 0600, &err), 0);
	pid = swapper();
	assert_true(pid > 0);
	for (int turn = 0; turn < 300; turn++) {
		(void)mkdirat(dir_fd, "tree", 0755);
		for (int i = 0; i < 10; i++) {
			char name[] = "tree/0";

			name[5] = (char)('0' + i);
			(void)mkdirat(dir_fd, name, 0755);
			name[5] = (char)('a' + i);
			(void)symlinkat("../kept", dir_fd, name);
		}
		/* It may find that what it wants to open is a link by now. */
		(void)path_rm_tree_at(dir_fd, "tree", &err);
	}
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	assert_int_equal(faccessat(dir_fd, "kept/file", F_OK, 0), 0);
	assert_int_equal(path_rm_tree_at(dir_fd, "tree", &err), 0);
}

static void
replaced_file_has_the_new_content_and_leaves_no_temporary(void **state)
{
	auto_free char *path = NULL;
	auto_free char *text = NULL;
	struct err err;
	size_t size;

	(void)state;
	assert_true(asprintf(&path, "%s/index", dir) > 0);
	assert_int_equal(path_file_replace(path, "one", 3, 0644, &err), 0);
	assert_int_equal(path_file_replace(path, "two", 3, 0644, &err), 0);
	assert_int_equal(path_file_read(path, 10, &text, &size, &err), 0);
	assert_string_equal(text, "two");
	assert_int_equal(unlinkat(dir_fd, "index", 0), 0);
	assert_int_equal(rmdir(dir), 0); /* empty: no temporary is left */
	assert_int_equal(mkdir(dir, 0700), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(symlink_out_of_the_root_resolves_inside, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(writing_never_follows_the_last_link, setup, teardown),
	    cmocka_unit_test_setup_teardown(fifo_is_refused_without_blocking, setup, teardown),
	    cmocka_unit_test_setup_teardown(file_larger_than_the_limit_is_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(tree_of_any_depth_is_removed, setup, teardown),
	    cmocka_unit_test_setup_teardown(names_that_deep_directories_get_may_be_planted, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(locked_files_and_directories_are_removed, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(link_to_a_tree_is_removed_and_the_tree_is_not, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(directory_that_turns_into_a_link_is_not_followed, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(
		replaced_file_has_the_new_content_and_leaves_no_temporary, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

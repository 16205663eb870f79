/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The identity of a root whose own root user was hostile: what he has planted neither leads out of
 * the root nor stops the work.
 */
#include "base/err.h"
#include "base/fd.h"
#include "base/path.h"
#include "pkg/pkg.h"

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
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define MACHINE_ID "0123456789abcdef0123456789abcdef"

static char dir[64];
static int work_fd, root_fd, victim_fd;
static struct err err;

/* A file, and the directories that it is in. */
static void
put(int fd, const char *path, const char *text)
{
	assert_int_equal(path_file_write_in_root(fd, path, text, strlen(text), 0600, &err), 0);
}

static void
put_link(const char *path, const char *target)
{
	auto_close int fd = -EBADF;
	const char *name;

	fd = path_open_parent_in_root(root_fd, path, true, &name, &err);
	assert_true(fd >= 0);
	assert_int_equal(symlinkat(target, fd, name), 0);
}

static bool
is_there(int fd, const char *path)
{
	return faccessat(fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static char *
content(const char *path)
{
	char *text = NULL;
	size_t size;

	(void)path_file_read_in_root(root_fd, path, 4096, &text, &size, &err);
	return text;
}

static void
assert_content(const char *path, const char *expected)
{
	auto_free char *text = content(path);

	if (!text)
		fail_msg("%s", err.msg);
	assert_string_equal(text, expected);
}

static void
unconfigure(void)
{
	(void)alarm(20); /* a FIFO that is opened */
	if (pkg_unconfigure(root_fd, "z", MACHINE_ID, &err) < 0)
		fail_msg("%s", err.msg);
	(void)alarm(0);
	assert_content("/etc/machine-id", MACHINE_ID "\n");
	assert_content("/etc/hostname", "z\n");
}

static int
setup(void **state)
{
	(void)state;
	(void)strcpy(dir, "/tmp/zones-unit-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	work_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	root_fd = path_mkdir_in_root(work_fd, "root", 0755, &err);
	victim_fd = path_mkdir_in_root(work_fd, "victim", 0755, &err);
	return root_fd < 0 || victim_fd < 0 || mkdirat(root_fd, "etc", 0755) < 0 ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	(void)close(root_fd);
	(void)close(victim_fd);
	(void)close(work_fd);
	return path_rm_tree_at(AT_FDCWD, dir, &err);
}

static void
an_empty_root_gets_an_identity(void **state)
{
	(void)state;
	unconfigure();
	assert_content("/etc/hosts", "127.0.0.1\tlocalhost\n"
				     "::1\tlocalhost ip6-localhost ip6-loopback\n"
				     "ff02::1\tip6-allnodes\n"
				     "ff02::2\tip6-allrouters\n"
				     "127.0.1.1\tz\n");
	assert_false(is_there(root_fd, "etc/mailname"));
	assert_false(is_there(root_fd, "etc/systemd"));
}

static void
links_lead_nowhere_outside(void **state)
{
	auto_free char *victim = NULL, *file = NULL;
	struct stat st;

	(void)state;
	assert_true(asprintf(&victim, "%s/victim", dir) > 0);
	assert_true(asprintf(&file, "../../../../../../../..%s/victim/text", dir) > 0);
	put(victim_fd, "text", "text");
	put(victim_fd, "ssh_host_rsa_key", "key");
	put(victim_fd, ".bash_history", "ls");
	put(victim_fd, "syslog.1", "old");
	put_link("tmp", victim);
	put_link("home/joe", victim);
	put_link("root", victim);
	put_link("var/log", victim);
	put_link("var/tmp/x", victim);
	put_link("var/lib/dhcp", "/proc/self/fd");
	put_link("etc/ssh", victim);
	put_link("etc/hostname", file);
	put_link("etc/hosts", file);
	put_link("etc/mailname", file);
	put_link("etc/machine-id", "machine-id");
	unconfigure();
	assert_true(is_there(victim_fd, "text") && is_there(victim_fd, "ssh_host_rsa_key"));
	assert_true(is_there(victim_fd, ".bash_history") && is_there(victim_fd, "syslog.1"));
	assert_int_equal(fstatat(victim_fd, "text", &st, 0), 0);
	assert_int_equal(st.st_size, 4);
	assert_false(is_there(root_fd, "var/tmp/x"));
	assert_content("/etc/mailname", "z\n");
}

/* Who swaps each directory for a link while the identity is made. */
static pid_t
swapper(const char *const pairs[][2], size_t n)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	for (;;) {
		for (size_t i = 0; i < n; i++)
			(void)renameat2(root_fd, pairs[i][0], root_fd, pairs[i][1],
					RENAME_EXCHANGE);
	}
}

static void
directories_that_turn_into_links_lead_nowhere_outside(void **state)
{
	static const char *const pairs[][2] = {
	    {"etc", "etc-trap"}, {"var/log", "var/log-trap"}, {"root", "root-trap"},
	    {"tmp", "tmp-trap"}, {"var/lib", "var/lib-trap"},
	};
	static const char *const victims[] = {"ssh/ssh_host_rsa_key",
					      ".bash_history",
					      "file",
					      "dhcp/lease",
					      "syslog",
					      "syslog.1",
					      "hostname"};
	auto_free char *victim = NULL;
	struct stat st;
	pid_t pid;

	(void)state;
	assert_true(asprintf(&victim, "%s/victim", dir) > 0);
	for (size_t i = 0; i < sizeof(victims) / sizeof(victims[0]); i++)
		put(victim_fd, victims[i], "text");
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		put_link(pairs[i][1], victim);
	pid = swapper(pairs, sizeof(pairs) / sizeof(pairs[0]));
	assert_true(pid > 0);
	for (int turn = 0; turn < 300; turn++) {
		/* Either may fail, when what it has found is something else a moment later. */
		(void)path_file_write_in_root(root_fd, "var/log/syslog", "text", 4, 0600, &err);
		(void)path_file_write_in_root(root_fd, "tmp/file", "text", 4, 0600, &err);
		(void)pkg_unconfigure(root_fd, "z", MACHINE_ID, &err);
	}
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	for (size_t i = 0; i < sizeof(victims) / sizeof(victims[0]); i++) {
		if (fstatat(victim_fd, victims[i], &st, 0) < 0 || st.st_size != 4)
			fail_msg("'%s' of the host was reached", victims[i]);
	}
	assert_false(is_there(victim_fd, "machine-id"));
	assert_false(is_there(victim_fd, "log"));
}

static void
what_is_no_file_is_not_opened(void **state)
{
	(void)state;
	put(root_fd, "var/log/real.log", "log");
	put(root_fd, "etc/machine-id/deep/file", "x");
	assert_int_equal(mkfifoat(root_fd, "var/log/fifo", 0600), 0);
	assert_int_equal(mkfifoat(root_fd, "var/log/journal", 0600), 0);
	assert_int_equal(mkfifoat(root_fd, "etc/hosts", 0600), 0);
	assert_int_equal(mkfifoat(root_fd, "etc/hostname", 0600), 0);
	assert_int_equal(mkfifoat(root_fd, "etc/ssh", 0600), 0);
	assert_int_equal(mkfifoat(root_fd, "tmp", 0600), 0);
	unconfigure();
	assert_content("/var/log/real.log", "");
	assert_true(is_there(root_fd, "var/log/fifo"));
}

static void
a_huge_file_is_not_read(void **state)
{
	auto_close int fd = openat(root_fd, "etc/hosts", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	struct stat st;

	(void)state;
	assert_int_equal(ftruncate(fd, (off_t)1 << 40), 0);
	unconfigure();
	assert_int_equal(fstatat(root_fd, "etc/hosts", &st, 0), 0);
	assert_true(st.st_size < 1000);
}

static void
logs_of_any_depth_are_cleaned(void **state)
{
	int fd = path_mkdir_in_root(root_fd, "var/log", 0755, &err), next;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		assert_int_equal(mkdirat(fd, "d", 0755), 0);
		next = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		(void)close(fd);
		fd = next;
	}
	(void)close(fd);
	put(root_fd, "var/log/top", "log");
	unconfigure();
	assert_content("/var/log/top", "");
}

static void
locked_files_are_renewed_and_logs_stay_locked(void **state)
{
	static const struct {
		const char *path;
		int flag;
	} locked[] = {
	    {"var/log/auth.log", FS_APPEND_FL}, {"tmp/x", FS_IMMUTABLE_FL},
	    {"etc/hostname", FS_IMMUTABLE_FL},  {"etc/machine-id", FS_IMMUTABLE_FL},
	    {"etc", FS_IMMUTABLE_FL},
	};
	int fd, flags, r;

	(void)state;
	for (size_t i = 0; i < sizeof(locked) / sizeof(locked[0]); i++) {
		if (strcmp(locked[i].path, "etc") != 0)
			put(root_fd, locked[i].path, "text");
		fd = openat(root_fd, locked[i].path, O_RDONLY | O_CLOEXEC);
		r = ioctl(fd, FS_IOC_GETFLAGS, &flags);
		flags |= locked[i].flag;
		r = r < 0 ? r : ioctl(fd, FS_IOC_SETFLAGS, &flags);
		(void)close(fd);
		if (r < 0)
			skip(); /* not root, or a file system without flags */
	}
	unconfigure();
	assert_false(is_there(root_fd, "tmp/x"));
	assert_content("/var/log/auth.log", "");
	fd = openat(root_fd, "var/log/auth.log", O_RDONLY | O_CLOEXEC);
	assert_int_equal(ioctl(fd, FS_IOC_GETFLAGS, &flags), 0);
	(void)close(fd);
	assert_int_equal(flags & FS_APPEND_FL, FS_APPEND_FL);
}

static void
the_name_of_the_host_is_replaced_where_it_stood(void **state)
{
	(void)state;
	put(root_fd, "etc/hosts",
	    "127.0.0.1 localhost\n127.0.1.1 old old.example\n"
	    "127.0.1.1 again\n127.0.1.10 kept\n192.0.2.1 db");
	put(root_fd, "etc/mailname", "old.example\n");
	unconfigure();
	assert_content("/etc/hosts", "127.0.0.1 localhost\n127.0.1.1\tz\n127.0.1.10 kept\n"
				     "192.0.2.1 db\n");
	assert_content("/etc/mailname", "z\n");
}

static void
a_machine_id_that_is_none_is_refused(void **state)
{
	(void)state;
	assert_int_equal(pkg_unconfigure(root_fd, "z", "", &err), -ZE_INVAL);
	assert_string_equal(err.msg, "'' is not a machine id");
	assert_int_equal(pkg_unconfigure(root_fd, "z", MACHINE_ID "0", &err), -ZE_INVAL);
	assert_false(is_there(root_fd, "etc/hostname"));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(an_empty_root_gets_an_identity),
	    TEST(links_lead_nowhere_outside),
	    TEST(directories_that_turn_into_links_lead_nowhere_outside),
	    TEST(what_is_no_file_is_not_opened),
	    TEST(a_huge_file_is_not_read),
	    TEST(logs_of_any_depth_are_cleaned),
	    TEST(locked_files_are_renewed_and_logs_stay_locked),
	    TEST(the_name_of_the_host_is_replaced_where_it_stood),
	    TEST(a_machine_id_that_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

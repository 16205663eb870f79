/* SPDX-License-Identifier: Apache-2.0 */
/* The program that executes another: what it executes, and what it says when it cannot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/fd.h"
#include "runtime/runtime_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Returns what is reported, or 0; *@ret_status: how the process ended. */
static int32_t
execute(const char *const *argv, int *ret_status)
{
	auto_close int report_fd = -EBADF;
	int32_t reported = 0;
	int pair[2], fd;
	pid_t pid;

	/* Errors are told beside descriptor 3, whatever has it. */
	assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
	report_fd = pair[0];
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		static char *envp[] = {NULL};

		if (close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
			_exit(100);
		/* As a daemon that has nothing open: the first free one is where the report goes.
		 */
		if (pair[1] != AIRLOCK_REPORT_FD)
			(void)close(AIRLOCK_REPORT_FD);
		fd = airlock_open(NULL);
		if (fd <= AIRLOCK_REPORT_FD || !(fcntl(fd, F_GETFD) & FD_CLOEXEC))
			_exit(101);
		(void)airlock_exec(fd, pair[1], (char *const *)(uintptr_t)argv, envp);
		_exit(102);
	}
	(void)fd_close(pair[1]);
	if (read(report_fd, &reported, sizeof(reported)) != sizeof(reported))
		reported = 0;
	assert_int_equal(waitpid(pid, ret_status, 0), pid);
	return reported;
}

static int
need_root(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	return 0;
}

/* Else a process of the zone could look into it between its execution and its first call. */
static void
the_file_is_nobodys_and_cannot_be_read(void **state)
{
	auto_close int fd = airlock_open(NULL);
	struct stat st;

	(void)state;
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0111);
	/* Beyond the ids of a zone that shares the host's. */
	assert_true(st.st_uid >= RUNTIME_IDS && st.st_gid >= RUNTIME_IDS);
}

static void
a_program_is_executed(void **state)
{
	/* Descriptor 3 is not its own: then the redirection fails. */
	const char *const argv[] = {"/bin/sh", "name",
				    "-c",      "[ $0 = arg ] && ! true 2>/dev/null >&3 && exit 7",
				    "arg",     NULL};
	int status;

	(void)state;
	assert_int_equal(execute(argv, &status), 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
}

static void
what_is_not_there_is_told(void **state)
{
	const char *const missing[] = {"/proc/none", "name", NULL};
	const char *const directory[] = {"/", "name", NULL};
	int status;

	(void)state;
	assert_int_equal(execute(missing, &status), ENOENT);
	assert_int_equal(WEXITSTATUS(status), 127);
	assert_int_equal(execute(directory, &status), EACCES);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(the_file_is_nobodys_and_cannot_be_read, need_root),
	    cmocka_unit_test_setup(a_program_is_executed, need_root),
	    cmocka_unit_test_setup(what_is_not_there_is_told, need_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Running programs: how their end and a failure to begin are told. */
#include "base/proc.h"

#include "base/err.h"
#include "base/fd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

static int
run(const char *program, const char *argument, struct proc_result *ret, struct err *err)
{
	const char *const argv[] = {program, argument, NULL};
	struct proc_req req = {.argv = argv};

	return proc_run(&req, ret, err);
}

static void
the_end_of_a_program_is_told(void **state)
{
	struct proc_result result = {0};
	struct err err = {0};

	(void)state;
	assert_int_equal(run("/bin/echo", "word", &result, &err), 0);
	assert_int_equal(result.exit_status, 0);
	assert_string_equal(result.output, "word\n");
	free(result.output);
	assert_int_equal(run("/bin/false", NULL, NULL, &err), -ZE_CHILD);
	assert_string_equal(err.msg, "'/bin/false' ended with status 1: no message");
}

static void
nothing(int signal)
{
	(void)signal;
}

static void
a_program_that_does_not_begin_is_told_whatever_signals_come(void **state)
{
	/* Without SA_RESTART, as programs that can be interrupted have it. */
	struct sigaction act = {.sa_handler = nothing}, old;
	struct itimerval often = {{0, 700}, {0, 700}}, never = {0};
	struct err err = {0};
	int r = -ZE_NOENT;

	(void)state;
	assert_int_equal(sigaction(SIGALRM, &act, &old), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	for (int i = 0; r == -ZE_NOENT && i < 300; i++)
		r = run("/no/such/program", NULL, NULL, &err);
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	assert_int_equal(sigaction(SIGALRM, &old, NULL), 0);
	assert_int_equal(r, -ZE_NOENT);
	assert_string_equal(err.msg, "run '/no/such/program': No such file or directory");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_end_of_a_program_is_told),
	    cmocka_unit_test(a_program_that_does_not_begin_is_told_whatever_signals_come),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program in the airlock (airlock.c): executes what its arguments say and, when that fails,
 * writes the error number to descriptor 3. Kept as bytes in the library and copied for each entry,
 * so it is small: on machines that this file knows it goes without a C library.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define REPORT_FD 3

#ifdef __x86_64__

static long
call(long number, long a, long b, long c)
{
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(number), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return ret;
}

/* The kernel leaves argc, argv, NULL, envp, NULL on the stack. */
__asm__(".globl _start\n"
	"_start:\n"
	"	xorl %ebp, %ebp\n"
	"	movq (%rsp), %rdi\n"
	"	leaq 8(%rsp), %rsi\n"
	"	leaq 8(%rsi,%rdi,8), %rdx\n"
	"	andq $-16, %rsp\n"
	"	call main\n"
	"	hlt\n");

#else

static long
call(long number, long a, long b, long c)
{
	long ret = syscall(number, a, b, c);

	return ret < 0 ? -errno : ret;
}

#endif

int main(int argc, char **argv, char **envp);

int
main(int argc, char **argv, char **envp)
{
	int32_t error = EINVAL;

	/* The kernel has seen to it, but for the host's rule fs.suid_dumpable=1. */
	(void)call(SYS_prctl, PR_SET_DUMPABLE, 0, 0);
	/* Whatever is executed next must not have it. */
	(void)call(SYS_fcntl, REPORT_FD, F_SETFD, FD_CLOEXEC);
	if (argc > 1)
		error = (int32_t)-call(SYS_execve, (long)(intptr_t)argv[0],
				       (long)(intptr_t)(argv + 1), (long)(intptr_t)envp);
	(void)call(SYS_write, REPORT_FD, (long)(intptr_t)&error, sizeof(error));
	(void)call(SYS_exit_group, 127, 0, 0);
	return 127;
}

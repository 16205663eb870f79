/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The smallest process 1 for tests: a static program that reaps orphans and ends as systemd would
 * when it is asked to (SIGRTMIN+4 power off, SIGRTMIN+5 reboot) and as busybox's init would
 * (SIGTERM, SIGUSR2: power off). As anything but process 1 it is true(1), so that a root with this
 * file alone has a command for zlogin. It leaves a line in /init.ran, for tests that ask whether
 * and how it was started.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

static void
note_start(int argc, char **argv)
{
	int fd;

	fd = open("/init.ran", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return;
	for (int i = 0; i < argc; i++)
		(void)dprintf(fd, "%s%s", i ? " " : "", argv[i]);
	(void)dprintf(fd, "\n");
	(void)close(fd);
}

int
main(int argc, char **argv)
{
	sigset_t all;
	int sig;

	if (getpid() != 1)
		return 0;
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, NULL);
	note_start(argc, argv);
	for (;;) {
		sig = sigwaitinfo(&all, NULL);
		if (sig == SIGCHLD) {
			while (waitpid(-1, NULL, WNOHANG) > 0)
				;
			continue;
		}
		if (sig == SIGRTMIN + 4 || sig == SIGTERM || sig == SIGUSR2)
			(void)reboot(RB_POWER_OFF);
		if (sig == SIGRTMIN + 5)
			(void)reboot(RB_AUTOBOOT);
		if (sig == SIGRTMIN + 4 || sig == SIGRTMIN + 5 || sig == SIGTERM || sig == SIGUSR2)
			_exit(0); /* no CAP_SYS_BOOT: ending is all that it can do */
	}
}

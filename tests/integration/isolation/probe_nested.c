/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What user namespaces of a zone's own could be used for. The other probes run in such a namespace
 * as well: nesting.bats.
 */
#include "probe.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROBE(name) static enum probe_result name(const struct probe_host *host)
#define UNUSED      (void)host

/* An id that no zone has, and each host. */
#define FOREIGN_MAP "0 70000 1\n"

/* More than any user of a zone may have. */
#define MANY 1100

/* A process in a user namespace of its own, which waits to be killed. */
static pid_t
clone_nested(void)
{
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid == 0) {
		(void)pause();
		_exit(0);
	}
	return pid;
}

PROBE(map_foreign_ids)
{
	char path[64];
	pid_t pid = clone_nested();
	ssize_t n;
	int fd;

	UNUSED;
	if (pid < 0)
		return PROBE_SAFE;
	(void)snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	n = write(fd, FOREIGN_MAP, sizeof(FOREIGN_MAP) - 1);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	return n > 0 ? PROBE_BROKEN : PROBE_SAFE;
}

PROBE(many_user_namespaces)
{
	pid_t pids[MANY];
	int n = 0;

	UNUSED;
	while (n < MANY && (pids[n] = clone_nested()) > 0)
		n++;
	for (int i = 0; i < n; i++)
		(void)kill(pids[i], SIGKILL);
	for (int i = 0; i < n; i++)
		(void)waitpid(pids[i], NULL, 0);
	return n == MANY ? PROBE_BROKEN : PROBE_SAFE;
}

#define ROW(fn)                                                                                    \
	{                                                                                          \
#fn, fn                                                                            \
	}

const struct probe probes_nested[] = {
    ROW(map_foreign_ids),
    ROW(many_user_namespaces),
    {NULL, NULL},
};

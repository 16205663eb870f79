/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Usage: careless PID PROGRAM. Enters the zone that process PID is in, takes its capabilities and
 * executes a program of the zone, as zlogin does but from its own file. Without arguments, as which
 * the zone may have it execute itself, it waits a second.
 */
#include <linux/capability.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static uint64_t
bounding_set(const char *pid)
{
	char path[64], line[256];
	unsigned long long caps = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%s/status", pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f) && sscanf(line, "CapBnd: %llx", &caps) != 1)
		;
	return caps;
}

static void
enter(const char *pid, char *const *argv)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	uint64_t caps = bounding_set(pid);
	struct __user_cap_data_struct data[2] = {
	    {.effective = (uint32_t)caps, .permitted = (uint32_t)caps},
	    {.effective = (uint32_t)(caps >> 32), .permitted = (uint32_t)(caps >> 32)},
	};
	int fd = pidfd_open(atoi(pid), 0);

	if (fd < 0 || !caps || setns(fd, CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID) < 0)
		return;
	if (fork() == 0) {
		for (int cap = 0; cap < 64; cap++) {
			if (!(caps & 1ull << cap))
				(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
		}
		if (syscall(SYS_capset, &header, data) == 0)
			(void)execv(argv[0], argv);
		_exit(127);
	}
	(void)wait(NULL);
}

int
main(int argc, char **argv)
{
	if (argc == 3)
		enter(argv[1], argv + 2);
	else
		(void)sleep(1);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Processes, sockets and names of the host. */
#include "probe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <unistd.h>

#define PROBE(name) static enum probe_result name(const struct probe_host *host)
#define UNUSED      (void)host

#define DEPTH_MAX 80 /* more than CGROUP_DEPTH_MAX */

PROBE(see_process)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d", host->pid);
	return access(path, F_OK) == 0 ? PROBE_BROKEN : PROBE_SAFE;
}

PROBE(signal_process)
{
	return kill(host->pid, 0) == 0 ? PROBE_BROKEN : PROBE_SAFE;
}

PROBE(trace_process)
{
	if (ptrace(PTRACE_ATTACH, host->pid, NULL, NULL) < 0)
		return PROBE_SAFE;
	(void)ptrace(PTRACE_DETACH, host->pid, NULL, NULL);
	return PROBE_BROKEN;
}

PROBE(read_process_memory)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/mem", host->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 ? PROBE_BROKEN : PROBE_SAFE;
}

PROBE(hold_process)
{
	return syscall(SYS_pidfd_open, host->pid, 0) >= 0 ? PROBE_BROKEN : PROBE_SAFE;
}

PROBE(enter_process_namespaces)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/net", host->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && setns(fd, 0) == 0 ? PROBE_BROKEN : PROBE_SAFE;
}

/* CVE-2019-5736: the program of a process that came from the host. */
PROBE(overwrite_program)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/exe", host->pid);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	/* Busy is not refused: it can be written once the program has ended. */
	return fd >= 0 || errno == ETXTBSY ? PROBE_BROKEN : PROBE_SAFE;
}

PROBE(abstract_socket)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	size_t len = strlen(host->abstract);

	memcpy(addr.sun_path + 1, host->abstract, len);
	return connect(fd, (struct sockaddr *)&addr,
		       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + len)) == 0
		   ? PROBE_BROKEN
		   : PROBE_SAFE;
}

PROBE(see_link)
{
	return if_nametoindex(host->link) ? PROBE_BROKEN : PROBE_SAFE;
}

PROBE(see_host_name)
{
	struct utsname uts;

	(void)uname(&uts);
	return strcmp(uts.nodename, host->name) == 0 ? PROBE_BROKEN : PROBE_SAFE;
}

PROBE(see_host_domain)
{
	struct utsname uts;

	(void)uname(&uts);
	if (!host->domain)
		return PROBE_ABSENT;
	return strcmp(uts.domainname, host->domain) == 0 ? PROBE_BROKEN : PROBE_SAFE;
}

PROBE(shared_memory)
{
	return shmget(host->shm_key, 0, 0) >= 0 ? PROBE_BROKEN : PROBE_SAFE;
}

PROBE(message_queue)
{
	return mq_open(host->queue, O_RDONLY) >= 0 ? PROBE_BROKEN : PROBE_SAFE;
}

PROBE(host_environment)
{
	UNUSED;
	return getenv("ZONES_PROBE_SECRET") ? PROBE_BROKEN : PROBE_SAFE;
}

/* A path of a cgroup above the zone's. */
PROBE(host_cgroup)
{
	char text[4096];
	int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, sizeof(text) - 1);

	UNUSED;
	if (n <= 0)
		return PROBE_SAFE;
	text[n] = '\0';
	return strstr(text, "probe-control") || strstr(text, "zones/") || strstr(text, "..")
		   ? PROBE_BROKEN
		   : PROBE_SAFE;
}

/* Cgroups deeper than the zone's limit, once it has lifted what limits it can. */
PROBE(lift_limits)
{
	int fd = open("/sys/fs/cgroup/cgroup.max.depth", O_WRONLY | O_CLOEXEC), depth = 0;

	UNUSED;
	if (fd >= 0)
		(void)!write(fd, "max", 3);
	if (chdir("/sys/fs/cgroup") < 0)
		return PROBE_SAFE;
	while (depth < DEPTH_MAX && mkdir("deeper", 0755) == 0 && chdir("deeper") == 0)
		depth++;
	for (int i = 0; i < depth; i++)
		(void)(chdir("..") < 0 || rmdir("deeper") < 0);
	return depth == DEPTH_MAX ? PROBE_BROKEN : PROBE_SAFE;
}

const struct probe probes_reach[] = {
#define ROW(name)                                                                                  \
	{                                                                                          \
#name, name                                                                        \
	}
    ROW(see_process),         ROW(signal_process),   ROW(trace_process),
    ROW(read_process_memory), ROW(hold_process),     ROW(enter_process_namespaces),
    ROW(overwrite_program),   ROW(abstract_socket),  ROW(see_link),
    ROW(see_host_name),       ROW(see_host_domain),  ROW(shared_memory),
    ROW(message_queue),       ROW(host_environment), ROW(host_cgroup),
    ROW(lift_limits),         {NULL, NULL},
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Usage: catch SECONDS PROGRAM MARKER [LINK]. Lies in wait in a zone for processes that come from
 * the host and tries to get hold of each before it has become a program of the zone: to trace it,
 * to read its memory, to see its environment (ZONES_PROBE_SECRET), its descriptors above 2, and its
 * root (MARKER, a file of the host). PROGRAM is the name of the host's program. With LINK, the name
 * of a network link of the host, it also stops each for as long as it looks, and tries to see the
 * mounts and the network of the host. Prints how many processes it has met, and "caught HOW" for
 * each success.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *program, *marker, *host_link;

/* Whether the process is still the host's program, as far as we are let to see. */
static bool
is_of_host(pid_t pid)
{
	char path[64], target[512];
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	n = readlink(path, target, sizeof(target) - 1);
	if (n <= 0)
		return false;
	target[n] = '\0';
	return strstr(target, program) != NULL;
}

static bool
trace(pid_t pid)
{
	bool caught;
	int status;

	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) < 0)
		return false;
	if (ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) < 0 || waitpid(pid, &status, __WALL) < 0)
		return false;
	caught = WIFSTOPPED(status) && is_of_host(pid);
	(void)ptrace(PTRACE_DETACH, pid, NULL, NULL);
	return caught;
}

static bool
see(pid_t pid, const char *what, const char *text)
{
	char path[64], buf[8192];
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, what);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, buf, sizeof(buf) - 1);
	(void)close(fd);
	return n > 0 && memmem(buf, (size_t)n, text, strlen(text));
}

static bool
environment(pid_t pid)
{
	return see(pid, "environ", "ZONES_PROBE_SECRET");
}

static bool
maps(pid_t pid)
{
	return see(pid, "maps", program);
}

static bool
memory(pid_t pid)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return false;
	(void)close(fd);
	return is_of_host(pid);
}

static bool
descriptors(pid_t pid)
{
	char path[64], target[256];
	bool caught = false;

	for (int n = 3; n < 12 && !caught; n++) {
		(void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, n);
		caught = readlink(path, target, sizeof(target)) > 0 && is_of_host(pid);
	}
	return caught;
}

static bool
root(pid_t pid)
{
	char path[512];
	struct stat st;

	(void)snprintf(path, sizeof(path), "/proc/%d/root%s", pid, marker);
	return stat(path, &st) == 0;
}

static bool
mounts(pid_t pid)
{
	return host_link && see(pid, "mountinfo", " /etc/zones ");
}

static bool
network(pid_t pid)
{
	return host_link && see(pid, "net/dev", host_link);
}

static const struct {
	const char *name;
	bool (*fn)(pid_t pid);
} ways[] = {
    {"trace", trace},   {"environment", environment}, {"maps", maps},
    {"memory", memory}, {"descriptors", descriptors}, {"root", root},
    {"mounts", mounts}, {"network", network},
};

static void catch (pid_t pid)
{
	if (kill(pid, host_link && pid != getpid() ? SIGSTOP : 0) < 0)
		return;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (ways[i].fn(pid))
			(void)printf("caught %s\n", ways[i].name);
	}
	(void)kill(pid, SIGCONT);
}

int
main(int argc, char **argv)
{
	int fd = open("/proc/sys/kernel/ns_last_pid", O_RDONLY | O_CLOEXEC);
	struct timespec now;
	unsigned long n = 0;
	pid_t last, seen = 0;
	time_t end;

	if (argc < 4 || fd < 0)
		return 2;
	host_link = argv[4];
	program = argv[2];
	marker = argv[3];
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	end = now.tv_sec + atoi(argv[1]);
	for (; now.tv_sec < end; (void)clock_gettime(CLOCK_MONOTONIC, &now)) {
		char text[16] = "";

		if (pread(fd, text, sizeof(text) - 1, 0) <= 0)
			return 1;
		last = atoi(text);
		n += last != seen;
		seen = last;
		/* The newest, and the one that has come since. */
		catch (last);
		catch (last + 1);
	}
	(void)printf("met %lu\n", n);
	return 0;
}

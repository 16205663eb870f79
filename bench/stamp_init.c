/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Process 1 of the benchmarks, static: writes the time of its first instruction (CLOCK_MONOTONIC,
 * nanoseconds, 8 bytes) into /stamp, which is there already. With the argument "exit" it ends then,
 * else it waits to be killed. Not as process 1 it is true(1).
 */
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	struct timespec ts;
	uint64_t ns;
	int fd;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	if (getpid() != 1)
		return 0;
	ns = (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
	fd = open("/stamp", O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || write(fd, &ns, sizeof(ns)) != sizeof(ns))
		return 1;
	if (argc > 1 && !strcmp(argv[1], "exit"))
		return 0;
	for (;;)
		(void)pause();
}

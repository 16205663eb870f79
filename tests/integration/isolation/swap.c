/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Usage: swap SECONDS A B. Exchanges two files as often as it can: a directory and a symbolic link,
 * say, under the eyes of a tool that looks at one and then uses the other. Prints how often.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int
main(int argc, char **argv)
{
	struct timespec now;
	unsigned long n = 0;
	time_t end;

	if (argc != 4)
		return 2;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	end = now.tv_sec + atoi(argv[1]);
	for (; now.tv_sec < end; (void)clock_gettime(CLOCK_MONOTONIC, &now)) {
		if (renameat2(AT_FDCWD, argv[2], AT_FDCWD, argv[3], RENAME_EXCHANGE) == 0)
			n++;
		else if (errno != ENOENT) /* what is raced against may have removed it */
			return 1;
	}
	(void)printf("%lu\n", n);
	return 0;
}

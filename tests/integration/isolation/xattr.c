/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Usage: xattr FILE NAME [HEX]. Sets an extended attribute, or prints it: file capabilities and
 * access control lists, for zones that have no tools for either.
 */
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

int
main(int argc, char **argv)
{
	unsigned char value[256];
	size_t len = 0;
	ssize_t n;

	if (argc == 4) {
		for (const char *p = argv[3]; *p && len < sizeof(value); p += 2) {
			if (sscanf(p, "%2hhx", &value[len++]) != 1)
				return 2;
		}
		if (setxattr(argv[1], argv[2], value, len, 0) == 0)
			return 0;
		perror(argv[1]);
		return 1;
	}
	if (argc != 3)
		return 2;
	n = getxattr(argv[1], argv[2], value, sizeof(value));
	if (n < 0) {
		perror(argv[1]);
		return 1;
	}
	for (ssize_t i = 0; i < n; i++)
		(void)printf("%02x", value[i]);
	(void)printf("\n");
	return 0;
}

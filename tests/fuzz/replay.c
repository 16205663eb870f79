/* SPDX-License-Identifier: Apache-2.0 */
/* Stands in for libFuzzer in ordinary builds: runs a fuzzer's function once over each file of a
 * directory. */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
replay(const char *name)
{
	uint8_t *data = malloc(1 << 20);
	FILE *f = fopen(name, "re");
	size_t size;

	if (!f || !data) {
		perror(name);
		return 1;
	}
	size = fread(data, 1, 1 << 20, f);
	(void)fclose(f);
	/* A block of its own size, so that a sanitizer sees a read past its end. */
	data = realloc(data, size ? size : 1);
	if (data)
		(void)LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 0;
}

int
main(int argc, char **argv)
{
	struct dirent *de;
	int count = 0;
	DIR *dir;

	if (argc != 2 || chdir(argv[1]) < 0 || !(dir = opendir("."))) {
		(void)fprintf(stderr, "usage: replay DIRECTORY\n");
		return 2;
	}
	while ((de = readdir(dir))) {
		if (de->d_name[0] == '.')
			continue;
		if (replay(de->d_name))
			return 1;
		count++;
	}
	(void)closedir(dir);
	(void)printf("%d files\n", count);
	return count > 0 ? 0 : 1;
}

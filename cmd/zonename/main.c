/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zonename: print the name of the zone that this process is in. A zone finds its name in a file
 * that is mounted into it read-only; where there is none is the global zone.
 */
#include "base/err.h"
#include "base/fd.h"
#include "base/path.h"

#include <stdio.h>
#include <string.h>

#define ZONE_FILE "/run/host/zone"

int
main(int argc, char **argv)
{
	auto_free char *text = NULL;
	struct err err = {0};
	const char *name = "global";
	size_t size;
	int r;

	if (argc > 1) {
		(void)fprintf(stderr, "zonename: unexpected argument '%s'\nusage: zonename\n",
			      argv[1]);
		return 2;
	}
	r = path_file_read(ZONE_FILE, 4096, &text, &size, &err);
	if (r == 0 && !strncmp(text, "name=", 5)) {
		text[5 + strcspn(text + 5, "\n")] = '\0';
		name = text + 5;
	} else if (r != -ZE_NOENT) {
		(void)fprintf(stderr, "zonename: %s\n",
			      r < 0 ? err.msg : "no name in '" ZONE_FILE "'");
		return 1;
	}
	if (puts(name) < 0 || fflush(stdout) != 0)
		return 1;
	return 0;
}

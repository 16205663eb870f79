/* SPDX-License-Identifier: Apache-2.0 */
#include "covered.h"

#include "runtime/runtime.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int
covered_exec(const char *name, char **argv)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", RUNTIME_SCRATCH_COVERED, name);
	argv[0] = path;
	(void)execv(path, argv);
	(void)fprintf(stderr, "%s: run '%s': %s\n", name, path, strerror(errno));
	return 127;
}

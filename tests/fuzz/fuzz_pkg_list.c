/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list of paths: none that is accepted leads out of the root.
 */
#include "pkg/dpkg_priv.h"

#include "base/err.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_path(const char *path)
{
	size_t len = strlen(path);

	if (*path != '/' || strstr(path, "/../") || strstr(path, "//") || strchr(path, '\n') ||
	    (len >= 3 && !strcmp(path + len - 3, "/..")))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = {0};
	struct err err = {0};
	const char **paths;
	char *text;
	size_t n;

	text = arena_strndup(&arena, (const char *)data, size);
	if (text && dpkg_list_parse(&arena, "list", text, size, &paths, &n, &err) == 0)
		for (size_t i = 0; i < n; i++)
			check_path(paths[i]);
	else if (text && !*err.msg)
		abort();
	arena_free(&arena);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
log_wanted(const char *part)
{
	const char *list = getenv("ZONES_DEBUG");
	size_t len = strlen(part), n;

	if (!list)
		return false;
	for (;;) {
		n = strcspn(list, ",");
		if ((n == len && !strncmp(list, part, len)) || (n == 3 && !strncmp(list, "all", 3)))
			return true;
		if (!list[n])
			return false;
		list += n + 1;
	}
}

void
log_debug(const char *part, const char *fmt, ...)
{
	int saved_errno = errno;
	char line[1024];
	va_list ap;

	if (log_wanted(part)) {
		va_start(ap, fmt);
		(void)vsnprintf(line, sizeof(line), fmt, ap);
		va_end(ap);
		(void)fprintf(stderr, "%s: %s\n", part, line);
	}
	errno = saved_errno;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fault.h"

#ifdef ZONES_FAULT_INJECTION

#include "base/log.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

bool
fault_point(const char *what)
{
	static unsigned long count;
	const char *spec = getenv("ZONES_FAULT");
	char *end;

	if (!spec)
		return false;
	count++;
	log_debug("fault", "%lu %s", count, what);
	if (strtoul(spec, &end, 10) != count)
		return false;
	if (!strcmp(end, ":kill"))
		(void)raise(SIGKILL);
	errno = ENOSPC;
	return true;
}

#endif

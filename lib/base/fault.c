/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fault.h"

#ifdef ZONES_FAULT_INJECTION

#include "base/log.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

bool
fault_point(const char *what)
{
	static atomic_ulong count; /* trees are copied by several threads */
	const char *spec = getenv("ZONES_FAULT");
	unsigned long mine;
	char *end;

	if (!spec)
		return false;
	mine = atomic_fetch_add(&count, 1) + 1;
	log_debug("fault", "%lu %s", mine, what);
	if (strtoul(spec, &end, 10) != mine)
		return false;
	if (!strcmp(end, ":kill"))
		(void)raise(SIGKILL);
	errno = ENOSPC;
	return true;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Failures on demand, for the tests that sweep an operation: a build with -Dfault_injection=true
 * counts every call of fault_point(); ZONES_FAULT="N" makes the N-th fail with ENOSPC, "N:kill"
 * kills the process there. Other builds contain nothing of this.
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include <stdbool.h>

#ifdef ZONES_FAULT_INJECTION

/**
 * fault_point - a place just before a side effect on the system
 * @what: names it in the debug log
 *
 * Returns true (with errno ENOSPC) when the caller must behave as if the side effect had failed.
 */
bool fault_point(const char *what);

#else

static inline bool
fault_point(const char *what)
{
	(void)what;
	return false;
}

#endif
#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The wish of a signal to end the running operation at its next safe point. */
#include "ops/ops.h"

#include <signal.h>

/* Per process, like the signal that sets it. */
static volatile sig_atomic_t stop_wanted;

void
op_stop(void)
{
	stop_wanted = 1;
}

bool
op_stop_wanted(void)
{
	return stop_wanted;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/undo.h"

#include <assert.h>
#include <errno.h>

void
undo_push(struct undo *u, void (*fn)(void *arg), void *arg)
{
	assert(u->n < UNDO_MAX);
	u->steps[u->n].fn = fn;
	u->steps[u->n].arg = arg;
	u->n++;
}

void
undo_commit(struct undo *u)
{
	u->n = 0;
}

void
undo_run(struct undo *u)
{
	int saved_errno = errno;

	while (u->n > 0) {
		u->n--;
		u->steps[u->n].fn(u->steps[u->n].arg);
	}
	errno = saved_errno;
}

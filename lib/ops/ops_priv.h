/* SPDX-License-Identifier: Apache-2.0 */
/* What the operations share. */
#ifndef OPS_OPS_PRIV_H
#define OPS_OPS_PRIV_H

#include "ops/ops.h"

struct err;

/**
 * op_sayf - a line for the user; nothing when nobody listens
 */
void op_sayf(const struct op_say *to, enum op_line kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/**
 * op_must_be - a zone's state, looked at under its lock, must be @wanted
 * @what: the operation, for the message
 *
 * Returns 0 or -ZE_STATE.
 */
int op_must_be(const struct config_entry *entry, enum zone_state wanted, const char *what,
	       struct err *err);

/**
 * op_verify_or_say - op_verify(), and all that it finds goes to @to
 *
 * Returns 0, or -ZE_VERIFY with the closing line.
 */
int op_verify_or_say(const struct op_verify_req *req, const char *what, const struct op_say *to,
		     struct err *err);

/**
 * identity_reset - take the identity out of a copied or freshly made root and give it the zone's
 * own, and a way to ask for it, zonename(1), if it has its own /usr
 * @zone: has left configured, so that the index has its UUID
 *
 * Not synced. Returns 0 or a negative code.
 */
int identity_reset(const char *zone, int root_fd, struct err *err);

#endif

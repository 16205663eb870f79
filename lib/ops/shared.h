/* SPDX-License-Identifier: Apache-2.0 */
/* What two zones would use at the same time if both ran. */
#ifndef OPS_SHARED_H
#define OPS_SHARED_H

struct config;
struct op_say;

/**
 * op_say_shared - a warning for each file system, address, device and dataset that both zones have
 *
 * Source: zoneadm(8), clone. A clone is configured from its source, and some of it is forgotten to
 * be changed.
 */
void op_say_shared(const struct config *a, const struct config *b, const struct op_say *to);

#endif

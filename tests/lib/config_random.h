/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random configurations for property-based tests. The table of properties says what there is: a new
 * row is covered without a change here, unless it has rules of its own.
 */
#ifndef TESTS_CONFIG_RANDOM_H
#define TESTS_CONFIG_RANDOM_H

#include <stdint.h>

struct config;
struct err;

/**
 * config_random - a valid configuration of the zone "random", the same for the same seed
 *
 * It passes config_check(). Returns 0, or a negative code when the model refused a value, which is
 * a bug in one of the two.
 */
int config_random(uint64_t seed, struct config **ret, struct err *err);

#endif

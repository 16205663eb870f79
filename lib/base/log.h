/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Debug lines for developers: off unless ZONES_DEBUG names the part ("storage,runtime" or "all").
 * What a user must see is returned as a struct err and printed by the command.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

/**
 * log_debug - write "PART: message" to stderr if ZONES_DEBUG names @part
 * @part: the library, such as "storage"
 *
 * Keeps errno. May be called anywhere but in a child between clone and exec.
 */
void log_debug(const char *part, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stand-ins cover slow programs of the packages while package scripts run. Each knows the requests
 * that a first installation makes; whatever else it is asked, it hands to the program that it
 * covers, which the throw-away namespaces keep in COVERED_DIR under its own name.
 */
#ifndef STANDINS_COVERED_H
#define STANDINS_COVERED_H

/**
 * covered_exec - become the covered program
 * @name: its last path component
 * @argv: arguments, the first of which is replaced
 *
 * Returns only if that fails: the exit status to end with, after a message on stderr.
 */
int covered_exec(const char *name, char **argv);

#endif

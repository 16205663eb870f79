/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What outlives the process (mounts, links, cgroups, snapshots) and must be taken back when a later
 * step fails. Push right after each success; commit at the end; else the scope's end runs the list
 * backwards.
 */
#ifndef BASE_UNDO_H
#define BASE_UNDO_H

#include <stddef.h>

#define UNDO_MAX 32

struct undo {
	size_t n;
	struct {
		void (*fn)(void *arg);
		void *arg;
	} steps[UNDO_MAX];
};

/**
 * undo_push - remember to call @fn(@arg) unless undo_commit() comes first
 *
 * @arg is borrowed and must outlive @u. More than UNDO_MAX is a programming error.
 */
void undo_push(struct undo *u, void (*fn)(void *arg), void *arg);

/**
 * undo_commit - keep everything: forget the list
 */
void undo_commit(struct undo *u);

/**
 * undo_run - take everything back now, the last first; keeps errno
 */
void undo_run(struct undo *u);

#define auto_undo __attribute__((cleanup(undo_run)))

#endif

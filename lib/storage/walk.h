/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Visiting every entry of a tree, perhaps with a second tree that is made alike. Everything is
 * opened relative to its directory and never through a symbolic link.
 */
#ifndef STORAGE_WALK_H
#define STORAGE_WALK_H

#include "storage/storage.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

struct err;

/* A directory that waits to be read, is being read, or has children that do. */
struct walk_dir {
	struct walk_dir *parent; /* NULL: the top */
	struct walk_dir *next;   /* of those that wait */
	unsigned refs;           /* itself until it has been read, and each child */
	unsigned fd_users;       /* the same, but a child only until it has been opened */
	int src_fd;
	int dst_fd; /* its counterpart; -EBADF in a walk of one tree */
	char name[];
};

struct walk {
	/*
	 * Must: called for each entry. A directory's counterpart must exist afterwards; it is
	 * opened and read later, perhaps by another thread.
	 */
	int (*entry)(struct walk *w, const struct walk_dir *dir, const char *name,
		     const struct statx *stx, struct err *err);
	/* May: called for a directory when all its entries have been visited, but not theirs. */
	int (*leave)(struct walk *w, const struct walk_dir *dir, struct err *err);
	bool skip_broken;  /* what cannot be opened is passed over */
	bool allow_mounts; /* else a mount point is -ZE_BUSY */
	unsigned threads;  /* how many work on it, with the calling one */
	const struct storage_progress *progress;

	atomic_uint_fast64_t done_bytes, done_files;

	/* The rest is walk.c's. */
	pthread_mutex_t lock;
	pthread_cond_t more; /* something waits, or all is done */
	struct walk_dir *waiting;
	unsigned busy; /* threads that may still add to it */
	atomic_bool failed;
	struct err *err; /* the first failure */
	int result;
};

/**
 * walk_tree - visit everything below a directory, and the directory itself (leave only)
 * @w: filled up to progress, else zero
 * @dst_fd: the top of the second tree, or -EBADF
 *
 * Both descriptors are borrowed. Returns 0, or the first failure; -ZE_INTR when progress said so.
 */
int walk_tree(struct walk *w, int src_fd, int dst_fd, struct err *err);

/**
 * walk_path - where an entry is, from the top ("/usr/bin/env"), its front cut off if it is longer
 *
 * Returns a pointer into @buf.
 */
const char *walk_path(const struct walk_dir *dir, const char *name, char *buf, size_t size);

#endif

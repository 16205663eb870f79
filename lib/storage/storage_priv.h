/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this library share: the table of a backend, and copying trees. */
#ifndef STORAGE_STORAGE_PRIV_H
#define STORAGE_STORAGE_PRIV_H

#include "storage/storage.h"

#include <stdbool.h>
#include <stdint.h>

struct err;

/* The directory below ZONEPATH that a backend makes and destroys. */
#define STORAGE_ROOT "root"

struct storage_ops {
	struct storage_way way;

	/*
	 * Must: whether it can make a copy of the root open as @src_fd below @dst_dir_fd, found by
	 * asking or trying. 0; -ZE_NOTSUP: the next backend is asked.
	 */
	int (*can_clone)(int src_fd, int dst_dir_fd, struct err *err);

	/*
	 * Must: make @dst_dir_fd/root a copy. -ZE_NOTSUP: it cannot after all, and nothing was
	 * made; what any other failure leaves is removed by the caller.
	 */
	int (*clone)(int src_fd, int dst_dir_fd, const struct storage_progress *progress,
		     struct err *err);

	/* May: make an empty root (0755). Absent or -ZE_NOTSUP: the next backend is asked. */
	int (*create)(int dir_fd, struct err *err);

	/*
	 * May: remove what ordinary system calls could not remove or would remove slowly. What is
	 * left is removed as a tree; -ZE_NOTSUP: nothing here is of this backend.
	 */
	int (*destroy)(int dir_fd, const char *name, struct err *err);
};

extern const struct storage_ops storage_btrfs;
extern const struct storage_ops storage_reflink;
extern const struct storage_ops storage_copy;

/**
 * storage_root_make - make an empty root by the first backend that can
 * @ret_backend: static name; may be NULL
 *
 * -ZE_EXIST when there is one.
 */
int storage_root_make(int dir_fd, const char **ret_backend, struct err *err);

/**
 * tree_copy - copy everything below one directory into another, and its own attributes
 * @dst_fd: empty
 * @share: share blocks where the file system can; else every byte is written anew
 *
 * Two threads work on it and are gone when it returns. Returns 0; -ZE_BUSY when something is
 * mounted in the source; -ZE_INTR; -ZE_STORAGE.
 */
int tree_copy(int src_fd, int dst_fd, bool share, const struct storage_progress *progress,
	      struct err *err);

/**
 * tree_usage - bytes of all files below a directory
 */
int tree_usage(int dir_fd, struct storage_usage *ret, struct err *err);

/**
 * btrfs_same_fs - whether two descriptors are on one btrfs
 */
bool btrfs_same_fs(int a_fd, int b_fd);

#endif

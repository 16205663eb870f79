/* SPDX-License-Identifier: Apache-2.0 */
/* Owner, mode, extended attributes (ACLs and file capabilities among them) and times of a copy. */
#ifndef STORAGE_ATTR_H
#define STORAGE_ATTR_H

struct err;
struct statx;

/**
 * attr_copy - of a regular file or directory
 * @stx: what the source says; from before it was read, for the sake of its times
 *
 * Returns 0 or -ZE_STORAGE.
 */
int attr_copy(int src_fd, int dst_fd, const struct statx *stx, struct err *err);

/**
 * attr_copy_at - of a symbolic link, device or FIFO, which cannot be opened without side effects
 */
int attr_copy_at(int src_dir_fd, int dst_dir_fd, const char *name, const struct statx *stx,
		 struct err *err);

#endif

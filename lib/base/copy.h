/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The content of one open file into another, by the cheapest means that the two file systems have.
 */
#ifndef BASE_COPY_H
#define BASE_COPY_H

#include <stdint.h>

struct err;

/**
 * file_copy - copy the content of one open regular file to another: FICLONE, else copy_file_range,
 * else read and write
 * @src_fd: open for reading, at any offset
 * @dst_fd: open for writing, empty
 * @size_bytes: how long the source is; the copy is exactly as long, or the call fails
 *
 * Content only: no owner, mode, times or attributes. Holes stay holes. Safe in several threads at a
 * time on different files. Returns 0; -ZE_IO, also when the source became shorter meanwhile; the
 * message does not name the files.
 */
int file_copy(int src_fd, int dst_fd, uint64_t size_bytes, struct err *err);

/**
 * file_copy_unshared - the same by read and write alone, so that the two share no block
 *
 * copy_file_range(2) shares blocks wherever the file system can.
 */
int file_copy_unshared(int src_fd, int dst_fd, uint64_t size_bytes, struct err *err);

#endif

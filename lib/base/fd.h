/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors and memory that give themselves back at the end of a scope.
 */
#ifndef BASE_FD_H
#define BASE_FD_H

#include <dirent.h>
#include <stddef.h>
#include <stdio.h>

struct err;

/**
 * fd_close - close @fd if it is one (negative values are ignored)
 *
 * Keeps errno. Returns -EBADF, so that `fd = fd_close(fd)` leaves nothing to close twice.
 */
int fd_close(int fd);

/**
 * fd_take - hand a descriptor over: returns *@fd and leaves -EBADF behind
 */
int fd_take(int *fd);

/**
 * fd_write_all - write all @size_bytes of @buf, going on after short writes and EINTR
 *
 * Returns 0, or -1 with errno set.
 */
int fd_write_all(int fd, const void *buf, size_t size_bytes);

/**
 * fd_read_all - read the rest of @fd into memory
 * @max_bytes: more than this is -ZE_FORMAT: no size that a file claims is believed
 * @ret_buf: the content, with a NUL behind it that @ret_size_bytes does not count; yours to free()
 *
 * Returns 0, -ZE_IO, -ZE_NOMEM or -ZE_FORMAT.
 */
int fd_read_all(int fd, size_t max_bytes, char **ret_buf, size_t *ret_size_bytes, struct err *err);

/**
 * fd_std_ensure - make sure that 0, 1 and 2 are open before anything else is opened
 *
 * A program's first call: a descriptor opened later must never land on one of the three. Returns 0
 * or -1 with errno set.
 */
int fd_std_ensure(void);

/**
 * ptr_take_ - what ptr_take() expands to: returns *@p and leaves NULL behind
 */
void *ptr_take_(void *p);

#define ptr_take(p) ((__typeof__(*(p)))ptr_take_(p))

void fd_closep(int *fd);
void fd_freep(void *p);
void fd_fclosep(FILE **f);
void fd_closedirp(DIR **d);

#define auto_close    __attribute__((cleanup(fd_closep)))
#define auto_free     __attribute__((cleanup(fd_freep)))
#define auto_fclose   __attribute__((cleanup(fd_fclosep)))
#define auto_closedir __attribute__((cleanup(fd_closedirp)))

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths: inside a zone root (hostile, so resolved beneath it by the kernel) and on the host, and
 * the few things done to whole files and trees.
 */
#ifndef BASE_PATH_H
#define BASE_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct err;

/**
 * path_open_in_root - open a path as it would resolve with @root_fd as "/"
 * @root_fd: the zone root; borrowed
 * @path: absolute or relative to the root; symbolic links resolve inside the root, magic links fail
 * @flags: open(2) flags; O_CLOEXEC is added. Add O_NOFOLLOW | O_NONBLOCK for what the zone could
 *         have made, and check the type with fstat.
 * @mode: for O_CREAT, else 0
 *
 * Returns a descriptor; -ZE_NOENT when there is no such path; else -ZE_IO.
 * Source: openat2(2), RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS.
 */
int path_open_in_root(int root_fd, const char *path, int flags, mode_t mode, struct err *err);

/**
 * path_open_parent_in_root - open the directory of a path in a root, for *at() calls on its last
 * part
 * @create: make missing directories (0755, root:root)
 * @ret_name: the last component, a pointer into @path
 *
 * Returns an O_PATH descriptor of the directory, or as path_open_in_root(). -ZE_INVAL for a @path
 * that ends in "/" or has "..".
 */
int path_open_parent_in_root(int root_fd, const char *path, bool create, const char **ret_name,
			     struct err *err);

/**
 * path_mkdir_in_root - make a directory and its missing parents beneath a root
 * @mode: of the last directory if it is made; missing parents get 0755
 *
 * Returns a descriptor (O_RDONLY | O_DIRECTORY) of the directory, or a negative code.
 */
int path_mkdir_in_root(int root_fd, const char *path, mode_t mode, struct err *err);

/**
 * path_mkdir_p - make a host directory and its missing parents
 * @mode: of the last directory if it is made; missing parents get 0755
 *
 * An existing directory is left as it is. Returns 0 or -ZE_IO.
 */
int path_mkdir_p(const char *path, mode_t mode, struct err *err);

/**
 * path_file_read - read a whole host file
 *
 * As fd_read_all(). -ZE_NOENT if there is none; -ZE_FORMAT if it is not a regular file or too
 * large.
 */
int path_file_read(const char *path, size_t max_bytes, char **ret_buf, size_t *ret_size_bytes,
		   struct err *err);

/**
 * path_file_read_in_root - the same for a file in a zone root, never blocking on a FIFO or device
 */
int path_file_read_in_root(int root_fd, const char *path, size_t max_bytes, char **ret_buf,
			   size_t *ret_size_bytes, struct err *err);

/**
 * path_file_replace_at - replace @name in @dir_fd whole: temporary, fsync, rename, fsync of the
 * directory
 * @dir_fd: a directory opened for reading (not O_PATH); borrowed
 *
 * Readers see the old or the new content, never a part. Returns 0 or -ZE_IO, with the old file
 * untouched.
 */
int path_file_replace_at(int dir_fd, const char *name, const void *content, size_t size_bytes,
			 mode_t mode, struct err *err);

/**
 * path_file_replace - the same by a host path
 */
int path_file_replace(const char *path, const void *content, size_t size_bytes, mode_t mode,
		      struct err *err);

/**
 * path_file_write_in_root - replace a file of a zone root, making missing parents
 *
 * Not synced: the caller's operation ends with one syncfs. The last component is never followed.
 * Owner root:root. Returns 0 or a negative code.
 */
int path_file_write_in_root(int root_fd, const char *path, const void *content, size_t size_bytes,
			    mode_t mode, struct err *err);

/**
 * path_unlock_at - take away the flags that keep even root from changing or removing a file or
 * directory: immutable and append-only (chattr +i, +a)
 * @ret_flags: the flags as they were, for FS_IOC_SETFLAGS; may be NULL
 *
 * Returns whether it had them and has them no more. Reports nothing else: what is tried next does.
 */
bool path_unlock_at(int dir_fd, const char *name, int *ret_flags);

/**
 * path_rm_tree_at - remove @name in @dir_fd and all below it
 *
 * Follows no symbolic link, crosses no mount (-ZE_BUSY names it), copes with any depth, with files
 * that are locked (path_unlock_at) and with read-only subvolumes of btrfs. A missing @name is
 * success. Returns 0, -ZE_BUSY or -ZE_IO.
 */
int path_rm_tree_at(int dir_fd, const char *name, struct err *err);

/**
 * path_sibling_program - where one of our own programs is
 * @name: such as "zoneadmd"
 *
 * Looks beside the running program (a build tree), then in the installed library directory,
 * ../lib/zones from it. Returns 0 with an absolute path to free(), or -ZE_NOENT.
 */
int path_sibling_program(const char *name, char **ret_path, struct err *err);

#endif

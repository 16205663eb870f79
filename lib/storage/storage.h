/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where zone roots live. A root is ZONEPATH/root; which backend makes, clones and destroys it is
 * found by asking the file system that ZONEPATH is on. Paths only: this library knows no zone
 * configuration.
 */
#ifndef STORAGE_STORAGE_H
#define STORAGE_STORAGE_H

#include <stdbool.h>
#include <stdint.h>

struct err;

/* How much of an operation is done; called now and then, from the calling thread. */
struct storage_progress {
	void (*fn)(void *arg, uint64_t done_bytes, uint64_t done_files);
	void *arg;
};

enum storage_method {
	STORAGE_AUTO, /* the cheapest that works here */
	STORAGE_COPY, /* every byte (zoneadm clone -m copy); shares nothing with the source */
};

/* What an operation did, for the command to say. */
struct storage_result {
	const char *backend; /* "btrfs", "reflink", "copy", ...: static */
	char snapshot[512];  /* name of the snapshot that a clone was made from, or "" */
};

/**
 * storage_zonepath_make - make sure that ZONEPATH is a directory, 0700, root:root
 *
 * Missing parents are made with 0755. An existing directory is checked, not changed: -ZE_VERIFY
 * says what is wrong with it or with a parent (owner, mode, symbolic link).
 */
int storage_zonepath_make(const char *zonepath, struct err *err);

/**
 * storage_create - make an empty ZONEPATH/root (0755, root:root) as the backend likes it
 * @ret_backend: static name
 *
 * -ZE_EXIST when it is there already. Undo with storage_destroy().
 */
int storage_create(const char *zonepath, const char **ret_backend, struct err *err);

/**
 * storage_clone - make DST/root a copy of SRC/root
 * @src_zonepath: of a zone that does not run; not changed
 * @dst_zonepath: exists (storage_zonepath_make) and has no root
 * @ret: what was done; may be NULL
 *
 * Everything a file can have is copied: owner, mode, times, ACLs and other xattrs, hard links,
 * holes, device nodes; sockets are left out. -ZE_BUSY when something is mounted below the source.
 * On failure nothing is left of DST/root.
 */
int storage_clone(const char *src_zonepath, const char *dst_zonepath, enum storage_method method,
		  const struct storage_progress *progress, struct storage_result *ret,
		  struct err *err);

/**
 * storage_clone_method - what storage_clone() would do, without doing it: a static backend name
 *
 * For the line that is printed before the work ("Copying /zones/zone1...").
 */
int storage_clone_method(const char *src_zonepath, const char *dst_zonepath,
			 enum storage_method method, const char **ret_backend, struct err *err);

/**
 * storage_destroy - remove ZONEPATH/root, and ZONEPATH itself when nothing else is in it
 * @ret_kept: set to true when ZONEPATH was kept because it holds something that is not ours
 *
 * Missing parts are no failure: it can be repeated after a crash. Never crosses a mount (-ZE_BUSY
 * names it), follows no link.
 */
int storage_destroy(const char *zonepath, bool *ret_kept, struct err *err);

/**
 * storage_move - move a zonepath: rename within a file system, else copy
 *
 * The old one is complete until the new one is. Cleaning up the old one after a copy is the
 * caller's storage_destroy().
 */
int storage_move(const char *src_zonepath, const char *dst_zonepath,
		 const struct storage_progress *progress, struct storage_result *ret,
		 struct err *err);

struct storage_usage {
	uint64_t total_bytes;     /* what its files hold */
	uint64_t exclusive_bytes; /* of it, shared with nobody */
	bool exclusive_known;
};

/**
 * storage_usage - space that ZONEPATH/root takes
 */
int storage_usage(const char *zonepath, struct storage_usage *ret, struct err *err);

/* Facts about the file system a path is on, for verify and for the plan. */
struct storage_facts {
	char fs_type[32]; /* "btrfs", "ext4", ... */
	bool is_network;  /* NFS and kin: a zonepath may not be on it */
	bool is_volatile; /* tmpfs, ramfs */
	bool is_nosuid;
	bool
	    can_idmap; /* the kernel idmaps mounts of it (tried with open_tree and mount_setattr) */
	bool can_snapshot;   /* clones are made in constant time here */
	uint64_t free_bytes; /* available to root */
};

/**
 * storage_facts - look at the file system of @path, or of its nearest existing parent
 */
int storage_facts(const char *path, struct storage_facts *ret, struct err *err);

/* ---- copying single files, for other libraries
 * --------------------------------------------------------- */

/**
 * storage_file_copy - copy the content of one open regular file to another: FICLONE, else
 * copy_file_range, else read and write; holes stay holes
 *
 * Content only. @dst_fd is empty. Returns 0 or -ZE_IO.
 */
int storage_file_copy(int src_fd, int dst_fd, uint64_t size_bytes, struct err *err);

#endif

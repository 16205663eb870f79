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
struct strv;

/*
 * How much of an operation is done; called now and then, from the calling thread. Returns whether
 * to go on: false ends the operation with -ZE_INTR, with everything taken back as after any
 * failure.
 */
struct storage_progress {
	bool (*fn)(void *arg, uint64_t done_bytes, uint64_t done_files);
	void *arg;
};

enum storage_method {
	STORAGE_AUTO, /* the cheapest that works here */
	STORAGE_COPY, /* every byte (zoneadm clone -m copy); shares nothing with the source */
};

/* One way to make a clone, and what the command says about it. */
struct storage_way {
	const char *name; /* of the backend: "btrfs", "reflink", "copy" */
	bool is_snapshot; /* takes no time, whatever the size */
	bool needs_space; /* as much as the source has */
	const char *note; /* a line for the user when it is done, or NULL */
};

/**
 * storage_zonepath_check - whether ZONEPATH and its parents are as they must be
 * @problems: a line is appended for each thing that is wrong (owner, mode, symbolic link)
 * @ret_exists: whether ZONEPATH is there
 *
 * ZONEPATH: a directory, root:root, 0700. Each parent: a directory of root, that only root may
 * write to, no symbolic link. A missing one is no problem. Returns 0, or a negative code when it
 * could not be looked at.
 */
int storage_zonepath_check(const char *zonepath, struct strv *problems, bool *ret_exists,
			   struct err *err);

/**
 * storage_zonepath_make - make sure that ZONEPATH is a directory, 0700, root:root
 * @ret_made: whether it was made by this call; may be NULL
 *
 * Missing parents are made with 0755. What exists is checked, not changed: -ZE_VERIFY says what is
 * wrong with it.
 */
int storage_zonepath_make(const char *zonepath, bool *ret_made, struct err *err);

/**
 * storage_mounts_check - refuse a directory below which this process sees something mounted
 *
 * A mount on the directory itself does not count, and a missing one has none. Returns 0; -ZE_BUSY
 * names the mount point; or another negative code.
 */
int storage_mounts_check(const char *dir, struct err *err);

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
 * @ret_way: what was done: static; may be NULL
 *
 * Everything a file can have is copied: owner, mode, times, ACLs and other xattrs, hard links,
 * holes, device nodes; sockets are left out. -ZE_BUSY when something is mounted below the source.
 * On failure nothing is left of DST/root.
 */
int storage_clone(const char *src_zonepath, const char *dst_zonepath, enum storage_method method,
		  const struct storage_progress *progress, const struct storage_way **ret_way,
		  struct err *err);

/**
 * storage_clone_method - what storage_clone() would do, without doing it
 *
 * For the line that is printed before the work ("Copying /zones/zone1...").
 */
int storage_clone_method(const char *src_zonepath, const char *dst_zonepath,
			 enum storage_method method, const struct storage_way **ret_way,
			 struct err *err);

/**
 * storage_destroy - remove ZONEPATH/root, and ZONEPATH itself when nothing else is in it
 * @ret_kept: set to true when ZONEPATH was kept because it holds something that is not ours; may be
 *            NULL: ZONEPATH is kept in any case
 *
 * Missing parts are no failure: it can be repeated after a crash. Never crosses a mount (-ZE_BUSY
 * names it), follows no link. What is gone is gone on disk too when this returns.
 */
int storage_destroy(const char *zonepath, bool *ret_kept, struct err *err);

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
	bool can_snapshot;   /* clones are made in constant time here */
	uint64_t free_bytes; /* available to root */
};

/**
 * storage_facts - look at the file system of @path, or of its nearest existing parent
 */
int storage_facts(const char *path, struct storage_facts *ret, struct err *err);

/**
 * storage_can_idmap - whether the kernel makes idmapped mounts of the file system of @path
 * @path: an existing directory
 *
 * Where that is not known of the kind of file system it is tried, by a detached mount and a user
 * namespace for its ids, whose process is the price. Needs CAP_SYS_ADMIN. Returns 0 or -ZE_IO.
 * Source: mount_setattr(2), MOUNT_ATTR_IDMAP.
 */
int storage_can_idmap(const char *path, bool *ret, struct err *err);

#endif

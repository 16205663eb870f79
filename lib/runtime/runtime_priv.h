/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of this library share: id ranges, user namespaces, mounts that are not yet
 * attached, the records in /run/zones.
 */
#ifndef RUNTIME_RUNTIME_PRIV_H
#define RUNTIME_RUNTIME_PRIV_H

#include "runtime/runtime.h"

#include <linux/sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

#define RUNTIME_DIR "/run/zones"

/* Ids that a zone has: on disk and inside 0..65535, on the host RUNTIME_IDS of them from a base. */
#define RUNTIME_IDS 65536u

#define RUNTIME_ID_MAX 9999u /* zone IDs are 1..9999; 0 is the global zone */

/* ---- records: status.c
 * ------------------------------------------------------------------------------------- */

/*
 * The record of a live zone, /run/zones/NAME/state. Numbers are all of one type, so that one table
 * reads and writes them.
 */
struct runtime_record {
	char state[16];   /* zone_state_name() of ready, running, shutting_down or down */
	char cgroup[96];  /* below each hierarchy: "zones/NAME" or "zones.slice/NAME" */
	char cgroup2[40]; /* where the v2 hierarchy is mounted */
	char
	    controllers1[40]; /* v1 controllers in whose hierarchy it has a cgroup, "pids,memory" */
	char filter[48];      /* file in /run/zones with its seccomp filter */
	uint64_t id;
	uint64_t init_pid, init_start;     /* 0 until its first process exists */
	uint64_t daemon_pid, daemon_start; /* who holds it */
	uint64_t id_base;
	uint64_t caps; /* bounding set, a bit a capability */
};

/**
 * runtime_record_read - the record of a zone, strictly checked
 *
 * -ZE_NOENT: there is none; -ZE_PERM: /run/zones may not be read; -ZE_FORMAT names the line.
 */
int runtime_record_read(const char *name, struct runtime_record *ret, struct err *err);

/**
 * runtime_record_write - replace the record of a zone
 */
int runtime_record_write(const char *name, const struct runtime_record *rec, struct err *err);

/**
 * runtime_record_parse - the same from text, which is changed; @name is for messages
 */
int runtime_record_parse(const char *name, char *text, struct runtime_record *ret, struct err *err);

/**
 * runtime_id_alloc - the zone ID for a boot: the next after the last one given out that no live
 * zone has
 */
int runtime_id_alloc(uint64_t *ret_id, struct err *err);

/**
 * runtime_dir_open - open /run/zones/NAME, making it and /run/zones (0700) when missing
 *
 * Returns a descriptor (O_RDONLY | O_DIRECTORY) or a negative code.
 */
int runtime_dir_open(const char *name, struct err *err);

/**
 * runtime_lock - the lock under which numbers are handed out (zone IDs, id ranges)
 *
 * Returns a descriptor that holds the lock until it is closed, or a negative code.
 */
int runtime_lock(struct err *err);

/* ---- ids: idmap.c
 * ------------------------------------------------------------------------------------------ */

/**
 * runtime_idmap_alloc - a range of RUNTIME_IDS host ids for a zone
 * @name: the zone; it keeps its range until runtime_idmap_release()
 * @ret_base: the first; a multiple of RUNTIME_IDS in 524288..1879048191
 *
 * Disjoint from every other zone's, from the ids in /etc/passwd and /etc/group, the ranges in
 * /etc/subuid and /etc/subgid, and from what systemd-nspawn has taken. The choice begins at a hash
 * of the name, so that a zone mostly gets the same ids again. Recorded in /run/zones/NAME/idmap.
 * Returns 0, -ZE_BUSY when no range is left, or another negative code.
 *
 * Source: our choice; the range is systemd's for containers (UIDS-GIDS).
 */
int runtime_idmap_alloc(const char *name, uint32_t *ret_base, struct err *err);

/**
 * runtime_idmap_release - give the range of a zone back; a missing one is success
 */
int runtime_idmap_release(const char *name, struct err *err);

/**
 * runtime_idmap_write - make the ids of a process in a new user namespace those of a range
 * @pid: our own child, made with CLONE_NEWUSER and not yet waited for
 */
int runtime_idmap_write(pid_t pid, uint32_t base, struct err *err);

/**
 * runtime_userns_make - a user namespace with the map of a range, for idmapped mounts
 *
 * Returns its descriptor; the namespace lives as long as that or a mount made with it.
 */
int runtime_userns_make(uint32_t base, struct err *err);

/**
 * runtime_clone - clone3(2) without a stack of its own: the child goes on here, as after fork
 *
 * Returns 0 in the child, the number in the parent, or -1 with errno set. The child makes system
 * calls only, until exec or _exit.
 */
pid_t runtime_clone(const struct clone_args *args);

/* ---- mounts: mount.c
 * --------------------------------------------------------------------------------------- */

/**
 * runtime_mount_clone - a detached copy of a mount, changed before anybody can see it
 * @dir_fd, @path: what is copied, as in openat(2); "" for @dir_fd itself. A last component that is
 *                 a symbolic link is not followed. Must lie in the mount namespace of the caller.
 * @userns_fd: its files are idmapped by this user namespace; negative: they are not
 * @recursive: with all that is mounted below it
 * @attrs: MOUNT_ATTR_* to set
 *
 * Returns a descriptor for runtime_mount_attach(). -ZE_NOTSUP: the file system cannot be idmapped
 * (or something below it that is mounted there cannot); -ZE_NOENT; -ZE_IO.
 */
int runtime_mount_clone(int dir_fd, const char *path, int userns_fd, bool recursive, uint64_t attrs,
			struct err *err);

/**
 * runtime_mount_new - a new file system instance, detached
 * @options: NULL-terminated "key=value" or "flag" strings; NULL: none
 * @attrs: MOUNT_ATTR_* to set
 *
 * Returns a descriptor for runtime_mount_attach(), or -ZE_IO.
 */
int runtime_mount_new(const char *fs_type, const char *const *options, uint64_t attrs,
		      struct err *err);

/**
 * runtime_mount_attach - put a detached mount in its place
 * @dir_fd, @path: the mount point, as in openat(2); "" for @dir_fd itself; never a symbolic link
 */
int runtime_mount_attach(int mount_fd, int dir_fd, const char *path, struct err *err);

#endif

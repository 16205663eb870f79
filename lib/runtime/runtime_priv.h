/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of this library share: id ranges, user namespaces, mounts that are not yet
 * attached, the records in /run/zones.
 */
#ifndef RUNTIME_RUNTIME_PRIV_H
#define RUNTIME_RUNTIME_PRIV_H

#include "runtime/runtime.h"

#include "base/str.h"

#include <linux/filter.h>
#include <linux/sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

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
	char state[16];         /* zone_state_name() of ready, running, shutting_down or down */
	char cgroup[96];        /* below each hierarchy: "zones/NAME" or "zones.slice/NAME" */
	char cgroup_home[104];  /* where its processes are: the same, or one in it */
	char cgroup2[40];       /* where the v2 hierarchy is mounted */
	char hierarchies1[160]; /* v1 hierarchies in which it has a cgroup too: "memory:pids" */
	char shared1[160];      /* v1 hierarchies in which it is in the cgroup of all zones */
	char filter[48];        /* file in /run/zones with its seccomp filter */
	uint64_t id;
	uint64_t init_pid, init_start;     /* 0 until its first process exists */
	uint64_t daemon_pid, daemon_start; /* who holds it */
	uint64_t id_base;                  /* its root on the host; 0: it shares the host's ids */
	uint64_t id_owner;                 /* who its user namespace belongs to */
	uint64_t caps;                     /* bounding set, a bit a capability */
	uint64_t core_pinned;              /* 1: see priv_limit_core() */
	uint64_t memlock_bytes;            /* RLIMIT_MEMLOCK, or 0 */
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
 * @base: the first; 0: the host's own ids
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
 * runtime_mount_created - the last step of runtime_mount_new(), for a file system made by fsopen()
 *                         and fsconfig() elsewhere
 */
int runtime_mount_created(int fs_fd, const char *fs_type, uint64_t attrs, struct err *err);

/**
 * runtime_mount_idmap - idmap a mount of runtime_mount_new()
 * @what: its source, for the message
 *
 * Kernels before 6.15 let nobody clone a mount that is attached nowhere. Returns 0, -ZE_NOTSUP (the
 * file system cannot be idmapped) or -ZE_IO.
 */
int runtime_mount_idmap(int mount_fd, int userns_fd, const char *what, struct err *err);

/**
 * runtime_mount_attach - put a detached mount in its place
 * @dir_fd, @path: the mount point, as in openat(2); "" for @dir_fd itself; never a symbolic link
 */
int runtime_mount_attach(int mount_fd, int dir_fd, const char *path, struct err *err);

/* ---- host: cgroup.c, host.c
 * ---------------------------------------------------------------------------------- */

/* Controllers that limits of a zone may need, as bits and in the order of cgroup_controllers[]. */
enum cgroup_controller {
	CGROUP_CPU,
	CGROUP_MEMORY,
	CGROUP_PIDS,
	CGROUP_COUNT,
};

/* Facts of the host that a plan depends on. */
struct runtime_host {
	char cgroup2[40];          /* where the v2 hierarchy is mounted; "" when it is not */
	unsigned controllers2;     /* of enum cgroup_controller, in the v2 hierarchy */
	unsigned controllers1;     /* in v1 hierarchies at /sys/fs/cgroup/CONTROLLER */
	const char *cgroup_parent; /* "zones.slice" beside systemd, else "zones" */
	char hierarchies1[160];    /* directories of the v1 hierarchies, with ':' between them */
	bool cores_leave;          /* core dumps land on the host */
	uint64_t threads;          /* how many it can have; 0: not known */
};

/**
 * runtime_host_probe - look at this host; reads only
 */
void runtime_host_probe(struct runtime_host *ret);

/**
 * cgroup_controller_name - "cpu", "memory", "pids"
 */
const char *cgroup_controller_name(enum cgroup_controller controller);

/* ---- plan: plan.c
 * ------------------------------------------------------------------------------------------ */

enum plan_mount_kind {
	PLAN_BIND,  /* a host file or directory, idmapped unless ids are shared */
	PLAN_BLOCK, /* a file system on a device of the host, the same */
	PLAN_TMPFS, /* an empty one that belongs to the zone */
};

struct plan_mount {
	enum plan_mount_kind kind;
	char *source;   /* host path; NULL for a tmpfs */
	char *fs_type;  /* Linux's name; NULL for a bind */
	char *target;   /* in the zone */
	uint64_t attrs; /* MOUNT_ATTR_* */
	bool recursive;
	struct strv options; /* of the file system */
};

/* A value for a file of the zone's cgroup. */
struct plan_limit {
	enum cgroup_controller controller;
	bool v1;
	const char *file;
	char value[48];
};

/* A value for a setting of the zone's IPC namespace. */
struct plan_sysctl {
	const char *path;
	char value[64];
};

#define PLAN_LIMITS_MAX  16
#define PLAN_SYSCTLS_MAX 8

struct runtime_plan {
	char name[CONFIG_NAME_MAX + 1];
	char uuid[CONFIG_UUID_LEN + 1];
	char *zonepath;
	char *root; /* zonepath/root */
	struct runtime_host host;
	char cgroup[96];
	char cgroup_home[104];
	char hierarchies1[160], shared1[160]; /* as in the record */
	bool shares_ids;                      /* idmap=shared: no id is mapped to another */
	uint64_t caps;
	bool nesting; /* user namespaces in the zone */
	bool has_hostid;
	uint32_t hostid;
	bool has_memlock;
	uint64_t memlock_bytes;
	struct strv argv, envp;
	struct plan_mount *mounts; /* parents before what is in them */
	size_t n_mounts;
	struct strv devices; /* host paths of device nodes */
	struct plan_limit limits[PLAN_LIMITS_MAX];
	size_t n_limits;
	struct plan_sysctl sysctls[PLAN_SYSCTLS_MAX];
	size_t n_sysctls;
	bool ready_only;
};

/**
 * plan_limits - what the resource controls of a configuration become on this host
 */
int plan_limits(const struct config *cfg, struct runtime_plan *plan, struct strv *warnings,
		struct err *err);

/**
 * plan_bootargs - argv of init from boot arguments
 * @words: NULL-terminated; NULL: split @property
 */
int plan_bootargs(const char *const *words, const char *property, const char *init,
		  struct strv *ret_argv, struct strv *problems, struct strv *warnings,
		  struct err *err);

/* ---- cgroups: cgroup.c
 * ------------------------------------------------------------------------------------- */

#define CGROUP_V1_MOUNTS "/sys/fs/cgroup"
#define CGROUP_V1_MAX    16 /* hierarchies */

/* A zone's cgroups go no deeper than this, so that they can be removed by recursion. */
#define CGROUP_DEPTH_MAX "64"

/**
 * cgroup_write - write a value to a file of a cgroup; returns 0, or -1 with errno set
 */
int cgroup_write(int cgroup_fd, const char *name, const char *value);

/**
 * cgroup_up - make the zone's cgroups, set its limits and hand the v2 one to the zone's root
 */
int cgroup_up(const struct runtime_plan *plan, uint32_t id_base, struct err *err);

/**
 * cgroup_open2 - the v2 cgroup of a zone, for CLONE_INTO_CGROUP, as an O_PATH descriptor
 * @leaf: a cgroup in it, or NULL; made when it is missing
 */
int cgroup_open2(const struct runtime_record *rec, const char *leaf, struct err *err);

/* Beside the cgroups of zones, in v1 hierarchies where a zone needs none of its own. */
#define CGROUP_SHARED ".shared"

/**
 * cgroup_open1 - the "tasks" of the zone's v1 cgroups, for a child that enters them by writing "0"
 * @ret_fds: room for CGROUP_V1_MAX; yours to close
 *
 * A thread that moves itself alone needs no lock over all forks of the host, which the kernel may
 * wait milliseconds for; with cgroup.procs it would.
 *
 * Returns how many, or a negative code.
 */
int cgroup_open1(const struct runtime_record *rec, int *ret_fds, struct err *err);

/**
 * cgroup_kill - kill all that lives in the zone's cgroup and wait for its end
 *
 * -ZE_TIMEOUT when something does not die (it waits for a device that does not answer).
 */
int cgroup_kill(const struct runtime_record *rec, unsigned timeout_ms, struct err *err);

/**
 * cgroup_populated - whether anything lives in a v2 cgroup: what is left when init is gone
 */
bool cgroup_populated(const char *mount, const char *cgroup);

/**
 * cgroup_down - remove the zone's cgroups and those that it made below
 */
int cgroup_down(const struct runtime_record *rec, struct err *err);

/* ---- system calls: seccomp.c
 * --------------------------------------------------------------------------------- */

/* Names of the calls that every zone may make; NULL-terminated. */
extern const char *const syscalls_allowed[];

/**
 * filter_name - the file in /run/zones for a capability set
 */
void filter_name(uint64_t caps, bool core_pinned, char *ret, size_t size);

/**
 * filter_ensure - make that file if it is not there
 */
int filter_ensure(uint64_t caps, bool core_pinned, struct err *err);

/* A filter, ready for the kernel. */
struct filter {
	struct sock_filter *instructions;
	uint16_t len;
};

/**
 * filter_compile - the program for a capability set
 * @core_pinned: the limit on core dumps stays where it was put
 * @ret: free with filter_free()
 *
 * Returns 0, -ZE_NOMEM, or -ZE_NOTSUP when the lists have outgrown what a filter can hold.
 */
int filter_compile(uint64_t caps, bool core_pinned, struct filter *ret, struct err *err);

/**
 * filter_load - read a filter file
 */
int filter_load(const char *name, struct filter *ret, struct err *err);
void filter_free(struct filter *filter);
#define auto_filter __attribute__((cleanup(filter_free)))

/**
 * filter_apply - put the calling process under a filter; for a child: system calls only
 *
 * Returns 0 or -1 with errno set.
 */
int filter_apply(const struct filter *filter);

/* ---- the filter's program: filter_code.c
 * ------------------------------------------------------------------------------------------- */

/* A program in the making, from its end to its beginning. */
struct code {
	struct sock_filter instructions[BPF_MAXINSNS];
	unsigned n;
};

/* From @first to where the next one begins; the last goes to the end. The first begins at 0. */
struct code_range {
	uint32_t first;
	unsigned place; /* where it goes on for these */
};

/**
 * code_return - the end: what becomes of the call
 *
 * Returns its place, as all of these do.
 */
unsigned code_return(struct code *code, uint32_t action);

/**
 * code_if_equal - whether what was loaded last is @value
 */
unsigned code_if_equal(struct code *code, uint32_t value, unsigned yes, unsigned no);

/**
 * code_ranges - which of @n ranges what was loaded last is in: a binary search
 */
unsigned code_ranges(struct code *code, const struct code_range *ranges, size_t n);

/**
 * code_load - look at 32 bits of struct seccomp_data, and go on at @next
 */
unsigned code_load(struct code *code, size_t offset, unsigned next);

/**
 * code_argument - where one half of an argument is in struct seccomp_data
 */
size_t code_argument(unsigned arg, bool high);

/**
 * code_begin - the first of the @code->n instructions; NULL when they are too many
 */
const struct sock_filter *code_begin(const struct code *code);

/* ---- privileges: priv.c
 * ------------------------------------------------------------------------------------- */

/**
 * priv_become_root - the zone's root and nobody else; for a child in the zone's user namespace
 *
 * Returns 0 or -1 with errno set, as all that a child calls.
 */
int priv_become_root(void);

/**
 * priv_enter_as - become the root of a running zone and join its namespaces; for a child of root's
 * @id_base: that root's id on the host
 * @process_fd: pidfd of a process of the zone
 * @namespaces: CLONE_NEW*, the user namespace among them
 *
 * In this order, because a change of user makes a process visible to that user where the host says
 * so (fs.suid_dumpable): it is hidden again before a capability of the zone counts for it.
 */
int priv_enter_as(uint32_t id_base, int process_fd, int namespaces);

/**
 * priv_limit - take every capability outside @caps out of all sets, for ever
 */
int priv_limit(uint64_t caps);

/**
 * priv_reset_process - signals and umask as a new program expects them, and no right to more of the
 * processors than others have
 */
int priv_reset_process(void);

/**
 * priv_reset_oom - what the caller was spared when memory runs out, this process is not
 */
int priv_reset_oom(void);

/**
 * priv_limit_core - core dumps never start the host's handler
 */
int priv_limit_core(void);

/* ---- the way in with shared ids: airlock.c
 * ------------------------------------------------------------------ */

/* Where the program in the airlock says that it could not execute another. */
#define AIRLOCK_REPORT_FD 3

/**
 * airlock_open - a program that executes another, for entering a zone that shares ids
 *
 * Returns a descriptor for airlock_exec(), above AIRLOCK_REPORT_FD, or -ZE_IO.
 */
int airlock_open(struct err *err);

/**
 * airlock_exec - execute a program of the zone by way of the airlock; for a child
 * @report_fd: an end of a pipe or socket, where an int32_t with the error comes out when that
 *             program cannot be executed, and end of file when it has been. All other descriptors
 *             above 2 must be closed by execution.
 * @argv: first the program's path, then all of its arguments, beginning with its name
 *
 * Returns -1 with errno set, or not at all.
 */
int airlock_exec(int airlock_fd, int report_fd, char *const *argv, char *const *envp);

/* ---- /dev and /run: dev.c, dev_policy.c
 * ----------------------------------------------------------------------------------- */

/**
 * dev_mount - the zone's /dev, detached
 */
int dev_mount(const struct runtime_plan *plan, uint32_t id_base, struct err *err);

/**
 * dev_run_mount - the zone's /run, with the units that only this host knows
 */
int dev_run_mount(const struct runtime_plan *plan, uint32_t id_base, struct err *err);

/**
 * dev_host_mount - the read-only /run/host: who the zone is, zonename(1), and what masks are made
 * of
 */
int dev_host_mount(const struct runtime_plan *plan, uint64_t id, struct err *err);

#define DEV_ANY_MINOR (~0u)

/* A device that processes of a zone may open. */
struct dev_rule {
	mode_t type; /* S_IFCHR or S_IFBLK */
	unsigned major, minor;
};

#define DEV_RULES_OWN 16 /* room for those that every zone has */

/**
 * dev_rules - the devices of a zone
 * @ret: room for @max; -ZE_INVAL when they do not suffice
 */
int dev_rules(const struct runtime_plan *plan, struct dev_rule *ret, size_t max, size_t *ret_n,
	      struct err *err);

/**
 * dev_policy_set - let the zone's cgroup use the devices of dev_rules() and no other
 * @cgroup2_fd: the v2 cgroup; the v1 ones have been made
 *
 * -ZE_NOTSUP when this host has neither BPF for cgroups nor the devices controller of version 1.
 */
int dev_policy_set(const struct runtime_plan *plan, int cgroup2_fd, struct err *err);

/* ---- the tree of mounts: root.c
 * -------------------------------------------------------------------------------- */

/* File systems of a zone's namespaces. */
enum root_fs_kind {
	ROOT_FS_PROC,
	ROOT_FS_SYS,
	ROOT_FS_CGROUP,
	ROOT_FS_PTS,
	ROOT_FS_MQUEUE,
	ROOT_FS_COUNT,
};

struct root_fs {
	const char *type, *target;
	const char *options[9]; /* key, value, ... */
	uint64_t attrs;
};

extern const struct root_fs root_fs[ROOT_FS_COUNT];

struct root_build {
	const struct runtime_plan *plan;
	uint64_t zone_id;
	uint32_t id_base;
	int userns_fd;            /* the zone's, for idmapped mounts; negative: there are none */
	int fs_fd[ROOT_FS_COUNT]; /* made by fsopen() and fsconfig() in the zone's namespaces */
	int root_fd;              /* used by root_build() alone */
	int console_fd;           /* out: master of the console, yours to close */
};

/**
 * root_build - make the zone's tree the root of the calling process's mount namespace
 *
 * Only for a mount namespace made for the purpose: afterwards there is nothing of the host in it.
 */
int root_build(struct root_build *build, struct err *err);

/* ---- the first process: init.c
 * ------------------------------------------------------------------------------- */

struct runtime {
	char name[CONFIG_NAME_MAX + 1];
	struct runtime_record rec;
	int init_fd;    /* pidfd */
	int console_fd; /* master of the console, or -EBADF */
	int talk_fd;    /* to the first process until it has called exec */
};

/**
 * init_birth - make the zone's namespaces and mounts around its first process, which then waits
 *
 * Fills init_fd, console_fd, talk_fd and the process in the record of @rt.
 */
int init_birth(struct runtime *rt, const struct runtime_plan *plan, struct err *err);

/**
 * init_exec - let the first process go on into the zone's init
 */
int init_exec(struct runtime *rt, struct err *err);

/* ---- users of the zone: passwd.c
 * -------------------------------------------------------------------------------- */

struct passwd_entry {
	char home[256], shell[256];
};

/**
 * passwd_find - home directory and shell of a user in the text of a passwd file
 *
 * For a child: changes nothing and allocates nothing. Fields that are missing, relative or too long
 * become "/" and "/bin/sh", as they do when there is no such user.
 */
void passwd_find(const char *text, size_t size, const char *user, struct passwd_entry *ret);

#endif

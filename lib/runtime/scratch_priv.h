/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Throw-away namespaces, inside the library: scratch.c is the caller's side, scratch_layer.c makes
 * the overlays, scratch_init.c is process 1 and what it runs.
 *
 * The two sides talk over a pair of SEQPACKET sockets, one packet a message:
 *
 *	caller     "go" (one byte)            the id maps are written
 *	process 1  struct err                 the root is assembled, or why not
 *	caller     struct scratch_ask + text  run a program; the packet carries its output
 *descriptor process 1  struct scratch_answer      how it ended
 *
 * The end of the caller's side ends everything.
 */
#ifndef RUNTIME_SCRATCH_PRIV_H
#define RUNTIME_SCRATCH_PRIV_H

#include "runtime/runtime_priv.h"

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

struct err;

#define SCRATCH_ASK_MAX (128 * 1024)

/* argv and envp follow as NUL-terminated strings. */
struct scratch_ask {
	uint32_t n_argv, n_envp;
};

struct scratch_answer {
	int32_t status;     /* 0..255, or 128 + signal */
	int32_t exec_errno; /* not 0: it did not run */
};

/* A detached mount that goes to @target. */
struct scratch_mount {
	int fd;
	const char *target; /* path in the zone */
};

/* The devices of a zone, bound from the host's. */
#define SCRATCH_N_DEVICES 6
extern const char *const scratch_devices[SCRATCH_N_DEVICES];

/* All that process 1 needs, opened by the caller before the clone. */
struct scratch_setup {
	int sock_fd;
	int root_fd; /* detached; idmapped unless ids are shared */
	int device_fds[SCRATCH_N_DEVICES];
	const struct scratch_mount *layers; /* over inherited directories */
	size_t n_layers;
	const struct runtime_bind *binds;
	const int *bind_fds; /* their sources; -EBADF: a program that exits with the status */
	size_t n_binds;
	const struct sock_filter *filter;
	size_t n_filter;
	pid_t parent;
	bool shares_ids;
	int airlock_fd; /* with shared ids; else negative */
};

/**
 * scratch_init - be process 1: assemble the root, then run what is asked for; never returns
 */
_Noreturn void scratch_init(const struct scratch_setup *setup);

/* A throw-away overlay over a directory of the host. */
struct scratch_layer {
	char *dir;
	int mount_fd; /* detached; -EBADF once attached */
	int upper_fd; /* what was written */
};

/**
 * scratch_layers_make - overlays whose writes go to a tmpfs that ends with the descriptors
 * @dirs: host directories, NULL-terminated; those that are symbolic links are left out
 * @userns_fd, @base: the zone's ids for the lower side and the owner of the upper side; -EBADF and
 *                    0 for the host's
 */
int scratch_layers_make(const char *const *dirs, int userns_fd, uint32_t base,
			struct scratch_layer **ret, size_t *ret_n, struct err *err);
void scratch_layers_free(struct scratch_layer *layers, size_t n);

/**
 * scratch_layer_new_files - files in the upper side that the host does not have
 * @ret_n: raised by their number
 * @paths: gets at most 100 of their paths
 */
int scratch_layer_new_files(const struct scratch_layer *layer, size_t *ret_n, struct strv *paths,
			    struct err *err);

/**
 * scratch_sock_send, scratch_sock_recv - one packet with descriptors
 *
 * Return 0, or -1 with errno set. @ret_fds: filled with -EBADF where there is none.
 */
int scratch_sock_send(int sock_fd, const void *data, size_t size_bytes, const int *fds,
		      size_t n_fds);
ssize_t scratch_sock_recv(int sock_fd, void *data, size_t size_bytes, int *ret_fds, size_t n_fds);

#endif

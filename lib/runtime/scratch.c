/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Throw-away namespaces for the scripts of packages, the caller's side: opens all that is needed on
 * the host, starts process 1 (scratch_init.c) and asks it to run programs. Everything is attached
 * in the mount namespace of process 1 alone, and process 1 dies with its parent, so there is
 * nothing to find after a crash but files that stood in for a missing mount point, in a zone that
 * is incomplete.
 */
#include "runtime/scratch_priv.h"

#include "base/err.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define OUTPUT_CHUNK  16384
#define PROCESSES_MAX 4096

/* A signal may come just before the wait for a program begins: look again after so long. */
#define STOP_POLL_MS 200

struct runtime_scratch {
	char *name;
	pid_t pid;
	int pid_fd, sock_fd;
	int root_fd;        /* the zone's root as the host sees it */
	bool has_ids;       /* an id range to give back */
	struct strv places; /* files made in the root as mount points, to be removed */
	struct scratch_layer *layers;
	size_t n_layers;
	bool (*stop)(void);
};

/* What lives until process 1 has it. */
struct start {
	struct scratch_setup setup;
	struct scratch_mount *layers;
	int *bind_fds;
	char *filter;
	int userns_fd, its_fd;
	uint32_t base;
};

static void
start_free(struct start *st)
{
	for (size_t i = 0; st->bind_fds && i < st->setup.n_binds; i++)
		(void)fd_close(st->bind_fds[i]);
	for (size_t i = 0; i < SCRATCH_N_DEVICES; i++)
		(void)fd_close(st->setup.device_fds[i]);
	(void)fd_close(st->setup.root_fd);
	(void)fd_close(st->setup.airlock_fd);
	(void)fd_close(st->userns_fd);
	(void)fd_close(st->its_fd);
	free(st->layers);
	free(st->bind_fds);
	free(st->filter);
}

/* ---- the filter ----------------------------------------------------------------------------- */

/*
 * Calls that wait for a disk return at once: the caller makes the whole file system durable once at
 * the end, and until then the zone counts as incomplete anyway. There are no keyrings, because with
 * shared ids those of the host's root could be looked at.
 */
static int
filter_fill(scmp_filter_ctx ctx)
{
	static const struct {
		int call;
		uint16_t error;
	} answers[] = {
	    {SCMP_SYS(sync), 0},
	    {SCMP_SYS(fsync), 0},
	    {SCMP_SYS(fdatasync), 0},
	    {SCMP_SYS(syncfs), 0},
	    {SCMP_SYS(sync_file_range), 0},
	    {SCMP_SYS(add_key), ENOSYS},
	    {SCMP_SYS(keyctl), ENOSYS},
	    {SCMP_SYS(request_key), ENOSYS},
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(answers) / sizeof(answers[0]); i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(answers[i].error), answers[i].call, 0);
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(0), SCMP_SYS(msync), 1,
				     SCMP_A2_32(SCMP_CMP_MASKED_EQ, MS_SYNC, MS_SYNC));
	return r;
}

static int
filter_make(struct start *st, struct err *err)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	auto_close int fd = memfd_create("filter", MFD_CLOEXEC);
	size_t size;
	int r;

	if (!ctx || fd < 0) {
		seccomp_release(ctx);
		return err_nomem(err);
	}
	r = filter_fill(ctx);
	if (r == 0)
		r = seccomp_export_bpf(ctx, fd);
	seccomp_release(ctx);
	if (r < 0)
		return err_set(err, ZE_NOTSUP, -r, "make a seccomp filter");
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_set(err, ZE_IO, errno, "read the seccomp filter");
	r = fd_read_all(fd, 1 << 16, &st->filter, &size, err);
	if (r < 0)
		return r;
	st->setup.filter = (const struct sock_filter *)(const void *)st->filter;
	st->setup.n_filter = size / sizeof(struct sock_filter);
	return 0;
}

/* ---- what process 1 is given ---------------------------------------------------------------- */

static int
open_root(struct start *st, struct runtime_scratch *s, const struct runtime_scratch_req *req,
	  struct err *err)
{
	s->root_fd = open(req->zone_root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (s->root_fd < 0)
		return err_set(err, ZE_IO, errno, "open '%s'", req->zone_root);
	st->setup.root_fd =
	    runtime_mount_clone(s->root_fd, "", st->userns_fd, false, MOUNT_ATTR_NODEV, err);
	if (st->setup.root_fd < 0)
		return err_add(err, "zone root '%s'", req->zone_root);
	for (size_t i = 0; i < SCRATCH_N_DEVICES; i++) {
		auto_free char *path = NULL;

		if (asprintf(&path, "/dev/%s", scratch_devices[i]) < 0) {
			path = NULL; /* undefined after a failure */
			return err_nomem(err);
		}
		st->setup.device_fds[i] = runtime_mount_clone(
		    AT_FDCWD, path, -EBADF, false, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC, err);
		if (st->setup.device_fds[i] < 0)
			return st->setup.device_fds[i];
	}
	return 0;
}

static bool
below_layer(const struct runtime_scratch *s, const char *path)
{
	for (size_t i = 0; i < s->n_layers; i++) {
		size_t len = strlen(s->layers[i].dir);

		if (strncmp(path, s->layers[i].dir, len) == 0 && path[len] == '/')
			return true;
	}
	return false;
}

/* A target that is missing is made by process 1; one in the root itself must go again. */
static int
note_place(struct runtime_scratch *s, const char *target, struct err *err)
{
	auto_close int fd = -EBADF;

	if (below_layer(s, target))
		return 0;
	fd = path_open_in_root(s->root_fd, target, O_PATH | O_NOFOLLOW, 0, err);
	if (fd >= 0)
		return 0;
	if (fd != -ZE_NOENT)
		return fd;
	err_clear(err);
	return strv_add(&s->places, target) < 0 ? err_nomem(err) : 0;
}

static int
open_binds(struct start *st, struct runtime_scratch *s, const struct runtime_scratch_req *req,
	   struct err *err)
{
	int r;

	st->bind_fds = calloc(req->n_binds + 1, sizeof(int));
	if (!st->bind_fds)
		return err_nomem(err);
	for (size_t i = 0; i < req->n_binds; i++)
		st->bind_fds[i] = -EBADF;
	st->setup.bind_fds = st->bind_fds;
	st->setup.binds = req->binds;
	st->setup.n_binds = req->n_binds;
	for (size_t i = 0; i < req->n_binds; i++) {
		r = note_place(s, req->binds[i].target, err);
		if (r < 0)
			return r;
		if (!req->binds[i].source)
			continue;
		st->bind_fds[i] = open(req->binds[i].source, O_RDONLY | O_CLOEXEC);
		if (st->bind_fds[i] < 0)
			return err_set(err, ZE_IO, errno, "open '%s'", req->binds[i].source);
	}
	return 0;
}

static int
open_layers(struct start *st, struct runtime_scratch *s, const struct runtime_scratch_req *req,
	    struct err *err)
{
	int r;

	r = scratch_layers_make(req->inherit_dirs, st->userns_fd, st->base, &s->layers,
				&s->n_layers, err);
	if (r < 0)
		return r;
	st->layers = calloc(s->n_layers + 1, sizeof(*st->layers));
	if (!st->layers)
		return err_nomem(err);
	for (size_t i = 0; i < s->n_layers; i++) {
		st->layers[i].fd = s->layers[i].mount_fd;
		st->layers[i].target = s->layers[i].dir;
	}
	st->setup.layers = st->layers;
	st->setup.n_layers = s->n_layers;
	return 0;
}

static int
take_ids(struct start *st, struct runtime_scratch *s, struct err *err)
{
	int r;

	r = runtime_idmap_alloc(s->name, &st->base, err);
	if (r < 0)
		return r;
	s->has_ids = true;
	st->userns_fd = runtime_userns_make(st->base, err);
	return st->userns_fd < 0 ? st->userns_fd : 0;
}

static int
prepare(struct start *st, struct runtime_scratch *s, const struct runtime_scratch_req *req,
	struct err *err)
{
	auto_close int dir_fd = -EBADF;
	int pair[2], r;

	/* RUNTIME_DIR is also where namespaces put a file system before they own their root. */
	dir_fd = runtime_dir_open(req->name, err);
	if (dir_fd < 0)
		return dir_fd;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(err, ZE_IO, errno, "make a socket");
	s->sock_fd = pair[0];
	st->its_fd = st->setup.sock_fd = pair[1];
	st->setup.shares_ids = req->shares_ids;
	if (req->shares_ids) {
		st->setup.airlock_fd = airlock_open(err);
		r = st->setup.airlock_fd < 0 ? st->setup.airlock_fd : 0;
	} else {
		r = take_ids(st, s, err);
	}
	if (r == 0)
		r = open_root(st, s, req, err);
	if (r == 0)
		r = open_layers(st, s, req, err);
	if (r == 0)
		r = open_binds(st, s, req, err);
	return r < 0 ? r : filter_make(st, err);
}

/*
 * From outside: inside nobody may raise what the caller has a lower limit of; sudo leaves none for
 * core dumps. Where the caller may not either, as in a container, a lower one is as good.
 */
static int
limit(pid_t pid, struct err *err)
{
	static const struct {
		__rlimit_resource_t resource;
		rlim_t max;
	} limits[] = {
	    {RLIMIT_CORE, 1}, /* see priv_limit_core() */
	    {RLIMIT_NPROC, PROCESSES_MAX},
	};
	struct runtime_host host;
	struct rlimit own;

	runtime_host_probe(&host);
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		const struct rlimit wanted = {limits[i].max, limits[i].max};

		if (prlimit(pid, limits[i].resource, &wanted, NULL) == 0)
			continue;
		if (errno != EPERM || prlimit(pid, limits[i].resource, NULL, &own) < 0 ||
		    own.rlim_max >= wanted.rlim_max ||
		    (limits[i].resource == RLIMIT_CORE && host.cores_leave))
			return err_set(err, ZE_IO, errno, "set limits");
	}
	return 0;
}

static int
launch(struct start *st, struct runtime_scratch *s, struct err *err)
{
	struct clone_args args = {
	    .flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC |
		     CLONE_NEWNET | CLONE_NEWCGROUP | CLONE_PIDFD,
	    .pidfd = (uint64_t)(uintptr_t)&s->pid_fd,
	    .exit_signal = SIGCHLD,
	};
	struct err child_err = {0};
	int r;

	s->pid = fault_point("clone") ? -1 : runtime_clone(&args);
	if (s->pid < 0)
		return err_set(err, ZE_IO, errno, "make namespaces");
	if (s->pid == 0) {
		(void)fd_close(s->sock_fd); /* the end of the caller must show */
		scratch_init(&st->setup);
	}
	st->its_fd = fd_close(st->its_fd);
	r = limit(s->pid, err);
	if (r == 0)
		r = runtime_idmap_write(s->pid, st->base, err);
	if (r < 0)
		return r;
	if (scratch_sock_send(s->sock_fd, "", 1, NULL, 0) < 0 ||
	    scratch_sock_recv(s->sock_fd, &child_err, sizeof(child_err), NULL, 0) !=
		(ssize_t)sizeof(child_err))
		return err_set(err, ZE_IO, 0, "the first process of the namespaces ended early");
	if (child_err.code != ZE_OK) {
		if (err)
			*err = child_err;
		return -(int)child_err.code;
	}
	return 0;
}

int
runtime_scratch_start(const struct runtime_scratch_req *req, struct runtime_scratch **ret,
		      struct err *err)
{
	struct start st = {
	    .userns_fd = -EBADF,
	    .its_fd = -EBADF,
	    .setup = {.root_fd = -EBADF, .airlock_fd = -EBADF},
	};
	struct runtime_scratch *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return err_nomem(err);
	for (size_t i = 0; i < SCRATCH_N_DEVICES; i++)
		st.setup.device_fds[i] = -EBADF;
	s->pid_fd = s->sock_fd = s->root_fd = -EBADF;
	s->stop = req->stop;
	s->name = strdup(req->name);
	r = s->name ? prepare(&st, s, req, err) : err_nomem(err);
	if (r == 0)
		r = launch(&st, s, err);
	start_free(&st);
	for (size_t i = 0; i < s->n_layers; i++)
		s->layers[i].mount_fd = fd_close(s->layers[i].mount_fd);
	if (r < 0) {
		(void)runtime_scratch_end(s, NULL);
		return err_add(err, "namespaces for scripts");
	}
	log_debug("runtime", "scratch namespaces of '%s': process %d", s->name, s->pid);
	*ret = s;
	return 0;
}

/* ---- running -------------------------------------------------------------------------------- */

static int
ask(struct runtime_scratch *s, const char *const *argv, const char *const *envp, int output_fd,
    struct err *err)
{
	const char *const *lists[] = {argv, envp};
	struct scratch_ask head = {0};
	auto_str struct str packet = {0};
	uint32_t *counts[] = {&head.n_argv, &head.n_envp};

	if (str_add(&packet, (const char *)&head, sizeof(head)) < 0)
		return err_nomem(err);
	for (size_t list = 0; list < 2; list++) {
		for (const char *const *p = lists[list]; *p; p++) {
			if (str_add(&packet, *p, strlen(*p) + 1) < 0)
				return err_nomem(err);
			++*counts[list];
		}
	}
	memcpy(packet.s, &head, sizeof(head));
	if (packet.len > SCRATCH_ASK_MAX)
		return err_set(err, ZE_INVAL, 0, "run '%s': too many arguments", argv[0]);
	if (scratch_sock_send(s->sock_fd, packet.s, packet.len, &output_fd, 1) < 0)
		return err_set(err, ZE_IO, errno, "run '%s': ask the namespaces", argv[0]);
	return 0;
}

static long long
now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/*
 * Programs get a pipe: a zone that shares ids would own the file that their output goes to. Carries
 * what there is without waiting for more. Returns whether more may come.
 */
static int
carry(int from_fd, int to_fd, struct err *err)
{
	char buf[OUTPUT_CHUNK];
	ssize_t n;

	while ((n = read(from_fd, buf, sizeof(buf))) > 0) {
		if (fd_write_all(to_fd, buf, (size_t)n) < 0)
			return err_set(err, ZE_IO, errno, "write the output of a program");
	}
	return n < 0;
}

static int
wait_answer(struct runtime_scratch *s, const char *what, int pipe_fd, int output_fd,
	    unsigned timeout_ms, struct err *err)
{
	struct pollfd fds[2] = {{.fd = s->sock_fd, .events = POLLIN},
				{.fd = pipe_fd, .events = POLLIN}};
	long long end = now_ms() + timeout_ms, left = STOP_POLL_MS;
	int n, r;

	for (;;) {
		if (s->stop && s->stop())
			return err_set(err, ZE_INTR, 0, "interrupted while '%s' ran", what);
		if (timeout_ms) {
			left = end - now_ms();
			if (left <= 0)
				return err_set(err, ZE_TIMEOUT, 0, "'%s' was stopped after %u s",
					       what, timeout_ms / 1000);
		}
		n = poll(fds, 2, left < STOP_POLL_MS ? (int)left : STOP_POLL_MS);
		if (n < 0 && errno != EINTR)
			return err_set(err, ZE_IO, errno, "wait for '%s'", what);
		if (n <= 0)
			continue;
		r = carry(pipe_fd, output_fd, err);
		if (r < 0 || fds[0].revents)
			return r < 0 ? r : 0;
		if (r == 0)
			fds[1].fd = -1;
	}
}

/* The pid namespace goes with its first process. */
static void
kill_all(struct runtime_scratch *s)
{
	siginfo_t info;

	if (s->pid <= 0)
		return;
	(void)kill(s->pid, SIGKILL); /* our own child, not yet waited for: the number is its */
	while (waitid(P_PID, (id_t)s->pid, &info, WEXITED) < 0 && errno == EINTR)
		;
	s->pid = 0;
}

int
runtime_scratch_run(struct runtime_scratch *s, const char *const *argv, const char *const *envp,
		    int output_fd, unsigned timeout_ms, int *ret_status, struct err *err)
{
	auto_close int read_fd = -EBADF, write_fd = -EBADF;
	struct scratch_answer answer;
	int pair[2], r;

	if (s->pid <= 0)
		return err_set(err, ZE_IO, 0, "run '%s': the namespaces are gone", argv[0]);
	if (pipe2(pair, O_CLOEXEC) < 0)
		return err_set(err, ZE_IO, errno, "run '%s': make a pipe", argv[0]);
	read_fd = pair[0];
	write_fd = pair[1];
	r = fault_point("run script") || fcntl(read_fd, F_SETFL, O_NONBLOCK) < 0
		? err_set(err, ZE_IO, errno, "run '%s'", argv[0])
		: ask(s, argv, envp, write_fd, err);
	write_fd = fd_close(write_fd);
	if (r == 0)
		r = wait_answer(s, argv[0], read_fd, output_fd, timeout_ms, err);
	if (r == 0 && scratch_sock_recv(s->sock_fd, &answer, sizeof(answer), NULL, 0) !=
			  (ssize_t)sizeof(answer))
		r = err_set(err, ZE_IO, 0, "run '%s': the namespaces ended", argv[0]);
	if (r < 0) {
		kill_all(s);
		return r;
	}
	if (answer.exec_errno)
		return err_set(err, answer.exec_errno == ENOENT ? ZE_NOENT : ZE_IO,
			       answer.exec_errno, "run '%s'", argv[0]);
	*ret_status = answer.status;
	return 0;
}

int
runtime_scratch_discarded(struct runtime_scratch *s, struct strv *paths, struct err *err)
{
	size_t n = 0;
	int r;

	for (size_t i = 0; i < s->n_layers; i++) {
		r = scratch_layer_new_files(&s->layers[i], &n, paths, err);
		if (r < 0)
			return r;
	}
	return (int)n;
}

/* Remove the files that only were there to be mounted on. */
static int
places_remove(struct runtime_scratch *s, struct err *err)
{
	int ret = 0;

	for (size_t i = 0; i < s->places.n; i++) {
		auto_close int dir_fd = -EBADF;
		const char *name;
		struct err e = {0};
		int r;

		dir_fd = path_open_parent_in_root(s->root_fd, s->places.v[i], false, &name, &e);
		if (dir_fd == -ZE_NOENT)
			continue;
		r = dir_fd < 0 ? dir_fd : 0;
		if (r == 0 && unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT)
			r = err_set(&e, ZE_IO, errno, "remove '%s'", s->places.v[i]);
		if (r < 0 && ret == 0) {
			ret = r;
			if (err)
				*err = e;
		}
	}
	return ret;
}

int
runtime_scratch_end(struct runtime_scratch *s, struct err *err)
{
	struct err release_err = {0};
	int r = 0, r2 = 0;

	if (!s)
		return 0;
	kill_all(s);
	if (s->root_fd >= 0)
		r = places_remove(s, err);
	if (s->has_ids)
		r2 = runtime_idmap_release(s->name, &release_err);
	if (r == 0 && r2 < 0) {
		r = r2;
		if (err)
			*err = release_err;
	}
	scratch_layers_free(s->layers, s->n_layers);
	strv_free(&s->places);
	(void)fd_close(s->pid_fd);
	(void)fd_close(s->sock_fd);
	(void)fd_close(s->root_fd);
	free(s->name);
	free(s);
	return r;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overlays over inherited directories, so that package scripts may write where the zone later may
 * not. An overlay takes its layers by path from mounts that are attached somewhere, so a child with
 * a mount namespace of its own makes them and hands their descriptors back.
 */
#include "runtime/scratch_priv.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FDS_MAX   64
#define PATHS_MAX 100
#define DEPTH_MAX 256

int
scratch_sock_send(int sock_fd, const void *data, size_t size_bytes, const int *fds, size_t n_fds)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int) * FDS_MAX)];
	} control = {0};
	struct iovec iov = {.iov_base = (void *)(uintptr_t)data, .iov_len = size_bytes};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *cmsg;

	if (n_fds) {
		msg.msg_control = control.buf;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		cmsg = &control.align;
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		memcpy(CMSG_DATA(cmsg), fds, sizeof(int) * n_fds);
	}
	return sendmsg(sock_fd, &msg, MSG_NOSIGNAL) < 0 ? -1 : 0;
}

ssize_t
scratch_sock_recv(int sock_fd, void *data, size_t size_bytes, int *ret_fds, size_t n_fds)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int) * FDS_MAX)];
	} control;
	struct iovec iov = {.iov_base = data, .iov_len = size_bytes};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.buf,
			     .msg_controllen = CMSG_SPACE(sizeof(int) * n_fds)};
	struct cmsghdr *cmsg;
	ssize_t n;

	for (size_t i = 0; i < n_fds; i++)
		ret_fds[i] = -EBADF;
	do
		n = recvmsg(sock_fd, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	cmsg = n > 0 && n_fds ? CMSG_FIRSTHDR(&msg) : NULL;
	if (cmsg && cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS)
		memcpy(ret_fds, CMSG_DATA(cmsg), cmsg->cmsg_len - CMSG_LEN(0));
	return n;
}

/* One overlay; the working directory is the tmpfs, which is attached to RUNTIME_DIR. */
static int
layer_mount(size_t i, const char *dir, int userns_fd, uint32_t base, int *ret_upper_fd,
	    struct err *err)
{
	static const char *const kinds[] = {"lower", "upper", "work"};
	char names[3][64], options[3][128];
	const char *const option_list[] = {options[0], options[1], options[2], NULL};
	auto_close int lower_fd = -EBADF, upper_fd = -EBADF;
	int fd, r;

	for (size_t k = 0; k < 3; k++) {
		(void)snprintf(names[k], sizeof(names[k]), "%s%zu", kinds[k], i);
		(void)snprintf(options[k], sizeof(options[k]), "%sdir=" RUNTIME_DIR "/%s", kinds[k],
			       names[k]);
		if (mkdir(names[k], 0755) < 0 || chown(names[k], base, base) < 0)
			return err_set(err, ZE_IO, errno, "make '%s'", names[k]);
	}
	lower_fd = runtime_mount_clone(AT_FDCWD, dir, userns_fd, false,
				       MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV, err);
	if (lower_fd < 0)
		return lower_fd;
	r = runtime_mount_attach(lower_fd, AT_FDCWD, names[0], err);
	if (r < 0)
		return r;
	upper_fd = open(names[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (upper_fd < 0)
		return err_set(err, ZE_IO, errno, "open '%s'", names[1]);
	fd = runtime_mount_new("overlay", option_list, MOUNT_ATTR_NODEV, err);
	if (fd < 0)
		return err_add(err, "overlay over '%s'", dir);
	*ret_upper_fd = fd_take(&upper_fd);
	return fd;
}

static int
layers_mount(const char *const *dirs, size_t n, int userns_fd, uint32_t base, int *ret_fds,
	     struct err *err)
{
	static const char *const options[] = {"mode=0755", NULL};
	auto_close int tmpfs_fd = -EBADF;
	int r;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_set(err, ZE_IO, errno, "make mounts private");
	tmpfs_fd = runtime_mount_new("tmpfs", options, MOUNT_ATTR_NODEV, err);
	if (tmpfs_fd < 0)
		return tmpfs_fd;
	r = runtime_mount_attach(tmpfs_fd, AT_FDCWD, RUNTIME_DIR, err);
	if (r < 0)
		return r;
	if (chdir(RUNTIME_DIR) < 0)
		return err_set(err, ZE_IO, errno, "enter '" RUNTIME_DIR "'");
	for (size_t i = 0; i < n; i++) {
		ret_fds[2 * i] = layer_mount(i, dirs[i], userns_fd, base, &ret_fds[2 * i + 1], err);
		if (ret_fds[2 * i] < 0)
			return ret_fds[2 * i];
	}
	return 0;
}

static _Noreturn void
layers_child(int sock_fd, const char *const *dirs, size_t n, int userns_fd, uint32_t base)
{
	int fds[FDS_MAX];
	struct err err = {0};

	if (layers_mount(dirs, n, userns_fd, base, fds, &err) < 0)
		n = 0;
	_exit(scratch_sock_send(sock_fd, &err, sizeof(err), fds, 2 * n) < 0);
}

/* Run the child; @ret_fds gets two descriptors a directory. */
static int
layers_fetch(const char *const *dirs, size_t n, int userns_fd, uint32_t base, int *ret_fds,
	     struct err *err)
{
	struct clone_args args = {.flags = CLONE_NEWNS, .exit_signal = SIGCHLD};
	auto_close int ours_fd = -EBADF, its_fd = -EBADF;
	struct err child_err = {0};
	int pair[2];
	ssize_t got;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(err, ZE_IO, errno, "make a socket");
	ours_fd = pair[0];
	its_fd = pair[1];
	pid = runtime_clone(&args);
	if (pid < 0)
		return err_set(err, ZE_IO, errno, "make a mount namespace");
	if (pid == 0)
		layers_child(its_fd, dirs, n, userns_fd, base);
	its_fd = fd_close(its_fd);
	got = scratch_sock_recv(ours_fd, &child_err, sizeof(child_err), ret_fds, 2 * n);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (got != (ssize_t)sizeof(child_err))
		return err_set(err, ZE_IO, 0, "the process that makes overlays ended early");
	if (child_err.code != ZE_OK) {
		if (err)
			*err = child_err;
		return -(int)child_err.code;
	}
	return 0;
}

int
scratch_layers_make(const char *const *dirs, int userns_fd, uint32_t base,
		    struct scratch_layer **ret, size_t *ret_n, struct err *err)
{
	const char *real[FDS_MAX / 2];
	int fds[FDS_MAX];
	struct scratch_layer *layers;
	struct stat st;
	size_t n = 0;
	int r;

	for (; dirs && *dirs; dirs++) {
		if (lstat(*dirs, &st) < 0 || !(S_ISDIR(st.st_mode) || S_ISLNK(st.st_mode)))
			return err_set(err, ZE_NOENT, errno, "inherited directory '%s'", *dirs);
		if (S_ISLNK(st.st_mode))
			continue;
		if (n == FDS_MAX / 2)
			return err_set(err, ZE_INVAL, 0, "more than %d inherited directories",
				       FDS_MAX / 2);
		real[n++] = *dirs;
	}
	*ret = NULL;
	*ret_n = 0;
	if (!n)
		return 0;
	r = layers_fetch(real, n, userns_fd, base, fds, err);
	if (r < 0)
		return r;
	layers = calloc(n, sizeof(*layers));
	r = layers ? 0 : err_nomem(err);
	for (size_t i = 0; i < n; i++) {
		if (!layers) {
			(void)fd_close(fds[2 * i]);
			(void)fd_close(fds[2 * i + 1]);
			continue;
		}
		layers[i].mount_fd = fds[2 * i];
		layers[i].upper_fd = fds[2 * i + 1];
		layers[i].dir = strdup(real[i]);
		if (!layers[i].dir)
			r = err_nomem(err);
	}
	if (r < 0) {
		scratch_layers_free(layers, n);
		return r;
	}
	*ret = layers;
	*ret_n = n;
	return 0;
}

void
scratch_layers_free(struct scratch_layer *layers, size_t n)
{
	for (size_t i = 0; layers && i < n; i++) {
		free(layers[i].dir);
		(void)fd_close(layers[i].mount_fd);
		(void)fd_close(layers[i].upper_fd);
	}
	free(layers);
}

struct walk {
	size_t *n;
	struct strv *paths;
};

static int
walk_entry(struct walk *walk, int dir_fd, const char *path, const char *name, bool *ret_dir,
	   struct err *err)
{
	auto_free char *full = NULL;
	struct stat st, host;

	*ret_dir = false;
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_set(err, ZE_IO, errno, "look at '%s/%s'", path, name);
	if (S_ISDIR(st.st_mode)) {
		*ret_dir = true;
		return 0;
	}
	if (S_ISCHR(st.st_mode)) /* a whiteout: a script removed a file of the host */
		return 0;
	if (asprintf(&full, "%s/%s", path, name) < 0)
		return err_nomem(err);
	if (lstat(full, &host) == 0)
		return 0;
	++*walk->n;
	if (walk->paths && walk->paths->n < PATHS_MAX && strv_add(walk->paths, full) < 0)
		return err_nomem(err);
	return 0;
}

/* Takes @fd. */
static int
walk_dir(struct walk *walk, int fd, const char *path, unsigned depth, struct err *err)
{
	auto_closedir DIR *dir = fdopendir(fd);
	struct dirent *de;
	bool is_dir;
	int r;

	if (!dir) {
		r = err_set(err, ZE_IO, errno, "read '%s'", path);
		(void)fd_close(fd);
		return r;
	}
	while ((de = readdir(dir))) {
		auto_free char *sub = NULL;
		int sub_fd;

		if (strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0)
			continue;
		r = walk_entry(walk, dirfd(dir), path, de->d_name, &is_dir, err);
		if (r < 0)
			return r;
		if (!is_dir || depth == DEPTH_MAX)
			continue;
		if (asprintf(&sub, "%s/%s", path, de->d_name) < 0)
			return err_nomem(err);
		sub_fd =
		    openat(dirfd(dir), de->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (sub_fd < 0)
			return err_set(err, ZE_IO, errno, "open '%s'", sub);
		r = walk_dir(walk, sub_fd, sub, depth + 1, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int
scratch_layer_new_files(const struct scratch_layer *layer, size_t *ret_n, struct strv *paths,
			struct err *err)
{
	struct walk walk = {.n = ret_n, .paths = paths};
	int fd = openat(layer->upper_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, ZE_IO, errno, "open what was written below '%s'", layer->dir);
	return walk_dir(&walk, fd, layer->dir, 0, err);
}

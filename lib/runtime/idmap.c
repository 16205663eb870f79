/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ids of zones on the host: which 65,536 a zone gets, and user namespaces that map them. A range
 * belongs to a name for as long as /run/zones/NAME/idmap is there, so that what is left of a
 * crashed zone keeps its ids to itself.
 */
#include "runtime/runtime_priv.h"

#include "base/err.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Slots of RUNTIME_IDS ids each: 524288 / 65536 up to 1879048191 / 65536. */
#define SLOT_FIRST 8u
#define SLOT_LAST  0x6fffu
#define SLOT_COUNT (SLOT_LAST - SLOT_FIRST + 1)

#define ID_FILE_MAX (16u << 20)

struct slots {
	unsigned char taken[SLOT_LAST + 1];
};

static void
slots_take(struct slots *slots, uint64_t first, uint64_t count)
{
	uint64_t last = count ? first + count - 1 : first;

	if (last < first)
		last = UINT64_MAX;
	for (uint64_t slot = first / RUNTIME_IDS; slot <= last / RUNTIME_IDS && slot <= SLOT_LAST;
	     slot++)
		slots->taken[slot] = 1;
}

/*
 * Read a file of colon-separated lines in which field @id is an id and field @count, when it is not
 * 0, how many follow it. A file that is not there takes nothing; a field that is no number is
 * skipped, as its other readers do.
 */
static int
slots_take_file(struct slots *slots, const char *path, unsigned id, unsigned count, struct err *err)
{
	auto_free char *text = NULL;
	char *line, *field, *save_line, *save_field;
	uint64_t first, n;
	size_t size;
	int r;

	r = path_file_read(path, ID_FILE_MAX, &text, &size, err);
	if (r == -ZE_NOENT) {
		err_clear(err);
		return 0;
	}
	if (r < 0)
		return r;
	for (line = strtok_r(text, "\n", &save_line); line;
	     line = strtok_r(NULL, "\n", &save_line)) {
		first = UINT64_MAX;
		n = 1;
		save_field = line;
		for (unsigned i = 0; (field = strsep(&save_field, ":")); i++) {
			if (i == id && str_to_u64(field, UINT32_MAX, &first, NULL) < 0)
				break;
			if (count && i == count && str_to_u64(field, UINT32_MAX, &n, NULL) < 0)
				n = 1;
		}
		if (first != UINT64_MAX)
			slots_take(slots, first, n);
	}
	return 0;
}

static int
record_read(const char *name, uint32_t *ret_base, struct err *err)
{
	auto_free char *path = NULL, *text = NULL;
	uint64_t base;
	size_t size;
	int r;

	if (asprintf(&path, RUNTIME_DIR "/%s/idmap", name) < 0) {
		path = NULL; /* undefined after a failure */
		return err_nomem(err);
	}
	r = path_file_read(path, 64, &text, &size, err);
	if (r < 0)
		return r;
	text[strcspn(text, "\n")] = '\0';
	if (str_to_u64(text, (uint64_t)SLOT_LAST * RUNTIME_IDS, &base, NULL) < 0 ||
	    base % RUNTIME_IDS || base / RUNTIME_IDS < SLOT_FIRST)
		return err_set(err, ZE_FORMAT, 0, "'%s' holds no range of ids", path);
	*ret_base = (uint32_t)base;
	return 0;
}

/* The ranges of other zones. One that cannot be read might be any: no ids are given out beside it.
 */
static int
slots_take_zones(struct slots *slots, struct err *err)
{
	auto_closedir DIR *dir = opendir(RUNTIME_DIR);
	struct dirent *de;
	uint32_t base;
	int r;

	if (!dir)
		return err_set(err, ZE_IO, errno, "open '" RUNTIME_DIR "'");
	while ((de = readdir(dir))) {
		if (de->d_name[0] == '.' || de->d_type != DT_DIR)
			continue;
		r = record_read(de->d_name, &base, err);
		if (r == 0)
			slots_take(slots, base, RUNTIME_IDS);
		else if (r != -ZE_NOENT)
			return err_add(err,
				       "the ids of zone '%s' are not known; halt it, or "
				       "remove the file if nothing of it runs",
				       de->d_name);
	}
	err_clear(err);
	return 0;
}

/* systemd-nspawn notes each base that it uses as a file name here. */
static void
slots_take_nspawn(struct slots *slots)
{
	auto_closedir DIR *dir = opendir("/run/systemd/nspawn-uid");
	struct dirent *de;
	uint64_t base;

	if (!dir)
		return;
	while ((de = readdir(dir))) {
		if (str_to_u64(de->d_name, UINT32_MAX, &base, NULL) == 0)
			slots_take(slots, base, RUNTIME_IDS);
	}
}

static int
slot_choose(const char *name, uint32_t *ret_slot, struct err *err)
{
	static const struct {
		const char *path;
		unsigned id, count;
	} files[] = {
	    {"/etc/passwd", 2, 0},
	    {"/etc/group", 2, 0},
	    {"/etc/subuid", 1, 2},
	    {"/etc/subgid", 1, 2},
	};
	auto_free struct slots *slots = calloc(1, sizeof(*slots));
	uint32_t hash = 2166136261u, slot;
	int r;

	if (!slots)
		return err_nomem(err);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		r = slots_take_file(slots, files[i].path, files[i].id, files[i].count, err);
		if (r < 0)
			return r;
	}
	slots_take_nspawn(slots);
	r = slots_take_zones(slots, err);
	if (r < 0)
		return r;
	for (const char *p = name; *p; p++)
		hash = (hash ^ (unsigned char)*p) * 16777619u;
	for (uint32_t i = 0; i < SLOT_COUNT; i++) {
		slot = SLOT_FIRST + (hash + i) % SLOT_COUNT;
		if (!slots->taken[slot]) {
			*ret_slot = slot;
			return 0;
		}
	}
	return err_set(err, ZE_BUSY, 0,
		       "no free range of %u ids between %u and %u; see /etc/subuid and /etc/subgid",
		       RUNTIME_IDS, SLOT_FIRST * RUNTIME_IDS, SLOT_LAST * RUNTIME_IDS);
}

int
runtime_idmap_alloc(const char *name, uint32_t *ret_base, struct err *err)
{
	auto_close int dir_fd = -EBADF, lock_fd = -EBADF;
	char text[16];
	uint32_t slot;
	int r;

	dir_fd = runtime_dir_open(name, err);
	if (dir_fd < 0)
		return dir_fd;
	lock_fd = runtime_lock(err);
	if (lock_fd < 0)
		return lock_fd;
	if (record_read(name, ret_base, err) == 0)
		return 0;
	/* Whatever it held: nothing of this zone lives now, or it would not be given ids. */
	(void)runtime_idmap_release(name, NULL);
	err_clear(err);
	r = slot_choose(name, &slot, err);
	if (r < 0)
		return err_add(err, "ids for zone '%s'", name);
	(void)snprintf(text, sizeof(text), "%u\n", slot * RUNTIME_IDS);
	r = path_file_replace_at(dir_fd, "idmap", text, strlen(text), 0600, err);
	if (r < 0)
		return err_add(err, "ids for zone '%s'", name);
	*ret_base = slot * RUNTIME_IDS;
	return 0;
}

int
runtime_idmap_release(const char *name, struct err *err)
{
	auto_free char *path = NULL;

	if (asprintf(&path, RUNTIME_DIR "/%s/idmap", name) < 0) {
		path = NULL; /* undefined after a failure */
		return err_nomem(err);
	}
	if (unlink(path) < 0 && errno != ENOENT)
		return err_set(err, ZE_IO, errno, "remove '%s'", path);
	return 0;
}

int
runtime_idmap_write(pid_t pid, uint32_t base, struct err *err)
{
	static const char *const files[] = {"uid_map", "gid_map"};
	char path[48], line[48];
	int n;

	n = snprintf(line, sizeof(line), "0 %u %u\n", base, RUNTIME_IDS);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		auto_close int fd = -EBADF;

		(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, files[i]);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0 || fd_write_all(fd, line, (size_t)n) < 0)
			return err_set(err, ZE_IO, errno, "write '%s'", path);
	}
	return 0;
}

pid_t
runtime_clone(const struct clone_args *args)
{
	return (pid_t)syscall(SYS_clone3, args, sizeof(*args));
}

int
runtime_userns_make(uint32_t base, struct err *err)
{
	auto_close int pid_fd = -EBADF;
	struct clone_args args = {
	    .flags = CLONE_NEWUSER | CLONE_PIDFD,
	    .pidfd = (uint64_t)(uintptr_t)&pid_fd,
	};
	pid_t pid, parent = getpid();
	siginfo_t info;
	char path[32];
	int fd = -EBADF, r;

	pid = fault_point("userns") ? -1 : runtime_clone(&args);
	if (pid < 0)
		return err_set(err, ZE_IO, errno, "make a user namespace");
	if (pid == 0) {
		/* Else it would outlive a parent that is killed, with all its locks. */
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
			_exit(1);
		for (;;)
			(void)syscall(SYS_pause);
	}
	r = runtime_idmap_write(pid, base, err);
	if (r == 0) {
		(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			r = err_set(err, ZE_IO, errno, "open '%s'", path);
	}
	(void)kill(pid, SIGKILL); /* our own child, not yet waited for: the number is its */
	while (waitid(P_PID, (id_t)pid, &info, WEXITED | __WALL) < 0 && errno == EINTR)
		;
	return r < 0 ? r : fd;
}

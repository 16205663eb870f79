/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The records in /run/zones: what each live zone is made of, written before it is made. The kernel
 * has the last word: a record whose process is gone means a zone that is gone.
 *
 * /run/zones/NAME/state holds lines of KEY=VALUE, each key once, replaced whole. Readers refuse a
 * record with a key they do not know, so that an old program never enters a zone that a newer one
 * has made. A zone whose record is refused is still a zone: if anything lives in its cgroup it is
 * down, and to be halted; else it does not run.
 */
#include "runtime/runtime_priv.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define RECORD_MAX 65536

enum field_kind {
	FIELD_TEXT,
	FIELD_NUMBER,
};

static const struct field {
	const char *key;
	enum field_kind kind;
	size_t offset;
	uint64_t max; /* of a number; of a text, its room */
} fields[] = {
#define TEXT(f)                                                                                    \
	{                                                                                          \
#f, FIELD_TEXT, offsetof(struct runtime_record, f),                                \
		    sizeof(((struct runtime_record *)0)->f)                                        \
	}
#define NUMBER(f, max)                                                                             \
	{                                                                                          \
#f, FIELD_NUMBER, offsetof(struct runtime_record, f), max                          \
	}
    TEXT(state),
    TEXT(cgroup),
    TEXT(cgroup_home),
    TEXT(cgroup2),
    TEXT(hierarchies1),
    TEXT(shared1),
    TEXT(filter),
    NUMBER(id, RUNTIME_ID_MAX),
    NUMBER(init_pid, INT32_MAX),
    NUMBER(init_start, UINT64_MAX),
    NUMBER(daemon_pid, INT32_MAX),
    NUMBER(daemon_start, UINT64_MAX),
    NUMBER(id_base, UINT32_MAX),
    NUMBER(id_owner, UINT32_MAX),
    NUMBER(caps, UINT64_MAX),
    NUMBER(core_pinned, 1),
    NUMBER(memlock_bytes, UINT64_MAX),
#undef TEXT
#undef NUMBER
};

#define N_FIELDS (sizeof(fields) / sizeof(fields[0]))

int
runtime_dir_open(const char *name, struct err *err)
{
	static const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	auto_free char *path = NULL;
	int fd;

	if (asprintf(&path, RUNTIME_DIR "/%s", name) < 0) {
		path = NULL; /* undefined after a failure */
		return err_nomem(err);
	}
	fd = open(path, flags);
	if (fd < 0 && errno == ENOENT) {
		if ((mkdir(RUNTIME_DIR, 0700) < 0 && errno != EEXIST) ||
		    (mkdir(path, 0700) < 0 && errno != EEXIST))
			return err_set(err, ZE_IO, errno, "make directory '%s'", path);
		fd = open(path, flags);
	}
	if (fd < 0)
		return err_set(err, ZE_IO, errno, "open '%s'", path);
	return fd;
}

int
runtime_lock(struct err *err)
{
	auto_close int fd = -EBADF;
	int r;

	fd = open(RUNTIME_DIR "/.lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(err, ZE_IO, errno, "open '" RUNTIME_DIR "/.lock'");
	do {
		r = flock(fd, LOCK_EX);
	} while (r < 0 && errno == EINTR);
	if (r < 0)
		return err_set(err, ZE_IO, errno, "lock '" RUNTIME_DIR "/.lock'");
	return fd_take(&fd);
}

static int
field_set(const struct field *field, const char *value, struct runtime_record *rec)
{
	char *at = (char *)rec + field->offset;
	size_t len = strlen(value);

	if (field->kind == FIELD_NUMBER)
		return str_to_u64(value, field->max, (uint64_t *)(void *)at, NULL);
	if (len >= field->max)
		return -ZE_FORMAT;
	memcpy(at, value, len + 1);
	return 0;
}

static const struct field *
field_find(const char *key)
{
	for (size_t i = 0; i < N_FIELDS; i++) {
		if (!strcmp(fields[i].key, key))
			return &fields[i];
	}
	return NULL;
}

int
runtime_record_parse(const char *name, char *text, struct runtime_record *ret, struct err *err)
{
	struct runtime_record rec = {0};
	bool seen[N_FIELDS] = {false};
	const struct field *field;
	enum zone_state state;
	char *line, *value;
	unsigned number = 0;

	while ((line = strsep(&text, "\n"))) {
		number++;
		if (!*line && !text)
			break;
		value = strchr(line, '=');
		if (value)
			*value++ = '\0';
		field = field_find(line);
		if (!value || !field || seen[field - fields] || field_set(field, value, &rec) < 0)
			return err_set(err, ZE_FORMAT, 0,
				       "record of zone '%s': line %u is not as it must be", name,
				       number);
		seen[field - fields] = true;
	}
	for (size_t i = 0; i < N_FIELDS; i++) {
		if (!seen[i])
			return err_set(err, ZE_FORMAT, 0, "record of zone '%s': no '%s'", name,
				       fields[i].key);
	}
	if (zone_state_parse(rec.state, &state, NULL) < 0 || state < ZONE_STATE_READY ||
	    state > ZONE_STATE_DOWN || rec.id < 1)
		return err_set(err, ZE_FORMAT, 0, "record of zone '%s': bad state '%s' or ID", name,
			       rec.state);
	*ret = rec;
	return 0;
}

int
runtime_record_read(const char *name, struct runtime_record *ret, struct err *err)
{
	auto_free char *path = NULL, *text = NULL;
	size_t size;
	int r;

	if (asprintf(&path, RUNTIME_DIR "/%s/state", name) < 0) {
		path = NULL; /* undefined after a failure */
		return err_nomem(err);
	}
	r = path_file_read(path, RECORD_MAX, &text, &size, err);
	if (r == -ZE_IO && errno == EACCES)
		return err_set(err, ZE_PERM, errno, "open '%s'", path);
	if (r < 0)
		return r;
	if (strlen(text) != size)
		return err_set(err, ZE_FORMAT, 0, "'%s' holds a NUL", path);
	return runtime_record_parse(name, text, ret, err);
}

int
runtime_record_write(const char *name, const struct runtime_record *rec, struct err *err)
{
	auto_close int dir_fd = -EBADF;
	auto_str struct str text = {0};
	const char *at;
	uint64_t number;
	int r = 0;

	for (size_t i = 0; i < N_FIELDS && r == 0; i++) {
		at = (const char *)rec + fields[i].offset;
		memcpy(&number, at, sizeof(number));
		if (fields[i].kind == FIELD_NUMBER)
			r = str_addf(&text, "%s=%llu\n", fields[i].key, (unsigned long long)number);
		else
			r = str_addf(&text, "%s=%s\n", fields[i].key, at);
	}
	if (r < 0)
		return err_nomem(err);
	dir_fd = runtime_dir_open(name, err);
	if (dir_fd < 0)
		return dir_fd;
	r = path_file_replace_at(dir_fd, "state", text.s, text.len, 0600, err);
	if (r < 0)
		return err_add(err, "record of zone '%s'", name);
	return 0;
}

/* The same for a zone whose record does not tell where its cgroup is. */
static bool
somewhere_populated(const char *name)
{
	static const char *const parents[] = {"/sys/fs/cgroup/zones", "/sys/fs/cgroup/zones.slice",
					      "/sys/fs/cgroup/unified/zones",
					      "/sys/fs/cgroup/unified/zones.slice"};

	for (size_t i = 0; i < sizeof(parents) / sizeof(parents[0]); i++)
		if (cgroup_populated(parents[i], name))
			return true;
	return false;
}

static bool
process_lives(uint64_t pid, uint64_t start)
{
	auto_close int fd = -EBADF;

	if (!pid)
		return false;
	fd = proc_open((pid_t)pid, start, NULL);
	return fd >= 0;
}

int
runtime_status(const char *name, struct runtime_status *ret, struct err *err)
{
	struct runtime_status status = {0};
	struct runtime_record rec;
	int r;

	(void)snprintf(status.name, sizeof(status.name), "%s", name);
	r = runtime_record_read(name, &rec, err);
	if (r == -ZE_FORMAT && somewhere_populated(name)) {
		err_clear(err);
		status.state = ZONE_STATE_DOWN;
		status.id = -1;
		*ret = status;
		return 0;
	}
	if (r == -ZE_NOENT || r == -ZE_FORMAT)
		return err_set(err, ZE_NOENT, 0, "zone '%s' is not running", name);
	if (r < 0)
		return r;
	(void)zone_state_parse(rec.state, &status.state, NULL); /* the reader has checked it */
	if (!process_lives(rec.init_pid, rec.init_start)) {
		if (!cgroup_populated(rec.cgroup2, rec.cgroup))
			return err_set(err, ZE_NOENT, 0, "zone '%s' is not running", name);
		status.state = ZONE_STATE_DOWN;
	}
	status.id = (int)rec.id;
	status.init_pid = (pid_t)rec.init_pid;
	status.init_start = rec.init_start;
	status.daemon_alive = process_lives(rec.daemon_pid, rec.daemon_start);
	*ret = status;
	return 0;
}

static int
status_by_id(const void *a, const void *b)
{
	const struct runtime_status *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

int
runtime_list(struct runtime_status **ret, size_t *ret_n, struct err *err)
{
	auto_free struct runtime_status *list = NULL;
	auto_closedir DIR *dir = NULL;
	struct runtime_status *bigger;
	struct dirent *de;
	size_t n = 0, room = 0;
	int r;

	dir = opendir(RUNTIME_DIR);
	if (!dir && errno != ENOENT)
		return err_set(err, errno == EACCES ? ZE_PERM : ZE_IO, errno,
			       "open '" RUNTIME_DIR "'");
	while (dir && (de = readdir(dir))) {
		/* Files of another kind, such as the index's lock, have names of zones too. */
		if (de->d_type != DT_DIR || config_name_check(de->d_name, NULL) < 0)
			continue;
		if (n == room) {
			room = room ? room * 2 : 16;
			bigger = reallocarray(list, room, sizeof(*list));
			if (!bigger)
				return err_nomem(err);
			list = bigger;
		}
		r = runtime_status(de->d_name, &list[n], err);
		if (r == 0)
			n++;
		else if (r != -ZE_NOENT)
			return r;
	}
	err_clear(err);
	if (n > 1)
		qsort(list, n, sizeof(*list), status_by_id);
	*ret = ptr_take(&list);
	*ret_n = n;
	return 0;
}

int
runtime_id_alloc(uint64_t *ret_id, struct err *err)
{
	auto_free struct runtime_status *live = NULL;
	auto_free char *text = NULL;
	auto_close int lock_fd = -EBADF;
	char line[16];
	uint64_t last = 0, id;
	size_t n, size, i;
	int r;

	lock_fd = runtime_lock(err);
	if (lock_fd < 0)
		return lock_fd;
	r = runtime_list(&live, &n, err);
	if (r < 0)
		return r;
	if (path_file_read(RUNTIME_DIR "/.last_id", 16, &text, &size, NULL) == 0 &&
	    str_to_u64(text, RUNTIME_ID_MAX, &last, NULL) < 0)
		last = 0; /* an unreadable counter only costs its memory of old numbers */
	for (unsigned tries = 0; tries < RUNTIME_ID_MAX; tries++) {
		id = 1 + (last + tries) % RUNTIME_ID_MAX;
		for (i = 0; i < n && (uint64_t)live[i].id != id; i++)
			;
		if (i < n)
			continue;
		(void)snprintf(line, sizeof(line), "%llu", (unsigned long long)id);
		r = path_file_replace(RUNTIME_DIR "/.last_id", line, strlen(line), 0600, err);
		if (r == 0)
			*ret_id = id;
		return r;
	}
	return err_set(err, ZE_BUSY, 0, "all %u zone IDs are in use", RUNTIME_ID_MAX);
}

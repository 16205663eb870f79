/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index of zones: one line a zone, "name:state:zonepath:uuid". Readers need no lock, because
 * the file is only ever replaced whole; writers hold the index lock. What a rewrite does not
 * understand (comments, malformed lines, fields behind the UUID) it copies.
 *
 * Source: reference of the index format in docs/differences-from-solaris.md.
 */
#include "config/config_priv.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <unistd.h>

#define LINE_MAX_BYTES 2048
#define PATH_MAX_BYTES 1023

static const char index_start[] = "# Zones of this system. Change it with zonecfg and zoneadm.\n"
				  "global:installed:/\n";

struct slice {
	const char *p;
	size_t len;
};

/* One line, cut into its fields. */
struct index_line {
	struct slice name, path, uuid, rest;
	enum zone_state state;
};

static struct slice
next_field(struct slice *line)
{
	const char *colon = memchr(line->p, ':', line->len);
	struct slice field = {line->p, colon ? (size_t)(colon - line->p) : line->len};

	line->p += field.len + (colon ? 1 : 0);
	line->len -= field.len + (colon ? 1 : 0);
	return field;
}

/* A path that contains ':' stands in double quotes. */
static int
next_path(struct slice *line, struct slice *ret)
{
	const char *quote;

	if (line->len == 0 || *line->p != '"') {
		*ret = next_field(line);
	} else {
		quote = memchr(line->p + 1, '"', line->len - 1);
		if (!quote)
			return -1;
		*ret = (struct slice){line->p + 1, (size_t)(quote - line->p - 1)};
		line->len -= ret->len + 2;
		line->p = quote + 1;
		if (line->len > 0 && *line->p != ':')
			return -1;
		(void)next_field(line);
	}
	if (ret->len == 0 || ret->len > PATH_MAX_BYTES || *ret->p != '/')
		return -1;
	for (size_t i = 0; i < ret->len; i++)
		if ((unsigned char)ret->p[i] < 0x20 || ret->p[i] == 0x7f)
			return -1;
	return 0;
}

static bool
slice_is(const struct slice *slice, const char *s)
{
	return strlen(s) == slice->len && !memcmp(slice->p, s, slice->len);
}

static bool
is_uuid(const struct slice *s)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	if (s->len != CONFIG_UUID_LEN)
		return false;
	for (size_t i = 0; i < s->len; i++)
		if (form[i] == '-' ? s->p[i] != '-'
				   : !s->p[i] || !strchr("0123456789abcdefABCDEF", s->p[i]))
			return false;
	return true;
}

/* Returns -1 for comments and lines that cannot be read. */
static int
parse_line(const char *text, size_t len, struct index_line *ret)
{
	static const enum zone_state states[] = {ZONE_STATE_CONFIGURED, ZONE_STATE_INCOMPLETE,
						 ZONE_STATE_INSTALLED};
	struct slice left = {text, len}, state;
	char name[CONFIG_NAME_MAX + 1];
	size_t i;

	if (len == 0 || len > LINE_MAX_BYTES || *text == '#')
		return -1;
	*ret = (struct index_line){.name = next_field(&left)};
	if (ret->name.len > CONFIG_NAME_MAX || memchr(ret->name.p, '\0', ret->name.len))
		return -1;
	memcpy(name, ret->name.p, ret->name.len);
	name[ret->name.len] = '\0';
	if (config_name_check(name, NULL) < 0)
		return -1;
	state = next_field(&left);
	for (i = 0; i < 3; i++)
		if (slice_is(&state, zone_state_name(states[i])))
			break;
	if (i == 3 || next_path(&left, &ret->path) < 0)
		return -1;
	ret->state = states[i];
	ret->uuid = next_field(&left);
	ret->rest = left;
	if (!is_uuid(&ret->uuid))
		ret->uuid.len = 0;
	return 0;
}

/* The line at *@pos, without its newline; moves *@pos behind it. */
static struct slice
next_line(const char *text, size_t size_bytes, size_t *pos)
{
	const char *start = text + *pos, *end = memchr(start, '\n', size_bytes - *pos);
	struct slice line = {start, end ? (size_t)(end - start) : size_bytes - *pos};

	*pos += line.len + (end ? 1 : 0);
	return line;
}

/* ---- reading */

/* A set of the names seen so far: positions in the entries, by the hash of the name. */
struct name_set {
	size_t *slots; /* position + 1; 0 is free */
	size_t room;   /* a power of two, at least twice the number of lines */
};

/* Returns false when the name is in the set already. */
static bool
name_set_add(struct name_set *set, const struct config_entry *entries, size_t position)
{
	uint64_t hash = 14695981039346656037u; /* FNV-1a */
	size_t slot;

	for (const char *p = entries[position].name; *p; p++)
		hash = (hash ^ (unsigned char)*p) * 1099511628211u;
	slot = (hash ^ hash >> 32) & (set->room - 1);
	for (; set->slots[slot]; slot = (slot + 1) & (set->room - 1))
		if (!strcmp(entries[set->slots[slot] - 1].name, entries[position].name))
			return false;
	set->slots[slot] = position + 1;
	return true;
}

static int
entry_fill(struct config_entry *entry, const struct index_line *line)
{
	*entry = (struct config_entry){.state = line->state};
	memcpy(entry->name, line->name.p, line->name.len);
	memcpy(entry->uuid, line->uuid.p, line->uuid.len);
	entry->zonepath = strndup(line->path.p, line->path.len);
	return entry->zonepath ? 0 : -1;
}

static size_t
count_lines(const char *text, size_t size_bytes)
{
	size_t n = 1;

	for (const char *p = text; (p = memchr(p, '\n', size_bytes - (size_t)(p - text))); p++)
		n++;
	return n;
}

static int
parse_entries(const char *text, size_t size_bytes, struct config_index *index,
	      struct name_set *names, struct err *err)
{
	struct config_entry entry;
	struct index_line fields;
	struct slice line;

	for (size_t pos = 0; pos < size_bytes;) {
		line = next_line(text, size_bytes, &pos);
		if (parse_line(line.p, line.len, &fields) < 0)
			continue;
		if (entry_fill(&entry, &fields) < 0)
			return err_nomem(err);
		/* The global zone has the first place, wherever its line is. */
		if (!strcmp(entry.name, "global")) {
			memcpy(index->entries[0].uuid, entry.uuid, sizeof(entry.uuid));
			free(entry.zonepath);
			continue;
		}
		index->entries[index->n] = entry;
		if (name_set_add(names, index->entries, index->n))
			index->n++;
		else
			free(entry.zonepath);
	}
	return 0;
}

int
config_index_parse(const char *text, size_t size_bytes, struct config_index *ret, struct err *err)
{
	size_t lines = count_lines(text, size_bytes);
	auto_index struct config_index index = {0};
	auto_free size_t *slots = NULL;
	struct name_set names = {.room = 16};
	int r;

	while (names.room < 2 * lines + 2)
		names.room *= 2;
	slots = calloc(names.room, sizeof(*slots));
	index.entries = calloc(lines + 1, sizeof(*index.entries));
	if (!slots || !index.entries)
		return err_nomem(err);
	names.slots = slots;
	index.entries[0] = (struct config_entry){.name = "global", .state = ZONE_STATE_INSTALLED};
	index.n = 1;
	index.entries[0].zonepath = strdup("/");
	if (!index.entries[0].zonepath)
		return err_nomem(err);
	r = parse_entries(text, size_bytes, &index, &names, err);
	if (r < 0)
		return r;
	*ret = index;
	index = (struct config_index){0};
	return 0;
}

static int
index_path(const char *root, char **ret, struct err *err)
{
	if (asprintf(ret, "%s" CONFIG_DIR "/index", root) < 0) {
		*ret = NULL;
		return err_nomem(err);
	}
	return 0;
}

/* The text of the file; *@ret is NULL when there is none. */
static int
index_read(const char *root, char **ret, size_t *ret_size_bytes, struct err *err)
{
	auto_free char *path = NULL;
	int r;

	r = index_path(root, &path, err);
	if (r < 0)
		return r;
	r = path_file_read(path, CONFIG_FILE_MAX_BYTES, ret, ret_size_bytes, err);
	if (r == -ZE_NOENT) {
		err_clear(err);
		*ret = NULL;
		*ret_size_bytes = 0;
		return 0;
	}
	return r;
}

int
config_index_load(const char *root, struct config_index *ret, struct err *err)
{
	auto_free char *text = NULL;
	size_t size;
	int r;

	r = index_read(root, &text, &size, err);
	return r < 0 ? r : config_index_parse(text ? text : "", size, ret, err);
}

void
config_index_free(struct config_index *index)
{
	int saved_errno = errno;

	for (size_t i = 0; i < index->n; i++)
		free(index->entries[i].zonepath);
	free(index->entries);
	*index = (struct config_index){0};
	errno = saved_errno;
}

const struct config_entry *
config_index_find(const struct config_index *index, const char *name)
{
	for (size_t i = 0; i < index->n; i++)
		if (!strcmp(index->entries[i].name, name))
			return &index->entries[i];
	return NULL;
}

const struct config_entry *
config_index_find_uuid(const struct config_index *index, const char *uuid)
{
	for (size_t i = 0; i < index->n; i++)
		if (*index->entries[i].uuid && !strcasecmp(index->entries[i].uuid, uuid))
			return &index->entries[i];
	return NULL;
}

/* ---- changing */

static int
uuid_make(char ret[CONFIG_UUID_LEN + 1], struct err *err)
{
	unsigned char b[16];

	if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
		return err_set(err, ZE_IO, errno, "get random bytes for a UUID");
	b[6] = (b[6] & 0x0f) | 0x40;
	b[8] = (b[8] & 0x3f) | 0x80;
	(void)snprintf(ret, CONFIG_UUID_LEN + 1,
		       "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
		       b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
		       b[13], b[14], b[15]);
	return 0;
}

static int
line_write(struct str *out, const struct config_index_change *change, const struct index_line *line,
	   struct err *err)
{
	enum zone_state state = change->state ? *change->state
				: line        ? line->state
					      : ZONE_STATE_CONFIGURED;
	const char *name = change->new_name ? change->new_name : change->name;
	struct slice path = {0}, uuid = {0};
	char new_uuid[CONFIG_UUID_LEN + 1];
	const char *quote;
	int r;

	if (line) {
		path = line->path;
		uuid = line->uuid;
	}
	if (change->zonepath)
		path = (struct slice){change->zonepath, strlen(change->zonepath)};
	if (state == ZONE_STATE_CONFIGURED) {
		uuid.len = 0;
	} else if (uuid.len == 0) {
		r = uuid_make(new_uuid, err);
		if (r < 0)
			return r;
		uuid = (struct slice){new_uuid, CONFIG_UUID_LEN};
	}
	quote = path.len > 0 && memchr(path.p, ':', path.len) ? "\"" : "";
	if (str_addf(out, "%s:%s:%s%.*s%s:%.*s", name, zone_state_name(state), quote, (int)path.len,
		     path.len ? path.p : "", quote, (int)uuid.len, uuid.len ? uuid.p : "") < 0 ||
	    (line && line->rest.len > 0 &&
	     str_addf(out, ":%.*s", (int)line->rest.len, line->rest.p) < 0) ||
	    str_add(out, "\n", 1) < 0)
		return err_nomem(err);
	return 0;
}

int
config_index_edit(const char *text, size_t size_bytes, const struct config_index_change *change,
		  struct str *ret, bool *ret_changed, struct err *err)
{
	struct index_line fields;
	bool found = false, readable;
	struct slice line;
	size_t zones = 0;
	int r = 0;

	for (size_t pos = 0; r == 0 && pos < size_bytes;) {
		line = next_line(text, size_bytes, &pos);
		readable = parse_line(line.p, line.len, &fields) == 0;
		zones += readable && !slice_is(&fields.name, "global");
		if (!readable || !slice_is(&fields.name, change->name) ||
		    (found && !change->remove)) {
			if (str_add(ret, line.p, line.len) < 0 || str_add(ret, "\n", 1) < 0)
				r = err_nomem(err);
			continue;
		}
		found = true;
		if (!change->remove)
			r = line_write(ret, change, &fields, err);
	}
	if (r == 0 && !found && change->add && zones >= CONFIG_ZONES_MAX)
		r = err_set(err, ZE_INVAL, 0,
			    "this host has %d zones already, and no more are possible; delete one "
			    "first",
			    CONFIG_ZONES_MAX);
	else if (r == 0 && !found && change->add)
		r = line_write(ret, change, NULL, err);
	else if (r == 0 && !found)
		r = err_set(err, ZE_NOENT, 0, "%s: No such zone configured", change->name);
	if (r == 0)
		*ret_changed = ret->len != size_bytes ||
			       (size_bytes > 0 && memcmp(ret->s, text, size_bytes) != 0);
	return r;
}

int
config_dir_open(const char *root, bool create, struct err *err)
{
	auto_free char *dir = NULL;
	int fd, r;

	if (asprintf(&dir, "%s" CONFIG_DIR, root) < 0) {
		dir = NULL;
		return err_nomem(err);
	}
	if (create) {
		r = path_mkdir_p(dir, 0755, err);
		if (r < 0)
			return r;
	}
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, errno == ENOENT ? ZE_NOENT : ZE_IO, errno, "open '%s'", dir);
	return fd;
}

int
config_index_change(const char *root, const struct config_index_change *change, struct err *err)
{
	auto_free char *text = NULL;
	auto_str struct str edited = {0};
	auto_close int dir_fd = -EBADF;
	bool changed = false, missing;
	size_t size;
	int r;

	r = index_read(root, &text, &size, err);
	if (r < 0)
		return r;
	missing = !text;
	r = config_index_edit(missing ? index_start : text,
			      missing ? sizeof(index_start) - 1 : size, change, &edited, &changed,
			      err);
	if (r < 0 || (!changed && !missing))
		return r;
	dir_fd = config_dir_open(root, true, err);
	if (dir_fd < 0)
		return dir_fd;
	r = path_file_replace_at(dir_fd, "index", edited.s, edited.len, 0644, err);
	return r < 0 ? err_add(err, "index of zones") : 0;
}

int
config_set_state(const char *root, const char *name, enum zone_state state, struct err *err)
{
	struct config_index_change change = {.name = name, .state = &state};
	auto_lock struct config_lock held = {.fd = -EBADF};
	int r;

	if (state > ZONE_STATE_INSTALLED)
		return err_set(err, ZE_INVAL, 0, "state '%s' is not kept in the index",
			       zone_state_name(state));
	if (!strcmp(name, "global"))
		return err_set(err, ZE_INVAL, 0, "the state of the global zone does not change");
	r = config_lock_index(root, &held, err);
	if (r == 0)
		r = config_index_change(root, &change, err);
	return r;
}

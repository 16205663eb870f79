/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configurations on disk. A save is: the new document beside the old, a link to the old as backup,
 * rename, the line of the index, and the backup gone. When the index cannot be written the backup
 * is put back, so that document and index always agree. All of it happens under the index lock,
 * which is why the names of temporary and backup may be fixed: what a killed process left is
 * overwritten by the next save.
 */
#include "config/config_priv.h"

#include "base/err.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int
config_load_file(const char *path, struct config **ret, struct err *err)
{
	auto_free char *doc = NULL;
	size_t size;
	int r;

	r = path_file_read(path, CONFIG_FILE_MAX_BYTES, &doc, &size, err);
	if (r < 0)
		return r;
	r = config_xml_parse(doc, size, ret, err);
	return r < 0 ? err_add(err, "%s", path) : 0;
}

int
config_load(const char *root, const char *name, struct config **ret, struct err *err)
{
	auto_config struct config *cfg = NULL;
	auto_free char *path = NULL;
	int r;

	r = config_name_check(name, err);
	if (r < 0)
		return r;
	if (asprintf(&path, "%s" CONFIG_DIR "/%s.xml", root, name) < 0) {
		path = NULL; /* undefined after a failure */
		return err_nomem(err);
	}
	r = config_load_file(path, &cfg, err);
	if (r == -ZE_NOENT)
		return err_set(err, ZE_NOENT, 0, "%s: No such zone configured", name);
	if (r < 0)
		return r;
	if (strcmp(config_zonename(cfg), name) != 0)
		return err_set(err, ZE_FORMAT, 0, "%s: is the configuration of zone '%s'", path,
			       config_zonename(cfg));
	*ret = ptr_take(&cfg);
	return 0;
}

/* The files of one save. */
struct save {
	int dir_fd;
	char *file, *tmp, *backup;
	bool has_backup, renamed;
};

static void
save_free(struct save *save)
{
	if (save->tmp)
		(void)unlinkat(save->dir_fd, save->tmp, 0); /* is not there after success */
	if (save->has_backup)
		(void)unlinkat(save->dir_fd, save->backup, 0); /* the next save overwrites it */
	free(save->file);
	free(save->tmp);
	free(save->backup);
	save->dir_fd = fd_close(save->dir_fd);
}

static int
save_open(const char *root, const char *name, struct save *save, struct err *err)
{
	if (asprintf(&save->file, "%s.xml", name) < 0) {
		save->file = NULL;
		return err_nomem(err);
	}
	if (asprintf(&save->tmp, ".new.%s.xml", name) < 0) {
		save->tmp = NULL;
		return err_nomem(err);
	}
	if (asprintf(&save->backup, ".backup.%s.xml", name) < 0) {
		save->backup = NULL;
		return err_nomem(err);
	}
	save->dir_fd = config_dir_open(root, true, err);
	return save->dir_fd < 0 ? save->dir_fd : 0;
}

static int
save_write(struct save *save, const struct str *doc, struct err *err)
{
	auto_close int fd = -EBADF;

	(void)unlinkat(save->dir_fd, save->tmp, 0); /* left by a process that was killed */
	if (fault_point("config write"))
		return err_set(err, ZE_IO, errno, "write '%s'", save->file);
	fd = openat(save->dir_fd, save->tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0644);
	if (fd < 0 || fd_write_all(fd, doc->s, doc->len) < 0 || fchmod(fd, 0644) < 0 ||
	    fsync(fd) < 0)
		return err_set(err, errno == EACCES ? ZE_PERM : ZE_IO, errno, "write '%s'",
			       save->file);
	return 0;
}

static int
save_install(struct save *save, struct err *err)
{
	(void)unlinkat(save->dir_fd, save->backup, 0);
	if (linkat(save->dir_fd, save->file, save->dir_fd, save->backup, 0) == 0)
		save->has_backup = true;
	else if (errno != ENOENT)
		return err_set(err, ZE_IO, errno, "back '%s' up", save->file);
	if (fault_point("config rename") ||
	    renameat(save->dir_fd, save->tmp, save->dir_fd, save->file) < 0)
		return err_set(err, ZE_IO, errno, "replace '%s'", save->file);
	save->renamed = true;
	/* On disk before the index says that it is there. */
	if (fsync(save->dir_fd) < 0)
		return err_set(err, ZE_IO, errno, "sync '" CONFIG_DIR "'");
	return 0;
}

/* Undo save_install(); the failure that led here is the one to report. */
static void
save_roll_back(struct save *save)
{
	if (!save->renamed)
		return;
	if (save->has_backup) {
		(void)renameat(save->dir_fd, save->backup, save->dir_fd, save->file);
		save->has_backup = false;
	} else {
		(void)unlinkat(save->dir_fd, save->file, 0);
	}
	(void)fsync(save->dir_fd);
}

static int
remove_document(int dir_fd, const char *name, struct err *err)
{
	auto_free char *file = NULL;

	if (asprintf(&file, "%s.xml", name) < 0) {
		file = NULL;
		return err_nomem(err);
	}
	if (fault_point("config unlink") || (unlinkat(dir_fd, file, 0) < 0 && errno != ENOENT))
		return err_set(err, errno == EACCES ? ZE_PERM : ZE_IO, errno, "remove '%s'", file);
	if (fsync(dir_fd) < 0)
		return err_set(err, ZE_IO, errno, "sync '" CONFIG_DIR "'");
	return 0;
}

/* Whether a zone of that name exists, as a document or as a line of the index. */
static int
name_taken(const char *root, const char *name, const struct save *save, bool *ret, struct err *err)
{
	auto_index struct config_index index = {0};
	struct stat st;
	int r;

	r = config_index_load(root, &index, err);
	if (r == 0)
		*ret = config_index_find(&index, name) ||
		       fstatat(save->dir_fd, save->file, &st, AT_SYMLINK_NOFOLLOW) == 0;
	return r;
}

static int
save_index(const char *root, const struct config *cfg, const char *old_name, struct err *err)
{
	struct config_index_change change = {
	    .name = old_name ? old_name : config_zonename(cfg),
	    .new_name = old_name ? config_zonename(cfg) : NULL,
	    .zonepath = config_zonepath(cfg),
	    .add = true,
	};

	if (!strcmp(change.name, "global"))
		return 0;
	return config_index_change(root, &change, err);
}

static int
save_locked(const char *root, const struct config *cfg, const char *old_name, const struct str *doc,
	    struct err *err)
{
	__attribute__((cleanup(save_free))) struct save save = {.dir_fd = -EBADF};
	bool taken = false;
	int r;

	r = save_open(root, config_zonename(cfg), &save, err);
	if (r == 0 && old_name)
		r = name_taken(root, config_zonename(cfg), &save, &taken, err);
	if (r < 0)
		return r;
	if (taken)
		return err_set(err, ZE_EXIST, 0, "zone '%s' exists already", config_zonename(cfg));
	r = save_write(&save, doc, err);
	if (r < 0)
		return r;
	r = save_install(&save, err);
	if (r == 0)
		r = save_index(root, cfg, old_name, err);
	if (r < 0) {
		save_roll_back(&save);
		return r;
	}
	/* The index has the new name: the zone is renamed, whatever happens to the old document. */
	return old_name ? remove_document(save.dir_fd, old_name, err) : 0;
}

int
config_save(const char *root, const struct config *cfg, const char *old_name, struct err *err)
{
	const char *name = config_zonename(cfg);
	auto_lock struct config_lock held = {.fd = -EBADF};
	auto_str struct str doc = {0};
	int r;

	if (old_name && !strcmp(old_name, name))
		old_name = NULL;
	if (config_name_reserved(name) && (old_name || strcmp(name, "global") != 0))
		return err_set(err, ZE_INVAL, 0, "the zone name '%s' is reserved", name);
	if (!*config_zonepath(cfg) && strcmp(name, "global") != 0)
		return err_set(err, ZE_INVAL, 0, "zonepath: not specified");
	r = config_xml(cfg, &doc, err);
	if (r == 0)
		r = config_lock_index(root, &held, err);
	if (r == 0)
		r = save_locked(root, cfg, old_name, &doc, err);
	return r < 0 ? err_add(err, "save zone '%s'", name) : 0;
}

int
config_delete(const char *root, const char *name, struct err *err)
{
	struct config_index_change change = {.name = name, .remove = true};
	auto_lock struct config_lock held = {.fd = -EBADF};
	auto_close int dir_fd = -EBADF;
	int r;

	r = config_name_check(name, err);
	if (r < 0)
		return r;
	if (config_name_reserved(name) && strcmp(name, "global") != 0)
		return err_set(err, ZE_INVAL, 0, "the zone name '%s' is reserved", name);
	r = config_lock_index(root, &held, err);
	if (r < 0)
		return r;
	dir_fd = config_dir_open(root, true, err);
	if (dir_fd < 0)
		return dir_fd;
	/* The index first: a document without a line is no zone, a line without a document a broken
	 * one. The global zone keeps its line. */
	r = strcmp(name, "global") != 0 ? config_index_change(root, &change, err) : 0;
	if (r == -ZE_NOENT) {
		err_clear(err);
		r = 0;
	}
	if (r == 0)
		r = remove_document(dir_fd, name, err);
	return r < 0 ? err_add(err, "delete zone '%s'", name) : 0;
}

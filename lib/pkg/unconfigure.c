/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A copy of a root gets an identity of its own. One table says what is taken away; everything else
 * is the administrator's work and stays: packages, their configuration, data, users, passwords,
 * authorised keys, enabled services.
 *
 * The root belongs to whoever was root in the zone: every directory is opened by the one above it
 * and never through a symbolic link, nothing but regular files is opened, and what a path of the
 * table turns out to be decides only whether the row applies.
 */
#include "pkg/pkg.h"

#include "base/err.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPEN_DIR      (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK)
#define HOSTS_MAX     (1024 * 1024)
#define LOG_DEPTH_MAX 32

enum action {
	REMOVE,         /* whatever it is, with all below it */
	REMOVE_REGULAR, /* only if it is a file: a link leads to what has been renewed anyway */
	EMPTY_FILE,     /* size 0; owner and mode stay */
	CLEAN_LOGS,     /* a directory of logs */
};

/* Paths below the root; "*" and "?" match within one component. */
static const struct row {
	const char *path;
	enum action action;
} rows[] = {
    /* the second machine id; the first is written anew */
    {"var/lib/dbus/machine-id", REMOVE_REGULAR},
    {"etc/machine-info", REMOVE},
    /* keys and names that services made for themselves */
    {"etc/ssh/ssh_host_*_key", REMOVE},
    {"etc/ssh/ssh_host_*_key.pub", REMOVE},
    {"etc/ssl/certs/ssl-cert-snakeoil.pem", REMOVE},
    {"etc/ssl/private/ssl-cert-snakeoil.key", REMOVE},
    {"etc/bind/rndc.key", REMOVE},
    {"etc/docker/key.json", REMOVE},
    {"var/lib/samba/private/secrets.tdb", REMOVE},
    {"var/lib/snmp/snmpd.conf", REMOVE},
    {"etc/iscsi/initiatorname.iscsi", REMOVE},
    {"etc/nvme/hostid", REMOVE},
    {"etc/nvme/hostnqn", REMOVE},
    /* seeds of randomness */
    {"var/lib/systemd/random-seed", REMOVE},
    {"var/lib/systemd/credential.secret", REMOVE},
    {"var/lib/urandom/random-seed", REMOVE},
    /* leases and the state of networks */
    {"var/lib/dhcp/*", REMOVE},
    {"var/lib/dhcpcd*/*", REMOVE},
    {"var/lib/NetworkManager/secret_key", REMOVE},
    {"var/lib/NetworkManager/*lease*", REMOVE},
    {"var/lib/NetworkManager/timestamps", REMOVE},
    {"var/lib/systemd/network/*", REMOVE},
    {"etc/udev/rules.d/70-persistent-*", REMOVE},
    /* clocks and stamps */
    {"var/lib/systemd/timesync/clock", REMOVE},
    {"var/lib/systemd/timers/stamp-*", REMOVE},
    {"etc/adjtime", REMOVE},
    /* logs */
    {"var/log", CLEAN_LOGS},
    /* traces of people */
    {"root/.*_history", REMOVE},
    {"home/*/.*_history", REMOVE},
    {"root/.ssh/known_hosts", REMOVE},
    {"var/lib/sudo/lectured/*", REMOVE},
    {"var/lib/systemd/linger/*", REMOVE},
    /* scratch */
    {"tmp/*", REMOVE},
    {"var/tmp/*", REMOVE},
    {"var/lib/systemd/coredump/*", REMOVE},
    {"var/crash/*", REMOVE},
    {"var/cache/apt/*.bin", REMOVE},
};

/* Of a log file, the ones that logrotate and others have put aside. */
static const char *const rotated[] = {
    "*.gz",  "*.xz",        "*.bz2",
    "*.zst", "*.[0-9]",     "*.[0-9][0-9]",
    "*.old", "*.[0-9].log", "*-[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]*",
};

static int act(int dir_fd, const char *name, enum action action, int depth, struct err *err);

/* ---- what is done with a file ---------------------------------------------------------------- */

static int
empty_file(int dir_fd, const char *name, struct err *err)
{
	auto_close int fd = -EBADF;
	struct stat st;
	bool locked;
	int flags;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode) ||
	    st.st_size == 0)
		return 0;
	locked = path_unlock_at(dir_fd, name, &flags); /* "chattr +a" is usual for logs */
	fd = openat(dir_fd, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, ZE_IO, errno, "open '%s'", name);
	if (!S_ISREG(st.st_mode))
		return 0;
	if (fault_point("truncate") || ftruncate(fd, 0) < 0)
		return err_set(err, ZE_IO, errno, "empty '%s'", name);
	if (locked && ioctl(fd, FS_IOC_SETFLAGS, &flags) < 0)
		return err_set(err, ZE_IO, errno, "set the flags of '%s'", name);
	return 0;
}

static bool
is_rotated(const char *name)
{
	for (size_t i = 0; i < sizeof(rotated) / sizeof(rotated[0]); i++)
		if (fnmatch(rotated[i], name, 0) == 0)
			return true;
	return false;
}

/* An open directory for each entry of which @fn is called; it may remove the entry. */
static int
for_each(int dir_fd, int (*fn)(int dir_fd, const char *name, void *arg, struct err *err), void *arg,
	 struct err *err)
{
	auto_closedir DIR *dir = NULL;
	const struct dirent *e;
	int fd, r;

	fd = openat(dir_fd, ".", OPEN_DIR | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		r = err_set(err, ZE_IO, errno, "open directory");
		(void)fd_close(fd);
		return r;
	}
	while ((errno = 0, e = readdir(dir)) != NULL) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		r = fn(dir_fd, e->d_name, arg, err);
		if (r < 0)
			return r;
	}
	if (errno)
		return err_set(err, ZE_IO, errno, "read directory");
	return 0;
}

static int
remove_entry(int dir_fd, const char *name, void *arg, struct err *err)
{
	(void)arg;
	return path_rm_tree_at(dir_fd, name, err);
}

static int
clean_log(int dir_fd, const char *name, void *arg, struct err *err)
{
	const int *depth = arg;
	auto_close int fd = -EBADF;
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (S_ISREG(st.st_mode))
		return act(dir_fd, name, is_rotated(name) ? REMOVE : EMPTY_FILE, *depth, err);
	if (!S_ISDIR(st.st_mode))
		return 0;
	if (*depth > 0 || strcmp(name, "journal") != 0)
		return act(dir_fd, name, CLEAN_LOGS, *depth + 1, err);
	/* The journal's folders carry the machine id in their names and its files in their heads.
	 */
	fd = openat(dir_fd, name, OPEN_DIR | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, ZE_IO, errno, "open directory '%s'", name);
	return for_each(fd, remove_entry, NULL, err);
}

static int
act(int dir_fd, const char *name, enum action action, int depth, struct err *err)
{
	auto_close int fd = -EBADF;
	struct stat st;
	int r;

	switch (action) {
	case REMOVE_REGULAR:
		if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
			return 0;
		return path_rm_tree_at(dir_fd, name, err);
	case REMOVE:
		return path_rm_tree_at(dir_fd, name, err);
	case EMPTY_FILE:
		return empty_file(dir_fd, name, err);
	case CLEAN_LOGS:
		if (depth > LOG_DEPTH_MAX)
			return path_rm_tree_at(dir_fd, name, err);
		fd = openat(dir_fd, name, OPEN_DIR | O_CLOEXEC);
		if (fd < 0)
			return 0; /* none, or a link */
		r = for_each(fd, clean_log, &depth, err);
		return r < 0 ? err_add(err, "%s", name) : 0;
	}
	return 0;
}

/* ---- finding the paths of the table ---------------------------------------------------------- */

struct match {
	const char *rest; /* the part of the path from here on */
	char pattern[64]; /* its first component */
	enum action action;
};

static int walk(int dir_fd, const char *rest, enum action action, struct err *err);

static int
walk_into(int dir_fd, const char *name, const char *rest, enum action action, struct err *err)
{
	auto_close int fd = -EBADF;
	int r;

	if (!*rest)
		return act(dir_fd, name, action, 0, err);
	fd = openat(dir_fd, name, OPEN_DIR | O_CLOEXEC);
	if (fd < 0)
		return 0; /* nothing there, or not a directory: the row does not apply */
	r = walk(fd, rest, action, err);
	return r < 0 ? err_add(err, "%s", name) : 0;
}

static int
walk_match(int dir_fd, const char *name, void *arg, struct err *err)
{
	const struct match *m = arg;

	if (fnmatch(m->pattern, name, 0) != 0)
		return 0;
	return walk_into(dir_fd, name, m->rest, m->action, err);
}

static int
walk(int dir_fd, const char *rest, enum action action, struct err *err)
{
	size_t len = strcspn(rest, "/");
	struct match m = {.rest = rest + len + (rest[len] == '/'), .action = action};

	(void)snprintf(m.pattern, sizeof(m.pattern), "%.*s", (int)len, rest);
	if (strpbrk(m.pattern, "*?["))
		return for_each(dir_fd, walk_match, &m, err);
	return walk_into(dir_fd, m.pattern, m.rest, action, err);
}

/* ---- the new identity ------------------------------------------------------------------------ */

/* Replace a file of the root, whatever stands in its place. */
static int
write_file(int root_fd, const char *path, const char *text, mode_t mode, struct err *err)
{
	auto_close int dir_fd = -EBADF;
	struct stat st;
	const char *name;
	int r;

	dir_fd = path_open_parent_in_root(root_fd, path, true, &name, err);
	if (dir_fd < 0)
		return dir_fd;
	(void)path_unlock_at(dir_fd, ".", NULL);
	(void)path_unlock_at(dir_fd, name, NULL);
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode)) {
		r = path_rm_tree_at(dir_fd, name, err);
		if (r < 0)
			return r;
	}
	return path_file_write_in_root(root_fd, path, text, strlen(text), mode, err);
}

/* The file as it is, with the host's own name in it replaced; a plain one when there is none. */
static int
write_hosts(int root_fd, const char *zonename, struct err *err)
{
	static const char plain[] = "127.0.0.1\tlocalhost\n"
				    "::1\tlocalhost ip6-localhost ip6-loopback\n"
				    "ff02::1\tip6-allnodes\n"
				    "ff02::2\tip6-allrouters\n";
	auto_free char *old = NULL;
	auto_str struct str text = {0};
	size_t size, len;
	const char *from;
	bool done = false;
	int r;

	r = path_file_read_in_root(root_fd, "/etc/hosts", HOSTS_MAX, &old, &size, err);
	if (r < 0)
		err_clear(err); /* missing, not a file or absurd: written anew */
	from = r < 0 ? plain : old;
	r = 0;
	for (const char *line = from; *line && r == 0; line += len) {
		len = strcspn(line, "\n");
		len += line[len] == '\n';
		if (strncmp(line, "127.0.1.1", 9) != 0 || !strchr(" \t", line[9])) {
			r = str_add(&text, line, len);
			if (r == 0 && line[len - 1] != '\n')
				r = str_add(&text, "\n", 1);
		} else if (!done) {
			r = str_addf(&text, "127.0.1.1\t%s\n", zonename);
			done = true;
		}
	}
	if (r == 0 && !done)
		r = str_addf(&text, "127.0.1.1\t%s\n", zonename);
	if (r < 0)
		return err_nomem(err);
	return write_file(root_fd, "/etc/hosts", text.s, 0644, err);
}

static bool
exists(int root_fd, const char *path)
{
	auto_close int fd = -EBADF;

	fd = path_open_in_root(root_fd, path, O_PATH | O_NOFOLLOW, 0, NULL);
	return fd >= 0;
}

/*
 * Services whose keys are gone do not make new ones by themselves. A unit does, before they start;
 * every command in it leaves alone what is there.
 */
static int
write_unit(int root_fd, struct err *err)
{
	static const char unit[] =
	    "[Unit]\n"
	    "Description=Keys that two zones must not share\n"
	    "Documentation=man:zoneadm(8)\n"
	    "ConditionPathExists=|!/etc/ssh/ssh_host_ed25519_key\n"
	    "ConditionPathExists=|!/etc/ssl/private/ssl-cert-snakeoil.key\n"
	    "Before=ssh.service ssh.socket apache2.service nginx.service postfix.service "
	    "exim4.service dovecot.service\n"
	    "\n"
	    "[Service]\n"
	    "Type=oneshot\n"
	    "ExecStart=-/bin/sh -c 'test ! -x /usr/bin/ssh-keygen || exec /usr/bin/ssh-keygen -A'\n"
	    "ExecStart=-/bin/sh -c 'test ! -x /usr/sbin/make-ssl-cert || "
	    "exec /usr/sbin/make-ssl-cert generate-default-snakeoil'\n";
	auto_close int dir_fd = -EBADF;
	const char *name;
	int r;

	if (!exists(root_fd, "/etc/systemd/system"))
		return 0;
	if (!exists(root_fd, "/etc/ssh/sshd_config") && !exists(root_fd, "/etc/ssl/private"))
		return 0;
	r = write_file(root_fd, "/etc/systemd/system/zone-keys.service", unit, 0644, err);
	if (r < 0)
		return r;
	dir_fd = path_open_parent_in_root(
	    root_fd, "/etc/systemd/system/multi-user.target.wants/zone-keys.service", true, &name,
	    err);
	if (dir_fd < 0)
		return dir_fd;
	if (fault_point("symlink") ||
	    (symlinkat("/etc/systemd/system/zone-keys.service", dir_fd, name) < 0 &&
	     errno != EEXIST))
		return err_set(err, ZE_IO, errno, "enable zone-keys.service");
	return 0;
}

static int
write_identity(int root_fd, const char *zonename, const char *machine_id, struct err *err)
{
	char line[80];
	int r;

	(void)snprintf(line, sizeof(line), "%s\n", machine_id);
	r = write_file(root_fd, "/etc/machine-id", line, 0444, err);
	if (r < 0)
		return r;
	(void)snprintf(line, sizeof(line), "%s\n", zonename);
	r = write_file(root_fd, "/etc/hostname", line, 0644, err);
	if (r == 0 && exists(root_fd, "/etc/mailname"))
		r = write_file(root_fd, "/etc/mailname", line, 0644, err);
	if (r == 0)
		r = write_hosts(root_fd, zonename, err);
	if (r == 0)
		r = write_unit(root_fd, err);
	return r;
}

int
pkg_unconfigure(int root_fd, const char *zonename, const char *machine_id, struct err *err)
{
	int r;

	if (strlen(zonename) > 64)
		return err_set(err, ZE_INVAL, 0, "'%s' is too long for a host name", zonename);
	if (strspn(machine_id, "0123456789abcdef") != 32 || machine_id[32])
		return err_set(err, ZE_INVAL, 0, "'%s' is not a machine id", machine_id);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		r = walk(root_fd, rows[i].path, rows[i].action, err);
		if (r < 0)
			return err_add(err, "reset the identity of '%s'", zonename);
	}
	r = write_identity(root_fd, zonename, machine_id, err);
	if (r < 0)
		return err_add(err, "give '%s' an identity", zonename);
	return 0;
}

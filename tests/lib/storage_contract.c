/* SPDX-License-Identifier: Apache-2.0 */
#include "storage_contract.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/path.h"
#include "storage/storage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <btrfsutil.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#define DEPTH     600 /* more than descriptors that a process may usually open, divided by two */
#define DEEP_NAME "a-directory" /* so that its path is longer than any that the kernel takes */

static const char *work, *backend;
static char *src, *dst; /* the two zonepaths */
static struct err err;

#define assert_ok(call)                                                                            \
	do {                                                                                       \
		if ((call) < 0)                                                                    \
			fail_msg("%s: %s", #call, err.msg);                                        \
	} while (0)
#define assert_sys(call)                                                                           \
	do {                                                                                       \
		if ((call) < 0)                                                                    \
			fail_msg("%s: %s", #call, strerror(errno));                                \
	} while (0)

static bool
on_btrfs(void)
{
	return !strcmp(backend, "btrfs");
}

/* ---- a root with everything in it ------------------------------------------------------------ */

static void
file_make(int dir_fd, const char *name, size_t size, mode_t mode, uid_t uid)
{
	auto_close int fd = -EBADF;
	auto_free char *content = malloc(size + 1);

	for (size_t i = 0; i < size; i++)
		content[i] = (char)(i * 7 + i / 251);
	fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_sys(fd);
	assert_sys(fd_write_all(fd, content, size));
	assert_sys(fchown(fd, uid, uid + 1));
	assert_sys(fchmod(fd, mode));
}

static void
socket_make(int dir_fd, const char *name)
{
	auto_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	assert_sys(fd);
	(void)snprintf(at.sun_path, sizeof(at.sun_path), "/proc/self/fd/%d/%s", dir_fd, name);
	assert_sys(bind(fd, (const struct sockaddr *)&at, sizeof(at)));
}

/* An ACL as the kernel takes it: version 2, entries of tag, permission and id. */
static void
acl_set(int fd, const char *name)
{
	static const unsigned char acl[] = {
	    2, 0, 0,    0,    1,    0,    7,    0, 0xff, 0xff, 0xff, 0xff, 2,    0,    5,
	    0, 1, 2,    0,    0,    4,    0,    5, 0,    0xff, 0xff, 0xff, 0xff, 0x10, 0,
	    5, 0, 0xff, 0xff, 0xff, 0xff, 0x20, 0, 4,    0,    0xff, 0xff, 0xff, 0xff,
	};

	assert_sys(fsetxattr(fd, name, acl, sizeof(acl), 0));
}

static void
attributes_make(int root_fd)
{
	/* cap_net_raw+ep, version 2 */
	static const unsigned char cap[20] = {1, 0, 0, 2, 0, 0x20};
	auto_close int fd = -EBADF, dir_fd = -EBADF;

	file_make(root_fd, "ping", 100, 0755, 0);
	fd = openat(root_fd, "ping", O_RDONLY | O_CLOEXEC);
	assert_sys(fsetxattr(fd, "security.capability", cap, sizeof(cap), 0));
	assert_sys(fsetxattr(fd, "trusted.note", "hello", 5, 0));
	acl_set(fd, "system.posix_acl_access");
	assert_sys(mkdirat(root_fd, "acl", 0750));
	dir_fd = openat(root_fd, "acl", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	file_make(dir_fd, "inside", 1, 0640, 5);
	acl_set(dir_fd, "system.posix_acl_default");
}

static void
deep_make(int root_fd)
{
	int fd = openat(root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), below;

	for (int i = 0; i < DEPTH; i++) {
		assert_sys(mkdirat(fd, DEEP_NAME, 0755));
		assert_sys(mkdirat(fd, "e", 0700));
		below = openat(fd, DEEP_NAME, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_sys(below);
		(void)fd_close(fd);
		fd = below;
	}
	file_make(fd, "bottom", 10, 0644, 0);
	assert_sys(mkdirat(fd, "further", 0755));
	assert_sys(linkat(fd, "bottom", fd, "further/down", 0));
	(void)fd_close(fd);
}

static void
sparse_make(int root_fd)
{
	auto_close int fd = openat(root_fd, "sparse", O_RDWR | O_CREAT | O_CLOEXEC, 0644);

	assert_sys(fd);
	assert_sys(ftruncate(fd, 64 << 20));
	assert_int_equal(pwrite(fd, "middle", 6, 32 << 20), 6);
}

static void
links_make(int root_fd)
{
	char name[32];

	assert_sys(mkdirat(root_fd, "links", 02775));
	file_make(root_fd, "links/first", 5000, 04711, 3);
	for (int i = 0; i < 300; i++) {
		(void)snprintf(name, sizeof(name), "links/%d", i);
		assert_sys(linkat(root_fd, "links/first", root_fd, name, 0));
	}
	assert_sys(symlinkat("/no/such/file", root_fd, "dangling"));
	assert_sys(symlinkat("../../../etc/passwd", root_fd, "out"));
	assert_sys(fchownat(root_fd, "out", 12, 13, AT_SYMLINK_NOFOLLOW));
	assert_sys(linkat(root_fd, "out", root_fd, "out2", 0));
}

static void
special_make(int root_fd)
{
	assert_sys(mkdirat(root_fd, "special", 0000));
	assert_sys(mknodat(root_fd, "special/null", S_IFCHR | 0666, makedev(1, 3)));
	assert_sys(fchmodat(root_fd, "special/null", 0666, 0));
	assert_sys(mknodat(root_fd, "special/disk", S_IFBLK | 0660, makedev(7, 200)));
	assert_sys(mknodat(root_fd, "special/fifo", S_IFIFO | 0600, 0));
	socket_make(root_fd, "sock");
}

/* Times that no copy would have by chance. */
static void
times_make(int root_fd)
{
	static const char *const names[] = {"ping", "out", "special", "special/fifo", "acl"};
	struct timespec t[2] = {{.tv_sec = 86400, .tv_nsec = 123456789},
				{.tv_sec = 1000000, .tv_nsec = 987654321}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_sys(utimensat(root_fd, names[i], t, AT_SYMLINK_NOFOLLOW));
}

/* On btrfs, a zone may have made subvolumes of its own, read-only ones and nested ones. */
static void
subvolumes_make(int root_fd)
{
	auto_close int fd = -EBADF;

	if (!on_btrfs())
		return;
	assert_sys(mkdirat(root_fd, "sub", 0755));
	fd = openat(root_fd, "sub", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(btrfs_util_create_subvolume_fd(fd, "one", 0, NULL, NULL), BTRFS_UTIL_OK);
	file_make(fd, "one/file", 20, 0644, 0);
	(void)fd_close(fd);
	fd = openat(root_fd, "sub/one", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(btrfs_util_create_subvolume_fd(fd, "two", 0, NULL, NULL), BTRFS_UTIL_OK);
	file_make(fd, "two/file", 20, 0644, 0);
}

static int
setup(void **state)
{
	auto_close int fd = -EBADF;
	auto_free char *root = NULL;

	(void)state;
	if (asprintf(&src, "%s/a", work) < 0 || asprintf(&dst, "%s/b", work) < 0)
		return -1;
	assert_sys(mkdir(src, 0700));
	assert_sys(mkdir(dst, 0700));
	assert_ok(storage_create(src, &(const char *){NULL}, &err));
	if (asprintf(&root, "%s/root", src) < 0)
		return -1;
	fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_sys(fd);
	file_make(fd, "empty", 0, 0644, 0);
	file_make(fd, "big", 3 << 20, 0444, 77);
	file_make(fd, "name with\nnewline\xff", 3, 0644, 0);
	assert_sys(mkdirat(fd, "tmp", 0755));
	assert_sys(fchmodat(fd, "tmp", 01777, 0));
	attributes_make(fd);
	sparse_make(fd);
	links_make(fd);
	special_make(fd);
	subvolumes_make(fd);
	times_make(fd);
	return 0;
}

/* Everything goes, as an administrator would do it if storage_destroy() failed. */
static int
teardown(void **state)
{
	(void)state;
	(void)storage_destroy(src, &(bool){false}, &err);
	(void)storage_destroy(dst, &(bool){false}, &err);
	(void)path_rm_tree_at(AT_FDCWD, src, &err);
	(void)path_rm_tree_at(AT_FDCWD, dst, &err);
	free(src);
	free(dst);
	return 0;
}

static int
root_open(const char *zonepath)
{
	auto_free char *root = NULL;
	int fd;

	assert_true(asprintf(&root, "%s/root", zonepath) > 0);
	fd = open(root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		fail_msg("%s: %s", root, strerror(errno));
	return fd;
}

static bool
there(const char *zonepath, const char *name)
{
	auto_free char *path = NULL;
	struct stat st;

	assert_true(asprintf(&path, "%s%s%s", zonepath, *name ? "/" : "", name) > 0);
	return lstat(path, &st) == 0;
}

/* ---- comparing ------------------------------------------------------------------------------- */

static void
content_compare(int a_dir, int b_dir, const char *name)
{
	auto_close int a = openat(a_dir, name, O_RDONLY | O_NOATIME | O_CLOEXEC);
	auto_close int b = openat(b_dir, name, O_RDONLY | O_NOATIME | O_CLOEXEC);
	static char x[65536], y[65536];
	ssize_t n, m;

	assert_sys(a);
	assert_sys(b);
	do {
		n = read(a, x, sizeof(x));
		m = read(b, y, sizeof(y));
		assert_int_equal(n, m);
		assert_true(n >= 0);
		if (n > 0 && memcmp(x, y, (size_t)n) != 0)
			fail_msg("'%s' differs", name);
	} while (n > 0);
}

static void
xattrs_compare(int a_dir, int b_dir, const char *name)
{
	char a[4200], b[4200], list[4096], x[4096], y[4096];
	ssize_t n, m;

	(void)snprintf(a, sizeof(a), "/proc/self/fd/%d/%s", a_dir, name);
	(void)snprintf(b, sizeof(b), "/proc/self/fd/%d/%s", b_dir, name);
	n = llistxattr(a, list, sizeof(list));
	assert_int_equal(llistxattr(b, x, sizeof(x)), n);
	for (const char *p = list; n > 0 && p < list + n; p += strlen(p) + 1) {
		m = lgetxattr(a, p, x, sizeof(x));
		assert_true(m >= 0);
		assert_int_equal(lgetxattr(b, p, y, sizeof(y)), m);
		assert_memory_equal(x, y, (size_t)m);
	}
}

static void
stat_compare(const struct stat *a, const struct stat *b, const char *name)
{
	if (a->st_mode != b->st_mode || a->st_uid != b->st_uid || a->st_gid != b->st_gid)
		fail_msg("'%s': mode %o owner %u:%u became %o %u:%u", name, a->st_mode, a->st_uid,
			 a->st_gid, b->st_mode, b->st_uid, b->st_gid);
	if (a->st_mtim.tv_sec != b->st_mtim.tv_sec || a->st_mtim.tv_nsec != b->st_mtim.tv_nsec)
		fail_msg("'%s': its time changed", name);
	if (!S_ISDIR(a->st_mode) &&
	    (a->st_size != b->st_size || a->st_nlink != b->st_nlink || a->st_rdev != b->st_rdev))
		fail_msg("'%s': size, links or device changed", name);
}

/* Returns how many entries there are. */
static int
tree_compare(int a_fd, int b_fd)
{
	auto_closedir DIR *dir = fdopendir(openat(a_fd, ".", O_RDONLY | O_NOATIME | O_CLOEXEC));
	const struct dirent *e;
	struct stat a, b;
	int n = 0, x, y;

	assert_non_null(dir);
	while ((e = readdir(dir))) {
		if (!strcmp(e->d_name, "..") || !strcmp(e->d_name, "sock"))
			continue;
		assert_sys(fstatat(a_fd, e->d_name, &a, AT_SYMLINK_NOFOLLOW));
		if (fstatat(b_fd, e->d_name, &b, AT_SYMLINK_NOFOLLOW) < 0)
			fail_msg("'%s' is missing", e->d_name);
		stat_compare(&a, &b, e->d_name);
		xattrs_compare(a_fd, b_fd, e->d_name);
		n++;
		if (S_ISREG(a.st_mode))
			content_compare(a_fd, b_fd, e->d_name);
		if (!S_ISDIR(a.st_mode) || !strcmp(e->d_name, "."))
			continue;
		x = openat(a_fd, e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		y = openat(b_fd, e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(x >= 0 && y >= 0);
		n += tree_compare(x, y);
		(void)fd_close(x);
		(void)fd_close(y);
	}
	return n;
}

static void
roots_compare(void)
{
	auto_close int a = root_open(src), b = root_open(dst);
	struct stat st;
	int n = tree_compare(a, b);

	assert_int_equal(tree_compare(b, a), n);
	/* All names of one file are one file again. */
	assert_sys(fstatat(b, "links/7", &st, 0));
	assert_int_equal(st.st_nlink, 301);
	assert_int_equal(st.st_mode & 07777, 04711);
}

/* ---- the tests ------------------------------------------------------------------------------- */

static void
the_backend_is_the_expected_one(void **state)
{
	const struct storage_way *way;

	(void)state;
	assert_ok(storage_clone_method(src, dst, STORAGE_AUTO, &way, &err));
	assert_string_equal(way->name, backend);
	assert_ok(storage_clone_method(src, dst, STORAGE_COPY, &way, &err));
	assert_string_equal(way->name, "copy");
	assert_false(there(dst, "root"));
}

static void
a_clone_has_all_that_the_source_has(void **state)
{
	auto_close int fd = -EBADF;
	const struct storage_way *way;

	(void)state;
	assert_ok(storage_clone(src, dst, STORAGE_AUTO, NULL, &way, &err));
	assert_string_equal(way->name, backend);
	roots_compare();
	fd = root_open(dst);
	/* A snapshot takes a socket's name along; a copy leaves it out. */
	assert_true(faccessat(fd, "sock", F_OK, 0) == (on_btrfs() ? 0 : -1));
}

static void
a_copy_has_all_that_the_source_has(void **state)
{
	auto_close int fd = -EBADF;
	struct stat st;

	(void)state;
	assert_ok(storage_clone(src, dst, STORAGE_COPY, NULL, NULL, &err));
	roots_compare();
	fd = root_open(dst);
	assert_true(faccessat(fd, "sock", F_OK, 0) < 0);
	assert_sys(fstatat(fd, "sparse", &st, 0));
	if (st.st_blocks > 2048)
		fail_msg("the holes were filled: %jd blocks", (intmax_t)st.st_blocks);
}

static void
a_copy_shares_nothing(void **state)
{
	struct storage_usage usage;

	(void)state;
	assert_ok(storage_clone(src, dst, STORAGE_COPY, NULL, NULL, &err));
	sync();
	assert_ok(storage_usage(dst, &usage, &err));
	assert_true(usage.total_bytes > 3 << 20);
	if (usage.exclusive_known)
		assert_true(usage.exclusive_bytes > 3 << 20);
}

static void
a_clone_shares_if_the_backend_can(void **state)
{
	struct storage_usage usage;

	(void)state;
	assert_ok(storage_clone(src, dst, STORAGE_AUTO, NULL, NULL, &err));
	if (!strcmp(backend, "copy"))
		return;
	sync();
	assert_ok(storage_usage(dst, &usage, &err));
	assert_true(usage.exclusive_known);
	assert_true(usage.exclusive_bytes < 1 << 20);
}

static void
the_source_is_not_changed(void **state)
{
	auto_close int fd = root_open(src);
	struct stat before[3], after;
	static const char *const names[] = {".", "big", "links/first"};

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_sys(fstatat(fd, names[i], &before[i], 0));
	assert_ok(storage_clone(src, dst, STORAGE_COPY, NULL, NULL, &err));
	for (int i = 0; i < 3; i++) {
		assert_sys(fstatat(fd, names[i], &after, 0));
		assert_memory_equal(&before[i], &after, sizeof(after));
	}
}

static void
a_clone_of_a_clone_works_and_lives_alone(void **state)
{
	auto_close int fd = -EBADF;

	(void)state;
	assert_ok(storage_clone(src, dst, STORAGE_AUTO, NULL, NULL, &err));
	fd = root_open(dst);
	assert_sys(unlinkat(fd, "empty", 0));
	file_make(fd, "new", 1, 0644, 0);
	assert_ok(storage_destroy(src, NULL, &err));
	assert_ok(storage_clone(dst, src, STORAGE_AUTO, NULL, NULL, &err));
	roots_compare();
}

static void
a_deep_tree_is_copied_and_destroyed(void **state)
{
	auto_close int fd = root_open(src), at = -EBADF;
	struct stat bottom, down;
	int below;

	(void)state;
	deep_make(fd);
	assert_ok(storage_clone(src, dst, STORAGE_COPY, NULL, NULL, &err));
	at = root_open(dst);
	for (int i = 0; i < DEPTH; i++) {
		assert_sys(faccessat(at, "e", F_OK, 0));
		below = openat(at, DEEP_NAME, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_sys(below);
		(void)fd_close(at);
		at = below;
	}
	assert_sys(fstatat(at, "bottom", &bottom, 0));
	assert_sys(fstatat(at, "further/down", &down, 0));
	assert_int_equal(bottom.st_ino, down.st_ino);
	assert_ok(storage_destroy(dst, &(bool){false}, &err));
	assert_false(there(dst, ""));
}

static void
a_root_in_the_way_is_exist_and_stays(void **state)
{
	auto_free char *root = NULL;

	(void)state;
	assert_true(asprintf(&root, "%s/root", dst) > 0);
	assert_sys(mkdir(root, 0755));
	assert_int_equal(storage_clone(src, dst, STORAGE_AUTO, NULL, NULL, &err), -ZE_EXIST);
	assert_non_null(strstr(err.msg, "exists already"));
	assert_true(there(dst, "root"));
	assert_int_equal(storage_create(dst, &(const char *){NULL}, &err), -ZE_EXIST);
}

static void
a_missing_source_is_noent(void **state)
{
	(void)state;
	assert_ok(storage_destroy(src, NULL, &err));
	assert_int_equal(storage_clone(src, dst, STORAGE_AUTO, NULL, NULL, &err), -ZE_NOENT);
	assert_non_null(strstr(err.msg, src));
	assert_false(there(dst, "root"));
}

static void
a_source_that_is_a_link_is_refused(void **state)
{
	auto_free char *root = NULL;

	(void)state;
	assert_ok(storage_destroy(src, NULL, &err));
	assert_true(asprintf(&root, "%s/root", src) > 0);
	assert_sys(symlink("/etc", root));
	assert_int_equal(storage_clone(src, dst, STORAGE_AUTO, NULL, NULL, &err), -ZE_IO);
	assert_false(there(dst, "root"));
	assert_ok(storage_destroy(src, NULL, &err));
	assert_false(there(src, "root"));
	assert_true(access("/etc/passwd", F_OK) == 0);
}

static void
something_mounted_in_the_source_is_busy(void **state)
{
	auto_free char *at = NULL;

	(void)state;
	assert_true(asprintf(&at, "%s/root/tmp", src) > 0);
	assert_sys(mount("none", at, "tmpfs", 0, NULL));
	assert_int_equal(storage_clone(src, dst, STORAGE_COPY, NULL, NULL, &err), -ZE_BUSY);
	assert_non_null(strstr(err.msg, at));
	assert_int_equal(storage_destroy(src, &(bool){false}, &err), -ZE_BUSY);
	assert_non_null(strstr(err.msg, at));
	assert_sys(umount(at));
	assert_false(there(dst, "root"));
	assert_true(there(src, "root/big"));
}

static bool
stop_soon(void *arg, uint64_t done_bytes, uint64_t done_files)
{
	(void)arg;
	(void)done_bytes;
	return done_files < 10;
}

static void
a_stopped_copy_leaves_nothing(void **state)
{
	const struct storage_progress progress = {.fn = stop_soon};

	(void)state;
	assert_int_equal(storage_clone(src, dst, STORAGE_COPY, &progress, NULL, &err), -ZE_INTR);
	assert_false(there(dst, "root"));
	assert_true(there(dst, ""));
}

static void
a_full_file_system_leaves_nothing(void **state)
{
	(void)state;
	assert_sys(mount("none", dst, "tmpfs", 0, "size=1m"));
	assert_int_equal(storage_clone(src, dst, STORAGE_AUTO, NULL, NULL, &err), -ZE_IO);
	assert_non_null(strstr(err.msg, "No space left on device"));
	assert_non_null(strstr(err.msg, "/big"));
	assert_false(there(dst, "root"));
	assert_sys(umount(dst));
}

static void
destroy_removes_what_is_protected(void **state)
{
	auto_close int fd = root_open(src), file_fd = openat(fd, "big", O_RDONLY | O_CLOEXEC),
		       sub = -EBADF;
	int flags = FS_IMMUTABLE_FL;
	bool kept = true;

	(void)state;
	(void)ioctl(file_fd, FS_IOC_SETFLAGS, &flags); /* where the file system has such flags */
	flags = FS_APPEND_FL;
	(void)ioctl(fd, FS_IOC_SETFLAGS, &flags);
	if (on_btrfs()) {
		sub = openat(fd, "sub/one/two", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_int_equal(btrfs_util_set_subvolume_read_only_fd(sub, true), BTRFS_UTIL_OK);
		(void)fd_close(sub);
		sub = openat(fd, "sub/one", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_int_equal(btrfs_util_set_subvolume_read_only_fd(sub, true), BTRFS_UTIL_OK);
		assert_int_equal(btrfs_util_set_subvolume_read_only_fd(fd, true), BTRFS_UTIL_OK);
	}
	assert_ok(storage_destroy(src, &kept, &err));
	assert_false(kept);
	assert_false(there(src, ""));
}

static void
destroy_keeps_what_is_not_ours_and_tells(void **state)
{
	auto_close int fd = open(src, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool kept = false;

	(void)state;
	file_make(fd, "precious", 5, 0600, 0);
	assert_ok(storage_destroy(src, &kept, &err));
	assert_true(kept);
	assert_true(there(src, "precious"));
	assert_false(there(src, "root"));
}

static void
destroy_can_be_repeated(void **state)
{
	bool kept = true;

	(void)state;
	assert_ok(storage_destroy(src, &kept, &err));
	assert_ok(storage_destroy(src, &kept, &err));
	assert_false(kept);
}

int
storage_contract_run(const char *suite, const char *dir, const char *expected_backend)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(the_backend_is_the_expected_one),
	    TEST(a_clone_has_all_that_the_source_has),
	    TEST(a_copy_has_all_that_the_source_has),
	    TEST(a_copy_shares_nothing),
	    TEST(a_clone_shares_if_the_backend_can),
	    TEST(the_source_is_not_changed),
	    TEST(a_clone_of_a_clone_works_and_lives_alone),
	    TEST(a_deep_tree_is_copied_and_destroyed),
	    TEST(a_root_in_the_way_is_exist_and_stays),
	    TEST(a_missing_source_is_noent),
	    TEST(a_source_that_is_a_link_is_refused),
	    TEST(something_mounted_in_the_source_is_busy),
	    TEST(a_stopped_copy_leaves_nothing),
	    TEST(a_full_file_system_leaves_nothing),
	    TEST(destroy_removes_what_is_protected),
	    TEST(destroy_keeps_what_is_not_ours_and_tells),
	    TEST(destroy_can_be_repeated),
	};

	work = dir;
	backend = expected_backend;
	return _cmocka_run_group_tests(suite, tests, sizeof(tests) / sizeof(tests[0]), NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/copy.h"

#include "base/err.h"
#include "base/fd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static struct err err;

/* A file without a name in @dir, or in memory if NULL: another file system. */
static int
make_file(const char *dir)
{
	int fd = dir ? open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)
		     : memfd_create("copy", MFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void
check_copy(const char *from_dir, const char *to_dir, size_t size)
{
	auto_close int from = make_file(from_dir), to = make_file(to_dir);
	auto_free char *want = malloc(size + 1), *got = malloc(size + 1);

	for (size_t i = 0; i < size; i++)
		want[i] = (char)(i * 7 + i / 251);
	assert_int_equal(fd_write_all(from, want, size), 0);
	assert_int_equal(file_copy(from, to, size, &err), 0);
	assert_int_equal(pread(to, got, size + 1, 0), (ssize_t)size);
	assert_memory_equal(want, got, size);
}

static void
content_is_copied_within_and_between_file_systems(void **state)
{
	static const size_t sizes[] = {1, 4095, 32 * 1024, 32 * 1024 + 1, 3 * 1024 * 1024 + 5};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		check_copy("/tmp", "/tmp", sizes[i]);
		check_copy("/tmp", NULL, sizes[i]);
		check_copy(NULL, "/tmp", sizes[i]);
		check_copy(NULL, NULL, sizes[i]);
	}
}

static void
holes_stay_holes(void **state)
{
	auto_close int from = make_file(NULL), to = make_file("/tmp");
	const off_t size = 64 * 1024 * 1024;
	struct stat st;
	char c = 0;

	(void)state;
	assert_int_equal(pwrite(from, "x", 1, 40 * 1024 * 1024), 1);
	assert_int_equal(ftruncate(from, size), 0);
	assert_int_equal(file_copy(from, to, (uint64_t)size, &err), 0);
	assert_int_equal(fstat(to, &st), 0);
	assert_int_equal(st.st_size, size);
	assert_true(st.st_blocks * 512 < 4 * 1024 * 1024);
	assert_int_equal(pread(to, &c, 1, 40 * 1024 * 1024), 1);
	assert_int_equal(c, 'x');
}

static void
a_file_that_became_shorter_is_an_error(void **state)
{
	auto_close int from = make_file("/tmp"), to = make_file("/tmp");

	(void)state;
	assert_int_equal(fd_write_all(from, "abc", 3), 0);
	assert_int_equal(file_copy(from, to, 4, &err), -ZE_IO);
	assert_string_equal(err.msg, "the file became shorter while it was copied");
}

static void
a_file_that_grew_is_copied_up_to_its_old_size(void **state)
{
	auto_close int from = make_file("/tmp"), to = make_file("/tmp");
	struct stat st;

	(void)state;
	assert_int_equal(fd_write_all(from, "abcdef", 6), 0);
	assert_int_equal(file_copy(from, to, 3, &err), 0);
	assert_int_equal(fstat(to, &st), 0);
	assert_int_equal(st.st_size, 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(content_is_copied_within_and_between_file_systems),
	    cmocka_unit_test(holes_stay_holes),
	    cmocka_unit_test(a_file_that_became_shorter_is_an_error),
	    cmocka_unit_test(a_file_that_grew_is_copied_up_to_its_old_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

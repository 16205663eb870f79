/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Three ways to copy, each tried when the one before is refused: share the blocks (btrfs, xfs,
 * bcachefs), let the kernel copy (same file system, NFS), read and write.
 */
#include "base/copy.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/fault.h"

#include <errno.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Most packaged files are smaller than this, so that they need no memory from the heap. */
#define SMALL_BYTES (32 * 1024)
#define LARGE_BYTES (1024 * 1024)

static int
source_is_short(struct err *err)
{
	return err_set(err, ZE_IO, 0, "the file became shorter while it was copied");
}

/* Read and write [@pos, @end) by way of @buf. */
static int
pump_range(int src_fd, int dst_fd, off_t pos, off_t end, char *buf, size_t room, struct err *err)
{
	ssize_t n, written;

	while (pos < end) {
		n = pread(src_fd, buf, (size_t)(end - pos) < room ? (size_t)(end - pos) : room,
			  pos);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, ZE_IO, errno, "read");
		if (n == 0)
			return source_is_short(err);
		for (ssize_t done = 0; done < n; done += written) {
			written = pwrite(dst_fd, buf + done, (size_t)(n - done), pos + done);
			if (written < 0 && errno == EINTR)
				written = 0;
			if (written < 0)
				return err_set(err, ZE_IO, errno, "write");
		}
		pos += n;
	}
	return 0;
}

static int
read_write_range(int src_fd, int dst_fd, off_t pos, off_t end, struct err *err)
{
	auto_free char *large = NULL;
	char small[SMALL_BYTES];

	if (end - pos <= SMALL_BYTES)
		return pump_range(src_fd, dst_fd, pos, end, small, sizeof(small), err);
	large = malloc(LARGE_BYTES);
	if (!large)
		return err_nomem(err);
	return pump_range(src_fd, dst_fd, pos, end, large, LARGE_BYTES, err);
}

/* The kernel's own copy is refused between unlike file systems and by some of them altogether. */
static bool
range_is_refused(int e)
{
	return e == EXDEV || e == EOPNOTSUPP || e == ENOSYS || e == EINVAL || e == EBADF ||
	       e == ETXTBSY || e == EPERM;
}

static int
copy_range(int src_fd, int dst_fd, off_t pos, off_t end, struct err *err)
{
	off_t from = pos, to = pos;
	ssize_t n;

	while (from < end) {
		n = copy_file_range(src_fd, &from, dst_fd, &to, (size_t)(end - from), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && range_is_refused(errno))
			return read_write_range(src_fd, dst_fd, from, end, err);
		if (n < 0)
			return err_set(err, ZE_IO, errno, "copy");
		/* 0 is the end of the file, but also what some kernels (before 5.19) say of files
		 * whose size is not their content; reading tells the two apart. */
		if (n == 0)
			return read_write_range(src_fd, dst_fd, from, end, err);
	}
	return 0;
}

typedef int copy_fn(int src_fd, int dst_fd, off_t pos, off_t end, struct err *err);

/* A file with holes: only what is between them, by @copy. */
static int
copy_sparse(int src_fd, int dst_fd, off_t size, copy_fn *copy, struct err *err)
{
	off_t data, hole = 0;
	int r;

	while (hole < size) {
		data = lseek(src_fd, hole, SEEK_DATA);
		if (data < 0 && errno == ENXIO)
			break; /* nothing but a hole is left */
		if (data < 0)
			return copy(src_fd, dst_fd, hole, size, err);
		hole = lseek(src_fd, data, SEEK_HOLE);
		if (hole < 0 || hole > size)
			hole = size;
		if (data >= size)
			break;
		r = copy(src_fd, dst_fd, data, hole, err);
		if (r < 0)
			return r;
	}
	if (ftruncate(dst_fd, size) < 0)
		return err_set(err, ZE_IO, errno, "set the size");
	return 0;
}

static int
copy_file(int src_fd, int dst_fd, uint64_t size_bytes, bool share, struct err *err)
{
	copy_fn *copy = share ? copy_range : read_write_range;
	struct stat st;
	off_t size = (off_t)size_bytes;

	if (fault_point("file_copy"))
		return err_set(err, ZE_IO, errno, "write");
	if (size_bytes > INT64_MAX)
		return err_set(err, ZE_INVAL, 0, "a size of %ju bytes", (uintmax_t)size_bytes);
	if (size_bytes == 0)
		return 0;
	if (fstat(src_fd, &st) < 0)
		return err_set(err, ZE_IO, errno, "stat");
	if (st.st_size < size)
		return source_is_short(err);
	/* A clone takes the whole file; one that grew meanwhile is copied up to the size wanted. */
	if (share && st.st_size == size && ioctl(dst_fd, FICLONE, src_fd) == 0)
		return 0;
	if ((uint64_t)st.st_blocks * 512 < size_bytes)
		return copy_sparse(src_fd, dst_fd, size, copy, err);
	return copy(src_fd, dst_fd, 0, size, err);
}

int
file_copy(int src_fd, int dst_fd, uint64_t size_bytes, struct err *err)
{
	return copy_file(src_fd, dst_fd, size_bytes, true, err);
}

int
file_copy_unshared(int src_fd, int dst_fd, uint64_t size_bytes, struct err *err)
{
	return copy_file(src_fd, dst_fd, size_bytes, false, err);
}

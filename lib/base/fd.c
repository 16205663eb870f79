/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fd.h"

#include "base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
fd_close(int fd)
{
	int saved_errno = errno;

	if (fd >= 0)
		(void)close(fd); /* what was written is checked by fsync where it matters */
	errno = saved_errno;
	return -EBADF;
}

int
fd_take(int *fd)
{
	int r = *fd;

	*fd = -EBADF;
	return r;
}

int
fd_write_all(int fd, const void *buf, size_t size_bytes)
{
	const char *p = buf;
	ssize_t n;

	while (size_bytes > 0) {
		n = write(fd, p, size_bytes);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		p += n;
		size_bytes -= (size_t)n;
	}
	return 0;
}

int
fd_read_all(int fd, size_t max_bytes, char **ret_buf, size_t *ret_size_bytes, struct err *err)
{
	auto_free char *buf = NULL;
	size_t size = 0, room = 0;
	char *bigger;
	ssize_t n;

	for (;;) {
		if (room - size < 2) {
			room = room ? room * 2 : 4096;
			bigger = realloc(buf, room);
			if (!bigger)
				return err_nomem(err);
			buf = bigger;
		}
		n = read(fd, buf + size, room - size - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, ZE_IO, errno, "read");
		if (n == 0)
			break;
		size += (size_t)n;
		if (size > max_bytes)
			return err_set(err, ZE_FORMAT, 0, "larger than %zu bytes", max_bytes);
	}
	buf[size] = '\0';
	*ret_buf = ptr_take(&buf);
	*ret_size_bytes = size;
	return 0;
}

int
fd_std_ensure(void)
{
	int fd;

	if (fcntl(0, F_GETFD) >= 0 && fcntl(1, F_GETFD) >= 0 && fcntl(2, F_GETFD) >= 0)
		return 0;
	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (fd < 0)
			return -1;
		if (fd <= 2 && fcntl(fd, F_SETFD, 0) < 0)
			return -1;
	} while (fd <= 2);
	(void)close(fd);
	return 0;
}

void *
ptr_take_(void *p)
{
	void *v, *none = NULL;

	memcpy(&v, p, sizeof(v));
	memcpy(p, &none, sizeof(none));
	return v;
}

void
fd_closep(int *fd)
{
	(void)fd_close(*fd);
}

void
fd_freep(void *p)
{
	int saved_errno = errno;
	void *v;

	memcpy(&v, p, sizeof(v));
	free(v);
	errno = saved_errno;
}

void
fd_fclosep(FILE **f)
{
	int saved_errno = errno;

	if (*f)
		(void)fclose(*f); /* writers check fflush or fclose themselves before this */
	errno = saved_errno;
}

void
fd_closedirp(DIR **d)
{
	int saved_errno = errno;

	if (*d)
		(void)closedir(*d);
	errno = saved_errno;
}

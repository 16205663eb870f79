/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading a system call filter that seccomp.c has compiled and kept.
 */
#include "runtime/runtime_priv.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/path.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int
filter_load(const char *name, struct filter *ret, struct err *err)
{
	auto_free char *path = NULL, *bytes = NULL;
	struct filter_header header;
	struct filter filter = {0};
	size_t size, at = sizeof(header);
	int r;

	if (asprintf(&path, RUNTIME_DIR "/%s", name) < 0) {
		path = NULL; /* undefined after a failure */
		return err_nomem(err);
	}
	r = path_file_read(path, 1u << 20, &bytes, &size, err);
	if (r < 0)
		return err_add(err, "system call filter");
	if (size < sizeof(header))
		return err_set(err, ZE_FORMAT, 0, "'%s' is not a system call filter", path);
	memcpy(&header, bytes, sizeof(header));
	if (header.magic != FILTER_MAGIC || header.n > FILTER_PROGRAMS_MAX)
		return err_set(err, ZE_FORMAT, 0, "'%s' is not a system call filter", path);
	for (uint32_t i = 0; i < header.n; i++) {
		if (header.len[i] == 0 || header.len[i] > BPF_MAXINSNS ||
		    (size - at) / sizeof(struct sock_filter) < header.len[i])
			return err_set(err, ZE_FORMAT, 0, "'%s' is not a system call filter", path);
		filter.programs[i].len = (uint16_t)header.len[i];
		filter.programs[i].instructions = bytes + at;
		at += header.len[i] * sizeof(struct sock_filter);
	}
	filter.n = header.n;
	filter.bytes = ptr_take(&bytes);
	*ret = filter;
	return 0;
}

void
filter_free(struct filter *filter)
{
	int saved_errno = errno;

	free(filter->bytes);
	*filter = (struct filter){0};
	errno = saved_errno;
}

int
filter_apply(const struct filter *filter)
{
	struct sock_fprog prog;

	for (unsigned i = 0; i < filter->n; i++) {
		prog.len = filter->programs[i].len;
		prog.filter = filter->programs[i].instructions;
		if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) < 0)
			return -1;
	}
	return 0;
}

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

#define FILTER_SIZE_MAX (BPF_MAXINSNS * sizeof(struct sock_filter))

int
filter_load(const char *name, struct filter *ret, struct err *err)
{
	auto_free char *path = NULL, *bytes = NULL;
	size_t size;
	int r;

	if (asprintf(&path, RUNTIME_DIR "/%s", name) < 0) {
		path = NULL; /* undefined after a failure */
		return err_nomem(err);
	}
	r = path_file_read(path, FILTER_SIZE_MAX, &bytes, &size, err);
	if (r < 0)
		return err_add(err, "system call filter");
	if (size == 0 || size % sizeof(struct sock_filter) != 0)
		return err_set(err, ZE_FORMAT, 0, "'%s' is not a system call filter", path);
	ret->len = (uint16_t)(size / sizeof(struct sock_filter));
	ret->instructions = (struct sock_filter *)(void *)ptr_take(&bytes);
	return 0;
}

void
filter_free(struct filter *filter)
{
	int saved_errno = errno;

	free(filter->instructions);
	*filter = (struct filter){0};
	errno = saved_errno;
}

int
filter_apply(const struct filter *filter)
{
	struct sock_fprog program = {.len = filter->len, .filter = filter->instructions};

	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

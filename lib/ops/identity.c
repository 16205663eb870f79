/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A zone's identity in its files. Which files a system's identity is in is known to lib/pkg; which
 * zone it is for, here.
 */
#include "ops_priv.h"

#include "base/err.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/path.h"
#include "pkg/pkg.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* The zone's UUID, which the index gave it when it left configured, is its machine id too. */
static int
machine_id(const char *zone, char ret[33], struct err *err)
{
	auto_index struct config_index index = {0};
	const struct config_entry *entry;
	size_t n = 0;
	int r;

	r = config_index_load("", &index, err);
	if (r < 0)
		return r;
	entry = config_index_find(&index, zone);
	for (const char *p = entry ? entry->uuid : ""; *p && n < 32; p++)
		if (*p != '-')
			ret[n++] = (char)tolower((unsigned char)*p);
	ret[n] = '\0';
	return 0;
}

/*
 * zonename(1) is in /run/host of every live zone. A link makes it found by every shell and service,
 * whatever its PATH. A zone that inherits /usr has the host's instead, and no directory here.
 */
static int
link_zonename(int root_fd, struct err *err)
{
	auto_close int dir_fd = -EBADF;

	dir_fd = path_open_in_root(root_fd, "usr/bin", O_PATH | O_DIRECTORY, 0, err);
	if (dir_fd == -ZE_NOENT) {
		err_clear(err);
		return 0;
	}
	if (dir_fd < 0)
		return dir_fd;
	if (fault_point("symlink") ||
	    (symlinkat("/run/host/bin/zonename", dir_fd, "zonename") < 0 && errno != EEXIST))
		return err_set(err, ZE_IO, errno, "make '/usr/bin/zonename' in the zone");
	return 0;
}

int
identity_reset(const char *zone, int root_fd, struct err *err)
{
	char id[33];
	int r;

	r = machine_id(zone, id, err);
	if (r == 0)
		r = pkg_unconfigure(root_fd, zone, id, err);
	return r < 0 ? r : link_zonename(root_fd, err);
}

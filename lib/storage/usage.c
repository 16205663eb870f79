/* SPDX-License-Identifier: Apache-2.0 */
/* How much space a tree takes. */
#include "storage_priv.h"

#include "walk.h"

#include "base/err.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define EXTENTS 64

struct usage {
	struct walk walk; /* first: the callback gets a pointer to it */
	uint64_t exclusive;
	bool unknown; /* the file system does not tell what is shared */
};

/* Add up the extents of a file that no other file has. */
static void
add_exclusive(struct usage *u, int fd)
{
	union {
		struct fiemap map;
		char room[sizeof(struct fiemap) + EXTENTS * sizeof(struct fiemap_extent)];
	} m;
	const struct fiemap_extent *e;
	uint64_t from = 0;
	bool last = false;

	while (!last) {
		memset(&m, 0, sizeof(m.map));
		m.map.fm_start = from;
		m.map.fm_length = FIEMAP_MAX_OFFSET - from;
		m.map.fm_extent_count = EXTENTS;
		if (ioctl(fd, FS_IOC_FIEMAP, &m.map) < 0) {
			u->unknown = true;
			return;
		}
		if (m.map.fm_mapped_extents == 0)
			return;
		for (unsigned i = 0; i < m.map.fm_mapped_extents; i++) {
			e = &m.map.fm_extents[i];
			if (!(e->fe_flags & FIEMAP_EXTENT_SHARED))
				u->exclusive += e->fe_length;
			from = e->fe_logical + e->fe_length;
			last = e->fe_flags & FIEMAP_EXTENT_LAST;
		}
	}
}

static int
usage_entry(struct walk *w, const struct walk_dir *dir, const char *name, const struct statx *stx,
	    struct err *err)
{
	struct usage *u = (struct usage *)w;
	auto_close int fd = -EBADF;

	(void)err;
	/* A file with several names counts by shares, so that their sum is right without a list. */
	w->done_bytes += stx->stx_blocks * 512 / (stx->stx_nlink ? stx->stx_nlink : 1);
	if (!S_ISREG(stx->stx_mode) || stx->stx_blocks == 0 || u->unknown)
		return 0;
	fd = openat(dir->src_fd, name,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_NOATIME | O_CLOEXEC);
	if (fd >= 0)
		add_exclusive(u, fd);
	return 0;
}

int
tree_usage(int dir_fd, struct storage_usage *ret, struct err *err)
{
	struct usage u = {
	    .walk = {
		.entry = usage_entry, .skip_broken = true, .allow_mounts = true, .threads = 1}};
	int r;

	r = walk_tree(&u.walk, dir_fd, -EBADF, err);
	if (r < 0)
		return r;
	*ret = (struct storage_usage){
	    .total_bytes = u.walk.done_bytes,
	    .exclusive_bytes = u.unknown ? 0 : u.exclusive,
	    .exclusive_known = !u.unknown,
	};
	return 0;
}

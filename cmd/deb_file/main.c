/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zones-deb-file DEB PATH: one regular file of a Debian package, to standard output, behind a line
 * with its mode (octal) and size. A program of its own, so that zoneadm starts without libarchive,
 * and an archive that breaks the library breaks nothing else.
 *
 * A .deb is an ar(1) archive; its member data.tar.* holds the files. Exit status 0, 1 if there is
 * no such file or the archive is damaged, 2 for wrong usage.
 */
#include <archive.h>
#include <archive_entry.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define BLOCK_BYTES    ((size_t)64 * 1024)
#define FILE_MAX_BYTES ((int64_t)64 * 1024 * 1024)

/* The member of the outer archive, as input of the inner one. */
struct member {
	struct archive *outer;
	char block[BLOCK_BYTES];
};

static la_ssize_t
read_member(struct archive *inner, void *arg, const void **ret)
{
	struct member *m = arg;
	la_ssize_t n;

	n = archive_read_data(m->outer, m->block, sizeof(m->block));
	if (n < 0)
		archive_set_error(inner, archive_errno(m->outer), "%s",
				  archive_error_string(m->outer));
	*ret = m->block;
	return n;
}

static int
complain(const char *deb, const char *what)
{
	(void)fprintf(stderr, "zones-deb-file: '%s': %s\n", deb, what ? what : "damaged");
	return 1;
}

static int
print_entry(struct archive *inner, struct archive_entry *entry, const char *deb)
{
	int64_t size = archive_entry_size(entry), done = 0;
	char buf[8192];
	la_ssize_t n;

	if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) ||
	    size > FILE_MAX_BYTES)
		return complain(deb, "it is not a plain file there");
	if (printf("%o %" PRId64 "\n", (unsigned)archive_entry_perm(entry), size) < 0)
		return complain(deb, "cannot write");
	while ((n = archive_read_data(inner, buf, sizeof(buf))) > 0) {
		if (fwrite(buf, 1, (size_t)n, stdout) != (size_t)n)
			return complain(deb, "cannot write");
		done += n;
	}
	if (n < 0 || done != size)
		return complain(deb, archive_error_string(inner));
	return fflush(stdout) == 0 ? 0 : complain(deb, "cannot write");
}

/* Names in data.tar begin with "./". */
static bool
is_path(const char *name, const char *path)
{
	if (!name)
		return false;
	if (!strncmp(name, "./", 2))
		name += 2;
	return !strcmp(name + (*name == '/'), path + (*path == '/'));
}

static int
search_data(struct member *m, const char *deb, const char *path)
{
	struct archive *inner = archive_read_new();
	struct archive_entry *entry;
	int r, status;

	if (!inner)
		return complain(deb, "no memory");
	(void)archive_read_support_filter_all(inner); /* a filter that is missing fails at open */
	(void)archive_read_support_format_tar(inner);
	r = archive_read_open(inner, m, NULL, read_member, NULL);
	while (r == ARCHIVE_OK && (r = archive_read_next_header(inner, &entry)) == ARCHIVE_OK)
		if (is_path(archive_entry_pathname(entry), path))
			break;
	if (r == ARCHIVE_OK)
		status = print_entry(inner, entry, deb);
	else
		status = complain(deb, r == ARCHIVE_EOF ? "it has no such file"
							: archive_error_string(inner));
	(void)archive_read_free(inner);
	return status;
}

static int
search(struct member *m, const char *deb, const char *path)
{
	struct archive_entry *entry;
	const char *name;
	int r;

	(void)archive_read_support_format_ar(m->outer);
	r = archive_read_open_filename(m->outer, deb, BLOCK_BYTES);
	while (r == ARCHIVE_OK && (r = archive_read_next_header(m->outer, &entry)) == ARCHIVE_OK) {
		name = archive_entry_pathname(entry);
		if (name && !strncmp(name, "data.tar", 8))
			return search_data(m, deb, path);
	}
	return complain(deb,
			r == ARCHIVE_EOF ? "it has no data.tar" : archive_error_string(m->outer));
}

int
main(int argc, char **argv)
{
	struct member *m;
	int status;

	if (argc != 3) {
		(void)fputs("usage: zones-deb-file DEB PATH\n", stderr);
		return 2;
	}
	m = calloc(1, sizeof(*m));
	if (m)
		m->outer = archive_read_new();
	status = m && m->outer ? search(m, argv[1], argv[2]) : complain(argv[1], "no memory");
	if (m && m->outer)
		(void)archive_read_free(m->outer);
	free(m);
	return status;
}

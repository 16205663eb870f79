/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small host with a dpkg database, made in a temporary directory for tests of lib/pkg. Each
 * function ends the test when it fails.
 */
#ifndef TESTS_FAKE_HOST_H
#define TESTS_FAKE_HOST_H

#include "base/str.h"

#include <sys/types.h>

struct fake_host {
	char root[64]; /* the directory */
	struct str status;
};

struct fake_package {
	const char *name;
	const char *version;   /* NULL: "1" */
	const char *arch;      /* NULL: "amd64" */
	const char *status;    /* NULL: "install ok installed" */
	const char *fields;    /* more lines of its paragraph, each with a newline */
	const char *files;     /* "/path\n" of a directory, "/path=content\n" of a file,
				  "/path>target\n" of a link */
	const char *conffiles; /* "/path=content\n" */
	const char *preinst, *postinst, *triggers; /* content of the files in info/ */
};

/**
 * fake_host_make - an empty root with merged /usr and an empty database
 */
void fake_host_make(struct fake_host *host);

/**
 * fake_host_add - install a package: its files, its part of the database
 */
void fake_host_add(struct fake_host *host, const struct fake_package *package);

/**
 * fake_host_write - a file that no package owns, or a change of one; missing directories are made
 */
void fake_host_write(struct fake_host *host, const char *path, const char *content, mode_t mode);

/**
 * fake_host_remove - take a file away
 */
void fake_host_remove(struct fake_host *host, const char *path);

/**
 * fake_host_done - write the status file
 */
void fake_host_done(struct fake_host *host);

/**
 * fake_host_free - remove the whole directory
 */
void fake_host_free(struct fake_host *host);

/**
 * fake_host_read - content of a file below @root, "" if there is none; yours to free()
 */
char *fake_host_read(const char *root, const char *path);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of the storage backends, on a file system for each, mounted where nobody sees it. An
 * argument names the one file system to try: TAP has room for one suite in a run.
 */
#include "storage_contract.h"

#include "base/err.h"
#include "base/proc.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define IMAGE_BYTES (1024LL << 20) /* sparse */

static const struct {
	const char *fs, *backend;
	const char *mkfs[8];
} suites[] = {
    {"tmpfs", "copy", {NULL}},
    {"btrfs", "btrfs", {"/sbin/mkfs.btrfs", "-q", "-K", NULL}},
    {"xfs", "reflink", {"/sbin/mkfs.xfs", "-q", "-K", NULL}},
    {"ext4", "copy", {"/sbin/mkfs.ext4", "-q", "-E", "nodiscard", NULL}},
};

static int
run(const char *const *argv)
{
	struct proc_req req = {.argv = argv};
	struct err err;

	if (proc_run(&req, NULL, &err) == 0)
		return 0;
	(void)fprintf(stderr, "%s\n", err.msg);
	return -1;
}

/* A file system of the kind in a sparse file, or a tmpfs. */
static int
make_mount(size_t i, const char *image, const char *at)
{
	const char *mkfs[10] = {NULL};
	const char *const mnt[] = {"/bin/mount", "-o", "loop", image, at, NULL};
	size_t n = 0;

	if (!suites[i].mkfs[0])
		return mount("none", at, "tmpfs", 0, NULL);
	for (; suites[i].mkfs[n]; n++)
		mkfs[n] = suites[i].mkfs[n];
	mkfs[n] = image;
	return run(mkfs) < 0 ? -1 : run(mnt);
}

static int
run_suite(size_t i, const char *work)
{
	char image[128], at[128];
	FILE *f;
	int failed;

	(void)snprintf(image, sizeof(image), "%s/image", work);
	(void)snprintf(at, sizeof(at), "%s/mnt", work);
	(void)mkdir(at, 0755);
	f = fopen(image, "we");
	if (!f || ftruncate(fileno(f), IMAGE_BYTES) < 0 || fclose(f) != 0)
		return 1;
	if (make_mount(i, image, at) < 0) {
		(void)fprintf(stderr, "cannot make a %s\n", suites[i].fs);
		failed = 1;
	} else {
		failed = storage_contract_run(suites[i].fs, at, suites[i].backend);
		(void)umount2(at, MNT_DETACH); /* the loop device goes with its last user */
	}
	(void)unlink(image);
	(void)rmdir(at);
	return failed;
}

int
main(int argc, char **argv)
{
	char work[] = "/tmp/storage-contract.XXXXXX";
	int failed = 0;

	if (geteuid() != 0) {
		(void)puts("1..0 # SKIP needs root");
		return 0;
	}
	(void)umask(022);
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    !mkdtemp(work)) {
		perror("make a private mount namespace");
		return 1;
	}
	for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++) {
		if (argc < 2 || strcmp(argv[1], suites[i].fs) == 0)
			failed += run_suite(i, work);
	}
	(void)rmdir(work);
	return failed > 0;
}

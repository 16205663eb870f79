/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way into a zone that shares the host's ids, for a program of ours that executes one of the
 * zone's. What the zone wants executed may be /proc/self/exe, or name it as its interpreter: then a
 * process of the zone has our program file as its own, can open it through /proc, and owns it
 * (CVE-2019-5736). With ids of its own it owns nothing of the host's; with shared ids, ours must
 * not be the program that executes.
 *
 * So ours first executes a file in memory, made for this one entry, which then executes the zone's.
 * That file belongs to an id that does not exist in the zone and can be executed only: the zone can
 * neither read nor write nor change it, and the kernel makes its process one that nobody in the
 * zone can trace or look into. It is told what failed by an error number on a descriptor.
 */
#include "runtime/runtime_priv.h"

#include "base/err.h"
#include "base/fault.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

/* An id that no zone with the host's ids has: they end at 65535. */
#define AIRLOCK_OWNER 0xfffffffeu

static const unsigned char program[] = {
#include "runtime/airlock_program.h"
};

int
airlock_open(struct err *err)
{
	auto_close int fd = -EBADF;
	int above_fd;

	fd = fault_point("airlock") ? -1 : memfd_create("zones-airlock", MFD_CLOEXEC | MFD_EXEC);
	if (fd < 0 && errno == EINVAL) /* before 6.3 all of them can be executed */
		fd = memfd_create("zones-airlock", MFD_CLOEXEC);
	if (fd < 0 || fd_write_all(fd, program, sizeof(program)) < 0 ||
	    fchown(fd, AIRLOCK_OWNER, AIRLOCK_OWNER) < 0 || fchmod(fd, 0111) < 0)
		return err_set(err, ZE_IO, errno, "make a program to enter the zone by");
	if (fd > AIRLOCK_REPORT_FD)
		return fd_take(&fd);
	/* Where the report goes, it would be overwritten before it is executed. */
	above_fd = fcntl(fd, F_DUPFD_CLOEXEC, AIRLOCK_REPORT_FD + 1);
	if (above_fd < 0)
		return err_set(err, ZE_IO, errno, "make a program to enter the zone by");
	return above_fd;
}

int
airlock_exec(int airlock_fd, int report_fd, char *const *argv, char *const *envp)
{
	if (report_fd == AIRLOCK_REPORT_FD ? fcntl(report_fd, F_SETFD, 0) < 0
					   : dup2(report_fd, AIRLOCK_REPORT_FD) < 0)
		return -1;
	return (int)syscall(SYS_execveat, airlock_fd, "", argv, envp, AT_EMPTY_PATH);
}

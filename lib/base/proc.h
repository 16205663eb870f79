/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Other processes: running a program, and recognising a process again.
 */
#ifndef BASE_PROC_H
#define BASE_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

/* A program to run. argv[0] is an absolute path. */
struct proc_req {
	const char *const *argv;
	const char *const *envp; /* NULL: PATH, HOME=/root, LC_ALL=C.UTF-8 and nothing else */
	const char *cwd;         /* NULL: "/" */
	int output_fd;           /* > 2: stdout and stderr go there; 0: they are captured */
	size_t output_max_bytes; /* of captured output that is kept (the rest is read and dropped);
				    0: 64 KiB */
	unsigned timeout_ms;     /* 0: no limit; else it is killed and -ZE_TIMEOUT returned */
};

struct proc_result {
	int exit_status; /* 0..255, or 128 + the signal that ended it */
	char *output;    /* captured text with a NUL, yours to free(); NULL if not captured */
};

/**
 * proc_run - run a program and wait for its end
 * @ret: filled when the program ran, whatever its status; may be NULL
 *
 * No shell; stdin is /dev/null; no descriptor above 2 reaches it; signals are at their defaults; it
 * dies with this process. Returns 0 when it exited with 0; -ZE_CHILD (message: program, status and
 * the last line it printed) when not; -ZE_TIMEOUT; -ZE_NOENT when there is no such program; -ZE_IO.
 */
int proc_run(const struct proc_req *req, struct proc_result *ret, struct err *err);

/**
 * proc_start_time - when a process started, in clock ticks since boot
 *
 * Together with the number it names a process for good: numbers are used again, pairs are not.
 * Returns 0; -ZE_NOENT when there is no such process; -ZE_IO. Source: proc(5), field 22 of stat.
 */
int proc_start_time(pid_t pid, uint64_t *ret_ticks, struct err *err);

/**
 * proc_open - a pidfd for a process, if it is still the one that started at @start_ticks
 *
 * Returns a descriptor; -ZE_NOENT when it is gone (a zombie counts as gone); -ZE_IO.
 */
int proc_open(pid_t pid, uint64_t start_ticks, struct err *err);

#endif

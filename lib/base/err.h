/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one way to report a failure: a struct that the caller owns, usually on its stack. It holds no
 * pointer, so it cannot leak, survives fork and crosses a socket as it is.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

enum ze {
	ZE_OK = 0,
	ZE_INVAL,   /* the request makes no sense: bad value, bad name, bad syntax */
	ZE_NOMEM,   /* no memory */
	ZE_NOENT,   /* the named thing does not exist */
	ZE_EXIST,   /* the named thing exists already */
	ZE_STATE,   /* the zone is in the wrong state for this */
	ZE_BUSY,    /* somebody else holds it; trying again later may help */
	ZE_PERM,    /* the caller may not */
	ZE_NOTSUP,  /* this host, file system or kernel cannot; another way may exist */
	ZE_IO,      /* a system call failed: os_errno says how */
	ZE_FORMAT,  /* a file or message does not have the format it must have */
	ZE_VERIFY,  /* a configuration or host does not pass verification */
	ZE_CHILD,   /* a program that was run failed */
	ZE_TIMEOUT, /* it took too long and was stopped */
	ZE_INTR,    /* a signal asked for a clean stop */
	ZE_STORAGE, /* a storage backend failed */
	ZE_PKG,     /* a package or the package database is not as it must be */
};

struct err {
	enum ze code;
	int os_errno;
	char msg[1024];
};

/**
 * err_set - say what failed
 * @err: filled; may be NULL when the caller wants only the code
 * @os_errno: an errno whose text is appended after ": ", or 0
 *
 * Returns -@code, so that a failing function can end in `return err_set(...)`. Keeps errno.
 */
int err_set(struct err *err, enum ze code, int os_errno, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/**
 * err_add - put "context: " in front of the message
 *
 * Returns -err->code, or -ZE_IO when @err is NULL. Keeps errno.
 */
int err_add(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/**
 * err_nomem - the failure of an allocation
 *
 * Returns -ZE_NOMEM.
 */
int err_nomem(struct err *err);

/**
 * err_clear - forget a failure that was handled
 */
void err_clear(struct err *err);

#ifdef __clang_analyzer__
/* The analyser does not look into err.c: it is told here that a failure is negative. */
#define err_set(err, code, ...) ((void)err_set(err, code, __VA_ARGS__), -(int)(code))
#define err_add(err, ...)       ((void)err_add(err, __VA_ARGS__), -1)
#define err_nomem(err)          ((void)err_nomem(err), -ZE_NOMEM)
#endif

#endif

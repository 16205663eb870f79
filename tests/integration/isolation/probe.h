/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Probes: attacks of a zone's root on what is outside the zone. The same program runs in a zone,
 * where every attack must fail, and in a control without the protection, where every attack must
 * succeed, so that none is blind.
 */
#ifndef ISOLATION_PROBE_H
#define ISOLATION_PROBE_H

#include <stddef.h>

enum probe_result {
	PROBE_SAFE,   /* refused, or there was nothing to reach */
	PROBE_BROKEN, /* the attack got through */
	PROBE_ABSENT, /* this kernel does not have what is attacked */
};

/* What the test has put on the host for probes to find. */
struct probe_host {
	int pid;               /* a process */
	const char *marker;    /* a file, by its host path */
	const char *abstract;  /* an abstract socket that is listened on */
	const char *link;      /* a network link */
	const char *name;      /* the host's name */
	const char *domain;    /* and that of its NIS domain */
	int shm_key;           /* a System V segment */
	const char *queue;     /* a POSIX message queue */
	const char *key;       /* the name of a key in the session's keyring */
	const char *disk;      /* "MAJOR:MINOR" of a block device */
	const char *inherited; /* a directory that is mounted read-only */
	const char *terminal;  /* "yes": 0 is a terminal */
	int hold;              /* seconds to keep what was used up */
};

struct probe {
	const char *name;
	enum probe_result (*fn)(const struct probe_host *host);
};

/* Each array ends with a probe without a name. */
extern const struct probe probes_calls[];
extern const struct probe probes_files[];
extern const struct probe probes_nested[];
extern const struct probe probes_reach[];

/**
 * probe_call - judge a call that only wants to pass the kernel's check of privilege
 * @r: what it returned
 *
 * Any failure other than a refusal means that it was let through and failed later.
 */
enum probe_result probe_call(long r);

#endif

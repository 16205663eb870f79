/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system calls of a zone: a list of what is allowed. A call that this list leaves out fails
 * with EPERM; one that libseccomp does not know yet fails with ENOSYS, so that the C library takes
 * an older one instead, and so do keyrings. Calls that need a capability which the zone lacks are
 * left out with it.
 *
 * Compiling takes a millisecond, so the program is kept as bytes in /run/zones, a file for each set
 * of capabilities. libseccomp knows the names and numbers; the program is ours: filter_code.c.
 */
#include "runtime/runtime_priv.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/path.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* Raised with every change of the lists, so that no old file is taken for a new one. */
#define FILTER_REVISION 5

/* A lease on a directory: from 6.19 on. */
#ifndef F_SETDELEG
#define F_SETDELEG (F_SETLEASE + 16)
#endif

/* More than any ABI has numbers of. */
#define CALLS_MAX 1024u

/* Allowed when the zone has the capability. */
static const struct {
	int cap;
	const char *name;
} allowed_with[] = {
    {CAP_SYS_BOOT, "reboot"},          {CAP_SYS_CHROOT, "chroot"},
    {CAP_SYS_NICE, "mbind"},           {CAP_SYS_NICE, "migrate_pages"},
    {CAP_SYS_NICE, "move_pages"},      {CAP_SYS_NICE, "set_mempolicy"},
    {CAP_SYS_PACCT, "acct"},           {CAP_SYS_TIME, "clock_settime"},
    {CAP_SYS_TIME, "clock_settime64"}, {CAP_SYS_TIME, "settimeofday"},
    {CAP_SYS_TIME, "stime"},
};

void
filter_name(uint64_t caps, bool core_pinned, char *ret, size_t size)
{
	(void)snprintf(ret, size, ".filter-%d-%llx%s", FILTER_REVISION, (unsigned long long)caps,
		       core_pinned ? "-core" : "");
}

static bool
is_allowed(const char *name, uint64_t caps)
{
	for (const char *const *allowed = syscalls_allowed; *allowed; allowed++) {
		if (!strcmp(*allowed, name))
			return true;
	}
	for (size_t i = 0; i < sizeof(allowed_with) / sizeof(allowed_with[0]); i++) {
		if (!strcmp(allowed_with[i].name, name))
			return caps & 1ull << allowed_with[i].cap;
	}
	return false;
}

/* The ends of the program, and where the calls go that are looked at more closely. */
struct places {
	unsigned allow, refuse, unknown;
	unsigned no_family, done; /* the latter: says so, and nothing is done */
	struct {
		const char *name;
		unsigned place;
	} looked_at[8];
	size_t n_looked_at;
};

static void
look_at(struct places *places, const char *name, unsigned place)
{
	assert(places->n_looked_at < sizeof(places->looked_at) / sizeof(places->looked_at[0]));
	places->looked_at[places->n_looked_at].name = name;
	places->looked_at[places->n_looked_at].place = place;
	places->n_looked_at++;
}

/*
 * Goes to @one_of for an argument that is one of @n values, else to @other. The kernel uses the low
 * 32 bits of these alone, so only they are compared: a filter that looked at all 64 could be walked
 * around.
 */
static unsigned
argument_in(struct code *code, unsigned arg, const uint32_t *values, size_t n, unsigned one_of,
	    unsigned other)
{
	unsigned at = other;

	for (size_t i = 0; i < n; i++)
		at = code_if_equal(code, values[i], one_of, at);
	return code_load(code, code_argument(arg, false), at);
}

/* A pointer is looked at whole. */
static unsigned
argument_null(struct code *code, unsigned arg, unsigned null, unsigned set)
{
	unsigned at = code_if_equal(code, 0, null, set);

	at = code_load(code, code_argument(arg, true), at);
	at = code_if_equal(code, 0, at, set);
	return code_load(code, code_argument(arg, false), at);
}

/*
 * Kinds of sockets that a zone has. The other families know no namespaces (the hypervisor, the
 * kernel's ciphers, Bluetooth), or are seldom used code of the kernel, which loads the module for
 * whoever asks. The same for pairs: the module is loaded before the family says that it has none.
 */
static void
look_at_sockets(struct code *code, struct places *places)
{
	static const uint32_t families[] = {AF_UNSPEC, AF_UNIX,    AF_INET,  AF_INET6,
					    AF_KEY,    AF_NETLINK, AF_PACKET};
	unsigned place = argument_in(code, 0, families, sizeof(families) / sizeof(families[0]),
				     places->allow, places->no_family);

	look_at(places, "socket", place);
	look_at(places, "socketpair", place);
}

static void
look_at_terminals(struct code *code, struct places *places)
{
	static const uint32_t requests[] = {
	    /* Typing into the terminal of whoever looks at the zone. */
	    TIOCSTI,
	    /* Another line discipline: any terminal would do to load modules of the host's. */
	    TIOCSETD,
	};

	look_at(places, "ioctl",
		argument_in(code, 1, requests, sizeof(requests) / sizeof(requests[0]),
			    places->refuse, places->allow));
}

/* Core dumps are kept from the host's handler by their limit, which stays where it is. */
static void
look_at_core_limit(struct code *code, struct places *places)
{
	static const uint32_t core[] = {RLIMIT_CORE};
	unsigned set;

	look_at(places, "setrlimit", argument_in(code, 0, core, 1, places->done, places->allow));
	/* One that asks for the old limit as well would not get it. */
	set = argument_null(code, 3, places->done, places->refuse);
	set = argument_null(code, 2, places->allow, set);
	look_at(places, "prlimit64", argument_in(code, 1, core, 1, set, places->allow));
}

/*
 * A lease on a file keeps everybody else from opening it for 45 seconds, time and again, and needs
 * no more than an open file of one's own; an inherited file is the zone root's own as much as the
 * host's.
 */
static void
look_at_leases(struct code *code, struct places *places)
{
	static const uint32_t commands[] = {F_SETLEASE, F_SETDELEG};
	unsigned place = argument_in(code, 1, commands, sizeof(commands) / sizeof(commands[0]),
				     places->refuse, places->allow);

	look_at(places, "fcntl", place);
	look_at(places, "fcntl64", place);
}

/* Programs go on without keyrings where the kernel has none, but not where it refuses them. */
static bool
is_keyring(const char *name)
{
	static const char *const calls[] = {"add_key", "keyctl", "request_key"};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (!strcmp(calls[i], name))
			return true;
	}
	return false;
}

/* Where a call goes, by its name in the ABI; NULL: libseccomp does not know it yet. */
static unsigned
place_of(const struct places *places, const char *name, uint64_t caps)
{
	if (!name || is_keyring(name))
		return places->unknown;
	if (!is_allowed(name, caps))
		return places->refuse;
	for (size_t i = 0; i < places->n_looked_at; i++) {
		if (!strcmp(places->looked_at[i].name, name))
			return places->looked_at[i].place;
	}
	return places->allow;
}

/* All calls of one ABI, by their numbers; what comes after them is unknown, x32 with it. */
static unsigned
look_at_numbers(struct code *code, const struct places *places, uint32_t arch, uint64_t caps)
{
	struct code_range ranges[CALLS_MAX + 1];
	size_t n = 0;

	for (uint32_t nr = 0; nr <= CALLS_MAX; nr++) {
		auto_free char *name =
		    nr < CALLS_MAX ? seccomp_syscall_resolve_num_arch(arch, (int)nr) : NULL;
		unsigned place = place_of(places, name, caps);

		if (n == 0 || ranges[n - 1].place != place)
			ranges[n++] = (struct code_range){.first = nr, .place = place};
	}
	return code_load(code, offsetof(struct seccomp_data, nr), code_ranges(code, ranges, n));
}

static void
write_program(struct code *code, uint64_t caps, bool core_pinned)
{
	struct places places = {
	    .allow = code_return(code, SECCOMP_RET_ALLOW),
	    .refuse = code_return(code, SECCOMP_RET_ERRNO | EPERM),
	    .unknown = code_return(code, SECCOMP_RET_ERRNO | ENOSYS),
	    .no_family = code_return(code, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
	    .done = code_return(code, SECCOMP_RET_ERRNO | 0),
	};
	uint32_t native = seccomp_arch_native();
	unsigned at = places.unknown;

	look_at_sockets(code, &places);
	look_at_terminals(code, &places);
	if (!(caps & 1ull << CAP_LEASE))
		look_at_leases(code, &places);
	if (core_pinned)
		look_at_core_limit(code, &places);
	/* The native ABI and, on x86, the 32-bit one; all others: ENOSYS. */
	if (native == SCMP_ARCH_X86_64)
		at = code_if_equal(code, SCMP_ARCH_X86,
				   look_at_numbers(code, &places, SCMP_ARCH_X86, caps), at);
	at = code_if_equal(code, native, look_at_numbers(code, &places, native, caps), at);
	(void)code_load(code, offsetof(struct seccomp_data, arch), at);
}

int
filter_compile(uint64_t caps, bool core_pinned, struct filter *ret, struct err *err)
{
	auto_free struct code *code = calloc(1, sizeof(*code));
	struct filter filter = {0};
	const struct sock_filter *begin;

	if (!code)
		return err_nomem(err);
	write_program(code, caps, core_pinned);
	begin = code_begin(code);
	if (!begin)
		return err_set(err, ZE_NOTSUP, 0, "the system call filter is too long");
	filter.len = (uint16_t)code->n;
	filter.instructions = calloc(code->n, sizeof(*begin));
	if (!filter.instructions)
		return err_nomem(err);
	memcpy(filter.instructions, begin, code->n * sizeof(*begin));
	*ret = filter;
	return 0;
}

int
filter_ensure(uint64_t caps, bool core_pinned, struct err *err)
{
	auto_free char *path = NULL;
	auto_filter struct filter filter = {0};
	char name[sizeof(((struct runtime_record *)0)->filter)];
	int r;

	filter_name(caps, core_pinned, name, sizeof(name));
	if (asprintf(&path, RUNTIME_DIR "/%s", name) < 0) {
		path = NULL; /* undefined after a failure */
		return err_nomem(err);
	}
	if (access(path, F_OK) == 0)
		return 0;
	r = filter_compile(caps, core_pinned, &filter, err);
	if (r < 0)
		return r;
	return path_file_replace(path, filter.instructions,
				 filter.len * sizeof(*filter.instructions), 0600, err);
}

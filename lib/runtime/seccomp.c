/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system calls of a zone: a list of what is allowed. A call that this list leaves out fails
 * with EPERM; one that libseccomp does not know yet fails with ENOSYS, so that the C library takes
 * an older one instead. Calls that need a capability which the zone lacks are left out with it.
 *
 * Compiling takes milliseconds, so the programs are kept as bytes in /run/zones, a file for each
 * set of capabilities, and loading one takes two system calls.
 */
#include "runtime/runtime_priv.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/path.h"

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
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Raised with every change of the lists, so that no old file is taken for a new one. */
#define FILTER_REVISION 2

/* More than any kernel has numbers of. */
#define FAMILIES_MAX 64

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

/* A filter that knows the native ABI and, on x86, the 32-bit one. x32 and all others: ENOSYS. */
static scmp_filter_ctx
new_filter(uint32_t action)
{
	scmp_filter_ctx ctx = seccomp_init(action);

	if (!ctx)
		return NULL;
	if (seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS)) < 0 ||
	    seccomp_attr_set(ctx, SCMP_FLTATR_CTL_NNP, 0) < 0 ||
	    seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2) < 0 ||
	    (seccomp_arch_native() == SCMP_ARCH_X86_64 &&
	     seccomp_arch_add(ctx, SCMP_ARCH_X86) < 0)) {
		seccomp_release(ctx);
		return NULL;
	}
	return ctx;
}

/* One rule for each call that libseccomp knows in @arch. */
static int
add_known(scmp_filter_ctx ctx, uint32_t arch, uint64_t caps)
{
	for (int nr = 0; nr < 1024; nr++) {
		auto_free char *name = seccomp_syscall_resolve_num_arch(arch, nr);
		int r;

		if (!name)
			continue;
		r = seccomp_rule_add(
		    ctx, is_allowed(name, caps) ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EPERM),
		    seccomp_syscall_resolve_name(name), 0);
		if (r < 0 && r != -EEXIST)
			return r;
	}
	return 0;
}

/* Which calls: by number alone, which the kernel can decide once and for all. */
static int
make_list(uint64_t caps, scmp_filter_ctx *ret)
{
	scmp_filter_ctx ctx = new_filter(SCMP_ACT_ERRNO(ENOSYS));
	int r;

	if (!ctx)
		return -ENOMEM;
	r = add_known(ctx, seccomp_arch_native(), caps);
	if (r == 0 && seccomp_arch_native() == SCMP_ARCH_X86_64)
		r = add_known(ctx, SCMP_ARCH_X86, caps);
	if (r < 0)
		seccomp_release(ctx);
	else
		*ret = ctx;
	return r;
}

/* Kinds of sockets that a zone has; see refuse_families(). */
static bool
is_family_allowed(int family)
{
	static const int allowed[] = {AF_UNSPEC, AF_UNIX,    AF_INET,  AF_INET6,
				      AF_KEY,    AF_NETLINK, AF_PACKET};

	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
		if (allowed[i] == family)
			return true;
	}
	return false;
}

/*
 * The other families know no namespaces (the hypervisor, the kernel's ciphers, Bluetooth), or are
 * seldom used code of the kernel, which loads the module for whoever asks. The same for pairs: the
 * module is loaded before the family says that it has none.
 */
static int
refuse_families(scmp_filter_ctx ctx)
{
	static const char *const calls[] = {"socket", "socketpair"};
	int r = 0;

	for (int family = 0; r == 0 && family < FAMILIES_MAX; family++) {
		if (is_family_allowed(family))
			continue;
		for (size_t i = 0; r == 0 && i < sizeof(calls) / sizeof(calls[0]); i++)
			r = seccomp_rule_add(
			    ctx, SCMP_ACT_ERRNO(EAFNOSUPPORT),
			    seccomp_syscall_resolve_name(calls[i]), 1,
			    SCMP_CMP(0, SCMP_CMP_MASKED_EQ, 0xffffffffu, (uint32_t)family));
	}
	return r;
}

/*
 * Which arguments. The kernel uses the low 32 bits of these alone, so only they are compared: a
 * filter that looked at all 64 could be walked around.
 */
static int
make_arguments(bool core_pinned, scmp_filter_ctx *ret)
{
	static const struct {
		const char *name;
		unsigned arg;
		uint32_t value;
		uint32_t action;
		bool core; /* only when core dumps are kept from the host */
	} rules[] = {
	    /* Typing into the terminal of whoever looks at the zone. */
	    {"ioctl", 1, TIOCSTI, SCMP_ACT_ERRNO(EPERM), false},
	    /* Another line discipline: any terminal would do to load modules of the host's. */
	    {"ioctl", 1, TIOCSETD, SCMP_ACT_ERRNO(EPERM), false},
	    /* Done, says the kernel, and does nothing: the limit stays where it was. */
	    {"setrlimit", 0, RLIMIT_CORE, SCMP_ACT_ERRNO(0), true},
	};
	scmp_filter_ctx ctx = new_filter(SCMP_ACT_ALLOW);
	int r = ctx ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (rules[i].core && !core_pinned)
			continue;
		r = seccomp_rule_add(
		    ctx, rules[i].action, seccomp_syscall_resolve_name(rules[i].name), 1,
		    SCMP_CMP(rules[i].arg, SCMP_CMP_MASKED_EQ, 0xffffffffu, rules[i].value));
	}
	if (r == 0)
		r = refuse_families(ctx);
	if (r == 0 && core_pinned)
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(0), SCMP_SYS(prlimit64), 3,
				     SCMP_CMP(1, SCMP_CMP_MASKED_EQ, 0xffffffffu, RLIMIT_CORE),
				     SCMP_CMP(2, SCMP_CMP_NE, 0, 0),
				     SCMP_CMP(3, SCMP_CMP_EQ, 0, 0));
	if (r == 0 && core_pinned)
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(prlimit64), 3,
				     SCMP_CMP(1, SCMP_CMP_MASKED_EQ, 0xffffffffu, RLIMIT_CORE),
				     SCMP_CMP(2, SCMP_CMP_NE, 0, 0),
				     SCMP_CMP(3, SCMP_CMP_NE, 0, 0));
	if (r < 0 && ctx)
		seccomp_release(ctx);
	else if (r == 0)
		*ret = ctx;
	return r;
}

/* Append a compiled program to @fd and note its length. */
static int export(scmp_filter_ctx ctx, int fd, uint32_t *ret_len)
{
	off_t before = lseek(fd, 0, SEEK_END), after;

	if (seccomp_export_bpf(ctx, fd) < 0)
		return -1;
	after = lseek(fd, 0, SEEK_END);
	if (before < 0 || after < 0)
		return -1;
	*ret_len = (uint32_t)((size_t)(after - before) / sizeof(struct sock_filter));
	return 0;
}

static int
compile(uint64_t caps, bool core_pinned, char **ret, size_t *ret_size, struct err *err)
{
	struct filter_header header = {.magic = FILTER_MAGIC, .n = FILTER_PROGRAMS_MAX};
	scmp_filter_ctx ctx[FILTER_PROGRAMS_MAX] = {NULL, NULL};
	auto_close int fd = -EBADF;
	int r;

	fd = memfd_create("filter", MFD_CLOEXEC);
	if (fd < 0 || fd_write_all(fd, &header, sizeof(header)) < 0)
		return err_set(err, ZE_IO, errno, "memory for the system call filter");
	r = make_list(caps, &ctx[0]);
	if (r == 0)
		r = make_arguments(core_pinned, &ctx[1]);
	for (int i = 0; r == 0 && i < FILTER_PROGRAMS_MAX; i++)
		r = export(ctx[i], fd, &header.len[i]);
	for (int i = 0; i < FILTER_PROGRAMS_MAX; i++) {
		if (ctx[i])
			seccomp_release(ctx[i]);
	}
	if (r < 0)
		return err_set(err, ZE_NOTSUP, r < -1 ? -r : 0, "compile the system call filter");
	if (pwrite(fd, &header, sizeof(header), 0) != sizeof(header) || lseek(fd, 0, SEEK_SET) < 0)
		return err_set(err, ZE_IO, errno, "write the system call filter");
	return fd_read_all(fd, 1u << 20, ret, ret_size, err);
}

int
filter_ensure(uint64_t caps, bool core_pinned, struct err *err)
{
	auto_free char *path = NULL, *bytes = NULL;
	char name[sizeof(((struct runtime_record *)0)->filter)];
	size_t size;
	int r;

	filter_name(caps, core_pinned, name, sizeof(name));
	if (asprintf(&path, RUNTIME_DIR "/%s", name) < 0) {
		path = NULL; /* undefined after a failure */
		return err_nomem(err);
	}
	if (access(path, F_OK) == 0)
		return 0;
	r = compile(caps, core_pinned, &bytes, &size, err);
	if (r < 0)
		return r;
	return path_file_replace(path, bytes, size, 0600, err);
}

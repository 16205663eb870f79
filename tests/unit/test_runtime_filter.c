/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system call filter says for every number of every ABI, and around every value that an
 * argument is compared with, what the lists say. The programs are run here by a small interpreter;
 * probes of the kernel with the filter loaded are in tests/integration/isolation.bats.
 */
#include "runtime/runtime_priv.h"

#include "base/err.h"
#include "base/fd.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cmocka.h>

#define X32_BIT 0x40000000u
#define REFUSED (SECCOMP_RET_ERRNO | EPERM)
#define UNKNOWN (SECCOMP_RET_ERRNO | ENOSYS)

/* Numbers compare by 32 bits only where the kernel looks at no more. */
static const uint64_t values[] = {
    0,
    1,
    2,
    3,
    4,
    5,
    9,
    10,
    11,
    14,
    15,
    16,
    17,
    18,
    39,
    40,
    63,
    64,
    1023,
    1024,
    1025,
    1039,
    1040,
    1041,
    TIOCSTI - 1,
    TIOCSTI,
    TIOCSTI + 1,
    TIOCSETD - 1,
    TIOCSETD,
    TIOCSETD + 1,
    UINT32_MAX,
    1ull << 32,
    1ull << 32 | RLIMIT_CORE,
    1ull << 32 | TIOCSTI,
    1ull << 32 | AF_VSOCK,
    1ull << 63,
    UINT64_MAX,
};

#define N_VALUES (sizeof(values) / sizeof(values[0]))

static uint32_t
run(const struct filter *filter, const struct seccomp_data *data)
{
	uint32_t a = 0;

	for (unsigned pc = 0; pc < filter->len; pc++) {
		const struct sock_filter *at = &filter->instructions[pc];

		switch (at->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			assert_true(at->k <= sizeof(*data) - sizeof(a) && at->k % sizeof(a) == 0);
			memcpy(&a, (const char *)data + at->k, sizeof(a));
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			pc += a == at->k ? at->jt : at->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			pc += a >= at->k ? at->jt : at->jf;
			break;
		case BPF_JMP | BPF_JA:
			pc += at->k;
			break;
		case BPF_RET | BPF_K:
			return at->k;
		default:
			fail_msg("instruction %u: code %#x", pc, at->code);
		}
	}
	fail_msg("the program has no end");
	return 0;
}

static bool
on_the_list(const char *name, uint64_t caps)
{
	static const struct {
		const char *name;
		int cap;
	} by_capability[] = {
	    {"reboot", CAP_SYS_BOOT},          {"chroot", CAP_SYS_CHROOT},
	    {"mbind", CAP_SYS_NICE},           {"migrate_pages", CAP_SYS_NICE},
	    {"move_pages", CAP_SYS_NICE},      {"set_mempolicy", CAP_SYS_NICE},
	    {"acct", CAP_SYS_PACCT},           {"clock_settime", CAP_SYS_TIME},
	    {"clock_settime64", CAP_SYS_TIME}, {"settimeofday", CAP_SYS_TIME},
	    {"stime", CAP_SYS_TIME},
	};

	for (size_t i = 0; i < sizeof(by_capability) / sizeof(by_capability[0]); i++) {
		if (!strcmp(name, by_capability[i].name))
			return caps >> by_capability[i].cap & 1;
	}
	for (const char *const *p = syscalls_allowed; *p; p++) {
		if (!strcmp(name, *p))
			return true;
	}
	return false;
}

/* Said again and in other words than in seccomp.c. */
static uint32_t
expected(const char *name, const struct seccomp_data *data, uint64_t caps, bool core_pinned)
{
	uint32_t first = (uint32_t)data->args[0], second = (uint32_t)data->args[1];

	if (!name || !strcmp(name, "add_key") || !strcmp(name, "keyctl") ||
	    !strcmp(name, "request_key"))
		return UNKNOWN;
	if (!on_the_list(name, caps))
		return REFUSED;
	if (!strcmp(name, "socket") || !strcmp(name, "socketpair"))
		return first == AF_UNSPEC || first == AF_UNIX || first == AF_INET ||
			       first == AF_INET6 || first == AF_KEY || first == AF_NETLINK ||
			       first == AF_PACKET
			   ? SECCOMP_RET_ALLOW
			   : SECCOMP_RET_ERRNO | EAFNOSUPPORT;
	if (!strcmp(name, "ioctl"))
		return second == TIOCSTI || second == TIOCSETD ? REFUSED : SECCOMP_RET_ALLOW;
	/* Leases, and those on directories. */
	if (!strcmp(name, "fcntl") || !strcmp(name, "fcntl64"))
		return (second == 1024 || second == 1040) && !(caps >> CAP_LEASE & 1)
			   ? REFUSED
			   : SECCOMP_RET_ALLOW;
	if (core_pinned && !strcmp(name, "setrlimit"))
		return first == RLIMIT_CORE ? SECCOMP_RET_ERRNO | 0 : SECCOMP_RET_ALLOW;
	if (core_pinned && !strcmp(name, "prlimit64") && second == RLIMIT_CORE && data->args[2])
		return data->args[3] ? REFUSED : SECCOMP_RET_ERRNO | 0;
	return SECCOMP_RET_ALLOW;
}

struct variant {
	uint64_t caps;
	bool core_pinned;
};

static void
assert_verdict(const struct filter *filter, const struct variant *variant, const char *name,
	       const struct seccomp_data *data)
{
	uint32_t is = run(filter, data),
		 must_be = expected(name, data, variant->caps, variant->core_pinned);

	if (is != must_be)
		fail_msg("ABI %#x, call %d %s(%#llx, %#llx, %#llx, %#llx), capabilities %#llx: "
			 "%#x and not %#x",
			 data->arch, data->nr, name ? name : "", (unsigned long long)data->args[0],
			 (unsigned long long)data->args[1], (unsigned long long)data->args[2],
			 (unsigned long long)data->args[3], (unsigned long long)variant->caps, is,
			 must_be);
}

/* One after the other in each argument, and all pairs where two pointers follow a number. */
static void
try_arguments(const struct filter *filter, const struct variant *variant, const char *name,
	      struct seccomp_data *data)
{
	for (size_t i = 0; i < N_VALUES * 6; i++) {
		memset(data->args, 0, sizeof(data->args));
		data->args[i % 6] = values[i / 6];
		assert_verdict(filter, variant, name, data);
	}
	if (!name || strcmp(name, "prlimit64"))
		return;
	for (size_t i = 0; i < N_VALUES * N_VALUES * N_VALUES; i++) {
		data->args[1] = values[i % N_VALUES];
		data->args[2] = values[i / N_VALUES % N_VALUES];
		data->args[3] = values[i / N_VALUES / N_VALUES];
		assert_verdict(filter, variant, name, data);
	}
}

static void
try_abi(const struct filter *filter, const struct variant *variant, uint32_t arch)
{
	static const uint32_t far[] = {X32_BIT - 1, X32_BIT,        X32_BIT + 1, X32_BIT + 59,
				       X32_BIT * 2, UINT32_MAX - 1, UINT32_MAX};
	struct seccomp_data data = {.arch = arch};

	for (int nr = 0; nr < 2000; nr++) {
		auto_free char *name = seccomp_syscall_resolve_num_arch(arch, nr);

		data.nr = nr;
		try_arguments(filter, variant, name, &data);
	}
	for (size_t i = 0; i < sizeof(far) / sizeof(far[0]); i++) {
		data.nr = (int)far[i];
		try_arguments(filter, variant, NULL, &data);
	}
}

static void
every_call_of_every_abi_is_as_the_lists_say(void **state)
{
	static const struct variant variants[] = {
	    {0, false},
	    {UINT64_MAX, false},
	    {1ull << CAP_SYS_CHROOT | 1ull << CAP_SYS_BOOT, true},
	    {1ull << CAP_SYS_TIME, true},
	};
	struct filter filter = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
		assert_int_equal(
		    filter_compile(variants[i].caps, variants[i].core_pinned, &filter, NULL), 0);
		try_abi(&filter, &variants[i], seccomp_arch_native());
		if (seccomp_arch_native() == SCMP_ARCH_X86_64)
			try_abi(&filter, &variants[i], SCMP_ARCH_X86);
		filter_free(&filter);
	}
}

static void
a_foreign_abi_has_no_calls(void **state)
{
	static const uint32_t foreign[] = {AUDIT_ARCH_ARM, AUDIT_ARCH_SPARC64, 0, UINT32_MAX};
	struct filter filter = {0};

	(void)state;
	assert_int_equal(filter_compile(UINT64_MAX, false, &filter, NULL), 0);
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		for (int nr = 0; nr < 500; nr++) {
			struct seccomp_data data = {.arch = foreign[i], .nr = nr};

			assert_int_equal(run(&filter, &data), UNKNOWN);
		}
	}
	filter_free(&filter);
}

/* The kernel works through it with every entry into a zone. */
static void
the_program_is_short(void **state)
{
	struct filter filter = {0};

	(void)state;
	assert_int_equal(filter_compile(0, true, &filter, NULL), 0);
	assert_in_range(filter.len, 50, 255);
	filter_free(&filter);
}

/* Longer than a conditional jump reaches, so that every target is behind others. */
static void
far_targets_are_reached(void **state)
{
	struct code *code = calloc(1, sizeof(*code));
	struct code_range ranges[1000];
	struct filter filter = {0};
	unsigned ends[7];

	(void)state;
	assert_non_null(code);
	for (uint32_t i = 0; i < 7; i++)
		ends[i] = code_return(code, i);
	for (uint32_t i = 0; i < 1000; i++)
		ranges[i] = (struct code_range){.first = i * 3, .place = ends[i % 7]};
	(void)code_load(code, offsetof(struct seccomp_data, nr), code_ranges(code, ranges, 1000));
	assert_non_null(code_begin(code));
	filter.len = (uint16_t)code->n;
	filter.instructions = code->instructions + BPF_MAXINSNS - code->n;
	for (int nr = 0; nr < 3100; nr++) {
		struct seccomp_data data = {.nr = nr};

		assert_int_equal(run(&filter, &data), (nr < 3000 ? nr / 3 : 999) % 7);
	}
	free(code);
}

static void
a_program_that_is_too_long_is_none(void **state)
{
	struct code *code = calloc(1, sizeof(*code));

	(void)state;
	assert_non_null(code);
	for (unsigned i = 0; i < BPF_MAXINSNS; i++)
		(void)code_return(code, i);
	assert_ptr_equal(code_begin(code), code->instructions);
	(void)code_return(code, 0);
	assert_null(code_begin(code));
	free(code);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_call_of_every_abi_is_as_the_lists_say),
	    cmocka_unit_test(a_foreign_abi_has_no_calls),
	    cmocka_unit_test(the_program_is_short),
	    cmocka_unit_test(far_targets_are_reached),
	    cmocka_unit_test(a_program_that_is_too_long_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

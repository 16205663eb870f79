/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process gives up on its way into a zone. All but priv_reset_oom() runs in a child between
 * clone and exec: system calls only, errno as the only message.
 */
#include "runtime/runtime_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int
become(uint32_t id)
{
	return syscall(SYS_setgroups, 0, NULL) < 0 || syscall(SYS_setresgid, id, id, id) < 0 ||
		       syscall(SYS_setresuid, id, id, id) < 0
		   ? -1
		   : 0;
}

/* A new, empty one: the session keyring of whoever started us stays outside. */
static int
new_keyring(void)
{
	return syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 && errno != ENOSYS ? -1
											     : 0;
}

int
priv_become_root(void)
{
	return become(0) < 0 ? -1 : new_keyring();
}

int
priv_enter_as(uint32_t id_base, int process_fd, int namespaces)
{
	int bits = prctl(PR_GET_SECUREBITS);

	/* The capabilities stay; those over the host end with the change of user namespace. */
	if (bits < 0 || prctl(PR_SET_SECUREBITS, bits | SECBIT_NO_SETUID_FIXUP) < 0 ||
	    become(id_base) < 0)
		return -1;
	if (prctl(PR_SET_DUMPABLE, 0) < 0 || setns(process_fd, namespaces) < 0)
		return -1;
	/*
	 * Who does not own the user namespace that he joins may have become open to others by it.
	 * With the host's ids that is so, and until here our capabilities, which are more than the
	 * zone's, keep them off: it has no CAP_SYS_PTRACE.
	 */
	if (id_base == 0 && prctl(PR_SET_DUMPABLE, 0) < 0)
		return -1;
	return new_keyring();
}

int
priv_limit(uint64_t caps)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {
	    {.effective = (uint32_t)caps, .permitted = (uint32_t)caps},
	    {.effective = (uint32_t)(caps >> 32), .permitted = (uint32_t)(caps >> 32)},
	};

	/* The kernel calls the number after its last capability EINVAL. */
	for (int cap = 0; cap < 64; cap++) {
		if (!(caps & 1ull << cap) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0) {
			if (errno != EINVAL)
				return -1;
			break;
		}
	}
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return -1;
	/* Nothing is inheritable: exec by the zone's root gives the bounding set, and no more. */
	return (int)syscall(SYS_capset, &header, data);
}

int
priv_reset_process(void)
{
	static const char dfl[64]; /* the kernel's own structure: all zero is SIG_DFL */
	static const struct rlimit none_at_all = {0, 0};
	sigset_t none;

	/*
	 * All of them: what the caller ignores would be ignored by the program, too. The C library
	 * would leave its own two out. SIGKILL and SIGSTOP refuse, and need nothing.
	 */
	for (int sig = 1; sig < NSIG; sig++)
		(void)syscall(SYS_rt_sigaction, sig, dfl, NULL, (NSIG - 1) / 8);
	/* What these allow is taken from the host's processors. */
	if (setrlimit(RLIMIT_RTPRIO, &none_at_all) < 0 || setrlimit(RLIMIT_NICE, &none_at_all) < 0)
		return -1;
	(void)umask(022);
	(void)sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL);
}

int
priv_reset_oom(void)
{
	int fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC), r = 0;
	char first;

	if (fd < 0)
		return -1;
	if (read(fd, &first, 1) == 1 && first == '-' && write(fd, "0", 1) != 1)
		r = -1;
	(void)close(fd);
	return r;
}

int
priv_limit_core(void)
{
	/*
	 * A handler that core_pattern pipes to runs as the host's root, whatever the limit, but for
	 * the value of 1, by which the kernel keeps the handler's own dumps from starting another.
	 */
	struct rlimit one = {.rlim_cur = 1, .rlim_max = 1};

	return setrlimit(RLIMIT_CORE, &one);
}

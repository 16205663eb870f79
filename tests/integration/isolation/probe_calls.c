/* SPDX-License-Identifier: Apache-2.0 */
/* System calls that a zone's root may not make, with arguments that do no harm when they may. */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_packet.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <linux/reboot.h>
#include <linux/sched.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/quota.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROBE(name) static enum probe_result name(const struct probe_host *host)
#define UNUSED      (void)host

PROBE(init_module)
{
	UNUSED;
	return probe_call(syscall(SYS_init_module, "", 0, ""));
}

PROBE(finit_module)
{
	UNUSED;
	return probe_call(syscall(SYS_finit_module, -1, "", 0));
}

PROBE(delete_module)
{
	UNUSED;
	return probe_call(syscall(SYS_delete_module, "no_such_module", O_NONBLOCK));
}

PROBE(kexec_load)
{
	UNUSED;
	return probe_call(syscall(SYS_kexec_load, 0, 0, NULL, 0));
}

PROBE(kexec_file_load)
{
	UNUSED;
	return probe_call(syscall(SYS_kexec_file_load, -1, -1, 1, "", 0));
}

/* Switches Ctrl-Alt-Del of the machine off, as it is in every sane installation. */
PROBE(reboot_machine)
{
	long r = syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
			 LINUX_REBOOT_CMD_CAD_OFF, NULL);

	UNUSED;
	/* In a pid namespace, that of a test as well, the machine is out of reach: EINVAL. */
	if (r < 0 && errno == EINVAL)
		return getenv("PROBE_CONTROL") ? PROBE_ABSENT : PROBE_SAFE;
	return probe_call(r);
}

PROBE(swap_on)
{
	UNUSED;
	return probe_call(swapon("/no/such/swap", 0));
}

PROBE(swap_off)
{
	UNUSED;
	return probe_call(swapoff("/no/such/swap"));
}

PROBE(set_time)
{
	struct timeval now;

	UNUSED;
	(void)gettimeofday(&now, NULL);
	return probe_call(settimeofday(&now, NULL));
}

PROBE(set_clock)
{
	struct timespec now;

	UNUSED;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	return probe_call(clock_settime(CLOCK_REALTIME, &now));
}

PROBE(adjust_clock)
{
	struct timex tx = {.modes = 0};

	UNUSED;
	(void)adjtimex(&tx);
	tx.modes = ADJ_FREQUENCY;
	return probe_call(adjtimex(&tx));
}

PROBE(bpf_load)
{
	struct bpf_insn insns[] = {
	    {.code = BPF_ALU64 | BPF_MOV | BPF_K},
	    {.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr attr = {0};

	UNUSED;
	attr.prog_type = BPF_PROG_TYPE_CGROUP_SKB;
	attr.insns = (uint64_t)(uintptr_t)insns;
	attr.insn_cnt = 2;
	attr.license = (uint64_t)(uintptr_t) "Apache-2.0";
	return probe_call(syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr)));
}

PROBE(perf_open)
{
	struct perf_event_attr attr = {
	    .type = PERF_TYPE_SOFTWARE,
	    .size = sizeof(attr),
	    .config = PERF_COUNT_SW_CONTEXT_SWITCHES,
	};

	UNUSED;
	return probe_call(syscall(SYS_perf_event_open, &attr, -1, 0, -1, 0));
}

PROBE(keys_add)
{
	UNUSED;
	return probe_call(syscall(SYS_add_key, "user", "zones-probe", "x", 1, -3 /* session */));
}

/* A key that the test has put into the session keyring that the host's programs have. */
PROBE(keys_read)
{
	char secret[16];
	long key = syscall(SYS_request_key, "user", host->key ? host->key : "", NULL, 0);

	if (key < 0)
		return errno == ENOSYS ? PROBE_ABSENT : PROBE_SAFE;
	return syscall(SYS_keyctl, 11 /* read */, key, secret, sizeof(secret)) == 6 ? PROBE_BROKEN
										    : PROBE_SAFE;
}

PROBE(user_namespace)
{
	UNUSED;
	return unshare(CLONE_NEWUSER) == 0 ? PROBE_BROKEN : PROBE_SAFE;
}

PROBE(user_namespace_clone3)
{
	struct clone_args args = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	UNUSED;
	if (pid == 0)
		_exit(0);
	return pid > 0 ? PROBE_BROKEN : PROBE_SAFE;
}

PROBE(userfault)
{
	UNUSED;
	return probe_call(syscall(SYS_userfaultfd, O_CLOEXEC));
}

PROBE(io_uring)
{
	struct io_uring_params params = {0};

	UNUSED;
	return probe_call(syscall(SYS_io_uring_setup, 1, &params));
}

PROBE(io_ports)
{
	UNUSED;
#ifdef SYS_ioperm
	return probe_call(syscall(SYS_ioperm, 0x80, 1, 1));
#else
	return PROBE_ABSENT;
#endif
}

PROBE(io_level)
{
	UNUSED;
#ifdef SYS_iopl
	return probe_call(syscall(SYS_iopl, 3));
#else
	return PROBE_ABSENT;
#endif
}

PROBE(quota)
{
	UNUSED;
	return probe_call(quotactl(QCMD(Q_SYNC, USRQUOTA), "/no/such/device", 0, NULL));
}

PROBE(accounting)
{
	UNUSED;
	return probe_call(syscall(SYS_acct, "/no/such/file"));
}

PROBE(kernel_log)
{
	UNUSED;
	return probe_call(syscall(SYS_syslog, 10 /* size of the buffer */, NULL, 0));
}

PROBE(packet_socket)
{
	UNUSED;
	return probe_call(socket(AF_PACKET, SOCK_RAW, 0));
}

PROBE(raw_socket)
{
	UNUSED;
	return probe_call(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
}

/* A kernel without the family says the same as the filter. */
static enum probe_result
try_family(int family, int type)
{
	enum probe_result result = probe_call(socket(family, type, 0));

	return result == PROBE_SAFE && getenv("PROBE_CONTROL") ? PROBE_ABSENT : result;
}

PROBE(vsock)
{
	UNUSED;
	return try_family(AF_VSOCK, SOCK_STREAM);
}

PROBE(kernel_ciphers)
{
	UNUSED;
	return try_family(AF_ALG, SOCK_SEQPACKET);
}

/* The kernel loads the family's module before it finds that there are no pairs. */
PROBE(vsock_pair)
{
	int pair[2];
	enum probe_result result = probe_call(socketpair(AF_VSOCK, SOCK_STREAM, 0, pair));

	UNUSED;
	return result == PROBE_SAFE && getenv("PROBE_CONTROL") ? PROBE_ABSENT : result;
}

/* Which other code of the kernel a terminal runs; it is loaded for whoever asks. */
PROBE(line_discipline)
{
	int fd = open("/dev/ptmx", O_RDWR | O_NOCTTY), null_discipline = 27;

	UNUSED;
	if (fd < 0)
		return PROBE_ABSENT;
	return probe_call(ioctl(fd, TIOCSETD, &null_discipline));
}

PROBE(change_address)
{
	struct ifreq ifr = {.ifr_name = "lo"};
	struct sockaddr_in *in = (struct sockaddr_in *)(void *)&ifr.ifr_addr;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	UNUSED;
	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return probe_call(ioctl(fd, SIOCSIFADDR, &ifr));
}

PROBE(higher_priority)
{
	UNUSED;
	return probe_call(setpriority(PRIO_PROCESS, 0, -5));
}

/* Ids beyond the zone's own: whose processes and files they would be, the host knows. */
PROBE(foreign_uid)
{
	UNUSED;
	return setuid(70000) == 0 ? PROBE_BROKEN : PROBE_SAFE;
}

PROBE(foreign_owner)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);

	UNUSED;
	return fchown(fd, 70000, 70000) == 0 ? PROBE_BROKEN : PROBE_SAFE;
}

/* A capability that was given up cannot come back by executing as root. */
PROBE(bounding_set)
{
	UNUSED;
	return prctl(PR_CAPBSET_READ, 16 /* CAP_SYS_MODULE */, 0, 0, 0) == 1 ? PROBE_BROKEN
									     : PROBE_SAFE;
}

/* The 32-bit way in, with a call that nothing but the filter refuses: io_uring_setup. */
PROBE(abi_32)
{
#ifdef __x86_64__
	long r;

	UNUSED;
	__asm__ volatile("int $0x80" : "=a"(r) : "0"(425L), "b"(1L), "c"(0L), "d"(0L) : "memory");
	errno = (int)-r;
	return probe_call(r < 0 ? -1 : r);
#else
	UNUSED;
	return PROBE_ABSENT;
#endif
}

PROBE(abi_x32)
{
#ifdef __x86_64__
	long r = syscall(0x40000000L + SYS_getpid);

	UNUSED;
	return r > 0 ? PROBE_BROKEN : getenv("PROBE_CONTROL") ? PROBE_ABSENT : PROBE_SAFE;
#else
	UNUSED;
	return PROBE_ABSENT;
#endif
}

/* The second form has bits set that the kernel ignores and a careless filter does not. */
static enum probe_result
type_into(const struct probe_host *host, unsigned long request)
{
	char c = ' ';
	long r;

	if (!host->terminal)
		return PROBE_ABSENT;
	r = syscall(SYS_ioctl, 0, request, &c);
	/* EIO: no filter, but a kernel whose administrator has switched this off for all. */
	return r == 0 ? PROBE_BROKEN : errno == EIO ? PROBE_BROKEN : PROBE_SAFE;
}

PROBE(terminal_input)
{
	return type_into(host, TIOCSTI);
}

PROBE(terminal_input_high_bits)
{
	return type_into(host, 0x100000000UL | TIOCSTI);
}

/* What they are missing to others, only the test can see: it looks while we hold them. */
PROBE(inotify_instances)
{
	int n = 0;

	/* Another run of these tests may have a zone with the same ids, and use them up just now.
	 */
	for (int tries = 0; n == 0 && tries < 8; tries++) {
		while (n < 4096 && inotify_init1(IN_CLOEXEC) >= 0)
			n++;
		if (n == 0)
			(void)sleep(1);
	}
	(void)sleep((unsigned)host->hold);
	return n == 4096 || n == 0 ? PROBE_BROKEN : PROBE_SAFE;
}

PROBE(fork_bomb)
{
	int n = 0;
	pid_t pid;

	UNUSED;
	(void)setpgid(0, 0);
	for (; n < 400; n++) {
		pid = fork();
		if (pid == 0) {
			(void)pause();
			_exit(0);
		}
		if (pid < 0)
			break;
	}
	(void)signal(SIGTERM, SIG_IGN);
	(void)kill(0, SIGTERM);
	while (wait(NULL) > 0)
		;
	return n == 400 ? PROBE_BROKEN : PROBE_SAFE;
}

const struct probe probes_calls[] = {
#define ROW(name)                                                                                  \
	{                                                                                          \
#name, name                                                                        \
	}
    ROW(init_module),
    ROW(finit_module),
    ROW(delete_module),
    ROW(kexec_load),
    ROW(kexec_file_load),
    ROW(reboot_machine),
    ROW(swap_on),
    ROW(swap_off),
    ROW(set_time),
    ROW(set_clock),
    ROW(adjust_clock),
    ROW(bpf_load),
    ROW(perf_open),
    ROW(keys_add),
    ROW(keys_read),
    ROW(user_namespace),
    ROW(user_namespace_clone3),
    ROW(userfault),
    ROW(io_uring),
    ROW(io_ports),
    ROW(io_level),
    ROW(quota),
    ROW(accounting),
    ROW(kernel_log),
    ROW(packet_socket),
    ROW(raw_socket),
    ROW(vsock),
    ROW(kernel_ciphers),
    ROW(vsock_pair),
    ROW(line_discipline),
    ROW(change_address),
    ROW(higher_priority),
    ROW(foreign_uid),
    ROW(foreign_owner),
    ROW(bounding_set),
    ROW(abi_32),
    ROW(abi_x32),
    ROW(terminal_input),
    ROW(terminal_input_high_bits),
    ROW(inotify_instances),
    ROW(fork_bomb),
    {NULL, NULL},
};

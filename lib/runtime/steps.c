/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking a zone up and down, as a table of steps. A zone's mounts need no step: they live in its
 * mount namespace and are gone with its last process.
 *
 * Every down works from the record in /run/zones and from what it finds on the system, may run
 * twice, and leaves the others their turn when it fails. The record is there before the first step
 * goes up and goes after the last has come down.
 */
#include "runtime/runtime_priv.h"

#include "base/err.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long killed processes may take: some wait for a disk. */
#define KILL_TIMEOUT_MS 20000

static int
ids_up(struct runtime *rt, const struct runtime_plan *plan, struct err *err)
{
	uint32_t base;
	int r = runtime_idmap_alloc(plan->name, &base, err);

	if (r < 0)
		return r;
	rt->rec.id_owner = base;
	rt->rec.id_base = plan->shares_ids ? 0 : base;
	return 0;
}

static int
ids_down(const char *name, const struct runtime_record *rec, struct err *err)
{
	/* Whoever still lives has them: nobody else may get them. */
	if (cgroup_populated(rec->cgroup2, rec->cgroup))
		return err_set(err, ZE_BUSY, 0, "something of it lives, and keeps its ids");
	return runtime_idmap_release(name, err);
}

static int
filter_up(struct runtime *rt, const struct runtime_plan *plan, struct err *err)
{
	(void)rt;
	return filter_ensure(plan->caps, plan->host.cores_leave, err);
}

static int
cgroup_step_up(struct runtime *rt, const struct runtime_plan *plan, struct err *err)
{
	return cgroup_up(plan, (uint32_t)rt->rec.id_base, err);
}

static int
cgroup_step_down(const char *name, const struct runtime_record *rec, struct err *err)
{
	(void)name;
	return cgroup_down(rec, err);
}

static int
process_down(const char *name, const struct runtime_record *rec, struct err *err)
{
	auto_close int init_fd = -EBADF;

	(void)name;
	/* The cgroup has them all. This one takes its pid namespace with it if the cgroup has not.
	 */
	if (rec->init_pid) {
		init_fd = proc_open((pid_t)rec->init_pid, rec->init_start, NULL);
		if (init_fd >= 0)
			(void)pidfd_send_signal(init_fd, SIGKILL, NULL, 0);
	}
	return cgroup_kill(rec, KILL_TIMEOUT_MS, err);
}

static const struct step {
	const char *name;
	int (*up)(struct runtime *rt, const struct runtime_plan *plan, struct err *err);
	int (*down)(const char *name, const struct runtime_record *rec, struct err *err);
} steps[] = {
    {"ids", ids_up, ids_down},
    {"filter", filter_up, NULL}, /* shared by all zones with the same privileges */
    {"cgroup", cgroup_step_up, cgroup_step_down},
    {"process", init_birth, process_down},
};

#define N_STEPS (sizeof(steps) / sizeof(steps[0]))

static int
claim(struct runtime *rt, struct err *err)
{
	rt->rec.daemon_pid = (uint64_t)getpid();
	return proc_start_time(getpid(), &rt->rec.daemon_start, err);
}

static int
runtime_new(const char *name, struct runtime **ret, struct err *err)
{
	struct runtime *rt = calloc(1, sizeof(*rt));

	if (!rt)
		return err_nomem(err);
	(void)snprintf(rt->name, sizeof(rt->name), "%s", name);
	rt->init_fd = rt->console_fd = rt->talk_fd = -EBADF;
	*ret = rt;
	return 0;
}

static void
runtime_freep(struct runtime **rt)
{
	runtime_free(*rt);
}

#define auto_runtime __attribute__((cleanup(runtime_freep)))

void
runtime_free(struct runtime *rt)
{
	if (!rt)
		return;
	(void)fd_close(rt->init_fd);
	(void)fd_close(rt->console_fd);
	(void)fd_close(rt->talk_fd);
	free(rt);
}

static void
record_places(const struct runtime_plan *plan, struct runtime_record *rec)
{
	(void)snprintf(rec->cgroup, sizeof(rec->cgroup), "%s", plan->cgroup);
	(void)snprintf(rec->cgroup_home, sizeof(rec->cgroup_home), "%s", plan->cgroup_home);
	(void)snprintf(rec->cgroup2, sizeof(rec->cgroup2), "%s", plan->host.cgroup2);
	(void)snprintf(rec->hierarchies1, sizeof(rec->hierarchies1), "%s", plan->hierarchies1);
	(void)snprintf(rec->shared1, sizeof(rec->shared1), "%s", plan->shared1);
}

/* The record of a zone; what one that cannot be read must have said, as far as taking down needs
 * it. */
static int
record_read_or_guess(const char *name, struct runtime_record *rec, struct err *err)
{
	struct runtime_host host;
	int r;

	r = runtime_record_read(name, rec, err);
	if (r != -ZE_FORMAT)
		return r;
	runtime_host_probe(&host);
	if (!*host.cgroup2)
		return r; /* then this is no host that the zone was booted on */
	err_clear(err);
	*rec = (struct runtime_record){0};
	(void)snprintf(rec->cgroup, sizeof(rec->cgroup), "%s/%s", host.cgroup_parent, name);
	(void)snprintf(rec->cgroup2, sizeof(rec->cgroup2), "%s", host.cgroup2);
	(void)snprintf(rec->hierarchies1, sizeof(rec->hierarchies1), "%s", host.hierarchies1);
	(void)snprintf(rec->shared1, sizeof(rec->shared1), "%s", host.hierarchies1);
	return 0;
}

static int
record_begin(struct runtime *rt, const struct runtime_plan *plan, struct err *err)
{
	struct runtime_record *rec = &rt->rec;
	auto_close int dir_fd = -EBADF;
	int r;

	/* The directory first: the lock and the last zone ID lie beside it. */
	dir_fd = runtime_dir_open(plan->name, err);
	if (dir_fd < 0)
		return dir_fd;
	(void)snprintf(rec->state, sizeof(rec->state), "%s", zone_state_name(ZONE_STATE_READY));
	record_places(plan, rec);
	filter_name(plan->caps, plan->host.cores_leave, rec->filter, sizeof(rec->filter));
	rec->caps = plan->caps;
	rec->core_pinned = plan->host.cores_leave;
	rec->memlock_bytes = plan->has_memlock ? plan->memlock_bytes : 0;
	r = runtime_id_alloc(&rec->id, err);
	if (r == 0)
		r = claim(rt, err);
	if (r == 0)
		r = runtime_record_write(plan->name, rec, err);
	return r;
}

int
runtime_ready(const struct runtime_plan *plan, struct runtime **ret, struct err *err)
{
	auto_runtime struct runtime *rt = NULL;
	int r;

	r = runtime_new(plan->name, &rt, err);
	if (r == 0)
		r = record_begin(rt, plan, err);
	for (size_t i = 0; r == 0 && i < N_STEPS; i++) {
		log_debug("runtime", "zone '%s': %s", plan->name, steps[i].name);
		r = steps[i].up(rt, plan, err);
	}
	if (r == 0 && plan->ready_only) /* else runtime_start() does, at once */
		r = runtime_record_write(plan->name, &rt->rec, err);
	if (r < 0) {
		/* Before the cgroup goes: a child that has ended is in it until it is waited for.
		 */
		if (rt && rt->init_fd >= 0) {
			(void)pidfd_send_signal(rt->init_fd, SIGKILL, NULL, 0);
			(void)runtime_reap(rt);
		}
		(void)runtime_down(plan->name, NULL); /* the cause is what counts */
		return err_add(err, "zone '%s'", plan->name);
	}
	*ret = ptr_take(&rt);
	return 0;
}

int
runtime_start(struct runtime *rt, struct err *err)
{
	int r;

	(void)snprintf(rt->rec.state, sizeof(rt->rec.state), "%s",
		       zone_state_name(ZONE_STATE_RUNNING));
	r = runtime_record_write(rt->name, &rt->rec, err);
	if (r == 0)
		r = init_exec(rt, err);
	return r < 0 ? err_add(err, "zone '%s'", rt->name) : 0;
}

int
runtime_adopt(const char *name, struct runtime **ret, struct err *err)
{
	auto_runtime struct runtime *rt = NULL;
	int r;

	r = runtime_new(name, &rt, err);
	if (r == 0)
		r = runtime_record_read(name, &rt->rec, err);
	if (r < 0)
		return r;
	/* Its first process waits for a word that only the dead zoneadmd could say, and ends with
	 * it. */
	if (strcmp(rt->rec.state, "running") != 0)
		return err_set(err, ZE_NOENT, 0, "zone '%s' has lost what made it ready", name);
	rt->init_fd = proc_open((pid_t)rt->rec.init_pid, rt->rec.init_start, err);
	if (rt->init_fd < 0)
		return rt->init_fd;
	r = claim(rt, err);
	if (r == 0)
		r = runtime_record_write(name, &rt->rec, err);
	if (r < 0)
		return r;
	*ret = ptr_take(&rt);
	return 0;
}

int
runtime_init_fd(const struct runtime *rt)
{
	return rt->init_fd;
}

int
runtime_console_fd(const struct runtime *rt)
{
	return rt->console_fd;
}

/* From kernel 6.15 on: how a process that is not our child has ended. Older ones do not tell. */
static int
exit_status_of_stranger(int pid_fd)
{
	struct {
		uint64_t mask, cgroup_id;
		uint32_t pid, tgid, ppid, ids[8];
		int32_t exit_code;
	} info = {.mask = 1u << 3};

	if (ioctl(pid_fd, _IOWR(0xff, 11, info), &info) < 0 || !(info.mask & 1u << 3))
		return 0;
	return info.exit_code;
}

enum runtime_end
runtime_reap(struct runtime *rt)
{
	siginfo_t info = {0};
	int signal = 0, status, r;

	do {
		r = waitid(P_PIDFD, (id_t)rt->init_fd, &info, WEXITED);
	} while (r < 0 && errno == EINTR);
	if (r == 0) {
		if (info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED)
			signal = info.si_status;
	} else {
		status = exit_status_of_stranger(rt->init_fd);
		if (WIFSIGNALED(status))
			signal = WTERMSIG(status);
	}
	return signal == SIGHUP ? RUNTIME_END_REBOOT : RUNTIME_END_HALT;
}

int
runtime_down(const char *name, struct err *err)
{
	auto_free char *path = NULL;
	struct runtime_record rec;
	struct err next = {0};
	int r, first = 0;

	r = record_read_or_guess(name, &rec, err);
	if (r == -ZE_NOENT) {
		err_clear(err);
		return 0;
	}
	if (r < 0)
		return r;
	(void)snprintf(rec.state, sizeof(rec.state), "%s",
		       zone_state_name(ZONE_STATE_SHUTTING_DOWN));
	(void)runtime_record_write(name, &rec, NULL); /* only informs; the work goes on */
	for (size_t i = N_STEPS; i-- > 0;) {
		if (!steps[i].down)
			continue;
		log_debug("runtime", "zone '%s': %s down", name, steps[i].name);
		r = steps[i].down(name, &rec, &next);
		if (r < 0 && first == 0) {
			first = r;
			if (err)
				*err = next;
		}
	}
	if (first < 0) {
		(void)snprintf(rec.state, sizeof(rec.state), "%s",
			       zone_state_name(ZONE_STATE_DOWN));
		(void)runtime_record_write(name, &rec, NULL); /* the first failure is reported */
		return err_add(err, "halt zone '%s'", name);
	}
	if (asprintf(&path, RUNTIME_DIR "/%s/state", name) < 0) {
		path = NULL; /* undefined after a failure */
		return err_nomem(err);
	}
	if (unlink(path) < 0 && errno != ENOENT)
		return err_set(err, ZE_IO, errno, "remove '%s'", path);
	return 0;
}

/* How long the zone may take to begin its own poweroff: the file may be on something that hangs. */
#define ASK_TIMEOUT_MS 5000

/*
 * The part of ask_by_program() in a process of its own. Entering changes where the later children
 * of the caller are born, and the daemon has zones to make; and when this process ends, the zone's
 * init inherits the program.
 */
static _Noreturn void
ask_child(const char *name, bool reboot, int result_fd)
{
	static const char *const envp[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
	const char *const argv[] = {reboot ? "/sbin/reboot" : "/sbin/poweroff", NULL};
	struct runtime_enter_req req = {.zone = name, .argv = argv, .envp = envp};
	struct runtime_entered entered;
	struct err err = {0};

	if (runtime_enter(&req, &entered, &err) < 0)
		(void)!write(result_fd, &err, sizeof(err)); /* nobody else could be told */
	_exit(0);
}

/* Ask an init that is not systemd by the zone's own program. */
static int
ask_by_program(const struct runtime *rt, bool reboot, struct err *err)
{
	auto_close int read_fd = -EBADF, write_fd = -EBADF;
	struct pollfd fds = {.events = POLLIN};
	struct err cause;
	int pair[2], r;
	pid_t pid;

	if (pipe2(pair, O_CLOEXEC) < 0)
		return err_set(err, ZE_IO, errno, "make a pipe");
	fds.fd = read_fd = pair[0];
	write_fd = pair[1];
	pid = fork();
	if (pid < 0)
		return err_set(err, ZE_IO, errno, "make a process");
	if (pid == 0)
		ask_child(rt->name, reboot, write_fd);
	write_fd = fd_close(write_fd);
	do {
		r = poll(&fds, 1, ASK_TIMEOUT_MS);
	} while (r < 0 && errno == EINTR);
	if (r <= 0)
		(void)kill(pid, SIGKILL); /* our own child, not yet waited for */
	(void)waitpid(pid, NULL, 0);
	if (r <= 0)
		return err_set(err, ZE_TIMEOUT, 0,
			       "the zone's own program to end it does not start");
	if (read(read_fd, &cause, sizeof(cause)) != sizeof(cause))
		return 0; /* end of file: it runs */
	return err_set(err, cause.code, 0, "%s", cause.msg);
}

/* By its file, which is there from the first instruction on: its name is given by itself, later. */
static bool
is_systemd(pid_t pid)
{
	char path[32], exe[4096];
	const char *name;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	n = readlink(path, exe, sizeof(exe) - 1);
	exe[n > 0 ? n : 0] = '\0';
	name = strrchr(exe, '/');
	return name && (!strcmp(name, "/systemd") || !strcmp(name, "/systemd (deleted)"));
}

/* The kernel drops a signal for process 1 of a zone that it neither catches nor blocks. */
static int
hears(pid_t pid, int signal, struct err *err)
{
	static const char *const sets[] = {"\nSigBlk:\t", "\nSigCgt:\t"};
	auto_free char *text = NULL;
	const char *set;
	char path[32];
	size_t size;
	int r;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", pid);
	r = path_file_read(path, 65536, &text, &size, err);
	for (int i = 0; r == 0 && i < 2; i++) {
		set = strstr(text, sets[i]);
		if (set && strtoull(set + strlen(sets[i]), NULL, 16) & 1ULL << (signal - 1))
			return 1;
	}
	return r;
}

int
runtime_ask_shutdown(const struct runtime *rt, bool reboot, struct err *err)
{
	int signal = SIGRTMIN + (reboot ? 5 : 4), r;

	if (!is_systemd((pid_t)rt->rec.init_pid))
		return ask_by_program(rt, reboot, err);
	r = hears((pid_t)rt->rec.init_pid, signal, err);
	if (r < 0)
		return r;
	if (r == 0)
		return err_set(err, ZE_BUSY, 0, "init of zone '%s' has just begun", rt->name);
	if (pidfd_send_signal(rt->init_fd, signal, NULL, 0) < 0)
		return err_set(err, errno == ESRCH ? ZE_STATE : ZE_IO, errno,
			       "ask init of zone '%s' to end", rt->name);
	return 0;
}

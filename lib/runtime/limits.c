/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resource controls of a zone as limits of this host: values for files of its cgroup (v2, or v1
 * where a controller is only there), sysctls of its IPC namespace, a process limit. What cannot be
 * honoured is a warning.
 */
#include "runtime/runtime_priv.h"

#include "base/err.h"
#include "base/str.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Threads of a zone without max-lwps: plenty for a full Debian, little for a fork bomb; and no more
 * than this part of what the host can have. */
#define LWPS_DEFAULT      16384u
#define LWPS_DEFAULT_PART 4u

/* The kernel takes no higher number. */
#define PIDS_MAX 4194304u

#define CPU_PERIOD_US 100000u

static const char *const controller_names[CGROUP_COUNT] = {
    [CGROUP_CPU] = "cpu", [CGROUP_MEMORY] = "memory", [CGROUP_PIDS] = "pids"};

const char *
cgroup_controller_name(enum cgroup_controller controller)
{
	return controller_names[controller];
}

/* Resource controls that become something here; any other zone.* name is warned about. */
enum limit {
	LIMIT_CPU_CAP,
	LIMIT_CPU_SHARES,
	LIMIT_LWPS,
	LIMIT_PROCESSES,
	LIMIT_LOCKED,
	LIMIT_SWAP,
	LIMIT_SHM_MEMORY,
	LIMIT_SHM_IDS,
	LIMIT_MSG_IDS,
	LIMIT_SEM_IDS,
	LIMIT_PHYSICAL, /* no rctl: capped-memory:physical */
	LIMIT_COUNT,
};

static const char *const limit_names[LIMIT_COUNT] = {
    [LIMIT_CPU_CAP] = "zone.cpu-cap",
    [LIMIT_CPU_SHARES] = "zone.cpu-shares",
    [LIMIT_LWPS] = "zone.max-lwps",
    [LIMIT_PROCESSES] = "zone.max-processes",
    [LIMIT_LOCKED] = "zone.max-locked-memory",
    [LIMIT_SWAP] = "zone.max-swap",
    [LIMIT_SHM_MEMORY] = "zone.max-shm-memory",
    [LIMIT_SHM_IDS] = "zone.max-shm-ids",
    [LIMIT_MSG_IDS] = "zone.max-msg-ids",
    [LIMIT_SEM_IDS] = "zone.max-sem-ids",
    [LIMIT_PHYSICAL] = "capped-memory:physical",
};

struct limits {
	bool set[LIMIT_COUNT];
	uint64_t value[LIMIT_COUNT];
};

/* The number behind "limit=" in "(priv=privileged,limit=N,action=A)". */
static int
rctl_limit(const char *text, uint64_t *ret)
{
	char digits[24] = "";
	const char *p = strstr(text, "limit=");
	size_t n;

	if (!p)
		return -1;
	p += strlen("limit=");
	n = strspn(p, "0123456789");
	if (n >= sizeof(digits))
		return -1;
	memcpy(digits, p, n);
	return str_to_u64(digits, UINT64_MAX, ret, NULL);
}

static int
size_value(const char *text, uint64_t *ret)
{
	static const char units[] = "KMGT";
	char digits[24] = "";
	size_t n = strspn(text, "0123456789");
	const char *unit;
	unsigned shift = 0;

	if (n >= sizeof(digits))
		return -1;
	memcpy(digits, text, n);
	if (text[n]) {
		unit = strchr(units, text[n] & ~0x20);
		if (!unit || text[n + 1])
			return -1;
		shift = 10 * (unsigned)(unit - units + 1);
	}
	if (str_to_u64(digits, UINT64_MAX >> shift, ret, NULL) < 0)
		return -1;
	*ret <<= shift;
	return 0;
}

/* The smallest value of an rctl counts: a zone has one actor, its root. */
static int
collect_rctl(const struct config_res *res, struct limits *limits, struct strv *warnings)
{
	const char *name = config_res_get(res, CONFIG_RCTL_NAME);
	const char *const *values;
	uint64_t value;
	int i = 0;
	size_t n;

	while (name && i < LIMIT_COUNT && strcmp(limit_names[i], name) != 0)
		i++;
	if (!name || i == LIMIT_COUNT)
		return strv_addf(warnings, "rctl %s: has no counterpart here and is skipped",
				 name ? name : "");
	values = config_res_list(res, CONFIG_RCTL_VALUE, &n);
	for (size_t k = 0; k < n; k++) {
		if (i != LIMIT_CPU_SHARES && strstr(values[k], "action=none"))
			continue; /* counts, but never denies */
		if (rctl_limit(values[k], &value) < 0)
			return strv_addf(warnings, "rctl %s: value '%s' is skipped", name,
					 values[k]);
		if (!limits->set[i] || value < limits->value[i])
			limits->value[i] = value;
		limits->set[i] = true;
	}
	return 0;
}

static int
collect(const struct config *cfg, struct limits *limits, struct strv *warnings)
{
	const struct config_res *memory = config_at(cfg, CONFIG_CAPPED_MEMORY, 0);
	const char *physical =
	    memory ? config_res_get(memory, CONFIG_CAPPED_MEMORY_PHYSICAL) : NULL;
	int r = 0;

	for (size_t i = 0; r == 0 && i < config_count(cfg, CONFIG_RCTL); i++)
		r = collect_rctl(config_at(cfg, CONFIG_RCTL, i), limits, warnings);
	if (r == 0 && physical) {
		if (size_value(physical, &limits->value[LIMIT_PHYSICAL]) < 0)
			r = strv_addf(warnings, "capped-memory: physical '%s' is skipped",
				      physical);
		else
			limits->set[LIMIT_PHYSICAL] = true;
	}
	return r;
}

static void __attribute__((format(printf, 5, 6)))
add_limit(struct runtime_plan *plan, enum cgroup_controller controller, bool v1, const char *file,
	  const char *fmt, ...)
{
	struct plan_limit *limit = &plan->limits[plan->n_limits++];
	va_list ap;

	*limit = (struct plan_limit){.controller = controller, .v1 = v1, .file = file};
	va_start(ap, fmt);
	(void)vsnprintf(limit->value, sizeof(limit->value), fmt, ap);
	va_end(ap);
}

static uint64_t
clamp(uint64_t value, uint64_t min, uint64_t max)
{
	return value < min ? min : value > max ? max : value;
}

static void
plan_cpu(const struct limits *limits, bool v1, struct runtime_plan *plan)
{
	uint64_t quota_us =
	    clamp(limits->value[LIMIT_CPU_CAP], 1, UINT32_MAX) * CPU_PERIOD_US / 100;
	uint64_t shares = limits->value[LIMIT_CPU_SHARES];

	if (limits->set[LIMIT_CPU_CAP] && v1) {
		add_limit(plan, CGROUP_CPU, true, "cpu.cfs_period_us", "%u", CPU_PERIOD_US);
		add_limit(plan, CGROUP_CPU, true, "cpu.cfs_quota_us", "%" PRIu64, quota_us);
	} else if (limits->set[LIMIT_CPU_CAP]) {
		add_limit(plan, CGROUP_CPU, false, "cpu.max", "%" PRIu64 " %u", quota_us,
			  CPU_PERIOD_US);
	}
	/* Zones compete below one parent alone. A zone without shares has one, as in Solaris. */
	if (!limits->set[LIMIT_CPU_SHARES])
		shares = 1;
	if (!v1)
		add_limit(plan, CGROUP_CPU, false, "cpu.weight", "%" PRIu64,
			  clamp(shares, 1, 10000));
	else if (limits->set[LIMIT_CPU_SHARES])
		add_limit(plan, CGROUP_CPU, true, "cpu.shares", "%" PRIu64,
			  clamp(shares, 1, 256) * 1024);
}

/*
 * physical is soft, as rcapd's is, where the kernel has a soft limit that works (v2); swap counts
 * memory and swap space together.
 */
static void
plan_memory(const struct limits *limits, bool v1, struct runtime_plan *plan)
{
	uint64_t physical = limits->value[LIMIT_PHYSICAL], swap = limits->value[LIMIT_SWAP];
	bool has_physical = limits->set[LIMIT_PHYSICAL], has_swap = limits->set[LIMIT_SWAP];
	uint64_t hard = has_physical && physical < swap ? physical : swap;

	if (v1) {
		if (has_physical || has_swap)
			add_limit(plan, CGROUP_MEMORY, true, "memory.limit_in_bytes", "%" PRIu64,
				  has_swap ? hard : physical);
		if (has_swap)
			add_limit(plan, CGROUP_MEMORY, true, "memory.memsw.limit_in_bytes",
				  "%" PRIu64, swap);
		return;
	}
	if (has_swap) {
		add_limit(plan, CGROUP_MEMORY, false, "memory.max", "%" PRIu64, hard);
		add_limit(plan, CGROUP_MEMORY, false, "memory.swap.max", "%" PRIu64, swap - hard);
	} else if (has_physical) {
		add_limit(plan, CGROUP_MEMORY, false, "memory.high", "%" PRIu64, physical);
	}
}

static void
plan_pids(const struct limits *limits, bool v1, struct runtime_plan *plan)
{
	uint64_t lwps = LWPS_DEFAULT, part = plan->host.threads / LWPS_DEFAULT_PART;

	if (part && part < lwps)
		lwps = part;
	if (limits->set[LIMIT_LWPS])
		lwps = limits->value[LIMIT_LWPS];
	else if (limits->set[LIMIT_PROCESSES])
		lwps = clamp(limits->value[LIMIT_PROCESSES], 1, UINT32_MAX) * 10;
	add_limit(plan, CGROUP_PIDS, v1, "pids.max", "%" PRIu64, clamp(lwps, 0, PIDS_MAX));
}

/* Which limits need which controller, and what makes the values. */
static const struct {
	enum cgroup_controller controller;
	void (*plan)(const struct limits *limits, bool v1, struct runtime_plan *plan);
	enum limit wants[3];
	unsigned n_wants;
} makers[] = {
    {CGROUP_CPU, plan_cpu, {LIMIT_CPU_CAP, LIMIT_CPU_SHARES}, 2},
    {CGROUP_MEMORY, plan_memory, {LIMIT_PHYSICAL, LIMIT_SWAP}, 2},
    {CGROUP_PIDS, plan_pids, {LIMIT_LWPS, LIMIT_PROCESSES}, 2},
};

static int
plan_controllers(const struct limits *limits, struct runtime_plan *plan, struct strv *warnings)
{
	unsigned both = plan->host.controllers2 | plan->host.controllers1;
	int r = 0;

	for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++) {
		unsigned bit = 1u << makers[i].controller;

		if (both & bit) {
			makers[i].plan(limits, !(plan->host.controllers2 & bit), plan);
			continue;
		}
		for (unsigned k = 0; r == 0 && k < makers[i].n_wants; k++) {
			if (limits->set[makers[i].wants[k]])
				r = strv_addf(warnings,
					      "%s: not enforced, this host has no %s controller",
					      limit_names[makers[i].wants[k]],
					      controller_names[makers[i].controller]);
		}
	}
	return r;
}

static void __attribute__((format(printf, 3, 4)))
add_sysctl(struct runtime_plan *plan, const char *path, const char *fmt, ...)
{
	struct plan_sysctl *sysctl = &plan->sysctls[plan->n_sysctls++];
	va_list ap;

	sysctl->path = path;
	va_start(ap, fmt);
	(void)vsnprintf(sysctl->value, sizeof(sysctl->value), fmt, ap);
	va_end(ap);
}

static void
plan_ipc(const struct limits *limits, struct runtime_plan *plan)
{
	uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);

	if (limits->set[LIMIT_SHM_MEMORY])
		add_sysctl(plan, "/proc/sys/kernel/shmall", "%" PRIu64,
			   limits->value[LIMIT_SHM_MEMORY] / page_bytes);
	if (limits->set[LIMIT_SHM_IDS])
		add_sysctl(plan, "/proc/sys/kernel/shmmni", "%" PRIu64,
			   clamp(limits->value[LIMIT_SHM_IDS], 0, 32768));
	if (limits->set[LIMIT_MSG_IDS])
		add_sysctl(plan, "/proc/sys/kernel/msgmni", "%" PRIu64,
			   clamp(limits->value[LIMIT_MSG_IDS], 0, 32768));
	/* The other three are the kernel's defaults; the fourth is the number of sets. */
	if (limits->set[LIMIT_SEM_IDS])
		add_sysctl(plan, "/proc/sys/kernel/sem", "32000 1024000000 500 %" PRIu64,
			   clamp(limits->value[LIMIT_SEM_IDS], 0, 32768));
}

int
plan_limits(const struct config *cfg, struct runtime_plan *plan, struct strv *warnings,
	    struct err *err)
{
	struct limits limits = {0};

	if (collect(cfg, &limits, warnings) < 0 || plan_controllers(&limits, plan, warnings) < 0)
		return err_nomem(err);
	plan_ipc(&limits, plan);
	plan->has_memlock = limits.set[LIMIT_LOCKED];
	plan->memlock_bytes = limits.value[LIMIT_LOCKED];
	return 0;
}

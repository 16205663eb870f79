/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device policy of a zone's cgroup: whatever node a process of the zone finds, it opens the
 * devices that the zone was given and no other. A BPF program on the v2 cgroup says so; where the
 * kernel does not take one (it is built without CONFIG_CGROUP_BPF), the devices controller of
 * version 1 does.
 */
#include "runtime/runtime_priv.h"

#include "base/err.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RULES_MAX 512
#define INSNS_MAX (RULES_MAX + 13)

#define DEVICES "devices"

/* ---- version 2: a program ---- */

struct policy {
	struct bpf_insn insns[INSNS_MAX];
	unsigned n;
};

static void
emit(struct policy *policy, uint8_t code, uint8_t dst, uint8_t src, int16_t off, int32_t imm)
{
	policy->insns[policy->n++] =
	    (struct bpf_insn){.code = code, .dst_reg = dst, .src_reg = src, .off = off, .imm = imm};
}

static void
emit_load(struct policy *policy, uint8_t reg, size_t offset)
{
	emit(policy, BPF_LDX | BPF_MEM | BPF_W, reg, BPF_REG_1, (int16_t)offset, 0);
}

static void
emit_return(struct policy *policy, int32_t value)
{
	emit(policy, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, value);
	emit(policy, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

#define JUMP_IF_ALLOWED (BPF_JMP32 | BPF_JEQ | BPF_K)

/*
 * What is asked for: its type in R2, its major number in R4, both numbers in R3 as the kernel has
 * them in one word. One comparison a rule: the kernel looks at every way through the program before
 * it takes it, at each boot.
 */
static void
emit_rules(struct policy *policy, mode_t type, const struct dev_rule *rules, size_t n)
{
	unsigned begin = policy->n;

	emit(policy, BPF_JMP32 | BPF_JNE | BPF_K, BPF_REG_2, 0, 0,
	     type == S_IFBLK ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
	for (size_t i = 0; i < n; i++) {
		if (rules[i].type != type)
			continue;
		if (rules[i].minor == DEV_ANY_MINOR)
			emit(policy, JUMP_IF_ALLOWED, BPF_REG_4, 0, 0, (int32_t)rules[i].major);
		else
			emit(policy, JUMP_IF_ALLOWED, BPF_REG_3, 0, 0,
			     (int32_t)(rules[i].major << 20 | rules[i].minor));
	}
	policy->insns[begin].off = (int16_t)(policy->n - begin - 1);
}

static void
policy_build(struct policy *policy, const struct dev_rule *rules, size_t n)
{
	unsigned refuse;

	emit_load(policy, BPF_REG_2, offsetof(struct bpf_cgroup_dev_ctx, access_type));
	emit(policy, BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_2, 0, 0, 0xffff);
	emit_load(policy, BPF_REG_4, offsetof(struct bpf_cgroup_dev_ctx, major));
	emit_load(policy, BPF_REG_5, offsetof(struct bpf_cgroup_dev_ctx, minor));
	emit(policy, BPF_ALU | BPF_MOV | BPF_X, BPF_REG_3, BPF_REG_4, 0, 0);
	emit(policy, BPF_ALU | BPF_LSH | BPF_K, BPF_REG_3, 0, 0, 20);
	emit(policy, BPF_ALU | BPF_OR | BPF_X, BPF_REG_3, BPF_REG_5, 0, 0);
	emit_rules(policy, S_IFCHR, rules, n);
	emit_rules(policy, S_IFBLK, rules, n);
	refuse = policy->n;
	emit_return(policy, 0);
	for (unsigned i = 0; i < refuse; i++) {
		if (policy->insns[i].code == JUMP_IF_ALLOWED)
			policy->insns[i].off = (int16_t)(policy->n - i - 1);
	}
	emit_return(policy, 1);
}

static int
policy_attach(const struct policy *policy, int cgroup_fd, struct err *err)
{
	auto_close int prog_fd = -EBADF;
	union bpf_attr load = {0}, attach = {0};

	load.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	load.insns = (uint64_t)(uintptr_t)policy->insns;
	load.insn_cnt = policy->n;
	load.license = (uint64_t)(uintptr_t) "Apache-2.0";
	prog_fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load));
	if (prog_fd < 0)
		return err_set(err, ZE_NOTSUP, errno, "load the device policy");
	attach.target_fd = (uint32_t)cgroup_fd;
	attach.attach_bpf_fd = (uint32_t)prog_fd;
	attach.attach_type = BPF_CGROUP_DEVICE;
	attach.attach_flags = BPF_F_ALLOW_MULTI;
	if (fault_point("bpf") || syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof(attach)) < 0)
		return err_set(err, ZE_NOTSUP, errno, "attach the device policy");
	return 0;
}

/* ---- version 1: the devices controller ---- */

/* The zone's cgroup in the hierarchy that has the controller, which was made with the others. */
static int
open_devices1(const struct runtime_plan *plan)
{
	char path[160];

	(void)snprintf(path, sizeof(path), CGROUP_V1_MOUNTS "/" DEVICES "/%s", plan->cgroup);
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static int
allow_devices1(int cgroup_fd, const struct dev_rule *rules, size_t n, struct err *err)
{
	char line[48];

	if (fault_point(DEVICES) || cgroup_write(cgroup_fd, "devices.deny", "a") < 0)
		return err_set(err, ZE_IO, errno, "deny all devices to the zone");
	for (size_t i = 0; i < n; i++) {
		char type = S_ISBLK(rules[i].type) ? 'b' : 'c';

		if (rules[i].minor == DEV_ANY_MINOR)
			(void)snprintf(line, sizeof(line), "%c %u:* rwm", type, rules[i].major);
		else
			(void)snprintf(line, sizeof(line), "%c %u:%u rwm", type, rules[i].major,
				       rules[i].minor);
		if (cgroup_write(cgroup_fd, "devices.allow", line) < 0)
			return err_set(err, ZE_IO, errno, "allow device '%s' to the zone", line);
	}
	return 0;
}

int
dev_policy_set(const struct runtime_plan *plan, int cgroup2_fd, struct err *err)
{
	auto_free struct policy *policy = calloc(1, sizeof(*policy));
	struct dev_rule rules[RULES_MAX];
	auto_close int devices_fd = -EBADF;
	size_t n;
	int r;

	if (!policy)
		return err_nomem(err);
	r = dev_rules(plan, rules, RULES_MAX, &n, err);
	if (r < 0)
		return r;
	policy_build(policy, rules, n);
	r = policy_attach(policy, cgroup2_fd, err);
	if (r != -ZE_NOTSUP)
		return r;
	devices_fd = open_devices1(plan);
	if (devices_fd < 0)
		return err_add(err, "the zone's devices cannot be limited: this kernel has neither "
				    "BPF for cgroups nor a hierarchy '" CGROUP_V1_MOUNTS "/" DEVICES
				    "'");
	log_debug("runtime", "%s; the devices controller it is", err ? err->msg : "");
	err_clear(err);
	return allow_devices1(devices_fd, rules, n, err);
}

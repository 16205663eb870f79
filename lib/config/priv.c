/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limitpriv: the privileges that processes in a zone can have, by the names of Solaris and of Linux
 * capabilities, and the capabilities that follow. A privilege without a capability is something
 * that Linux grants to everybody, or the zone's namespaces do.
 *
 * Source: zonecfg(8) limitpriv, privileges(7), capabilities(7). The mapping is ours:
 * docs/differences-from-solaris.md.
 */
#include "config/config_priv.h"

#include "base/err.h"
#include "base/fd.h"

#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>

#define CAP(name) ((uint64_t)1 << CAP_##name)

/*
 * What root of a zone must not be able to do when its files belong to the host's root, and its
 * processes by their number as well: mount a /proc, a hierarchy of cgroups or a tree without our
 * flags, find files by handle, and look into a process that enters.
 */
#define SHARED_TAKEN (CAP(SYS_ADMIN) | CAP(DAC_READ_SEARCH) | CAP(SYS_PTRACE))

enum priv_class {
	PRIV_OPTIONAL,
	PRIV_DEFAULT,
	PRIV_REQUIRED, /* and default */
	PRIV_PROHIBITED,
};

struct priv {
	const char *name;
	enum priv_class shared, exclusive; /* by ip-type */
	uint64_t caps;
};

#define BOTH(class) PRIV_##class, PRIV_##class

static const struct priv privs[] = {
    /* The basic set. Every process may do these on Linux. SETPCAP only ever gives up. */
    {"proc_exec", BOTH(REQUIRED), CAP(SETPCAP)},
    {"proc_fork", BOTH(REQUIRED), 0},
    {"proc_info", BOTH(DEFAULT), 0},
    {"proc_session", BOTH(DEFAULT), 0},
    {"proc_secflags", BOTH(DEFAULT), 0},
    {"file_link_any", BOTH(DEFAULT), 0},
    {"file_read", BOTH(DEFAULT), 0},
    {"file_write", BOTH(DEFAULT), 0},
    {"net_access", BOTH(DEFAULT), 0},

    {"contract_event", BOTH(DEFAULT), 0},
    {"contract_identity", BOTH(DEFAULT), 0},
    {"contract_observer", BOTH(DEFAULT), 0},
    {"file_chown", BOTH(DEFAULT), CAP(CHOWN)},
    {"file_chown_self", BOTH(DEFAULT), CAP(CHOWN)},
    {"file_dac_execute", BOTH(DEFAULT), CAP(DAC_READ_SEARCH)},
    {"file_dac_read", BOTH(DEFAULT), CAP(DAC_READ_SEARCH)},
    {"file_dac_search", BOTH(DEFAULT), CAP(DAC_READ_SEARCH)},
    {"file_dac_write", BOTH(DEFAULT), CAP(DAC_OVERRIDE)},
    {"file_owner", BOTH(DEFAULT), CAP(FOWNER)},
    {"file_setid", BOTH(DEFAULT), CAP(FSETID) | CAP(SETFCAP)},
    {"ipc_dac_read", BOTH(DEFAULT), CAP(IPC_OWNER)},
    {"ipc_dac_write", BOTH(DEFAULT), CAP(IPC_OWNER)},
    {"ipc_owner", BOTH(DEFAULT), CAP(IPC_OWNER)},
    {"net_bindmlp", BOTH(DEFAULT), 0},
    {"net_icmpaccess", BOTH(DEFAULT), 0},
    {"net_mac_aware", BOTH(DEFAULT), 0},
    {"net_observability", BOTH(DEFAULT), 0},
    {"net_privaddr", BOTH(DEFAULT), CAP(NET_BIND_SERVICE)},
    {"net_rawaccess", PRIV_OPTIONAL, PRIV_DEFAULT, CAP(NET_RAW)},
    {"proc_audit", BOTH(DEFAULT), CAP(AUDIT_WRITE)},
    {"proc_chroot", BOTH(DEFAULT), CAP(SYS_CHROOT)},
    {"proc_lock_memory", BOTH(DEFAULT), CAP(IPC_LOCK)},
    {"proc_owner", BOTH(DEFAULT), CAP(KILL) | CAP(SYS_PTRACE)},
    {"proc_setid", BOTH(DEFAULT), CAP(SETUID) | CAP(SETGID)},
    {"proc_taskid", BOTH(DEFAULT), 0},
    {"sys_acct", BOTH(DEFAULT), CAP(SYS_PACCT)},
    /* The host name is the zone's own; reboot(2) in a pid namespace ends that. */
    {"sys_admin", BOTH(DEFAULT), CAP(SYS_BOOT)},
    /* The audit rules are the host's. */
    {"sys_audit", BOTH(DEFAULT), CAP(AUDIT_WRITE)},
    {"sys_ip_config", PRIV_PROHIBITED, PRIV_REQUIRED, CAP(NET_ADMIN)},
    {"sys_iptun_config", PRIV_PROHIBITED, PRIV_DEFAULT, 0},
    {"sys_mount", BOTH(REQUIRED), CAP(SYS_ADMIN)},
    {"sys_nfs", BOTH(DEFAULT), 0},
    {"sys_ppp_config", PRIV_PROHIBITED, PRIV_DEFAULT, 0},
    {"sys_resource", BOTH(DEFAULT), CAP(SYS_RESOURCE)},

    {"cpc_cpu", BOTH(OPTIONAL), 0},
    {"dtrace_proc", BOTH(OPTIONAL), 0},
    {"dtrace_user", BOTH(OPTIONAL), 0},
    {"file_downgrade_sl", BOTH(OPTIONAL), 0},
    {"file_flag_set", BOTH(OPTIONAL), 0},
    {"file_upgrade_sl", BOTH(OPTIONAL), 0},
    {"gart_access", BOTH(OPTIONAL), 0},
    {"gart_map", BOTH(OPTIONAL), 0},
    {"graphics_access", BOTH(OPTIONAL), 0},
    {"graphics_map", BOTH(OPTIONAL), 0},
    {"proc_clock_highres", BOTH(OPTIONAL), 0},
    {"proc_priocntl", BOTH(OPTIONAL), CAP(SYS_NICE)},
    {"proc_prioup", BOTH(OPTIONAL), CAP(SYS_NICE)},
    {"sys_ipc_config", BOTH(OPTIONAL), 0},
    {"sys_share", BOTH(OPTIONAL), 0},
    {"sys_smb", BOTH(OPTIONAL), 0},
    {"sys_time", BOTH(OPTIONAL), CAP(SYS_TIME)},

    {"dtrace_kernel", BOTH(PROHIBITED), 0},
    {"proc_zone", BOTH(PROHIBITED), 0},
    {"sys_config", BOTH(PROHIBITED), 0},
    {"sys_devices", BOTH(PROHIBITED), 0},
    {"sys_dl_config", BOTH(PROHIBITED), 0},
    {"sys_linkdir", BOTH(PROHIBITED), 0},
    {"sys_net_config", BOTH(PROHIBITED), 0},
    {"sys_res_bind", BOTH(PROHIBITED), 0},
    {"sys_res_config", BOTH(PROHIBITED), 0},
    {"sys_suser_compat", BOTH(PROHIBITED), 0},
    {"sys_trans_label", BOTH(PROHIBITED), 0},
    {"virt_manage", BOTH(PROHIBITED), 0},

    {"cap_chown", BOTH(DEFAULT), CAP(CHOWN)},
    {"cap_dac_override", BOTH(DEFAULT), CAP(DAC_OVERRIDE)},
    {"cap_dac_read_search", BOTH(DEFAULT), CAP(DAC_READ_SEARCH)},
    {"cap_fowner", BOTH(DEFAULT), CAP(FOWNER)},
    {"cap_fsetid", BOTH(DEFAULT), CAP(FSETID)},
    {"cap_kill", BOTH(DEFAULT), CAP(KILL)},
    {"cap_setgid", BOTH(DEFAULT), CAP(SETGID)},
    {"cap_setuid", BOTH(DEFAULT), CAP(SETUID)},
    {"cap_setpcap", BOTH(DEFAULT), CAP(SETPCAP)},
    {"cap_net_bind_service", BOTH(DEFAULT), CAP(NET_BIND_SERVICE)},
    {"cap_net_raw", PRIV_OPTIONAL, PRIV_DEFAULT, CAP(NET_RAW)},
    {"cap_net_admin", PRIV_PROHIBITED, PRIV_REQUIRED, CAP(NET_ADMIN)},
    {"cap_ipc_lock", BOTH(DEFAULT), CAP(IPC_LOCK)},
    {"cap_ipc_owner", BOTH(DEFAULT), CAP(IPC_OWNER)},
    {"cap_sys_chroot", BOTH(DEFAULT), CAP(SYS_CHROOT)},
    {"cap_sys_ptrace", BOTH(DEFAULT), CAP(SYS_PTRACE)},
    {"cap_sys_pacct", BOTH(DEFAULT), CAP(SYS_PACCT)},
    {"cap_sys_admin", BOTH(REQUIRED), CAP(SYS_ADMIN)},
    {"cap_sys_boot", BOTH(DEFAULT), CAP(SYS_BOOT)},
    {"cap_sys_resource", BOTH(DEFAULT), CAP(SYS_RESOURCE)},
    {"cap_audit_write", BOTH(DEFAULT), CAP(AUDIT_WRITE)},
    {"cap_setfcap", BOTH(DEFAULT), CAP(SETFCAP)},
    {"cap_net_broadcast", BOTH(OPTIONAL), CAP(NET_BROADCAST)},
    {"cap_sys_nice", BOTH(OPTIONAL), CAP(SYS_NICE)},
    {"cap_sys_time", BOTH(OPTIONAL), CAP(SYS_TIME)},
    {"cap_sys_tty_config", BOTH(OPTIONAL), CAP(SYS_TTY_CONFIG)},
    {"cap_lease", BOTH(OPTIONAL), CAP(LEASE)},
    {"cap_linux_immutable", BOTH(PROHIBITED), CAP(LINUX_IMMUTABLE)},
    {"cap_sys_module", BOTH(PROHIBITED), CAP(SYS_MODULE)},
    {"cap_sys_rawio", BOTH(PROHIBITED), CAP(SYS_RAWIO)},
    {"cap_mknod", BOTH(PROHIBITED), CAP(MKNOD)},
    {"cap_audit_control", BOTH(PROHIBITED), CAP(AUDIT_CONTROL)},
    {"cap_mac_override", BOTH(PROHIBITED), CAP(MAC_OVERRIDE)},
    {"cap_mac_admin", BOTH(PROHIBITED), CAP(MAC_ADMIN)},
    {"cap_syslog", BOTH(PROHIBITED), CAP(SYSLOG)},
    {"cap_wake_alarm", BOTH(PROHIBITED), CAP(WAKE_ALARM)},
    {"cap_block_suspend", BOTH(PROHIBITED), CAP(BLOCK_SUSPEND)},
    {"cap_audit_read", BOTH(PROHIBITED), CAP(AUDIT_READ)},
    {"cap_perfmon", BOTH(PROHIBITED), CAP(PERFMON)},
    {"cap_bpf", BOTH(PROHIBITED), CAP(BPF)},
    {"cap_checkpoint_restore", BOTH(PROHIBITED), CAP(CHECKPOINT_RESTORE)},
};

#define PRIV_COUNT  (sizeof(privs) / sizeof(privs[0]))
#define BASIC_COUNT 9

/* A set of privileges. A capability is taken away from all of them, or added, by its own name. */
struct priv_set {
	bool has[PRIV_COUNT];
	uint64_t removed_caps;
	bool exclusive_ip;
};

static bool
is_cap(const struct priv *priv)
{
	return !strncmp(priv->name, "cap_", 4);
}

static enum priv_class
class_of(const struct priv_set *set, const struct priv *priv)
{
	return set->exclusive_ip ? priv->exclusive : priv->shared;
}

static uint64_t
caps_of(const struct priv_set *set)
{
	uint64_t caps = 0;

	for (size_t i = 0; i < PRIV_COUNT; i++)
		if (set->has[i])
			caps |= privs[i].caps;
	return caps & ~set->removed_caps;
}

static void
add_default(struct priv_set *set)
{
	enum priv_class class;

	/* The capabilities follow: named by themselves, they would outlive their privileges. */
	for (size_t i = 0; i < PRIV_COUNT; i++) {
		class = is_cap(&privs[i]) ? PRIV_OPTIONAL : class_of(set, &privs[i]);
		set->has[i] |= class == PRIV_DEFAULT || class == PRIV_REQUIRED;
	}
}

/* The name of a set: returns whether it was one. */
static bool
apply_set(struct priv_set *set, const char *name, bool add)
{
	if (!strcasecmp(name, "default") && add) {
		add_default(set);
		return true;
	}
	if (strcasecmp(name, "basic") != 0)
		return false;
	for (size_t i = 0; i < BASIC_COUNT; i++)
		set->has[i] = add;
	return true;
}

/* The row of a privilege by its name, or NULL. */
static const struct priv *
priv_find(const char *name)
{
	if (!strncasecmp(name, "priv_", 5))
		name += 5;
	for (size_t i = 0; i < PRIV_COUNT; i++) {
		if (!strcasecmp(privs[i].name, name))
			return &privs[i];
	}
	return NULL;
}

/* One element of limitpriv; what is wrong with it goes to @problems. */
static int
apply(struct priv_set *set, const char *token, struct strv *problems)
{
	bool add = *token != '!' && *token != '-';
	const char *name = add ? token : token + 1;
	const struct priv *priv;

	if (apply_set(set, name, add))
		return 0;
	if (!strncasecmp(name, "priv_", 5))
		name += 5;
	if (!strcasecmp(name, "all") || !strcasecmp(name, "zone"))
		return strv_addf(problems,
				 "limitpriv: the set '%s' has privileges that are prohibited in a "
				 "zone",
				 name);
	priv = priv_find(name);
	if (!priv)
		return strv_addf(problems, "limitpriv: privilege '%.64s' is unknown", name);
	if (add && class_of(set, priv) == PRIV_PROHIBITED)
		return strv_addf(
		    problems, "limitpriv: privilege '%s' is prohibited in a zone%s", priv->name,
		    priv->exclusive == PRIV_PROHIBITED ? "" : " with ip-type 'shared'");
	set->has[priv - privs] = add;
	if (is_cap(priv) && add)
		set->removed_caps &= ~priv->caps;
	else if (is_cap(priv))
		set->removed_caps |= priv->caps;
	return 0;
}

static int
check_required(const struct priv_set *set, struct strv *problems)
{
	uint64_t caps = caps_of(set);
	bool missing;
	int r = 0;

	for (size_t i = 0; r == 0 && i < PRIV_COUNT; i++) {
		if (class_of(set, &privs[i]) != PRIV_REQUIRED)
			continue;
		/* A required capability may come with the privilege that stands for it. */
		missing = is_cap(&privs[i])
			      ? set->removed_caps & privs[i].caps
			      : !set->has[i] && (!privs[i].caps || (privs[i].caps & ~caps));
		if (missing)
			r = strv_addf(
			    problems,
			    "limitpriv: privilege '%s' is required in a zone%s and "
			    "missing",
			    privs[i].name,
			    privs[i].shared == PRIV_REQUIRED ? "" : " with ip-type 'exclusive'");
	}
	return r;
}

static int
parse(const char *limitpriv, struct priv_set *set, struct strv *problems)
{
	const char *p = limitpriv && *limitpriv ? limitpriv : "default";
	size_t len;
	int r;

	for (;; p += len + 1) {
		auto_free char *token = NULL;

		len = strcspn(p, ",");
		token = strndup(p, len);
		if (!token)
			return -ZE_NOMEM;
		r = apply(set, token, problems);
		if (r < 0)
			return r;
		if (!p[len])
			return check_required(set, problems);
	}
}

int
config_priv_check(const char *limitpriv, bool exclusive_ip, struct strv *problems)
{
	struct priv_set set = {.exclusive_ip = exclusive_ip};
	size_t before = problems->n;
	int r;

	r = parse(limitpriv, &set, problems);
	return r < 0 ? r : problems->n > before ? -ZE_VERIFY : 0;
}

int
config_priv_caps(const char *limitpriv, bool exclusive_ip, uint64_t *ret_capability_mask,
		 struct err *err)
{
	struct priv_set set = {.exclusive_ip = exclusive_ip};
	auto_strv struct strv problems = {0};

	if (parse(limitpriv, &set, &problems) < 0)
		return err_nomem(err);
	if (problems.n > 0)
		return err_set(err, ZE_INVAL, 0, "%s", problems.v[0]);
	*ret_capability_mask = caps_of(&set);
	return 0;
}

int
config_priv_share(const char *limitpriv, uint64_t *capability_mask, struct strv *warnings)
{
	auto_free char *copy = strdup(limitpriv ? limitpriv : "");
	const struct priv *priv;
	char *token, *save;
	int r = 0;

	if (!copy)
		return -ZE_NOMEM;
	for (token = strtok_r(copy, ",", &save); r == 0 && token;
	     token = strtok_r(NULL, ",", &save)) {
		priv = priv_find(token); /* nothing that is taken away by "!" or "-" has a row */
		if (priv && priv->caps & SHARED_TAKEN)
			r = strv_addf(warnings,
				      "limitpriv: privilege '%s' is not given%s to a zone with "
				      "idmap 'shared'",
				      priv->name, priv->caps & ~SHARED_TAKEN ? " in full" : "");
	}
	*capability_mask &= ~SHARED_TAKEN;
	return r < 0 ? -ZE_NOMEM : 0;
}

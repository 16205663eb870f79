/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of resource types and properties. Parser, completion, help, info, export, XML and
 * validation are driven by it: a new property is a new row here and a number in config.h.
 */
#include "config/config_priv.h"

#include "base/err.h"

#include <string.h>

#define MIB         ((uint64_t)1 << 20)
#define ALIAS_LIMIT ((uint64_t)INT64_MAX)

static const char *const bools[] = {"true", "false", NULL};
static const char *const scheduling_classes[] = {"FSS", "TS", "IA", "FX", "RT", NULL};
static const char *const ip_types[] = {"shared", "exclusive", NULL};
static const char *const idmaps[] = {"private", "shared", NULL};
static const char *const link_protections[] = {"mac-nospoof", "ip-nospoof", "dhcp-nospoof",
					       "restricted", NULL};
static const char *const mac_words[] = {"auto", "random", "factory", "default", NULL};
static const char *const attr_types[] = {"string", "boolean", "int", "uint", NULL};
static const char *const auths[] = {"login", "manage", "clonefrom", NULL};
static const char *const security_flags[] = {"aslr", "forbidnullmap", "noexecstack", NULL};

const struct config_type_desc config_types[CONFIG_TYPE_COUNT] = {
    [CONFIG_GLOBAL] = {"global", "zone", true, CONFIG_ZONENAME, CONFIG_CPU_SHARES + 1,
		       "The properties of the zone itself."},
    [CONFIG_INHERIT_PKG_DIR] = {"inherit-pkg-dir", "inherited-pkg-dir", false,
				CONFIG_INHERIT_PKG_DIR_DIR, CONFIG_INHERIT_PKG_DIR_DIR + 1,
				"A directory of the global zone that the zone sees read-only; "
				"packages in it are not copied."},
    [CONFIG_FS] = {"fs", "filesystem", false, CONFIG_FS_DIR, CONFIG_FS_OPTIONS + 1,
		   "A file system that is mounted in the zone when it gets ready."},
    [CONFIG_NET] = {"net", "network", false, CONFIG_NET_ADDRESS, CONFIG_NET_DEFROUTER + 1,
		    "A network interface."},
    [CONFIG_ANET] = {"anet", "automatic-network", false, CONFIG_ANET_LINKNAME,
		     CONFIG_ANET_MAXBW + 1,
		     "A virtual network interface that is made when the zone gets ready."},
    [CONFIG_DEVICE] = {"device", "device", false, CONFIG_DEVICE_MATCH, CONFIG_DEVICE_MATCH + 1,
		       "Devices of the global zone that appear in the zone's /dev."},
    [CONFIG_DEDICATED_CPU] = {"dedicated-cpu", NULL, true, CONFIG_DEDICATED_CPU_NCPUS,
			      CONFIG_DEDICATED_CPU_IMPORTANCE + 1,
			      "CPUs that belong to the zone alone while it runs."},
    [CONFIG_CAPPED_CPU] = {"capped-cpu", NULL, true, CONFIG_CAPPED_CPU_NCPUS,
			   CONFIG_CAPPED_CPU_NCPUS + 1,
			   "A limit on the CPU time that the zone may use."},
    [CONFIG_CAPPED_MEMORY] = {"capped-memory", NULL, true, CONFIG_CAPPED_MEMORY_PHYSICAL,
			      CONFIG_CAPPED_MEMORY_LOCKED + 1,
			      "Limits on the memory that the zone may use."},
    [CONFIG_ATTR] = {"attr", "attr", false, CONFIG_ATTR_NAME, CONFIG_ATTR_VALUE + 1,
		     "A named value for the use of brands and tools."},
    [CONFIG_DATASET] = {"dataset", "dataset", false, CONFIG_DATASET_NAME, CONFIG_DATASET_NAME + 1,
			"A ZFS dataset that the zone manages itself."},
    [CONFIG_RCTL] = {"rctl", "rctl", false, CONFIG_RCTL_NAME, CONFIG_RCTL_VALUE + 1,
		     "A resource control."},
    [CONFIG_ADMIN] = {"admin", "admin", false, CONFIG_ADMIN_USER, CONFIG_ADMIN_AUTHS + 1,
		      "A user who may administer the zone."},
    [CONFIG_SECURITY_FLAGS] = {"security-flags", "security-flags", true,
			       CONFIG_SECURITY_FLAGS_LOWER, CONFIG_SECURITY_FLAGS_UPPER + 1,
			       "Security flags that the zone's processes have."},
};

#define KIND(k)       .kind = CONFIG_KIND_##k
#define ENUM_OF(c)    .kind = CONFIG_KIND_ENUM, .choices = (c)
#define RCTL_ALIAS(r) .rctl = (r), .clearable = true, .quiet = true
#define GLOBAL(n, x)  .type = CONFIG_GLOBAL, .name = (n), .xml_name = (x)

const struct config_prop_desc config_props[CONFIG_PROP_COUNT] = {
    [CONFIG_ZONENAME] = {GLOBAL("zonename", "name"), KIND(ZONENAME), .required = true,
			 .help = "The name of the zone."},
    [CONFIG_ZONEPATH] = {GLOBAL("zonepath", "zonepath"), KIND(PATH), .required = true,
			 .help = "The directory that holds the zone; its root is below it."},
    [CONFIG_BRAND] = {GLOBAL("brand", "brand"), KIND(ATTR_NAME), .deflt = "native",
		      .help = "What kind of system the zone is."},
    [CONFIG_AUTOBOOT] = {GLOBAL("autoboot", "autoboot"), KIND(BOOL), .choices = bools,
			 .deflt = "false", .clearable = true,
			 .help = "Whether the zone is booted when the host is."},
    [CONFIG_BOOTARGS] = {GLOBAL("bootargs", "bootargs"), KIND(STRING), .max = 256,
			 .clearable = true, .help = "Arguments for init when boot is given none."},
    [CONFIG_POOL] = {GLOBAL("pool", "pool"), KIND(ATTR_NAME), .clearable = true,
		     .help = "The resource pool that the zone is bound to."},
    [CONFIG_LIMITPRIV] = {GLOBAL("limitpriv", "limitpriv"), KIND(STRING), .max = 4096,
			  .clearable = true,
			  .help = "The privileges that processes in the zone can have, such as "
				  "default,sys_time or default,!net_privaddr."},
    [CONFIG_SCHEDULING_CLASS] = {GLOBAL("scheduling-class", "scheduling-class"),
				 ENUM_OF(scheduling_classes), .clearable = true,
				 .help = "The scheduling class of the zone's processes."},
    [CONFIG_IP_TYPE] = {GLOBAL("ip-type", "ip-type"), ENUM_OF(ip_types), .deflt = "shared",
			.clearable = true,
			.help = "Whether the zone has the addresses it is given or an own "
				"network stack."},
    [CONFIG_HOSTID] = {GLOBAL("hostid", "hostid"), KIND(HOSTID), .clearable = true, .quiet = true,
		       .help = "The host identifier that the zone sees."},
    [CONFIG_FS_ALLOWED] = {GLOBAL("fs-allowed", "fs-allowed"), KIND(STRING), .clearable = true,
			   .quiet = true,
			   .help = "File system types that the zone may mount itself."},
    [CONFIG_IDMAP] = {GLOBAL("idmap", "idmap"), ENUM_OF(idmaps), .deflt = "private",
		      .clearable = true, .quiet = true,
		      .help = "Whether the zone has user ids of its own or those of the host "
			      "(extension)."},
    [CONFIG_INIT] = {GLOBAL("init", "init"), KIND(PATH), .clearable = true, .quiet = true,
		     .help = "The program that becomes the zone's first process (extension)."},
    [CONFIG_NESTING] = {GLOBAL("nesting", "nesting"), KIND(BOOL), .choices = bools,
			.deflt = "false", .clearable = true, .quiet = true,
			.help = "Whether containers with user namespaces can run in the zone "
				"(extension)."},
    [CONFIG_MAX_LWPS] = {GLOBAL("max-lwps", NULL), KIND(UINT), RCTL_ALIAS("zone.max-lwps"),
			 .min = 100, .max = ALIAS_LIMIT,
			 .help = "How many threads the zone may have."},
    [CONFIG_MAX_PROCESSES] = {GLOBAL("max-processes", NULL), KIND(UINT),
			      RCTL_ALIAS("zone.max-processes"), .min = 100, .max = ALIAS_LIMIT,
			      .help = "How many processes the zone may have. Where max-lwps is not "
				      "set, this sets it to ten times as many."},
    [CONFIG_MAX_SHM_MEMORY] = {GLOBAL("max-shm-memory", NULL), KIND(SIZE),
			       RCTL_ALIAS("zone.max-shm-memory"), .min = 1, .max = ALIAS_LIMIT,
			       .help = "How much System V shared memory the zone may have."},
    [CONFIG_MAX_SHM_IDS] = {GLOBAL("max-shm-ids", NULL), KIND(UINT), RCTL_ALIAS("zone.max-shm-ids"),
			    .min = 1, .max = ALIAS_LIMIT,
			    .help = "How many shared memory segments the zone may have."},
    [CONFIG_MAX_MSG_IDS] = {GLOBAL("max-msg-ids", NULL), KIND(UINT), RCTL_ALIAS("zone.max-msg-ids"),
			    .min = 1, .max = ALIAS_LIMIT,
			    .help = "How many message queues the zone may have."},
    [CONFIG_MAX_SEM_IDS] = {GLOBAL("max-sem-ids", NULL), KIND(UINT), RCTL_ALIAS("zone.max-sem-ids"),
			    .min = 1, .max = ALIAS_LIMIT,
			    .help = "How many semaphore sets the zone may have."},
    [CONFIG_CPU_SHARES] = {GLOBAL("cpu-shares", NULL), KIND(UINT), RCTL_ALIAS("zone.cpu-shares"),
			   .min = 1, .max = 65535,
			   .help = "The zone's share of CPU time when there is not enough."},

    [CONFIG_INHERIT_PKG_DIR_DIR] = {CONFIG_INHERIT_PKG_DIR, "dir", "directory", KIND(PATH),
				    .required = true, .key = true,
				    .help = "The directory, the same inside and outside."},

    [CONFIG_FS_DIR] = {CONFIG_FS, "dir", "directory", KIND(PATH), .required = true, .key = true,
		       .help = "Where it is mounted in the zone."},
    [CONFIG_FS_SPECIAL] = {CONFIG_FS, "special", "special", KIND(STRING), .required = true,
			   .help = "What is mounted: a directory or device of the global zone."},
    [CONFIG_FS_RAW] = {CONFIG_FS, "raw", "raw", KIND(PATH), .clearable = true,
		       .help = "The device that is checked before the mount."},
    [CONFIG_FS_FSTYPE] = {CONFIG_FS, "type", "type", KIND(ATTR_NAME), .required = true,
			  .help = "The type of file system: lofs for a directory."},
    [CONFIG_FS_OPTIONS] = {CONFIG_FS, "options", NULL, KIND(STRING), .list = true, .max = 1024,
			   .help = "Mount options."},

    [CONFIG_NET_ADDRESS] = {CONFIG_NET, "address", "address", KIND(ADDRESS), .key = true,
			    .help = "The address, with a prefix length (shared only)."},
    [CONFIG_NET_ALLOWED_ADDRESS] = {CONFIG_NET, "allowed-address", "allowed-address",
				    KIND(IP_PREFIX), .list = true, .clearable = true, .quiet = true,
				    .key = true,
				    .help = "Addresses that the zone may use (exclusive only)."},
    [CONFIG_NET_PHYSICAL] = {CONFIG_NET, "physical", "physical", KIND(LINK), .required = true,
			     .key = true, .help = "The interface of the host."},
    [CONFIG_NET_DEFROUTER] = {CONFIG_NET, "defrouter", "defrouter", KIND(IP), .clearable = true,
			      .help = "The default router for this address."},

    [CONFIG_ANET_LINKNAME] = {CONFIG_ANET, "linkname", "linkname", KIND(LINK), .key = true,
			      .help = "The interface's name in the zone; net0, net1 ... if unset."},
    [CONFIG_ANET_LOWER_LINK] = {CONFIG_ANET, "lower-link", "lower-link", KIND(LINK),
				.deflt = "auto", .clearable = true,
				.help = "The interface of the host that it stands on."},
    [CONFIG_ANET_ALLOWED_ADDRESS] = {CONFIG_ANET, "allowed-address", "allowed-address",
				     KIND(IP_PREFIX), .list = true, .clearable = true,
				     .help = "Addresses that the zone may use."},
    [CONFIG_ANET_CONFIGURE_ALLOWED_ADDRESS] = {CONFIG_ANET, "configure-allowed-address",
					       "configure-allowed-address", KIND(BOOL),
					       .choices = bools, .deflt = "true", .clearable = true,
					       .help = "Whether these are set up at boot."},
    [CONFIG_ANET_DEFROUTER] = {CONFIG_ANET, "defrouter", "defrouter", KIND(IP), .clearable = true,
			       .help = "The default router."},
    [CONFIG_ANET_LINK_PROTECTION] = {CONFIG_ANET, "link-protection", "link-protection",
				     ENUM_OF(link_protections), .list = true,
				     .deflt = "mac-nospoof", .clearable = true,
				     .help = "What the zone cannot forge."},
    [CONFIG_ANET_MAC_ADDRESS] = {CONFIG_ANET, "mac-address", "mac-address", KIND(MAC),
				 .choices = mac_words, .deflt = "auto", .clearable = true,
				 .help = "The hardware address."},
    [CONFIG_ANET_VLAN_ID] = {CONFIG_ANET, "vlan-id", "vlan-id", KIND(UINT), .clearable = true,
			     .min = 0, .max = 4094, .help = "The VLAN; 0 is none."},
    [CONFIG_ANET_MTU] = {CONFIG_ANET, "mtu", "mtu", KIND(UINT), .clearable = true, .min = 68,
			 .max = 65535, .help = "The largest packet, in bytes."},
    [CONFIG_ANET_MAXBW] = {CONFIG_ANET, "maxbw", "maxbw", KIND(RATE), .clearable = true,
			   .help = "The bandwidth limit, in bits per second (M if no unit)."},

    [CONFIG_DEVICE_MATCH] = {CONFIG_DEVICE, "match", "match", KIND(PATH), .required = true,
			     .key = true, .help = "The devices' paths, with * and ?."},

    [CONFIG_DEDICATED_CPU_NCPUS] = {CONFIG_DEDICATED_CPU, "ncpus", NULL, KIND(RANGE),
				    .required = true, .min = 1, .max = 65535,
				    .help = "How many CPUs: N, or from N to M as N-M."},
    [CONFIG_DEDICATED_CPU_IMPORTANCE] = {CONFIG_DEDICATED_CPU, "importance", NULL, KIND(UINT),
					 .deflt = "1", .clearable = true, .quiet = true,
					 .max = ALIAS_LIMIT,
					 .help =
					     "The weight of this zone when CPUs are given out."},

    [CONFIG_CAPPED_CPU_NCPUS] = {CONFIG_CAPPED_CPU, "ncpus", NULL, KIND(NCPUS), .required = true,
				 .rctl = "zone.cpu-cap", .min = 1, .max = 6553500,
				 .help = "How many CPUs, with two decimal places."},

    [CONFIG_CAPPED_MEMORY_PHYSICAL] = {CONFIG_CAPPED_MEMORY, "physical", NULL, KIND(SIZE),
				       .clearable = true, .quiet = true, .min = MIB,
				       .max = ALIAS_LIMIT, .help = "Memory in use."},
    [CONFIG_CAPPED_MEMORY_SWAP] = {CONFIG_CAPPED_MEMORY, "swap", NULL, KIND(SIZE),
				   RCTL_ALIAS("zone.max-swap"), .min = 50 * MIB, .max = ALIAS_LIMIT,
				   .help = "Memory and swap in use."},
    [CONFIG_CAPPED_MEMORY_LOCKED] = {CONFIG_CAPPED_MEMORY, "locked", NULL, KIND(SIZE),
				     RCTL_ALIAS("zone.max-locked-memory"), .min = 1,
				     .max = ALIAS_LIMIT, .help = "Memory that is locked."},

    [CONFIG_ATTR_NAME] = {CONFIG_ATTR, "name", "name", KIND(ATTR_NAME), .required = true,
			  .key = true, .help = "The name."},
    [CONFIG_ATTR_TYPE] = {CONFIG_ATTR, "type", "type", ENUM_OF(attr_types), .required = true,
			  .help = "The type of the value."},
    [CONFIG_ATTR_VALUE] = {CONFIG_ATTR, "value", "value", KIND(STRING), .required = true,
			   .help = "The value."},

    [CONFIG_DATASET_NAME] = {CONFIG_DATASET, "name", "name", KIND(DATASET), .required = true,
			     .key = true, .help = "The name of the dataset."},

    [CONFIG_RCTL_NAME] = {CONFIG_RCTL, "name", "name", KIND(RCTL_NAME), .required = true,
			  .key = true, .help = "The name, such as zone.max-lwps."},
    [CONFIG_RCTL_VALUE] = {CONFIG_RCTL, "value", NULL, KIND(RCTL_VALUE), .required = true,
			   .list = true, .help = "Values: (priv=privileged,limit=N,action=deny)."},

    [CONFIG_ADMIN_USER] = {CONFIG_ADMIN, "user", "user", KIND(ATTR_NAME), .required = true,
			   .key = true, .help = "The user's name."},
    [CONFIG_ADMIN_AUTHS] = {CONFIG_ADMIN, "auths", "auths", ENUM_OF(auths), .required = true,
			    .list = true, .help = "What the user may do."},

    [CONFIG_SECURITY_FLAGS_LOWER] = {CONFIG_SECURITY_FLAGS, "lower", "lower",
				     ENUM_OF(security_flags), .list = true, .clearable = true,
				     .help = "Flags that cannot be dropped."},
    [CONFIG_SECURITY_FLAGS_DEFAULT] = {CONFIG_SECURITY_FLAGS, "default", "default",
				       ENUM_OF(security_flags), .list = true, .clearable = true,
				       .help = "Flags that processes start with."},
    [CONFIG_SECURITY_FLAGS_UPPER] = {CONFIG_SECURITY_FLAGS, "upper", "upper",
				     ENUM_OF(security_flags), .list = true, .clearable = true,
				     .help = "Flags that can be had at all."},
};

bool
config_prop_is_comma_list(enum config_prop prop)
{
	return config_props[prop].list && prop != CONFIG_FS_OPTIONS && prop != CONFIG_RCTL_VALUE;
}

int
config_type_find(const char *name)
{
	for (int type = CONFIG_GLOBAL + 1; type < CONFIG_TYPE_COUNT; type++)
		if (!strcmp(config_types[type].name, name))
			return type;
	return -ZE_INVAL;
}

int
config_prop_find(enum config_type type, const char *name)
{
	for (int p = (int)config_types[type].first; p < (int)config_types[type].end; p++)
		if (!strcmp(config_props[p].name, name))
			return p;
	return -ZE_INVAL;
}

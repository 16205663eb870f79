# SPDX-License-Identifier: Apache-2.0
"""Where the benchmarks work: a world of tests/integration/run, with a btrfs pool at /zones."""

import argparse
import atexit
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import harness

TOP = pathlib.Path(__file__).resolve().parent.parent
POOL = pathlib.Path("/zones")
INSIDE = "ZONES_BENCH_INSIDE"


def options(doc):
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("--build", default=os.environ.get("BUILD", str(TOP / "build")),
                        help="build directory (default: build)")
    parser.add_argument("--rounds", type=int, default=50, help="rounds of each contender")
    parser.add_argument("--smoke", action="store_true",
                        help="one round: only to see that it works")
    return parser


def enter(args, *runner_options):
    """Run this very command again inside a world, unless it is in one already."""
    if args.smoke:
        args.rounds = 1
    if os.environ.get(INSIDE):
        harness.become_subreaper()
        private_run()
        install(args)
        return
    if os.geteuid() != 0:
        sys.exit("bench: must be root")
    os.environ[INSIDE] = "1"
    runner = str(TOP / "tests" / "integration" / "run")
    os.execv(runner, [runner, "--build", args.build, *runner_options, "--exec", sys.executable,
                      os.path.abspath(sys.argv[0]), *sys.argv[1:]])


def private_run():
    """The contenders keep their state below /run; the mount namespace is the world's own."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"], check=True)
    for name in ("zones", "lock", "systemd", "crun"):
        os.mkdir(f"/run/{name}", 0o700)


def install(args):
    """Copies of the programs come first in the path. A linker writes a file in small pieces, which
    it then consists of in the page cache as well: it costs more to start than an installed one."""
    there = tempfile.TemporaryDirectory(prefix="zones-bench-", dir="/var/tmp")
    atexit.register(there.cleanup)
    for file in (pathlib.Path(args.build) / "cmd").iterdir():
        if file.is_file() and os.access(file, os.X_OK):
            shutil.copy(file, there.name)
    os.environ["PATH"] = f"{there.name}:{os.environ['PATH']}"


def tool(args, name):
    """A program of bench/meson.build."""
    path = pathlib.Path(args.build).resolve() / "bench" / name
    if not path.exists():
        sys.exit(f"bench: no '{path}'; build it first (ninja -C {args.build})")
    return str(path)


def make_root(args, root):
    """The root that everybody boots: a static init and empty directories."""
    root = pathlib.Path(root)
    if not root.exists():
        subprocess.run(["btrfs", "-q", "subvolume", "create", str(root)], check=True)
    for name in ("bin", "sbin", "usr/lib", "dev", "proc", "sys", "run", "tmp", "etc", "root",
                 "var/log", ".old"):
        (root / name).mkdir(parents=True, exist_ok=True)
    shutil.copy(tool(args, "stamp_init"), root / "sbin/init")
    if not (root / "bin/true").exists():
        os.link(root / "sbin/init", root / "bin/true")
    (root / "etc/os-release").write_text("ID=bench\nNAME=bench\n")
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/true\n")
    (root / "etc/group").write_text("root:x:0:\n")
    (root / "stamp").write_bytes(bytes(8))
    # Contenders that do not map the ids of the root are nobody in it.
    (root / "stamp").chmod(0o666)
    root.chmod(0o755)
    return root


def stamp(root):
    """When the first process began (monotonic, ns); None if none has since clear_stamp()."""
    return int.from_bytes((pathlib.Path(root) / "stamp").read_bytes()[:8], sys.byteorder) or None


def clear_stamp(root):
    with (pathlib.Path(root) / "stamp").open("r+b") as out:
        out.write(bytes(8))


def zone(args, name, *lines):
    """A zone, installed, with the root of make_root()."""
    path = POOL / name
    commands = ["create -b", f"set zonepath={path}", *lines, "commit"]
    subprocess.run(["zonecfg", "-z", name, "-f", "-"], input="\n".join(commands) + "\n",
                   text=True, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    path.mkdir()
    path.chmod(0o700)
    root = make_root(args, path / "root")
    index = pathlib.Path("/etc/zones/index")
    lines = []
    for line in index.read_text().splitlines():
        fields = line.split(":")
        if fields[0] == name:
            uuid = pathlib.Path("/proc/sys/kernel/random/uuid").read_text().strip()
            line = ":".join([name, "installed", fields[2], uuid])
        lines.append(line)
    index.write_text("\n".join(lines) + "\n")
    return root


def neighbour(args):
    """A zone that runs all the time, as some do on a host of zones: the first to boot makes, and the
    last to halt removes, the cgroups that zones have in common. Nobody here waits for it."""
    zone(args, "bench-neighbour")
    harness.become_subreaper(False)
    subprocess.run(["zoneadm", "-z", "bench-neighbour", "boot"], check=True)
    harness.become_subreaper(True)
    atexit.register(subprocess.run, ["zoneadm", "-z", "bench-neighbour", "halt"], check=True)


def system_calls():
    """Those that a zone may make with any privileges."""
    text = (TOP / "lib/runtime/syscalls.c").read_text()
    return re.findall(r'^    "(\w+)",$', text, re.MULTILINE)


def bundle(directory, root, argv, filtered=False):
    """An OCI bundle that asks crun for what a zone has: all namespaces, a user namespace too, and,
    if it is to be filtered, an allow list of system calls, as engines that use crun give it one."""
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "config.json").unlink(missing_ok=True)
    subprocess.run(["crun", "spec"], cwd=directory, check=True)
    config = json.loads((directory / "config.json").read_text())
    config["root"] = {"path": str(root), "readonly": False}
    config["process"].update(terminal=False, args=argv, cwd="/")
    config["linux"]["namespaces"] = [{"type": kind} for kind in (
        "pid", "network", "ipc", "uts", "mount", "cgroup", "user")]
    ids = [{"containerID": 0, "hostID": 524288, "size": 65536}]
    config["linux"]["uidMappings"] = config["linux"]["gidMappings"] = ids
    if filtered:
        rule = {"names": system_calls(), "action": "SCMP_ACT_ALLOW"}
        config["linux"]["seccomp"] = {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [rule]}
    (directory / "config.json").write_text(json.dumps(config))
    return str(directory)

# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks share: measuring commands in turn, and the table that is printed.

A *contender* is a name and a function that does the thing once. Contenders take turns, a round each,
so that whatever else the machine does hits all of them alike; the first contender is the one that
the others are compared with, round by round. Wall time is of the call; CPU time is of all processes
that it started, orphans among them (the caller is their subreaper), and that have ended when it
returns: kernel threads are not in it.
"""

import ctypes
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

PR_SET_CHILD_SUBREAPER = 36


class Unavailable(Exception):
    """A contender cannot run here; its text says why."""


def become_subreaper(yes=True):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, int(yes), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def cpu_ns():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return int((usage.ru_utime + usage.ru_stime) * 1e9)


def reap_all():
    """Wait for every child there is: daemons that were left behind count as well."""
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def spawn(argv, stdout=None):
    """Start a program with nothing of ours but its standard descriptors; returns its pid."""
    actions = [(os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0)]
    if stdout is not None:
        actions.append((os.POSIX_SPAWN_OPEN, 1, stdout, os.O_WRONLY, 0))
        actions.append((os.POSIX_SPAWN_OPEN, 2, stdout, os.O_WRONLY, 0))
    return os.posix_spawn(argv[0], argv, os.environ, file_actions=actions)


def run(argv, quiet=False):
    """Run a program to its end; anything but success is the benchmark's failure."""
    pid = spawn(argv, "/dev/null" if quiet else None)
    _, status = os.waitpid(pid, 0)
    if status != 0:
        code = os.waitstatus_to_exitcode(status)
        raise RuntimeError(f"{' '.join(argv)}: exit status {code}")


def program(name):
    path = shutil.which(name)
    if not path:
        raise Unavailable(f"no {name} here")
    return path


class Sample:
    """What one round of one contender took; extra holds what the contender itself measured."""

    def __init__(self, wall_ns, used_ns, extra):
        self.wall = wall_ns
        self.cpu = used_ns
        self.extra = extra or {}


def measure(work):
    cpu = cpu_ns()
    begin = time.monotonic_ns()
    extra = work()
    wall = time.monotonic_ns() - begin
    reap_all()
    return Sample(wall, cpu_ns() - cpu, extra)


def take_turns(contenders, rounds, warmup=2, measure=measure):
    """contenders: {name: what measure() takes}. Returns {name: [Sample]} and {name: why not}."""
    samples = {name: [] for name in contenders}
    missing = {}
    for number in range(-warmup, rounds):
        names = [name for name in contenders if name not in missing]
        # Every other round backwards: nobody always runs in the caches of the same neighbour.
        for name in names if number % 2 else reversed(names):
            try:
                sample = measure(contenders[name])
            except Unavailable as why:
                missing[name] = str(why)
                continue
            if number >= 0:
                samples[name].append(sample)
    return samples, missing


def median(values):
    return statistics.median(values) if values else float("nan")


def ratio(ours, theirs):
    """Median of the ratios of neighbours in time."""
    return median([a / b for a, b in zip(ours, theirs) if b])


def count_calls(argv):
    """System calls of a command and all that it starts, or None without strace."""
    strace = shutil.which("strace")
    if not strace:
        return None
    with tempfile.NamedTemporaryFile("r") as out:
        done = subprocess.run([strace, "-f", "-c", "-U", "calls,name", "-o", out.name, *argv],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            return None
        for line in out:
            if line.strip().endswith("total"):
                return int(line.split()[0])
    return None


def ms(ns_values, pick):
    return f"{pick(ns_values) / 1e6:.2f}" if ns_values else "-"


def table(title, rows):
    """rows: lists of cells; the first row is the head, the first column is left-aligned."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    print(title)
    for row in rows:
        cells = [cell.ljust(width) if i == 0 else cell.rjust(width)
                 for i, (cell, width) in enumerate(zip(row, widths))]
        print("  " + "  ".join(cells).rstrip())


def report(title, samples, missing, calls, extra=()):
    """One row a contender. extra: names of the times that contenders measured themselves."""
    ours = next(iter(samples))
    head = [""]
    for name in extra:
        head += [f"{name} ms", "min"]
    head += ["wall ms", "min", "CPU ms", "min", f"CPU of {ours}/it", "wall", "calls"]
    rows = [head]
    for name, taken in samples.items():
        if not taken:
            continue
        row = [name]
        for key in extra:
            values = [s.extra[key] for s in taken if key in s.extra]
            row += [ms(values, median), ms(values, min)]
        wall, cpu = [s.wall for s in taken], [s.cpu for s in taken]
        row += [ms(wall, median), ms(wall, min), ms(cpu, median), ms(cpu, min)]
        row += [f"{ratio([s.cpu for s in samples[ours]], cpu):.2f}",
                f"{ratio([s.wall for s in samples[ours]], wall):.2f}"]
        row.append(str(calls.get(name) or "-"))
        rows.append(row)
    table(title, rows)
    for name, why in missing.items():
        print(f"  {name}: {why}")
    print()
    sys.stdout.flush()

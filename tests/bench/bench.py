#!/usr/bin/env python3
"""bench.py CALQUE [OPTION...]: what an emulator costs, by workload, beside another one and the host itself.

Runs workloads.c as /init of Debian's i386 kernel in Calque and in its peer, and as a program of the host, in turn, as many
rounds as asked for, and takes the best of each.  Times are the host's, from line to line of the guest's serial port: a
guest's own clock may leave out what the host gave to others.  The host's run has one processor, as the guest has.

Prints seconds, how many times faster Calque is than the peer and slower than the host, and for each group the
geometric mean beside what it should be.  Exit status 1 when a workload did not finish in Calque, or gave another result than
on the host; with --strict also when a target is missed.
"""
import argparse
import json
import math
import os
import platform
import re
import shutil
import subprocess
import sys
import threading
import time

# Group: times faster than the peer, times slower than native (geometric means), and the least for each workload beside the
# peer.  None: no target.
TARGETS = {
    "integer": (3.5, 1.8, 1.5),
    "memory": (10, 1.6, None),
    "float": (40, 2, 20),
    "system": (2, 2, 1.2),
    "self-modifying": (20, 10, None),
    "boot": (2.5, None, None),
}
# Where the peer is nearly as fast as the host already, not to be slower is enough.
NEARLY_NATIVE = 1.6


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("calque")
    parser.add_argument("--kernel", default=os.path.join(os.environ.get("CALQUE_GUESTS", "guests"), "linux"))
    parser.add_argument("--initramfs", default="tests/bench/initramfs")
    parser.add_argument("--program", default="tests/bench/workloads", help="the workloads as a program of the host")
    parser.add_argument("--program64", default="tests/bench/workloads64", help="for hosts that do not run that one")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--only", default="", metavar="A,B", help="these workloads and groups only")
    parser.add_argument("--percent", type=int, default=100, help="of each workload's usual size")
    parser.add_argument("--peer", default="qemu-system-i386", help="to compare with; none: nothing")
    parser.add_argument("--args", default="", help="more options for Calque")
    parser.add_argument("--peer-args", default="-accel tcg", help="more options for the peer")
    parser.add_argument("--seconds", type=int, default=600, help="that one run may take")
    parser.add_argument("--json", metavar="FILE", help="write the figures there, too")
    parser.add_argument("--strict", action="store_true", help="exit status 1 when a target is missed")
    return parser.parse_args()


def listen(command, seconds, cpu=None):
    """Runs a command; ({name: (seconds, result)}, {name: group}, None or its last words)."""
    start = time.monotonic()
    place = (lambda: os.sched_setaffinity(0, {cpu})) if cpu is not None else None
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               preexec_fn=place)
    watchdog = threading.Timer(seconds, process.kill)
    watchdog.start()
    figures, groups, begun, text, ended = {}, {}, start, "", False
    for line in process.stdout:
        now = time.monotonic()
        line = line.decode(errors="replace")
        text += line
        if "BENCH-UP" in line:
            figures["boot"] = (now - start, None)
        elif found := re.search(r"BENCH-START (\S+) (\S+)", line):
            begun = now
            groups[found[1]] = found[2]
        elif found := re.search(r"BENCH-DONE (\S+) ([0-9a-f]+)", line):
            figures[found[1]] = (now - begun, found[2])
        elif "BENCH-END" in line:
            ended = True
    process.wait()
    watchdog.cancel()
    return figures, groups, None if ended else text[-600:]


def words_for_program(o):
    return [f"percent={o.percent}"] + ([f"only={o.only}"] if o.only else [])


def guest_command(o, emulator, more):
    return [emulator, *more.split(), "-m", "512", "-nographic", "-no-reboot", "-kernel", o.kernel, "-initrd", o.initramfs,
            "-append", " ".join(["console=ttyS0 quiet", *words_for_program(o)])]


def keep_best(best, new):
    for name, figure in new.items():
        if name not in best or figure[0] < best[name][0]:
            best[name] = figure


def runs_here(program):
    """Not on a host that has no 32-bit x86 programs."""
    try:
        return platform.machine() in ("x86_64", "i686") and subprocess.run([program, "--nothing"]).returncode == 0
    except OSError:
        return False


def measure(o):
    """{who: {name: (seconds, result)}}, {name: group} and whether Calque reached the end every time."""
    peer = shutil.which(o.peer) if o.peer != "none" else None
    if o.peer != "none" and not peer:
        print(f"{o.peer}: not found, so nothing to compare with (Debian: apt-get install qemu-system-x86)")
    native = next((program for program in (o.program, o.program64) if runs_here(program)), None)
    if native != o.program:
        print("32-bit programs do not run on this host:",
              "native is the same source as a 64-bit program" if native else "there is no native time to compare with")
    commands = {"native": [native, *words_for_program(o)] if native else None,
                "calque": guest_command(o, o.calque, o.args),
                "peer": guest_command(o, peer, o.peer_args) if peer else None}
    best, groups, finished = {who: {} for who in commands}, {}, True
    for _ in range(o.rounds):
        for who, command in commands.items():
            if not command:
                continue
            cpu = min(os.sched_getaffinity(0)) if who == "native" else None
            figures, seen, complaint = listen(command, o.seconds, cpu)
            if complaint is not None:
                print(f"{command[0]}: did not finish; its last words:\n{complaint}", file=sys.stderr)
                finished = finished and who != "calque"
            keep_best(best[who], figures)
            groups.update(seen)
    best["native"].pop("boot", None)
    if native != o.program:
        best["native"] = {name: (seconds, None) for name, (seconds, _) in best["native"].items()}
    groups["boot"] = "boot"
    return best, groups, finished


def number(value, unit="", width=9, digits=4):
    return " " * (width - 1) + "-" if value is None else f"{value:{width - len(unit)}.{digits}f}{unit}"


def ratio(a, b):
    return a / b if a and b else None


def mean(values):
    values = [v for v in values if v]
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


def floor_for(group, peer_slower):
    least = TARGETS[group][2]
    return 1 if least and group == "integer" and peer_slower and peer_slower <= NEARLY_NATIVE else least


def print_workloads(groups, best):
    """Rows, and by group the two ratios of each workload; and what is below its floor."""
    print(f"{'workload':12}{'native':>9}{'calque':>9}{'peer':>9}{'faster than peer':>18}{'slower than native':>20}")
    ratios, low = {}, []
    for name, group in groups.items():
        native, ours, peer = (best[who].get(name, (None,))[0] for who in ("native", "calque", "peer"))
        faster, slower = ratio(peer, ours), ratio(ours, native)
        least = floor_for(group, ratio(peer, native))
        note = ""
        if least and faster and faster < least:
            low.append(name)
            note = f"  below {least:g}x"
        print(f"{name:12}{number(native)}{number(ours)}{number(peer)}{number(faster, 'x', 18, 2)}"
              f"{number(slower, 'x', 20, 2)}{note}")
        ratios.setdefault(group, []).append((faster, slower))
    return ratios, low


def print_groups(ratios):
    print(f"\n{'group':16}{'faster than peer':>18}{'target':>9}{'slower than native':>20}{'target':>9}")
    missed = []
    for group, pairs in ratios.items():
        want_faster, want_slower, _ = TARGETS[group]
        faster, slower = mean(p[0] for p in pairs), mean(p[1] for p in pairs)
        words = [words for words, bad in (("too slow beside the peer", faster and faster < want_faster),
                                          ("too slow beside the host", slower and want_slower and slower > want_slower)) if bad]
        missed += [f"{group}: {w}" for w in words]
        print(f"{group:16}{number(faster, 'x', 18, 2)}{number(want_faster, 'x', 9, 1)}{number(slower, 'x', 20, 2)}"
              f"{number(want_slower, 'x', 9, 1)}{'  MISSED' if words else ''}")
    everything = [p for group, pairs in ratios.items() if group != "boot" for p in pairs]
    print(f"{'all but boot':16}{number(mean(p[0] for p in everything), 'x', 18, 2)}{'':9}"
          f"{number(mean(p[1] for p in everything), 'x', 20, 2)}")
    return missed


def wrong_results(groups, best):
    """Workloads of Calque's that are missing, or whose result is not the host's 32-bit program's (without one: the peer's)."""
    bad = []
    for name in groups:
        ours = best["calque"].get(name)
        right = [best[who][name][1] for who in ("native", "peer") if name in best[who] and best[who][name][1]]
        if not ours:
            bad.append(f"{name}: did not finish")
        elif right and ours[1] != right[0]:
            bad.append(f"{name}: result {ours[1]}, not {right[0]}")
    return bad


def main():
    o = options()
    for needed in (o.kernel, o.initramfs, o.program):
        if not os.path.exists(needed):
            sys.exit(f"bench.py: {needed} not found ('./quickstart bench' makes or fetches all that is needed)")
    print(f"{time.strftime('%Y-%m-%d %H:%M')}, {platform.machine()}, {os.cpu_count()} processors, load "
          f"{os.getloadavg()[0]:.2f}; best of {o.rounds}, {o.percent}% of the usual size")
    best, groups, finished = measure(o)
    for word in o.only.split(",") if o.only else []:
        if word not in groups and word not in groups.values():
            sys.exit(f"bench.py: there is no workload or group '{word}'")
    ratios, low = print_workloads(groups, best)
    missed = print_groups(ratios) + [f"{name}: below its floor" for name in low]
    for line in missed:
        print("missed:", line)
    bad = wrong_results(groups, best)
    for line in bad:
        print("WRONG:", line)
    if o.json:
        with open(o.json, "w", encoding="ascii") as out:
            json.dump(best, out, indent=1)
    return 1 if bad or not finished or (o.strict and missed) else 0


if __name__ == "__main__":
    sys.exit(main())

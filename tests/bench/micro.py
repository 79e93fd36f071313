#!/usr/bin/env python3
"""micro.py CALQUE [OPTION...]: what single operations cost (micro.c), in nanoseconds, in Calque and in its peer.

Both run the same guest in turn, as many rounds as asked for; the best of each counts.  Times are the guest's, so that what the
host gives to others does not count where the emulator leaves it out.  Exit status 1 when the guest does not end well in Calque.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

GUEST_PASSED = 33  # isa-debug-exit


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("calque")
    parser.add_argument("--guest", default="tests/bench/micro.guest")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--peer", default="qemu-system-i386", help="to compare with; none: nothing")
    parser.add_argument("--args", default="-bios none", help="more options for Calque")
    parser.add_argument("--peer-args", default="-accel tcg", help="more options for the peer")
    parser.add_argument("--seconds", type=int, default=120, help="that one run may take")
    return parser.parse_args()


def run(o, emulator, more):
    """{name: (nanoseconds, what it is)} and whether the guest ended well."""
    with tempfile.NamedTemporaryFile(prefix="calque-micro-") as text:
        command = [emulator, *more.split(), "-m", "64", "-no-reboot", "-display", "none", "-serial", "none", "-monitor", "none",
                   "-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-chardev", f"file,id=text,path={text.name}",
                   "-device", "isa-debugcon,iobase=0xe9,chardev=text", "-kernel", o.guest]
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=o.seconds)
            status, messages = done.returncode, (done.stdout + done.stderr).decode(errors="replace")
        except subprocess.TimeoutExpired:
            status, messages = None, f"did not end within {o.seconds} seconds"
        with open(text.name, encoding="ascii", errors="replace") as lines:
            said = lines.read()
    if status != GUEST_PASSED:
        print(f"{emulator}: status {status}; {messages.strip()}\n{said[-300:]}", file=sys.stderr)
    return {m[1]: (int(m[2]) / 1000, m[3]) for m in re.finditer(r"MICRO (\S+) (\d+) (.*)", said)}, status == GUEST_PASSED


def main():
    o = options()
    if not os.path.exists(o.guest):
        sys.exit(f"micro.py: {o.guest} not found (make bench-micro builds it)")
    peer = shutil.which(o.peer) if o.peer != "none" else None
    best, what, good = {"calque": {}, "peer": {}}, {}, True
    for _ in range(o.rounds):
        for who, emulator, more in (("calque", o.calque, o.args), ("peer", peer, o.peer_args)):
            if not emulator:
                continue
            figures, ended = run(o, emulator, more)
            good = good and (ended or who == "peer")
            for name, (ns, text) in figures.items():
                best[who][name] = min(ns, best[who].get(name, ns))
                what[name] = text
    print(f"{'ns':16}{'calque':>9}{'peer':>9}{'faster':>9}")
    for name, ns in best["calque"].items():
        beside = best["peer"].get(name)
        columns = f"{beside:9.2f}{beside / ns:8.1f}x" if beside and ns else f"{'-':>9}{'-':>9}"
        print(f"{name:16}{ns:9.2f}{columns}  {what[name]}")
    return 0 if good and best["calque"] else 1


if __name__ == "__main__":
    sys.exit(main())

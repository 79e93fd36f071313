#!/usr/bin/env python3
"""login.py EMULATOR IMAGE [OPTION...]: uses a disk made by debian_disk.sh the way a person would.

Boots it to its login, works in it over the serial line and on the VGA console (by the monitor's sendkey, so with
screenshots to look at in --screens DIR), powers it off and checks the file system.  Speaks TAP.  EMULATOR is Calque or
one that takes the same options; --time adds how long commands take in the guest (best of three), and --dmesg FILE keeps
the kernel's log, both to compare with another's.  Runs a quarter of an hour or less; not part of make check.
"""
import argparse
import os
import re
import select
import socket
import subprocess
import sys
import tempfile
import time

PARTITION = 2048 * 512  # where debian_disk.sh puts it
PROGRAM = "'#include <stdio.h>' 'int main(void) { return printf(\"%d\", 6 * 7) != 2; }'"
TIMED = [
    ("make the input", "tar cf /root/in.tar /usr/lib/python3.11 2>/dev/null; sync"),
    ("gzip", "gzip -k -f /root/in.tar"),
    ("bzip2", "head -c 8000000 /root/in.tar | bzip2 >/dev/null"),
    ("sha256sum", "sha256sum /root/in.tar >/dev/null"),
    ("python3 start", "for i in 1 2 3 4 5; do python3 -c pass; done"),
    ("python3 loop", "python3 -c 'print(sum(i * i % 7 for i in range(2000000)))' >/dev/null"),
    ("C compile", "gcc -O2 -c -o /root/big.o /root/big.c"),
]
MAKE_BIG_C = (
    "python3 -c \"for i in range(400): print('int f%d(int *p, int n) { int s = 0; for (int i = 0; i < n; i++) "
    "s += p[i] * (i ^ %d) + (p[i] >> 3); return s; }' % (i, i))\" >/root/big.c"
)


class Guest:
    """A running emulator: its serial line on our pipes, its monitor on a socket."""

    def __init__(self, command, directory):
        monitor = os.path.join(directory, "monitor")
        self.start = time.monotonic()
        self.process = subprocess.Popen(
            command + ["-display", "none", "-serial", "stdio", "-monitor", f"unix:{monitor},server,nowait"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.heard = ""
        self.log = []
        self.monitor = None
        while self.process.poll() is None and not self.monitor:
            try:
                self.monitor = socket.socket(socket.AF_UNIX)
                self.monitor.connect(monitor)
            except OSError:
                self.monitor = None
                time.sleep(0.02)

    def expect(self, pattern, seconds):
        """What comes on the serial line up to and including pattern; TimeoutError if it doesn't come."""
        end = time.monotonic() + seconds
        while not (found := re.search(pattern, self.heard)):
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))
            data = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            if not data:
                raise TimeoutError(f"no {pattern!r} in {seconds} s; the last was {self.heard[-300:]!r}")
            text = data.decode("utf-8", "replace").replace("\r", "")
            self.heard += text
            self.log.append(text)
        before, self.heard = self.heard[:found.end()], self.heard[found.end():]
        return before

    def send(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def run(self, command, seconds=300):
        """Runs a shell command: its output, its status, how much of the host's processor time it took.  (Unlike the time
        on the wall, that can be compared on a host that has other work, too.)"""
        start = self.processor_seconds()
        self.send(f"{command}; echo \"[$?]\"END\n")
        output = self.expect(r"\[\d+\]END\n", seconds)
        took = self.processor_seconds() - start
        status = int(re.search(r"\[(\d+)\]END\n$", output)[1])
        return output[:output.rindex("[")], status, took

    def processor_seconds(self):
        """Host processor time used so far, of all threads."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def ask_monitor(self, line):
        self.monitor.sendall(line.encode() + b"\n")
        time.sleep(0.05)
        if select.select([self.monitor], [], [], 0)[0]:
            self.monitor.recv(65536)

    def type(self, text):
        names = {" ": "spc", "\n": "ret", "-": "minus", "/": "slash", ".": "dot", ">": "shift-dot", "'": "apostrophe"}
        for c in text:
            self.ask_monitor("sendkey " + names.get(c, "shift-" + c.lower() if c.isupper() else c))


tests = 0


def check(good, name, diagnostic=""):
    global tests
    tests += 1
    for line in diagnostic.splitlines():
        print("# " + line)
    print(f"{'ok' if good else 'not ok'} {tests} - {name}", flush=True)
    return good


def log_in(guest):
    guest.send("root\n")
    guest.expect("Password:", 60)
    guest.send("calque\n")
    guest.expect(r"root@calque:~# ", 120)
    guest.send("stty -echo; export TERM=dumb; exec sh\n")  # a shell that neither echoes nor edits
    guest.expect("# $", 60)
    guest.run("PS1=; PS2=")


def work(guest):
    """What a person with a compiler and an interpreter does first."""
    out, status, _ = guest.run("apt-get --version")
    check(status == 0 and "apt 2.6" in out and "(i386)" in out, "apt-get --version", out[:60])
    out, status, _ = guest.run("python3 -c 'import math, json; print(json.dumps([2**100, math.pi]))'")
    check(out.strip() == "[1267650600228229401496703205376, 3.141592653589793]", "python3", out)
    out, status, _ = guest.run(f"printf '%s\\n' {PROGRAM} >a.c && gcc -O2 -Wall -o a a.c && ./a")
    check(out.strip() == "42", "gcc, and what it made", out)
    out, status, _ = guest.run("systemctl is-system-running; systemctl --failed --no-legend --plain")
    check(out.strip() == "running", "systemd has no failed unit", out)


def use_console(guest, screens):
    """Log in on the VGA console and leave a file that the serial line can see."""
    shown = "until ps -t tty1 -o comm= | grep -q {}; do sleep 1; done; sleep 3"
    guest.type("root\n")
    guest.run(shown.format("login"), 60)
    guest.type("calque\n")
    guest.run(shown.format("bash"), 60)
    guest.type("cat /etc/fstab\n")
    guest.type("uname -a > /root/console\n")
    out, _, _ = guest.run("until [ -s console ]; do sleep 1; done; cat console; who", 60)
    check("Linux calque" in out and "tty1" in out, "logged in on the VGA console, by keyboard", out)
    if screens:
        guest.ask_monitor(f"screendump {screens}")
        time.sleep(1)
        check(os.path.getsize(screens) > 0, f"screendump in {screens}")


def measure(guest):
    guest.run(MAKE_BIG_C)
    for name, command in TIMED:
        _, statuses, tooks = zip(*(guest.run(command, 900) for _ in range(3)))
        print(f"# time {name}: {min(tooks):.2f} s" + (f", status {max(statuses)}" if any(statuses) else ""), flush=True)
    for what in ("if=/dev/sda of=/dev/null iflag=direct", "if=/dev/zero of=/root/out oflag=direct conv=fsync"):
        out, _, _ = guest.run(f"dd bs=1M count=256 {what} 2>&1 | tail -n 1")
        print(f"# dd {what}: {out.strip()}", flush=True)
    guest.run("rm -f /root/in.tar* /root/big.* /root/out")


def idle(guest, seconds=30):
    """Part of a host core that a guest uses which waits for a key."""
    before = guest.processor_seconds()
    time.sleep(seconds)
    return (guest.processor_seconds() - before) / seconds


def session(guest, args):
    guest.expect("calque login: ", args.seconds)
    check(True, f"login prompt after {time.monotonic() - guest.start:.1f} s, {guest.processor_seconds():.1f} s of the processor")
    if args.time:
        time.sleep(30)  # what systemd still does behind the prompt
        used = idle(guest)
        check(used < 0.02, f"idle at the login prompt: {100 * used:.2f}% of a core")
    log_in(guest)
    work(guest)
    if args.dmesg:
        with open(args.dmesg, "w", encoding="utf-8") as f:
            f.write(guest.run("dmesg")[0])
    use_console(guest, args.screens)
    if args.time:
        measure(guest)
    guest.send("poweroff\n")
    status = guest.process.wait(180)
    check(status == 0, f"poweroff ends the emulator, status {status}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("emulator")
    parser.add_argument("image")
    parser.add_argument("--seconds", type=float, default=300, help="to the login prompt at most")
    parser.add_argument("--screens", metavar="FILE.png", help="screenshot of the console after logging in there")
    parser.add_argument("--dmesg", metavar="FILE")
    parser.add_argument("--log", metavar="FILE", help="all that came on the serial line")
    parser.add_argument("--time", action="store_true")
    args, options = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as directory:
        guest = Guest([args.emulator, "-m", "512", "-drive", f"file={args.image},format=raw"] + options, directory)
        try:
            session(guest, args)
        except (TimeoutError, subprocess.TimeoutExpired, BrokenPipeError) as problem:
            check(False, "the session", str(problem))
        finally:
            guest.process.kill()
            guest.process.wait()
            if args.log:
                with open(args.log, "w", encoding="utf-8") as f:
                    f.write("".join(guest.log))
    fsck = subprocess.run(["e2fsck", "-fn", f"{args.image}?offset={PARTITION}"], capture_output=True, text=True, check=False)
    check(fsck.returncode == 0, "e2fsck finds nothing", fsck.stdout + fsck.stderr)
    print(f"1..{tests}")


if __name__ == "__main__":
    sys.exit(main())

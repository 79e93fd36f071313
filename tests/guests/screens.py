#!/usr/bin/env python3
"""Screens of the same guests, here and in qemu-system-i386, pixel by pixel.

Both programs run each scene at the same time with the same options, get the same keys, and are looked at through
their monitors.  What moves by itself (cursor, blinking text) is no difference: of each, several pictures are taken,
and two of them must be equal.  Nothing else is left out.

    screens.py [-k] [SCENE...]      all scenes, or those named; -k keeps the pictures of all, not of those that differ

Guests are looked for in $CALQUE_GUESTS: linux and initrd.gz of the Debian installer's text front end, gtk/linux and
gtk/initrd.gz of its graphical one, freedos.img.  A scene without its guest is skipped.  Pictures go to screens/."""

import concurrent.futures
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import zlib

BUILD = os.path.abspath(os.environ.get("top_builddir", "."))
GUESTS = os.environ.get("CALQUE_GUESTS", BUILD + "/guests")
CALQUE = BUILD + "/calque"
PEER = "qemu-system-i386"
# Its helper for Windows on KVM, an option ROM, shows up among the firmware's boot devices.
PEER_OPTIONS = ["-global", "apic-common.vapic=off"]
PATIENCE = float(os.environ.get("CALQUE_SCREEN_SECONDS", "900"))


class Guest:
    """A running emulator and its monitor."""

    def __init__(self, program, folder, options):
        self.name = os.path.basename(program)
        self.path = os.path.join(folder, self.name)
        self.log = open(self.path + ".log", "wb")
        command = [program, *options, *(PEER_OPTIONS if program == PEER else []), "-display", "none", "-serial", "null", "-no-reboot", "-nic", "none",
                   "-monitor", "unix:%s.sock,server,nowait" % self.path]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.monitor = self.connect()
        self.answer()

    def connect(self):
        until = time.time() + 30
        while True:
            s = socket.socket(socket.AF_UNIX)
            try:
                s.connect(self.path + ".sock")
                s.settimeout(60)
                return s
            except OSError:
                s.close()
                if self.process.poll() is not None or time.time() > until:
                    raise RuntimeError("%s did not start: %s" % (self.name, open(self.log.name).read().strip()))
                time.sleep(0.1)

    def answer(self):
        text = b""
        while not text.endswith(b") "):
            piece = self.monitor.recv(65536)
            if not piece:
                raise RuntimeError("%s ended: %s" % (self.name, open(self.log.name).read().strip()))
            text += piece
        return text.decode("latin-1")

    def tell(self, command):
        self.monitor.sendall(command.encode() + b"\n")
        return self.answer()

    def picture(self):
        """(width, height, RGB bytes)"""
        path = self.path + ".ppm"
        self.tell("screendump " + path)
        with open(path, "rb") as f:
            data = f.read()
        width, height, rgb = re.match(rb"P6\s(\d+) (\d+)\s255\s(.*)", data, re.S).groups()
        return int(width), int(height), rgb

    def text(self):
        """80x25 characters, as they stand in memory at b8000h."""
        words = re.findall(r"0x([0-9a-f]{4})\b", self.tell("xp /2000hx 0xb8000"))
        screen = "".join(chr(int(w, 16) & 0xff or 32) for w in words)
        return [screen[i:i + 80] for i in range(0, 2000, 80)]

    def end(self):
        self.process.kill()
        self.process.wait()
        self.monitor.close()
        self.log.close()


# --- steps: functions of a Guest, done for both at once -----------------------------------------------------------

def text(wanted):
    """Waits for a text on the text screen."""
    def step(guest):
        until = time.time() + PATIENCE
        while not any(wanted in line for line in guest.text()):
            if time.time() > until:
                raise RuntimeError("%s: no '%s' in:\n%s" % (guest.name, wanted, "\n".join(guest.text())))
            time.sleep(0.2)
    return step


def still(width, height, colors, seconds=6):
    """Waits for graphics of this size with so many colours that do not change any more."""
    def step(guest):
        until, since, last = time.time() + PATIENCE, time.time(), None
        while True:
            now = guest.picture()
            if now != last:
                since, last = time.time(), now
            elif time.time() - since >= seconds and now[:2] == (width, height) and count_colors(now) >= colors:
                return
            if time.time() > until:
                raise RuntimeError("%s: no standing picture of %dx%d, it is %dx%d with %d colours" %
                                   (guest.name, width, height, now[0], now[1], count_colors(now)))
            time.sleep(0.5)
    return step


def shown(mode):
    """modes.S has finished the picture of this video mode."""
    def step(guest):
        until = time.time() + PATIENCE
        while "0x%04x" % mode not in guest.tell("xp /1hx 0x600"):
            if time.time() > until:
                raise RuntimeError("%s: mode %#x does not come" % (guest.name, mode))
            time.sleep(0.2)
    return step


def keys(*names):
    def step(guest):
        for name in names:
            guest.tell("sendkey " + name)
            time.sleep(0.2)
    return step


def press_until(key, wanted):
    """For prompts that wait for a moment only."""
    def step(guest):
        until = time.time() + PATIENCE
        while not any(wanted in line for line in guest.text()):
            if time.time() > until:
                raise RuntimeError("%s: no '%s' in:\n%s" % (guest.name, wanted, "\n".join(guest.text())))
            guest.tell("sendkey " + key)
            time.sleep(0.2)
    return step


def typed(line):
    names = {" ": "spc", ".": "dot", "\n": "ret", "\\": "backslash", ":": "shift-semicolon", "/": "slash", "-": "minus"}
    return keys(*[names.get(c, c) for c in line])


def mouse(distance, times):
    """Into a corner first: where the pointer comes to depends on the guest's acceleration."""
    def step(guest):
        for _ in range(times):
            guest.tell("mouse_move %d %d" % distance)
            time.sleep(0.05)
    return step


def click(guest):
    for buttons in (1, 0):
        guest.tell("mouse_button %d" % buttons)
        time.sleep(0.2)


def wait(seconds):
    return lambda guest: time.sleep(seconds)


# --- pictures ----------------------------------------------------------------------------------------------------

def count_colors(picture):
    rgb = picture[2]
    return len({rgb[i:i + 3] for i in range(0, len(rgb), 3)})


def write_png(path, picture):
    width, height, rgb = picture
    lines = b"".join(b"\0" + rgb[y * width * 3:(y + 1) * width * 3] for y in range(height))
    parts = ((b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(lines, 6)),
             (b"IEND", b""))
    with open(path, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n")
        for kind, data in parts:
            f.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))


def differing(a, b):
    """The pixels (x, y) that differ; pictures of one size."""
    width, height = a[:2]
    found = []
    for y in range(height):
        line = slice(y * width * 3, (y + 1) * width * 3)
        if a[2][line] != b[2][line]:
            la, lb = a[2][line], b[2][line]
            found += [(x, y) for x in range(width) if la[3 * x:3 * x + 3] != lb[3 * x:3 * x + 3]]
    return found


def explain(a, b):
    if a[:2] != b[:2]:
        return "%dx%d here, %dx%d there" % (a[:2] + b[:2])
    d = differing(a, b)
    x, y = d[0]
    at = (y * a[0] + x) * 3
    return "%d pixels differ, columns %d..%d, lines %d..%d; at (%d, %d) %s here, %s there" % (
        len(d), min(p[0] for p in d), max(p[0] for p in d), min(p[1] for p in d), max(p[1] for p in d), x, y,
        a[2][at:at + 3].hex(), b[2][at:at + 3].hex())


def compare(guests, patience=120):
    """None if the screens are equal, else (why, picture, picture)."""
    until, seen = time.time() + patience, ([], [])
    while True:
        for guest, pictures in zip(guests, seen):
            now = guest.picture()
            if now not in pictures:
                pictures.append(now)
                del pictures[:-12]
        if any(p in seen[1] for p in seen[0]):
            return None, seen[0][-1], seen[1][-1]
        if time.time() > until:
            return explain(seen[0][-1], seen[1][-1]), seen[0][-1], seen[1][-1]
        time.sleep(0.15)


# --- scenes ------------------------------------------------------------------------------------------------------

SEE = "compare"  # a step: a picture of both, with the name that follows


class Image:
    """A guest's file; a copy for each emulator if the guest may write to it."""

    def __init__(self, name, writable=False):
        self.path, self.writable = os.path.abspath(os.path.join(GUESTS, name)), writable

    def missing(self):
        return not os.path.exists(self.path) and self.path

    def place(self, folder):
        if not self.writable:
            return self.path
        copy = os.path.join(folder, os.path.basename(self.path))
        shutil.copyfile(self.path, copy)
        return copy


class GrubCd:
    """Made here: GRUB's graphical menu with its own font."""

    def missing(self):
        return not shutil.which("grub-mkrescue") and "grub-mkrescue"

    def place(self, folder):
        tree, image = os.path.join(folder, "grub"), os.path.join(folder, "grub.iso")
        os.makedirs(tree + "/boot/grub")
        with open(tree + "/boot/grub/grub.cfg", "w") as f:
            f.write("set timeout=-1\nloadfont unicode\nset gfxmode=800x600\ninsmod all_video\ninsmod gfxterm\n"
                    "terminal_output gfxterm\nset color_normal=light-gray/blue\nset menu_color_highlight=yellow/red\n"
                    "menuentry 'First' { true }\nmenuentry 'Second' { true }\n")
        subprocess.run(["grub-mkrescue", "-o", image, tree], check=True, capture_output=True)
        return image


DATE = ["-rtc", "base=2020-02-02T02:02:02,clock=vm"]
INSTALLER = ["-m", "512", "-kernel", Image("linux"), "-initrd", Image("initrd.gz")]
GTK = ["-m", "1024", "-kernel", Image("gtk/linux"), "-initrd", Image("gtk/initrd.gz")]

# Those of modes.S.
MODES = [0x00, 0x02, 0x03, 0x04, 0x06, 0x0d, 0x0e, 0x0f, 0x10, 0x11, 0x12, 0x13,
         0x100, 0x103, 0x110, 0x111, 0x112, 0x142, 0x11b]

SCENES = {
    "firmware": (DATE + ["-m", "64", "-boot", "cad"], [text("No bootable device"), SEE, "nothing to boot"]),
    "firmware-menu": (DATE + ["-m", "64", "-boot", "menu=on,splash-time=60000"],
                      [text("boot menu"), SEE, "prompt", keys("esc"), text("Select boot device"), SEE, "choice"]),
    "freedos": (DATE + ["-m", "64", "-boot", "a", "-fda", Image("freedos.img", writable=True)],
                [text("A:\\>"), SEE, "prompt", typed("ver /r\n"), wait(2), SEE, "ver", typed("dir /w\n"), wait(4), SEE,
                 "dir", typed("cls\n"), wait(2), typed("type autoexec.bat\n"), wait(4), SEE, "type"]),
    "ipxe": (DATE + ["-m", "64", "-boot", "d", "-cdrom", Image("/usr/lib/ipxe/ipxe.iso")],
             # Not earlier: ISOLINUX would take the key.
             [text("iPXE initialising"), press_until("ctrl-b", "iPXE>"), SEE, "prompt", typed("ifstat\n"), wait(2),
              typed("config\n"), wait(3), SEE, "config"]),
    # The kernel's bochs-drm, in the mode that the monitor's EDID prefers; vesafb in a mode set by its setup code; text.
    "installer": (DATE + INSTALLER + ["-append", "--- quiet"],
                  [still(1280, 800, 4), SEE, "languages", keys("down", "up", "ret"), wait(10), still(1280, 800, 4),
                   SEE, "locations"]),
    "installer-vesa": (DATE + INSTALLER + ["-append", "nomodeset vga=791 --- quiet"],
                       [still(1024, 768, 4), SEE, "languages", keys("ret"), wait(10), still(1024, 768, 4), SEE,
                        "locations"]),
    "installer-text": (DATE + INSTALLER + ["-append", "nomodeset --- quiet"],
                       [text("Select a language"), wait(4), SEE, "languages", keys("down", "up", "ret"),
                        text("Select your location"), wait(4), SEE, "locations"]),
    "installer-gtk": (DATE + GTK + ["-append", "vga=788 --- quiet"],
                      [still(1280, 800, 100, 10), SEE, "languages", mouse((100, 100), 20), mouse((-2, -1), 30), wait(2),
                       SEE, "pointer on Continue", click, wait(15), still(1280, 800, 100, 10), SEE, "locations"]),
    "modes": (DATE + ["-m", "32", "-boot", "a", "-fda", Image(BUILD + "/tests/guests/modes.img", writable=True)],
              [step for mode in MODES for step in (shown(mode), SEE, "%02x" % mode, keys("spc"))]),
    "grub": (DATE + ["-m", "64", "-boot", "d", "-cdrom", GrubCd()],
             [still(800, 600, 4), SEE, "menu", keys("down"), still(800, 600, 4, 2), SEE, "second", keys("c"),
              still(800, 600, 2, 2), SEE, "command line"]),
}


class Report:
    """TAP."""

    def __init__(self):
        self.number, self.failed = 0, False

    def line(self, good, what):
        self.number += 1
        self.failed |= not good
        print("%sok %d - %s" % ("" if good else "not ", self.number, what), flush=True)

    def skip(self, what, why):
        self.number += 1
        print("ok %d - %s # SKIP %s" % (self.number, what, why), flush=True)

    def note(self, text):
        print("# " + text.replace("\n", "\n# "), flush=True)


def take_part(report, scene, guests, steps, keep):
    steps = iter(steps)
    for step in steps:
        if step is SEE:
            what = "%s: %s" % (scene, next(steps))
            why, *pictures = compare(guests)
            report.line(not why, what)
            if why:
                report.note(why)
            if why or keep:
                os.makedirs("screens", exist_ok=True)
                for guest, picture in zip(guests, pictures):
                    write_png("screens/%s.%s.png" % (what.replace(": ", "-").replace(" ", "-"), guest.name), picture)
        else:
            with concurrent.futures.ThreadPoolExecutor() as both:
                list(both.map(step, guests))


def run(report, scene, keep):
    options, steps = SCENES[scene]
    missing = [o.missing() for o in options if not isinstance(o, str) and o.missing()]
    if missing:
        return report.skip(scene, "needs " + ", ".join(missing))
    guests = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            for program in (CALQUE, PEER):
                own = os.path.join(folder, os.path.basename(program))
                os.mkdir(own)
                guests.append(Guest(program, own, [o if isinstance(o, str) else o.place(own) for o in options]))
            take_part(report, scene, guests, steps, keep)
        except RuntimeError as problem:
            report.line(False, scene)
            report.note(str(problem))
        finally:
            for guest in guests:
                guest.end()


def main(arguments):
    keep = "-k" in arguments
    scenes = [a for a in arguments if a != "-k"] or list(SCENES)
    unknown = [s for s in scenes if s not in SCENES]
    if unknown:
        sys.exit("screens.py: no scene '%s'; there are %s" % (unknown[0], ", ".join(SCENES)))
    if not shutil.which(PEER):
        print("1..0 # SKIP needs " + PEER)
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and clean up
    report = Report()
    for scene in scenes:
        run(report, scene, keep)
    print("1..%d" % report.number)
    return 1 if report.failed else 0


sys.exit(main(sys.argv[1:]))

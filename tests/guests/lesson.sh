#!/bin/sh
# The guest that Calque carries in itself (roms/lesson.S): what a command line boots that names nothing, and what -lesson asks for.  By
# instruction count on both backends, and then as a user meets it: its words, its screen, a key.
calque=${top_builddir:-.}/calque
dir=$(mktemp -d) || exit 99
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null; rm -rf "$dir"' EXIT
number=0

# check NAME COMMAND...: one TAP line, by the command's status.
check() {
    number=$((number + 1))
    name=$1
    shift
    if "$@"; then echo "ok $number - $name"; else
        echo "not ok $number - $name"
        tail -n 20 "$dir/words" "$dir/err" | sed 's/^/# /'
    fi
}
# until_seen TEXT FILE: waits for it, as long as Calque runs.
until_seen() {
    waited=0
    until grep -aq -e "$1" "$2" 2>/dev/null; do
        kill -0 "$pid" 2>/dev/null && [ $waited -lt 600 ] || return 1
        sleep 0.1
        waited=$((waited + 1))
    done
}

# --- by instruction count --------------------------------------------------------------------------------
counted() {
    timeout 120 "$calque" -lesson -display none -monitor none -serial "file:$dir/words" -icount shift=3,sleep=off \
        -rtc base=2020-02-29 -max-insns 40000000 -accel "tcg,backend=$1" </dev/null >"$dir/err" 2>&1
}
# The first frame needs all 32 pages; each second one misses one; each 75th has new code.
plausible() {
    awk '{ gsub(/,/, "") }
        /^ticks/ {
            lines++
            frames = $4
            if ($8 != 32 + int((frames - 1) / 2) || $11 != int((frames - 1) / 75)) exit bad = 1
            if ($2 > 4 * frames || $2 < 4 * frames - 12 || (frames > 1 && $13 + 0 < 50)) exit bad = 1
            seen[$15]
        }
        END { exit bad || lines < 7 || !("add" in seen && "sub" in seen && "xor" in seen && "and" in seen && "or" in seen) }' \
        "$dir/words"
}
counted x86_64
if grep -q 'package seabios' "$dir/err"; then
    echo "1..0 # SKIP $(cat "$dir/err")"
    exit 0
fi
if ! grep -q backend "$dir/err"; then
    check "it says what to do next" grep -q 'calque -cdrom debian.iso' "$dir/words"
    check "its counters fit each other" plausible
    mv "$dir/words" "$dir/words.x86_64"
fi
counted interp
check "its counters fit each other, interp" plausible
[ ! -f "$dir/words.x86_64" ] || check "both backends count the same" cmp -s "$dir/words" "$dir/words.x86_64"

# --- as a user meets it ------------------------------------------------------------------------------------------
unset DISPLAY WAYLAND_DISPLAY
rm -f "$dir/words" # or the last run's might be seen
"$calque" </dev/null >"$dir/words" 2>"$dir/err" &
pid=$!
check "calque without arguments boots it" until_seen '^ticks' "$dir/words"
check "... and says how to boot something else" grep -q '^calque: .*calque disk.img' "$dir/err"
kill $pid
wait $pid
check "... until it is told to end" [ $? = 0 ]

# On a terminal its screen is shown, and Ctrl-A x leaves.
on_terminal() {
    : >"$dir/terminal"
    {
        waited=0
        until grep -aq 'Timer interrupts' "$dir/terminal" || [ $waited = 300 ]; do
            sleep 0.1
            waited=$((waited + 1))
        done
        printf '\001x'
        sleep 1
    } | TERM=xterm timeout 60 script -qefc "stty rows 25 cols 80; exec $calque" "$dir/terminal" >"$dir/out" 2>&1 &&
        grep -aq 'Timer interrupts' "$dir/terminal"
}
if script --version >/dev/null 2>&1 && grep -q 'define HAVE_CURSES' "${top_builddir:-.}/config.h"; then
    check "on a terminal its screen is shown" on_terminal
else
    number=$((number + 1))
    echo "ok $number - on a terminal its screen is shown # SKIP no script(1), or no curses"
fi

mkfifo "$dir/keys"
rm "$dir/words"
"$calque" -display none -serial "file:$dir/words" -monitor stdio <"$dir/keys" >"$dir/monitor" 2>"$dir/err" &
pid=$!
exec 3>"$dir/keys"
check "options that name nothing to boot leave it" until_seen 'frames 1,' "$dir/words"
{
    echo 'info block'
    echo 'xp /16xh 0xb8374'
    echo "screendump $dir/screen.ppm"
    echo 'sendkey a'
} >&3
key_counted() {
    waited=0
    until awk '/^ticks/ { if ($11 + 0 > int(($4 - 1) / 75)) early = 1 } END { exit !early }' "$dir/words"; do
        [ $waited -lt 100 ] || return 1
        sleep 0.1
        waited=$((waited + 1))
    done
}
check "a key rewrites the code, before it is time to" key_counted
echo quit >&3
exec 3>&-
wait $pid
pid=
check "the floppy is read-only" grep -q "the lesson's floppy.*read-only" "$dir/monitor"
check "the panel says: Timer interrupts" awk '
    /^0*b83/ { for (i = 2; i <= NF; i++) text = text sprintf("%c", (index("0123456789abcdef", substr($i, 5, 1)) - 1) * 16 + \
        index("0123456789abcdef", substr($i, 6, 1)) - 1) }
    END { exit text != "Timer interrupts" }' "$dir/monitor"
colours() {
    [ "$(head -n 2 "$dir/screen.ppm" | tr '\n' ' ')" = "P6 720 400 " ] &&
        [ "$(tail -c 864000 "$dir/screen.ppm" | od -An -v -tx1 -w3 | sort -u | wc -l)" -ge 10 ]
}
check "the screen has the picture's colours" colours

echo "1..$number"

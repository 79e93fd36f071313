#!/bin/sh
# perf and gdb understand translated code: -jitdump and -gdbjit.  The guest is a Multiboot kernel of a few bytes: it counts down from
# a billion, so that some time passes (gdb is told of blocks now and then only), then says OUT to isa-debug-exit.
calque=${CALQUE:-${top_builddir:-.}/calque}
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
n=0
check() { # WHAT STATUS
    n=$((n + 1))
    [ "$2" = 0 ] && echo "ok $n - $1" || echo "not ok $n - $1"
}
skip() { # WHAT WHY
    n=$((n + 1))
    echo "ok $n - $1 # SKIP $2"
}
# As in stats.sh; code at 0x100020: mov esi,0x40000000; 1: dec esi; jnz 1b; xor eax,eax; out 0xf4,al; hlt
printf '\002\260\255\033\000\000\001\000\376\117\121\344\000\000\020\000\000\000\020\000\000\000\000\000\000\000\000\000\040\000\020\000\276\000\000\000\100\116\165\375\061\300\346\364\364' >"$dir/guest"
options="-m 16 -display none -serial null -monitor none -device isa-debug-exit,iobase=0xf4 -kernel $dir/guest"

if [ "$(uname -m)" != x86_64 ]; then
    echo "1..0 # SKIP no native code on this host"
    exit 0
fi

timeout 60 "$calque" $options -jitdump "$dir" </dev/null >"$dir/out" 2>&1
check "-jitdump: the guest ends" $([ $? = 1 ]; echo $?)
dump=$(ls "$dir"/jit-*.dump 2>/dev/null)
check "-jitdump: header" $([ "$(od -An -tx4 -N12 "$dump" | tr -d ' ')" = 4a6954440000000100000028 ]; echo $?)
check "-jitdump: the blocks' names" $(for name in cpl0:00100020 cpl0:00100025 cpl0:00100028 load helper; do
    grep -aq "$name" "$dump" || exit 1
done; echo $?)

# one line, naming the option, and status 1
refused() { # WHAT OPTION...
    what=$1
    shift
    timeout 60 "$calque" $options "$@" </dev/null >"$dir/out" 2>&1
    status=$?
    check "$what" $([ $status = 1 ] && [ "$(wc -l <"$dir/out")" = 1 ] && grep -q -- "$1" "$dir/out"; echo $?)
}
refused "-jitdump: a folder that is not there" -jitdump "$dir/nowhere"
refused "-jitdump: no native code" -jitdump "$dir" -accel tcg,backend=interp
refused "-gdbjit: no native code" -gdbjit -accel tcg,backend=interp

name="perf inject reads the dump"
if ! command -v perf >/dev/null; then
    skip "$name" "no perf (Debian: linux-perf)"
elif ! perf record -q -k mono -o "$dir/try.data" true >/dev/null 2>&1; then
    skip "$name" "perf may not record here"
else
    timeout 60 perf record -q -k mono -o "$dir/perf.data" -- "$calque" $options -jitdump "$dir" </dev/null >/dev/null 2>&1
    perf inject --jit -i "$dir/perf.data" -o "$dir/perf.jit.data" >/dev/null 2>&1
    perf report -i "$dir/perf.jit.data" --stdio 2>/dev/null | grep -v '^#' | head -n 20 >"$dir/report"
    sed 's/^/# /' "$dir/report"
    check "$name" $(grep -Eq 'cpl0:00100025(:window)?$' "$dir/report"; echo $?)
fi

name="gdb's backtrace goes through a block"
if ! command -v gdb >/dev/null; then
    skip "$name" "no gdb"
else
    timeout 120 gdb -batch -nx -ex 'set debuginfod enabled off' -ex 'handle SIGSEGV nostop noprint pass' -ex 'break helper_out' -ex run \
        -ex bt -ex kill --args "$calque" $options -gdbjit </dev/null >"$dir/gdb" 2>&1
    if grep -q "ptrace: Operation not permitted\|Could not trace the inferior" "$dir/gdb"; then
        skip "$name" "gdb may not trace here"
    else
        grep '^#' "$dir/gdb" | sed 's/^/# /'
        check "$name" $(awk '/^#.* helper_out /{ at = 1 } /^#.* in helper \(\)/{ at += at == 1 } /^#.* in cpl0:00100028(:window)? \(\)/{ at += at == 2 }
            /^#.* main \(/{ at += at == 3 } END { exit at != 4 }' "$dir/gdb"; echo $?)
    fi
fi
echo "1..$n"

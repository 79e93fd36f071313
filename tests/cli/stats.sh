#!/bin/sh
# -d stats counts callouts by name, on both backends, and -perfmap names every block.  The guest is a few bytes at a
# Multiboot kernel's entry: a load from the HPET and CPUID 1,000 times, then isa-debug-exit.
calque=${CALQUE:-${top_builddir:-.}/calque}
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
n=0
check() { # WHAT STATUS
    n=$((n + 1))
    [ "$2" = 0 ] && echo "ok $n - $1" || echo "not ok $n - $1"
}
# magic, flags (addresses given), checksum, header/load/load end/bss end/entry; code at 0x100020:
# mov esi,1000; 1: mov eax,[0xfed00000]; xor eax,eax; cpuid; dec esi; jnz 1b; xor eax,eax; out 0xf4,al; hlt
printf '\002\260\255\033\000\000\001\000\376\117\121\344\000\000\020\000\000\000\020\000\000\000\000\000\000\000\000\000\040\000\020\000\276\350\003\000\000\241\000\000\320\376\061\300\017\242\116\165\364\061\300\346\364\364' >"$dir/guest"
for backend in "" interp; do
    timeout 60 sh -c 'echo $$ >"$0"; exec "$@"' "$dir/pid" "$calque" ${backend:+-accel tcg,backend=$backend} -m 16 -display none -serial null -monitor none \
        -device isa-debug-exit,iobase=0xf4 -perfmap -kernel "$dir/guest" -d stats -D "$dir/log" </dev/null >/dev/null 2>&1
    status=$?
    pid=$(cat "$dir/pid")
    check "${backend:-native}: the guest ends by itself" $([ $status = 1 ]; echo $?)
    check "${backend:-native}: 1,000 CPUIDs counted" $(grep -Eq '^Callout cpuid +10[0-9][0-9]$' "$dir/log"; echo $?)
    check "${backend:-native}: 1,000 loads from a device counted" $(grep -Eq '^Slow accesses: 10[0-9][0-9], of them 10[0-9][0-9] by the bus' "$dir/log"; echo $?)
    check "${backend:-native}: no exception, no interrupt" $(grep -q '^Delivered: 0 exceptions, 0 interrupts' "$dir/log"; echo $?)
    check "${backend:-native}: ratio of code sizes" $(grep -Eq 'Guest code: [0-9]+ instructions in .* \([0-9.]+ times\)' "$dir/log"; echo $?)
    check "${backend:-native}: the block has a name" $(grep -Eq '^[0-9a-f]+ [0-9a-f]+ cpl0:0010002[0-9a-f](:window)?$' "/tmp/perf-$pid.map"; echo $?)
    rm -f "/tmp/perf-$pid.map"
done
echo "1..$n"

#!/bin/sh
# The bare-metal guests on each backend, on the native one with its windows always in use, and on both beside each other: one
# TAP line for each pair.  A guest ends through isa-debug-exit with status 33 (pass), 35 (fail) or 37 (skip); "triple" ends as Calque ends after a triple fault.
#   run.sh [GUEST...]
# CALQUE names the emulator, BACKENDS what to try, GUEST_SECONDS how long one may take.
guests_dir=${top_builddir:-.}/tests/guests
calque=${CALQUE:-${top_builddir:-.}/calque}
backends=${BACKENDS:-default window interp lockstep}
[ $# -gt 0 ] || set -- $(cat "$guests_dir/list" 2>/dev/null)

if [ $# -eq 0 ]; then
    echo "1..0 # SKIP no compiler here makes 32-bit x86 guests"
    exit 0
fi

out=$(mktemp) || exit 99
trap 'rm -f "$out"' EXIT
number=0
for guest in "$@"; do
    want=33
    [ "$guest" = triple ] && want=1
    for backend in $backends; do
        number=$((number + 1))
        case $backend in
        default) accel=tcg ;;
        window) accel=tcg,window=always ;;
        lockstep) accel=lockstep ;;
        *) accel=tcg,backend=$backend ;;
        esac
        timeout "${GUEST_SECONDS:-30}" "$calque" -bios none -accel "$accel" -cpu max -m 64 -no-reboot -display none -serial none \
            -monitor none -device isa-debug-exit,iobase=0xf4,iosize=4 -chardev "file,id=text,path=$out" \
            -device isa-debugcon,iobase=0xe9,chardev=text -kernel "$guests_dir/$guest.guest" >"$out.err" 2>&1
        status=$?
        result="not ok"
        note=
        [ $status = $want ] && result=ok
        [ $status = 37 ] && result=ok note=" # SKIP $(sed -n 's/^SKIP //p' "$out")"
        [ "$result" = ok ] || cat "$out" "$out.err" | head -n 60 | sed 's/^/# /'
        echo "$result $number - $guest, $backend: status $status$note"
    done
done
rm -f "$out.err"
echo "1..$number"

#!/bin/sh
# Both backends beside each other: SeaBIOS to its end without media, and the start of Debian's kernel.  (The bare-metal
# guests go through run.sh.)  The whole kernel takes a minute: CALQUE_LOCKSTEP_INSNS=0 runs it.
calque=${CALQUE:-${top_builddir:-.}/calque}
linux=${CALQUE_GUESTS:-${top_builddir:-.}/guests}/linux
initramfs=${top_builddir:-.}/tests/guests/initramfs
insns=${CALQUE_LOCKSTEP_INSNS:-50000000}
dir=$(mktemp -d)
trap 'kill "$pid" 2>/dev/null; rm -rf "$dir"' EXIT

"$calque" -accel lockstep -m 64 -boot c -display none -serial none -monitor none -chardev "file,id=log,path=$dir/log" \
    -device isa-debugcon,iobase=0x402,chardev=log </dev/null 2>"$dir/err" &
pid=$!
waited=0
until grep -q '^No bootable device' "$dir/log" 2>/dev/null || [ $waited = 1200 ] || ! kill -0 $pid 2>/dev/null; do
    sleep 0.1
    waited=$((waited + 1))
done
if grep -q 'only the portable one' "$dir/err"; then
    echo "1..0 # SKIP $(cat "$dir/err")"
    exit 0
fi
echo "1..2"
if grep -q '^No bootable device' "$dir/log" 2>/dev/null; then
    echo "ok 1 - SeaBIOS"
elif grep -q 'package seabios' "$dir/err"; then
    echo "ok 1 - SeaBIOS # SKIP $(cat "$dir/err")"
else
    head -n 100 "$dir/err" | sed 's/^/# /'
    echo "not ok 1 - SeaBIOS"
fi
kill $pid 2>/dev/null

if [ ! -f "$linux" ] || [ ! -f "$initramfs" ]; then
    echo "ok 2 - Debian's kernel # SKIP needs $linux and $initramfs (./quickstart check makes both)"
    exit 0
fi
stop=
[ "$insns" = 0 ] || stop="-max-insns $insns"
"$calque" -accel lockstep -m 512 -display none -serial "file:$dir/serial" -monitor none -no-reboot -kernel "$linux" \
    -initrd "$initramfs" -append "console=ttyS0 quiet" $stop </dev/null >"$dir/out" 2>&1
status=$?
[ ! -f "$dir/serial" ] || sed 's/^/# /' "$dir/serial" | tr -d '\r'
if [ $status = 0 ] && ! grep -q differ "$dir/out"; then
    echo "ok 2 - Debian's kernel"
else
    head -n 100 "$dir/out" | sed 's/^/# /'
    echo "not ok 2 - Debian's kernel: status $status"
fi

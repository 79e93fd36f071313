#!/bin/sh
# Boots Debian's unmodified i386 kernel with tests/guests/linux_init.c as /init and sees it power off.
# BACKEND chooses one that is not the default.  The kernel comes from $CALQUE_GUESTS (./quickstart check fetches it there).
calque=${top_builddir:-.}/calque
linux=${CALQUE_GUESTS:-${top_builddir:-.}/guests}/linux
initramfs=${top_builddir:-.}/tests/guests/initramfs
lines=8

# boot NAME ARG...: one TAP line for each line the guest shall print, in order, and one for the end.
number=0
boot() {
    name=$1
    shift
    out=$(mktemp)
    # graphics=on: the firmware's own messages stay off the line.
    timeout "${CALQUE_BOOT_SECONDS:-300}" "$calque" -M pc,graphics=on -m 512 -nographic -no-reboot -kernel "$linux" \
        -initrd "$initramfs" -append "console=ttyS0 quiet" "$@" </dev/null >"$out" 2>&1
    status=$?
    tr -d '\r' <"$out" | grep '^GUEST' >"$out.guest"
    sed 's/^/# /' "$out" | tr -d '\r' | tail -n 40
    for want in 'GUEST-BEGIN' 'GUEST ok - init is process 1' 'GUEST ok - fork, copy-on-write, wait' \
        'GUEST ok - x87 and SSE state across task switches' \
        'GUEST ok - code that is written and run in turn' 'GUEST ok - 16 MiB written and read' 'GUEST ok - exceptions as signals' 'GUEST-END'; do
        number=$((number + 1))
        if grep -qxF "$want" "$out.guest"; then
            echo "ok $number - $name: $want"
        else
            echo "not ok $number - $name: $want"
        fi
    done
    number=$((number + 1))
    if [ $status = 0 ]; then
        echo "ok $number - $name: powers off, status 0"
    else
        echo "not ok $number - $name: status $status"
    fi
    rm -f "$out" "$out.guest"
}

if [ ! -f "$linux" ] || [ ! -f "$initramfs" ]; then
    echo "1..0 # SKIP needs $linux and $initramfs (./quickstart check makes both)"
    exit 0
fi
echo "1..$((lines + 1))"
boot "${BACKEND:-default}" ${BACKEND:+-accel tcg,backend=$BACKEND}

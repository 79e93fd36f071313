#!/bin/sh
# What Calque itself needs while Debian's kernel boots in 512 MiB: resident memory apart from the guest's own, which
# is the one mapping as large as that.  Shared pages count by their share (Pss), so that the two views of the code
# cache count once.  The limit is 100 MiB.
calque=${CALQUE:-${top_builddir:-.}/calque}
linux=${CALQUE_GUESTS:-${top_builddir:-.}/guests}/linux
initramfs=${top_builddir:-.}/tests/guests/initramfs
limit=102400

skip() {
    echo "1..0 # SKIP $1"
    exit 0
}
[ -f "$linux" ] && [ -f "$initramfs" ] || skip "needs $linux and $initramfs (./quickstart check makes both)"
[ -r /proc/self/smaps ] || skip "needs /proc/PID/smaps"

# measure PID: "own guest", in KiB; nothing when the process is gone
measure() {
    awk '/^[0-9a-f]+-[0-9a-f]+ / { size = 0 }
        /^Size:/ { size = $2 }
        /^Pss:/ { if (size >= 512 * 1024) guest += $2; else own += $2 }
        END { if (own) print own, guest + 0 }' "/proc/$1/smaps" 2>/dev/null
}

"$calque" -m 512 -display none -serial null -monitor none -no-reboot -kernel "$linux" -initrd "$initramfs" \
    -append "console=ttyS0 quiet" </dev/null >/dev/null 2>&1 &
pid=$!
most=0 guest=0
while :; do
    set -- $(measure $pid)
    [ $# -eq 2 ] || break
    [ "$1" -le "$most" ] || most=$1
    [ "$2" -le "$guest" ] || guest=$2
    sleep 0.2
done
wait $pid
status=$?
echo "1..1"
echo "# at most $((most / 1024)) MiB of its own, $((guest / 1024)) MiB of the guest's; status $status"
if [ $status = 0 ] && [ "$most" -gt 0 ] && [ "$most" -lt $limit ] && [ "$guest" -gt 0 ]; then
    echo "ok 1 - $((most / 1024)) MiB beside the guest's memory"
else
    echo "not ok 1 - $((most / 1024)) MiB beside the guest's memory"
fi

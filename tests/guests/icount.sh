#!/bin/sh
# -icount: two runs of a guest leave the same machine, to the last instruction, byte and register, and so does a run on the other
# backend, one that is disturbed by a user looking in, and one that waits in the host's time while the guest idles.
# A guest of our own that keeps every clock and a disk busy; or, with GUEST=linux, Debian's kernel ($CALQUE_GUESTS) through firmware,
# up to its drivers.
guests_dir=${top_builddir:-.}/tests/guests
calque=${CALQUE:-${top_builddir:-.}/calque}
linux=${CALQUE_GUESTS:-${top_builddir:-.}/guests}/linux
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
number=0

# run NAME ARG...: the digest in $dir/NAME
run() {
    name=$1
    shift
    timeout "${GUEST_SECONDS:-300}" "$calque" -no-reboot -display none -rtc base=2020-02-29T12:00:00 -d digest \
        -D "$dir/$name" "$@" >"$dir/out" 2>&1
    echo "status $?" >>"$dir/$name"
}

ok() {
    number=$((number + 1))
    echo "ok $number - $1"
}

# same NAME OTHER TEXT
same() {
    if cmp -s "$dir/$1" "$dir/$2"; then
        ok "$3"
    else
        diff "$dir/$1" "$dir/$2" | head -n 20 | sed 's/^/# /'
        number=$((number + 1))
        echo "not ok $number - $3"
    fi
}

# The user looks in every now and then.
look() {
    i=0
    while [ $i -lt 20 ]; do
        sleep 0.02
        echo 'info registers'
        i=$((i + 1))
    done 2>/dev/null
}

clocks() {
    name=$1
    shift
    run "$name" -bios none -cpu max -m 64 -serial none -device isa-debug-exit,iobase=0xf4,iosize=4 -hda "$dir/disk" \
        -chardev "file,id=text,path=$dir/text" -device isa-debugcon,iobase=0xe9,chardev=text \
        -kernel "$guests_dir/clocks.guest" "$@" </dev/null
    cat "$dir/text" >>"$dir/$name"
}

own_guest() {
    awk 'BEGIN { for (i = 0; i < 4096; i++) print "sector by sector", i * i }' >"$dir/disk"
    fast=shift=3,sleep=off
    clocks first -monitor none -icount $fast
    if grep -q '^status 33' "$dir/first"; then ok "the guest is content"; else
        number=$((number + 1))
        sed 's/^/# /' "$dir/first" "$dir/out"
        echo "not ok $number - the guest is content"
    fi
    clocks again -monitor none -icount $fast
    same first again "a second run is the same"
    clocks interp -monitor none -icount $fast -accel tcg,backend=interp
    same first interp "on the other backend, too"
    clocks slow -monitor none -icount shift=3
    same first slow "waiting for the host while idle"
    look | {
        run looked -bios none -cpu max -m 64 -serial none -device isa-debug-exit,iobase=0xf4,iosize=4 -hda "$dir/disk" \
            -chardev "file,id=text,path=$dir/text" -device isa-debugcon,iobase=0xe9,chardev=text \
            -kernel "$guests_dir/clocks.guest" -monitor stdio -icount shift=3
    }
    cat "$dir/text" >>"$dir/looked"
    same first looked "with a user looking in"
    clocks other -monitor none -icount shift=4,sleep=off
    number=$((number + 1))
    if cmp -s "$dir/first" "$dir/other"; then
        echo "not ok $number - another speed makes another run"
    else
        echo "ok $number - another speed makes another run"
    fi
}

linux_guest() {
    set -- -m 128 -serial none -monitor none -kernel "$linux" -append quiet -icount shift=3,sleep=off -max-insns 3300000000
    run linux "$@"
    run linux-again "$@"
    same linux linux-again "Debian's kernel through firmware: a second run is the same"
    run linux-interp "$@" -accel tcg,backend=interp
    same linux linux-interp "Debian's kernel through firmware: on the other backend, too"
}

skip() {
    echo "1..0 # SKIP $1"
    exit 0
}

if [ "$GUEST" = linux ]; then
    [ -f "$linux" ] || skip "needs $linux (./quickstart check fetches it)"
    linux_guest
else
    [ -f "$guests_dir/clocks.guest" ] || skip "no compiler here makes 32-bit x86 guests"
    own_guest
fi
echo "1..$number"

#!/bin/sh
# Two programs at one image: any number of readers, or one writer; the second is refused with one line and status 1.  Calque
# against itself and, where it is installed, against qemu-system-i386, which locks the same bytes, in both directions.
calque=${top_builddir:-.}/calque
dir=$(mktemp -d) || exit 1
holder=
cleanup() {
    [ -z "$holder" ] || kill -9 "$holder" 2>/dev/null
    rm -rf "$dir"
}
trap cleanup EXIT
trap '' PIPE # a program may end before it is spoken to
number=0
image=$dir/image
head -c 1048576 /dev/zero >"$image"
mkfifo "$dir/in"

result() { # GOOD NAME
    number=$((number + 1))
    if [ "$1" = 0 ]; then echo "ok $number - $2"; else
        echo "not ok $number - $2"
        cat "$dir/err" "$dir/held" | sed 's/^/# /'
    fi
}

run() { # PROGRAM DRIVE-OPTIONS: stopped, with its monitor on the standard input and output
    program=$calque
    [ "$1" = qemu ] && program=qemu-system-i386
    exec "$program" -display none -nodefaults -S -m 16 -monitor stdio -drive "file=$image,format=raw$2"
}

# start PROGRAM DRIVE-OPTIONS: true once it answers on its monitor, false when it ends instead.  QEMU greets before it has
# its lock.
start() {
    : >"$dir/held" # what the program before said must not count as this one's answer
    (run "$1" "$2") <"$dir/in" >>"$dir/held" 2>&1 &
    holder=$!
    exec 3>"$dir/in"
    echo "info status" >&3 2>/dev/null
    until grep -q "VM status" "$dir/held"; do
        kill -0 "$holder" 2>/dev/null || return 1
        sleep 0.05
    done
}

hold() { # PROGRAM DRIVE-OPTIONS: until release
    i=0
    until start "$1" "$2"; do # the program before it may still be on its way out, with its lock
        exec 3>&-
        i=$((i + 1))
        if [ $i = 50 ]; then
            echo "Bail out! $1 does not start: $(cat "$dir/held")"
            exit 1
        fi
        sleep 0.2
    done
}

release() {
    echo quit >&3
    exec 3>&-
    wait "$holder"
    holder=
}

# refused: one line, status 1; let: it starts, and ends when told to.
contend() { # refused|let PROGRAM DRIVE-OPTIONS NAME
    (echo quit | (run "$2" "$3")) >"$dir/out" 2>"$dir/err"
    status=$?
    if [ "$1" = let ]; then
        [ $status = 0 ]
    elif [ "$2" = qemu ]; then
        [ $status = 1 ] && grep -q 'lock' "$dir/err"
    else
        [ $status = 1 ] && [ "$(wc -l <"$dir/err")" = 1 ] && grep -q "^calque: '$image': in use" "$dir/err"
    fi
    result $? "$4: $1 (status $status)"
}

pair() { # HOLDER CONTENDER
    hold "$1" ''
    contend refused "$2" '' "$1 writes, $2 would write"
    contend refused "$2" ,readonly=on "$1 writes, $2 would read"
    contend refused "$2" ,snapshot=on "$1 writes, $2 would take a snapshot"
    release
    hold "$1" ,snapshot=on
    contend refused "$2" '' "$1 reads, $2 would write"
    contend let "$2" ,snapshot=on "$1 reads, $2 reads, too"
    release
    contend let "$2" '' "$1 has left, $2 writes"
}

pair calque calque
if command -v qemu-system-i386 >/dev/null 2>&1; then
    pair calque qemu
    pair qemu calque
else
    number=$((number + 1))
    echo "ok $number - against QEMU # SKIP qemu-system-i386 is not installed"
fi
echo "1..$number"

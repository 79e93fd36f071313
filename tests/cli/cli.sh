#!/bin/sh
# Whatever is wrong with the command line or the files it names: one line on stderr that begins with
# "calque: ", names the culprit, and status 1.  Questions are answered on stdout with status 0.
calque=${top_builddir:-.}/calque
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
number=0

result() { # GOOD NAME
    number=$((number + 1))
    if [ "$1" = 0 ]; then echo "ok $number - $2"; else
        echo "not ok $number - $2"
        sed 's/^/# /' "$dir/err" "$dir/out"
    fi
}

# refuse TEXT ARG...: TEXT must be in the message.
refuse() {
    text=$1
    shift
    timeout 20 "$calque" "$@" </dev/null >"$dir/out" 2>"$dir/err"
    status=$?
    [ $status = 1 ] && [ "$(wc -l <"$dir/err")" = 1 ] && [ ! -s "$dir/out" ] &&
        grep -q '^calque: ' "$dir/err" && grep -qF -e "$text" "$dir/err"
    result $? "refused (status $status): $*"
}

# answer TEXT ARG...: TEXT must be on stdout.
answer() {
    text=$1
    shift
    timeout 20 "$calque" "$@" </dev/null >"$dir/out" 2>"$dir/err"
    status=$?
    [ $status = 0 ] && [ ! -s "$dir/err" ] && grep -qF -e "$text" "$dir/out"
    result $? "answered (status $status): $*"
}

: >"$dir/empty"

# --- words -------------------------------------------------------------------------------------
refuse '-kernel' -kernal x
refuse 'nearest one is -append' -apend x
refuse 'disk.img' -hda disk.img
refuse 'firmware.bin' -bios firmware.bin
refuse '-bios' -bios none
refuse 'seabios' -L "$dir" -bios no-such-image
refuse 'disk.img' disk.img
refuse '-kernel' -kernel
refuse '-initrd' -initrd x
refuse '-append' -append x
refuse "''" ''
refuse '-' -
k="-kernel $dir/absent"

# --- values ---------------------------------------------------------------------------------------
for m in 0 -1 3585 4096 5G 1K 512Q '' 99999999999999999999 0x; do refuse "-m: '$m'" $k -m "$m"; done
for n in 0 2 x; do refuse '-smp' $k -smp $n; done
refuse 'no-such-cpu' $k -cpu no-such-cpu
refuse 'nosuchfeature' $k -cpu max,+nosuchfeature
refuse 'kvm' $k -accel kvm
refuse 'backend' $k -accel tcg,backend=arm
for n in 0 2048 x; do refuse 'tb-size' $k -accel tcg,tb-size=$n; done
refuse 'nearest one is' $k -accel tcg,no-pass=nothing
refuse "nearest one is 'tb-size'" $k -accel tcg,tbsize=1
refuse "nearest one is 'in_asm'" $k -d in_as
refuse 'nearest one is' $k -d no-such-pass
refuse '-d' $k -d ''
refuse '-D' $k -D /nonexistent-folder/log
for r in '' x 2..1 1+0 0x100000000; do refuse '-dfilter' $k -dfilter "$r"; done
printf 'c1000000 T startup\nc1000100 T idle\n' >"$dir/map"
refuse "nearest one is 'startup'" $k -dfilter statup -symbols "$dir/map"
refuse 'with -symbols names' $k -dfilter startup,0x10..x -symbols "$dir/map"
refuse '-symbols' $k -symbols "$dir/absent"
refuse 'neither a System.map nor an ELF' $k -symbols "$0"
refuse "-kernel '$dir/absent'" $k -symbols "$dir/map" -dfilter startup,0x10,idle
for r in 0 x -5; do refuse '-max-insns' $k -max-insns "$r"; done
for r in shift=11 shift=x auto shift=auto 99 sleep=maybe align=on rr=record shift= ''; do refuse '-icount' $k -icount "$r"; done
refuse "nearest one is 'shift'" $k -icount shft=1
for r in base=yesterday base=2006-02-31 base=2006-13-01 clock=x base=; do refuse '-rtc' $k -rtc "$r"; done
refuse '-machine' $k -machine q35
refuse '-M' $k -M isapc
refuse '-vga' $k -vga vesa
for b in '' x cc order= menu=maybe splash-time=x; do refuse '-boot' $k -boot "$b"; done
refuse '-display' $k -display nonsense
refuse '-monitor' $k -monitor nonsense
refuse '-nic' $k -nic user
refuse '-serial' $k -serial tcp:1
refuse '-serial' $k -serial file:
refuse '-serial' $k -serial file:/nonexistent-folder/x
refuse 'stdio' $k -serial stdio -serial mon:stdio
refuse 'at most 4' $k -serial null -serial null -serial null -serial null -serial null
refuse 'chardev' $k -serial chardev:x
refuse '-chardev' $k -chardev file,id=x
refuse '-chardev' $k -chardev null
refuse '-chardev' $k -chardev null,id=x -chardev null,id=x
refuse "nearest one is 'isa-debug-exit'" $k -device isa-debug-exot
refuse 'iobase' $k -device isa-debug-exit,iobase=0x10000
refuse 'iosize' $k -device isa-debug-exit,iosize=0
refuse 'chardev' $k -device isa-debugcon
refuse 'chardev' $k -device isa-debugcon,chardev=x
refuse 'chardev' $k -device isa-serial
refuse 'it has none' $k -device VGA,x=y

# --- drives ----------------------------------------------------------------------------------------
head -c 65536 /dev/zero >"$dir/disk"
d="file=$dir/disk,format=raw"
refuse 'if=none' -blockdev "driver=file,filename=$dir/disk,node-name=x"
refuse "ide, floppy or none" -drive "$d,if=virtio"
refuse 'id= is missing' -drive "$d,if=none"
refuse 'for the -device to say' -drive "$d,if=none,id=x,index=1"
refuse 'another -drive has that id' -drive "$d,if=none,id=x" -drive "$d,if=none,id=x"
refuse "there is no -drive if=none,id=x" -device ide-hd,drive=x
refuse "nearest one is 'disk'" -drive "$d,if=none,id=disk" -device ide-hd,drive=dsk
refuse "needs if=none" -drive "$d,id=x" -device ide-hd,drive=x
refuse "is another -device's" -drive "$d,if=none,id=x" -device ide-hd,drive=x -device ide-hd,drive=x
refuse 'drive=ID is missing' -device ide-hd
refuse 'media=cdrom' -drive "$d,if=none,media=cdrom,id=x" -device ide-hd,drive=x
refuse 'two drives' -hda "$dir/disk" -drive "$d,if=none,id=x" -device ide-hd,drive=x,bus=ide.0,unit=0
refuse 'bootindex=3' -device ide-cd,bootindex=3 -device floppy,bootindex=3
refuse 'ide.0 or ide.1' -device ide-cd,bus=ide.2
refuse 'at most 20 characters' -device ide-cd,serial=123456789012345678901
refuse "nearest one is 'bootindex'" -device ide-cd,bootindx=1
refuse "nearest one is 'ide-hd'" -device ide-hdd
refuse 'no place left' -device ide-cd -device ide-cd -device ide-cd -device ide-cd -device ide-cd
refuse "'discard'" -drive "$d,discrad=unmap"
refuse 'discard' -drive "$d,discard=maybe"
refuse 'detect-zeroes' -drive "$d,detect-zeroes=on"
refuse 'aio' -drive "$d,aio=posix"
refuse 'werror' -drive "$d,werror=panic"
refuse 'rerror' -drive "$d,rerror=enospc"
refuse "'$dir/empty'" -hda "$dir/empty"
refuse "'$dir'" -cdrom "$dir"
refuse "'$dir/disk': in use" -hda "$dir/disk" -hdb "$dir/disk"
if [ "$(id -u)" != 0 ]; then
    cp "$dir/disk" "$dir/closed"
    chmod 444 "$dir/closed"
    refuse 'readonly=on' -hda "$dir/closed"
    chmod 0 "$dir/closed"
    refuse 'Permission denied' -cdrom "$dir/closed"
fi
printf 'QFI\373' | cat - "$dir/disk" >"$dir/qcow2"
refuse 'qcow2' -hda "$dir/qcow2"

refuse "nearest one is 'sdl'" $k -audiodev sld,id=x
refuse 'id= is missing' $k -audiodev none
refuse 'another -audiodev' $k -audiodev none,id=x -audiodev sdl,id=x
refuse "nearest one is 'snd'" $k -audiodev none,id=snd -machine pcspk-audiodev=sdn

refuse 'two drives for floppy index 0' -lesson -fda "$dir/disk"
refuse "nearest one is -lesson" -leson

# --- files -----------------------------------------------------------------------------------------
refuse "$dir/absent" -kernel "$dir/absent"
refuse "$dir" -kernel "$dir"
refuse "$dir/empty" -kernel "$dir/empty"
printf x >"$dir/tiny"
refuse "$dir/tiny" -kernel "$dir/tiny"
head -c 512 /dev/zero >"$dir/zeros"
refuse "$dir/zeros" -kernel "$dir/zeros"
# Random without a random device: the same bytes each time.
awk 'BEGIN { srand(1); for (i = 0; i < 60000; i++) printf "%c", 33 + int(rand() * 90) }' >"$dir/noise"
refuse "$dir/noise" -kernel "$dir/noise"
refuse 'a?b' -kernel "$dir/a
b"

linux=${CALQUE_GUESTS:-${top_builddir:-.}/guests}/linux
if [ -f "$linux" ]; then
    for size in 100 513 600 1024 8192 100000; do
        head -c $size "$linux" >"$dir/cut"
        refuse "$dir/cut" -kernel "$dir/cut"
    done
    refuse "$dir/absent" -kernel "$linux" -initrd "$dir/absent"
    refuse "$dir/empty" -kernel "$linux" -initrd "$dir/empty"
    refuse "$dir'" -kernel "$linux" -initrd "$dir"
    refuse '' -kernel "$linux" -m 1
fi

# --- questions --------------------------------------------------------------------------------------
answer '-kernel' -help
answer '-append' --help
answer '-append' -h
answer 'Calque' -version
answer 'Calque' --version
answer 'in_asm' -d help
answer 'pentium3' -cpu help
answer 'tb-size' -accel help
answer 'isa-debug-exit' -device help
answer 'ide-hd' -device help
answer 'sdl' -audiodev help
answer 'bootindex' -device ide-hd,help
answer 'discard' -drive help
answer 'pc' -machine help

# --- firmware's messages --------------------------------------------------------------------------
ends="-m 16 -no-reboot -boot reboot-timeout=1"
answer 'No bootable device' -nographic $ends
answer 'No bootable device' -M graphics=off -serial stdio -display none $ends
timeout 20 "$calque" -M graphics=on -nographic $ends </dev/null >"$dir/out" 2>"$dir/err"
[ $? = 0 ] && [ ! -s "$dir/out" ]
result $? "graphics=on keeps them off the serial line"
refuse 'graphics' $k -M graphics=maybe

echo "1..$number"

#!/bin/sh
# The bare-metal guests on another emulator, for comparison: what they print, one after the other.  Not part of "make check": where
# they fail there, doc/conformance.txt explains it.  Run where the guests have been built (make check TESTS=).
#   elsewhere.sh qemu|bochs [GUEST...]
# qemu needs qemu-system-i386 (ACCEL, default tcg); bochs needs bochs, its BIOS, and grub-mkrescue with xorriso to make a disc.
guests_dir=${top_builddir:-.}/tests/guests
emulator=$1
shift
[ $# -gt 0 ] || set -- $(cat "$guests_dir/list")
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT

on_qemu() {
    timeout 60 qemu-system-i386 -accel "${ACCEL:-tcg}" -cpu max -m 64 -no-reboot -display none -serial none -monitor none \
        -nic none -device isa-debug-exit,iobase=0xf4,iosize=4 -chardev "file,id=text,path=$scratch/text" \
        -device isa-debugcon,iobase=0xe9,chardev=text -kernel "$guests_dir/$1.guest" >"$scratch/messages" 2>&1
    [ $? = 124 ] && echo "(did not end)" >>"$scratch/text"
}

# Its debugger, where it is built in, waits for a first command.
on_bochs() {
    mkdir -p "$scratch/disc/boot/grub"
    cp "$guests_dir/$1.guest" "$scratch/disc/guest"
    printf 'multiboot /guest\nboot\n' >"$scratch/disc/boot/grub/grub.cfg"
    grub-mkrescue -o "$scratch/disc.iso" -d /usr/lib/grub/i386-pc --themes= --fonts= --locales= \
        --install-modules="multiboot normal iso9660 biosdisk boot" "$scratch/disc" >"$scratch/messages" 2>&1
    cat >"$scratch/bochsrc" <<END
cpu: model=corei7_skylake_x, ips=50000000, reset_on_triple_fault=0, ignore_bad_msrs=0
memory: guest=64, host=64
romimage: file=${BOCHS_BIOS:-/usr/share/bochs/BIOS-bochs-latest}
vgaromimage: file=${BOCHS_VGABIOS:-/usr/share/vgabios/vgabios.bin}
ata0-master: type=cdrom, path=$scratch/disc.iso, status=inserted
boot: cdrom
display_library: rfb, options="timeout=0"
port_e9_hack: enabled=1
log: $scratch/log
panic: action=fatal
clock: sync=none
END
    [ -p "$scratch/input" ] || mkfifo "$scratch/input"
    exec 3<>"$scratch/input"
    echo c >&3
    timeout 60 bochs -q -f "$scratch/bochsrc" <&3 2>>"$scratch/messages" | tr -d '\r' |
        grep -a ': got\|checks,\|^SKIP\|^unexpected' >"$scratch/text"
    grep -q 'checks,\|SKIP' "$scratch/text" || echo "(did not end)" >>"$scratch/text"
}

for guest in "$@"; do
    rm -f "$scratch/text"
    echo "$guest:"
    case $emulator in
    qemu) on_qemu "$guest" ;;
    bochs) on_bochs "$guest" ;;
    *) echo "elsewhere.sh: '$emulator' is neither qemu nor bochs" >&2 && exit 1 ;;
    esac
    sed 's/^/  /' "$scratch/text"
done

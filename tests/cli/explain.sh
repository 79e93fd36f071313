#!/bin/sh
# calque explain: what it shows of a few snippets on both backends, what running them changes, and bad input.
calque=${top_builddir:-.}/calque
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
number=0
TMPDIR=$dir
export TMPDIR
before= # an assignment for refuse's environment

result() { # GOOD NAME
    number=$((number + 1))
    if [ "$1" = 0 ]; then echo "ok $number - $2"; else
        echo "not ok $number - $2"
        sed 's/^/# /' "$dir/err" "$dir/out"
    fi
}

explain() { timeout 30 "$calque" explain "$@" </dev/null >"$dir/out" 2>"$dir/err"; }

# shows NAME REGEXP...: each matches a line of the last output, in that order.
shows() {
    name=$1
    shift
    from=1
    good=0
    for re; do
        line=$(tail -n +$from "$dir/out" | grep -nE -m1 -e "$re" | cut -d: -f1)
        if [ -z "$line" ]; then
            echo "# nothing like: $re" >>"$dir/err"
            good=1
            break
        fi
        from=$((from + line))
    done
    result $good "$name"
}

refuse() { # TEXT ARG...
    text=$1
    shift
    timeout 30 env $before "$calque" explain "$@" </dev/null >"$dir/out" 2>"$dir/err"
    status=$?
    [ $status = 1 ] && [ "$(wc -l <"$dir/err")" = 1 ] && [ ! -s "$dir/out" ] && grep -q '^calque: explain: ' "$dir/err" &&
        grep -qF -e "$text" "$dir/err"
    result $? "refused (status $status): $*"
}

backends=interp
explain --backend x86_64 90 && backends="x86_64 interp"

# --- what it shows: the same guest code and IR on all backends --------------------------------------------------
for b in $backends; do
    explain --backend $b 01d8 39c8 7405
    shows "$b: flags that are overwritten are dead, and why" '^guest +00100000 +01d8 +add eax, ebx' \
        '^op .* add.4 +eax, ebx' 'flags: CPAZSO dead: next written by cmp at 00100002' '^op_opt .* add.4 .*\[ wr CPAZSO \]' \
        '^guest +00100002 +39c8 +cmp eax, ecx' '^guest +00100004 +7405 +je' '^total +guest 6 bytes, 3 instructions; host '
    explain --backend $b --no-pass flags 01d8 39c8
    ! grep -qE '^ +flags: ' "$dir/out" && grep -q 'live CPAZSO' "$dir/out"
    result $? "$b: --no-pass flags leaves them all alive"
    explain --backend $b 50 53 51
    shows "$b: pushes share one page check" 'st.4 +ss:\[esp-0x4\], eax' 'runs: one page check, of 12 bytes, serves 3 accesses' \
        'addr: removed: the next addition, at 00100001|lea.4 +esp' 'runs: shares the page check of st at 00100000'
    explain --backend $b b805000000 83c003 89c3 39d3
    shows "$b: constants" 'add.4 +eax, 0x3' 'constprop: eax is known|constprop: computed: 0x8' 'mov.4 +ebx, 0x8'
    explain --backend $b --16 --run 'b80100 a30005 f4'
    shows "$b: 16-bit code" '^guest +00007c00 +b80100 +mov ax, 1' 'ds!:\[0x500\]' '^eax +00000000  00000001  changed' \
        '^memory +00000500 +00 00 00 00  -> 01 00 00 00' '^stopped  at 00007c07: HLT'
    explain --backend $b --run --set eax=0xffffffff --set ebx=1 01d8
    shows "$b: flags before and after" '^eax +ffffffff  00000000  changed' '^flags +-------   ---ZAPC   changed' \
        "^stopped  at 00100002: the code's end"
    explain --backend $b --run 31c9 f7f1
    shows "$b: an exception" '^stopped  at 00100002: exception 0 #DE'
    explain --backend $b --run cd80
    shows "$b: an interrupt that nobody answers" '^stopped  at 00100000: exception 13 #GP, error code 0x402'
    explain --backend $b --run d9e8 0f57c0
    shows "$b: x87" '^st0 .* 3fff 8000000000000000  changed'
    explain --backend $b --run ebfe
    shows "$b: a loop without end is stopped" 'still running after'
    explain --backend $b --nochain ebfe
    ! grep -q 'chain slot' "$dir/out" && grep -q '^total ' "$dir/out"
    result $? "$b: --nochain has no slots to patch"
    explain --backend $b -d in_asm 90
    [ "$(grep -cvE '^guest|^----|^$|^guest registers|bytes of' "$dir/out")" = 0 ] && grep -q '^guest ' "$dir/out"
    result $? "$b: -d in_asm shows the guest's code alone"
    ! grep -q "$(printf '\033')" "$dir/out" && [ -s "$dir/out" ]
    result $? "$b: no colours in a file"
done

case $backends in
*x86_64*)
    explain --backend x86_64 034304 01430c
    shows "operations that become one host instruction" '^op .* add.4 +eax, t0' 'x86_64: one host instruction with the load$' \
        '^  host .* add eax, dword ptr ' 'x86_64: one host instruction with the load and the store$' '^  host .* add dword ptr '
    ;;
esac

# --- what host code is for ------------------------------------------------------------------------------------------
case $backends in
*x86_64*)
    explain 8b03
    shows 'a load: page check, TLB check, the load, its slow path' '^  host .* ; page check' '^  host .* mov r8d, ebx +; address' \
        '^  host .* ; TLB check' '^  host .* mov eax, dword ptr \[r8 \+ r9\]$' '^  cold .* call load +; slow load'
    explain 01d8 75fc
    shows 'a loop: interrupt poll, chain slots, flags saved on the way out' '; interrupt poll' '^  host .* ; chain slot' \
        '^  cold .* ; flag save' '; chain slot, unlinked'
    explain e8fbffffff
    shows 'a call: interrupt poll, return stack' '; interrupt poll' '; return stack push' '; chain slot' '; return stack pop'
    explain c3
    shows 'a return' '; return stack check' '^  host .* ret$' '; return mispredicted'
    explain ffe0
    shows 'an indirect jump' '; jump cache lookup' '^  host .* jmp qword ptr'
    explain d9e8
    shows 'x87' '; x87 unit check' '^  host .* fld1$' '; load x87 state'
    explain 0f57c0
    shows 'SSE' '; XMM unit check' '^  host .* xorps'
    explain f7f3
    shows 'a division' '; divide error check' '^  host .* div ebx' '; slow division'
    explain 0fa2
    shows 'a callout' '^op.* call\.4 +cpuid' '; callout'
    explain 50538b4424048b1c2458
    hot=$(sed -n 's/^total.*host \([0-9]*\) bytes, \([0-9]*\) instructions.*/\2/p' "$dir/out")
    [ "$hot" = "$(grep -c '^  host ' "$dir/out")" ]
    result $? 'the total counts the instructions above it'
    explain --window --run --set ebx=0x3000 8b03
    if grep -q 'has none' "$dir/err"; then
        number=$((number + 1))
        echo "ok $number # SKIP no window on this host"
    else
        shows 'the window: the access alone' '^  host .* mov eax, dword ptr gs:\[ebx\] +; window access' '; window miss'
        explain --window --16 --run --set ebx=0x3000 8b07
        shows 'in real mode: the segment, and the access' '; segment check' '^  host .* mov ax, word ptr gs:\[r8d\] +; window access' '^ebx .*3000'
    fi
    ;;
esac

# --- assembly ------------------------------------------------------------------------------------------------------------
if { as --32 --version && ld -m elf_i386 --version; } >/dev/null 2>&1; then
    printf 'mov $3, %%ecx\nagain: add number, %%eax\ndec %%ecx\njnz again\nhlt\n.data\nnumber: .long 5\n' >"$dir/x.s"
    explain --run "$dir/x.s"
    shows 'assembly source, with its labels' '^---- +block 00100000' '^---- +block 00100005 <again>' '^eax +00000000  0000000f' \
        'HLT$'
    printf 'mov eax, 7\nadd eax, eax\n' | timeout 30 "$calque" explain --intel --run - >"$dir/out" 2>"$dir/err"
    shows "source in Intel's syntax from standard input" 'mov eax, 7' '^eax +00000000  0000000e  changed'
    echo 'frobnicate' >"$dir/bad.s"
    refuse "bad.s:1: Error: no such instruction" "$dir/bad.s"
    echo 'call nowhere' >"$dir/bad.s"
    refuse 'nowhere' "$dir/bad.s"
    : >"$dir/none.s"
    refuse 'empty' "$dir/none.s"
    echo '# nothing' >"$dir/none.s"
    refuse 'nothing' "$dir/none.s"
    explain "$dir/x.s"
    [ -z "$(find "$dir" -name 'calque-explain-*')" ]
    result $? 'its files are gone'
    before=TMPDIR=$dir/no-such-folder
    refuse 'cannot make a folder' "$dir/x.s"
    before=
fi
echo nop >"$dir/x.s"
before=PATH=/nonexistent
refuse 'there is no GNU as here' "$dir/x.s"
before=

# --- bad input -------------------------------------------------------------------------------------------------------------
refuse 'nothing to explain'
refuse 'two hexadecimal digits' 0
refuse 'two hexadecimal digits' 90 '0f 1'
refuse 'No such file' "$dir/absent.bin"
refuse 'No such file' "$dir/absent.s"
refuse 'Is a directory' "$dir"
refuse 'bytes in hexadecimal' 90 x.bin
refuse 'nearest one is --backend' --bakend interp 90
refuse 'argument is missing' 90 --backend
refuse "no backend 'arm'" --backend arm 90
refuse "nearest one is 'flags'" --no-pass flag 90
refuse '--base' --base 0x1000000 90
refuse 'do not fit' --base 0xffffff 9090
refuse 'do not fit' --16 --base 0xffff 9090
for v in eax eax= xyz=1 eax=0x100000000 =1; do refuse '--set' --set "$v" 90; done
refuse "unknown item 'x'" -d in_asm,x 90
head -c 70000 /dev/zero >"$dir/big.bin"
refuse 'too large' "$dir/big.bin"
explain --help
grep -q -- '--backend' "$dir/out"
result $? '--help'

# --- names in a machine's log: a firmware that halts at once --------------------------------------------------------------
{ head -c 65520 /dev/zero && printf '\364' && head -c 15 /dev/zero; } >"$dir/bios.bin"
printf 'fffffff0 T reset_vector\n' >"$dir/map"
timeout 30 "$calque" -bios "$dir/bios.bin" -symbols "$dir/map" -dfilter reset_vector -display none -serial none -monitor none \
    -d exec,cpu,in_asm -D "$dir/out" -max-insns 1 2>"$dir/err" </dev/null
shows 'names by -symbols' '^---- +block 0000fff0 <reset_vector>' '^guest +0000fff0 +f4 +hlt' '^exec 0000fff0 .* reset_vector$' \
    '^EIP=0000fff0 .* <reset_vector>$'

# --- whatever the bytes are, there is an answer -----------------------------------------------------------------------------
bad=0
for seed in 1 2 3 4 5 6 7 8; do
    head -c 4096 "$calque" | tail -c $((seed * 400)) | head -c 300 >"$dir/random.bin"
    for b in $backends; do
        for bits in 16 32; do
            explain --$bits --backend $b --run "$dir/random.bin" || bad=1
        done
    done
done
result $bad 'bytes that are no code'
echo "1..$number"

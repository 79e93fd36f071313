#!/bin/sh
# -trace-jit and calque report: what happened in a guest of our own, at addresses that are known, on both backends; and
# bad input.
calque=${CALQUE:-${top_builddir:-.}/calque}
guest=${top_builddir:-.}/tests/guests/traced.guest
check=${top_srcdir:-.}/tests/cli/report_check.py
[ -r "$guest" ] || { echo "1..0 # SKIP no compiler here makes 32-bit x86 guests"; exit 0; }
command -v python3 >/dev/null || { echo "1..0 # SKIP needs python3"; exit 0; }
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
number=0

result() { # GOOD NAME
    number=$((number + 1))
    if [ "$1" = 0 ]; then echo "ok $number - $2"; else
        echo "not ok $number - $2"
        sed 's/^/# /' "$dir/err" | head -n 40
    fi
}

# record FILE[,size=N] ARG...
record() {
    file=$1
    shift
    timeout 60 "$calque" -bios none -cpu max -m 16 -no-reboot -display none -serial none -monitor none \
        -device isa-debug-exit,iobase=0xf4,iosize=4 -kernel "$guest" -trace-jit "$file" "$@" >"$dir/out" 2>"$dir/err"
}

report() { timeout 60 "$calque" report "$@" >"$dir/out" 2>"$dir/err"; }

holds() { # WHAT NAME
    python3 "$check" "$dir/json" "$1" >"$dir/err" 2>&1
    result $? "$2"
}

for backend in "" interp; do
    name=${backend:-native}
    record "$dir/trace" -accel tcg,tb-size=1${backend:+,backend=$backend} -symbols "$guest"
    result $([ $? = 33 ]; echo $?) "$name: the guest ends as it does without a trace"
    report "$dir/trace" --json -o "$dir/json"
    result $? "$name: a report"
    holds tables "$name: tables are whole, edges lead to blocks, events are in order"
    holds chain "$name: a loop is chained to itself"
    holds modify "$name: a write throws a block away: where, who, and its chain"
    holds patch "$name: a block that writes to what it has looked ahead at is who wrote"
    holds callouts "$name: callouts are counted, for each block"
    holds lookups "$name: indirect calls and returns, each pair once"
    holds fault "$name: a page fault's EIP, and the host code that it was found by"
    holds flush "$name: the cache is flushed"
    holds views "$name: blocks translated again from the record are what they were"
done

# --- a recording changes nothing ----------------------------------------------------------------------------------
for backend in "" interp; do
    for trace in with without; do
        timeout 60 "$calque" -bios none -cpu max -m 16 -no-reboot -display none -serial none -monitor none -icount shift=3,sleep=off \
            -rtc base=2020-02-29T12:00:00 -device isa-debug-exit,iobase=0xf4,iosize=4 -kernel "$guest" \
            -accel "tcg,tb-size=1${backend:+,backend=$backend}" -d digest -D "$dir/$trace" \
            $([ $trace = with ] && echo "-trace-jit $dir/counted") >"$dir/out" 2>"$dir/err"
    done
    [ -s "$dir/with" ] && cmp -s "$dir/with" "$dir/without"
    result $? "${backend:-native}: the same machine at the end, with a recording and without"
    report "$dir/counted" --json -o "$dir/json"
    holds views "${backend:-native}: where instructions are counted, too, blocks are translated again as they were"
done

# --- names, given later ------------------------------------------------------------------------------------------
record "$dir/trace" -accel tcg,tb-size=1
report "$dir/trace" --json --views 0 --guest 3 --symbols "$guest" -o "$dir/json"
holds named "names that only the report was given"
report "$dir/trace" --block 0
[ "$(grep -c '^guest ' "$dir/out")" -gt 0 ] && grep -q '^history .* made$' "$dir/out"
result $? "--block: one block and its history"

# --- graphs --------------------------------------------------------------------------------------------------------
for by in block function; do
    report "$dir/trace" --dot --by $by --nodes 20 --symbols "$guest"
    [ "$(grep -c 'label=.*fillcolor' "$dir/out")" -le 20 ] && grep -q ' -> ' "$dir/out"
    result $? "--dot --by $by: at most 20 nodes"
    if command -v dot >/dev/null; then
        dot -Tsvg "$dir/out" >"$dir/svg" 2>"$dir/err" && [ ! -s "$dir/err" ]
        result $? "Graphviz takes it"
    else
        number=$((number + 1))
        echo "ok $number - Graphviz takes it # SKIP needs Graphviz's dot"
    fi
done

# --- the page ---------------------------------------------------------------------------------------------------
report "$dir/trace" --views 20 -o "$dir/report.html"
status=$?
if grep -q "built without npm" "$dir/err"; then
    [ $status = 1 ] && [ "$(wc -l <"$dir/err")" = 1 ] && [ ! -e "$dir/report.html" ]
    result $? "without a page: refused in one line"
else
    report "$dir/trace" --views 20 --json -o "$dir/json"
    python3 - "$dir/report.html" "$dir/json" >"$dir/err" 2>&1 <<'PYTHON'
import base64, json, re, sys, zlib
page = open(sys.argv[1], encoding="utf-8").read()
data = re.findall(r'<script id="data" type="application/octet-stream;base64">([^<]*)</script>', page)
assert len(data) == 1 and "<!--calque-data-->" not in page, "%d data scripts" % len(data)
there, here = json.loads(zlib.decompress(base64.b64decode(data[0], validate=True))), json.load(open(sys.argv[2]))
assert there["views"].keys() == here["views"].keys() and len(here["views"]) == 20, "not the views"
del there["views"], here["views"]  # which name addresses of the host
assert there == here, "not the object"
assert page.lstrip().lower().startswith("<!doctype html>") and page.rstrip().endswith("</html>"), "not all of the page"
PYTHON
    result $? "the page holds what --json prints"
fi

# --- size ------------------------------------------------------------------------------------------------------------
record "$dir/small,size=256K" -accel tcg,tb-size=1
[ "$(wc -c <"$dir/small")" -le 262144 ] && grep -q 'became full .* were dropped' "$dir/err"
result $? "no larger than it may be, and said so"
report "$dir/small" --json --views 0 -o "$dir/json"
holds full "the report knows what is missing"

# --- cut off, damaged, foreign -------------------------------------------------------------------------------------
head -c 100000 "$dir/trace" >"$dir/cut"
report "$dir/cut" --json --views 0 -o "$dir/json"
[ $? = 1 ] && [ "$(wc -l <"$dir/err")" = 1 ] && grep -q "cut off" "$dir/err" && grep -q '"complete":false' "$dir/json"
result $? "cut off by a kill: read up to there, with a word on it and status 1"

refuse() { # TEXT ARG...
    text=$1
    shift
    report "$@"
    status=$?
    [ $status = 1 ] && [ "$(wc -l <"$dir/err")" = 1 ] && [ ! -s "$dir/out" ] && grep -q '^calque: report: ' "$dir/err" &&
        grep -qF -e "$text" "$dir/err"
    result $? "refused (status $status): report $*"
}
head -c 10 "$dir/trace" >"$dir/short"
head -c 40 "$dir/trace" >"$dir/header"
{ head -c 60000 "$dir/trace"; head -c 3000 /dev/zero | tr '\0' '\377'; } >"$dir/damaged"
{ head -c 8 "$dir/trace"; printf '\011\0\0\0'; tail -c +13 "$dir/trace"; } >"$dir/newer"
: >"$dir/empty"
refuse "damaged at byte" "$dir/damaged" --json
refuse "cut off within its header" "$dir/short" --json
refuse "cut off within its header" "$dir/header" --json
refuse "version 9" "$dir/newer" --json
refuse "is not a recording" "$guest" --json
refuse "No such file" "$dir/nothing" --json
refuse "empty" "$dir/empty" --json
refuse "directory" "$dir" --json
refuse "cannot write" "$dir/trace" --json -o "$dir/no/such"
refuse "cannot write" "$dir/trace" --json -o /dev/full
refuse "nearest one is --json" "$dir/trace" --jason
refuse "its argument is missing" "$dir/trace" --json -o
refuse "nothing to report" --json
refuse "one recording at a time" "$dir/trace" "$dir/trace" --json
refuse "at a time" "$dir/trace" --json --dot
refuse "neither block nor function" "$dir/trace" --dot --by page
refuse "not a number" "$dir/trace" --dot --nodes many
refuse "there are" "$dir/trace" --block 99999999
refuse "No such file" "$dir/trace" --json --symbols "$dir/nothing"

bad_option() { # TEXT ARG...
    text=$1
    shift
    timeout 20 "$calque" "$@" >"$dir/out" 2>"$dir/err"
    status=$?
    [ $status = 1 ] && [ "$(wc -l <"$dir/err")" = 1 ] && grep -qF -e "$text" "$dir/err"
    result $? "refused (status $status): $*"
}
bad_option "cannot write" -bios none -display none -kernel "$guest" -trace-jit "$dir/no/such"
[ ! -c /dev/full ] || bad_option "No space" -bios none -display none -kernel "$guest" -trace-jit /dev/full
bad_option "size= takes" -trace-jit "$dir/x,size=1K"
bad_option "size" -trace-jit "$dir/x,sise=64M"
bad_option "lockstep" -bios none -kernel "$guest" -accel lockstep -trace-jit "$dir/x"
echo "1..$number"

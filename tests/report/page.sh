#!/bin/sh
# The page of "calque report", driven in headless Chromium.
set -eu
skip() {
    echo "1..0 # SKIP $1"
    exit 0
}

page=$top_builddir/src/report/page.html
modules=$top_builddir/tests/report/npm/node_modules
[ -f "$page" ] && [ -d "$modules/playwright-core" ] || skip "built without npm"
CHROMIUM=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || skip "no Chromium here"
NODE=$(command -v node || command -v nodejs) || skip "no Node.js here"
REPORT_TEST_MODULES=$modules
export CHROMIUM REPORT_TEST_MODULES
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
EXPLAINED=
REAL=
if [ -x "$top_builddir/calque" ]; then
    EXPLAINED=$("$top_builddir/calque" explain 8b4304 83c001 85c0 9c 0fa2 75f1)
    guest=$top_builddir/tests/guests/traced.guest
    if [ -r "$guest" ]; then # status 33: the guest is content
        timeout 60 "$top_builddir/calque" -bios none -m 16 -no-reboot -display none -serial none -monitor none -symbols "$guest" \
            -device isa-debug-exit,iobase=0xf4,iosize=4 -kernel "$guest" -trace-jit "$work/trace" || [ $? = 33 ]
        "$top_builddir/calque" report "$work/trace" --views all -o "$work/recorded.html" >/dev/null
        REAL=$work/recorded.html
    fi
fi
# What host code is said to be for (exec/dump_host.c), which the page has to explain.
PURPOSES=$(sed -n '/map_purpose(e, /{s/^[^"]*//;p;}' "$top_srcdir"/src/backend/x86_64/*.c | grep -o '"[^"]*"' | tr -d '"' | sort -u)
export EXPLAINED REAL PURPOSES
HOME=$work "$NODE" "$top_srcdir/tests/report/page.mjs" "$page" "$work"

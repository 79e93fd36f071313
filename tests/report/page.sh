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
EXPLAINED=
if [ -x "$top_builddir/calque" ]; then
    EXPLAINED=$("$top_builddir/calque" explain 8b4304 83c001 85c0 9c 0fa2 75f1)
fi
export EXPLAINED
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
HOME=$work "$NODE" "$top_srcdir/tests/report/page.mjs" "$page" "$work"

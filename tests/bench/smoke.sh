#!/bin/sh
# That `make bench` works at all: three small workloads, once, against the host's own results.
bench=${top_builddir:-.}/tests/bench
linux=${CALQUE_GUESTS:-${top_builddir:-.}/guests}/linux
skip() {
    echo "1..0 # SKIP $1"
    exit 0
}
command -v python3 >/dev/null || skip "needs python3"
[ -f "$linux" ] || skip "needs $linux (./quickstart check fetches it)"
[ -f "$bench/initramfs" ] || skip "no compiler here makes 32-bit programs with a C library (Debian: gcc-multilib)"

out=$(timeout 200 "${top_srcdir:-.}/tests/bench/bench.py" "${CALQUE:-${top_builddir:-.}/calque}" --kernel "$linux" \
    --initramfs "$bench/initramfs" --program "$bench/workloads" --peer none --rounds 1 --percent 1 --only alu,libm,patch 2>&1)
status=$?
echo "$out" | sed 's/^/# /'
echo "1..2"
[ $status = 0 ] && echo "ok 1 - finished, results as on the host" || echo "not ok 1 - status $status"
rows=$(echo "$out" | grep -cE '^(alu|libm|patch|boot) +([0-9.]+|-) +[0-9]+\.[0-9]+ +-')
[ "$rows" = 4 ] && echo "ok 2 - a row for each workload" || echo "not ok 2 - $rows rows"

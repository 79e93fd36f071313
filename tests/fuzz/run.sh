#!/bin/sh
# run.sh SECONDS FOLDER TARGET...: each libFuzzer target for so long, all at once, one process each.
# In FOLDER: fuzz-NAME.log, ending with the times and libFuzzer's numbers; NAME/, the corpus; NAME-crash-*,
# -timeout-*, -oom-*, the inputs that found something.
set -u
seconds=$1 folder=$2
shift 2
mkdir -p "$folder" || exit 1

fuzz() { # TARGET: path of the self-driving program; the libFuzzer one is beside it
    name=${1##*/}
    corpus=$folder/$name
    "$1" -w "$corpus" || return 1
    words=
    [ -s "$corpus.dict" ] && words=-dict=$corpus.dict
    date '+started %F %T'
    nice -n 19 "${1%/*}/libfuzzer-$name" -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=60 \
        -detect_leaks="${LEAKS:-1}" -print_final_stats=1 -use_value_profile=1 \
        -artifact_prefix="$folder/$name-" $words "$corpus"
    result=$?
    date '+ended %F %T'
    echo "exit status $result; CPU time of shell and target (user, system):"
    times
    return $result
}

for target; do
    (fuzz "$target") >"$folder/fuzz-${target##*/}.log" 2>&1 &
done
wait
bad=0
for target; do
    log=$folder/fuzz-${target##*/}.log
    if grep -q '^exit status 0;' "$log"; then found="nothing found" ; else found="FOUND SOMETHING" bad=1; fi
    echo "${target##*/}: $found, $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs; $log"
done
exit $bad

#!/bin/sh
# doc/how-it-translates.txt says what its commands print: each is run, and each line shown must be in its output, in that
# order and without others between, but where "..." stands.  "..." within a line stands for any text.
# Columns need not be exact: blanks count as one.
calque=${top_builddir:-.}/calque
lesson=${top_srcdir:-.}/doc/how-it-translates.txt
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

skip() {
    echo "1..0 # SKIP $1"
    exit 0
}
"$calque" explain --backend x86_64 90 >/dev/null 2>&1 || skip 'this host has no x86_64 backend'
"$calque" explain --window 90 >/dev/null 2>&1 || skip 'this host has no room for the window'
{ as --32 --version && ld -m elf_i386 --version; } >/dev/null 2>&1 || skip 'no GNU as and ld for x86'
"$calque" -lesson -display none -max-insns 1 2>"$dir/err" || skip "$(cat "$dir/err")"
ln -s "$(realpath "$calque")" "$dir/calque"
mkdir "$dir/files" # what commands write, and later ones read
PATH=$dir:$PATH
export PATH

# One file a command: what is expected, with the command in the first line.
awk -v dir="$dir" '
    /^\$ / { file = sprintf("%s/command-%03d", dir, ++n); print substr($0, 3) >file; next }
    /^    / && file { print substr($0, 5) >file; next }
    /^$/ { next }
    { file = "" }' "$lesson"

number=0
for expected in "$dir"/command-*; do
    number=$((number + 1))
    command=$(head -n 1 "$expected")
    case $command in
    *.html*)
        if ! grep -q 'define HAVE_REPORT_PAGE' "${top_builddir:-.}/config.h"; then
            printf 'ok %d - %s # SKIP this build has no page for reports\n' $number "$command"
            continue
        fi
        ;;
    esac
    (cd "$dir/files" && timeout 60 sh -c "$command" </dev/null >"$dir/out" 2>&1)
    if awk '
        function pattern(text) {
            gsub(/[][\\.^$*+?(){}|]/, "\\\\&", text)
            gsub(/\\\.\\\.\\\./, ".*", text)
            return "^" text "$"
        }
        { sub(/ +$/, ""); gsub(/  +/, " ") }
        NR == FNR { if (FNR > 1) want[++wants] = $0; next }
        { have[++haves] = $0 }
        END {
            at = 1
            for (i = 1; i <= wants; i++) {
                if (want[i] == "...") { loose = 1; continue }
                while (at <= haves && have[at] !~ pattern(want[i]) && (loose || i == 1)) at++
                if (at > haves || have[at] !~ pattern(want[i])) { print "# not there: " want[i]; exit 1 }
                at++
                loose = 0
            }
            exit wants == 0
        }' "$expected" "$dir/out"; then
        printf 'ok %d - %s\n' $number "$command"
    else
        printf 'not ok %d - %s\n' $number "$command"
        sed 's/^/# /' "$dir/out"
    fi
done
echo "1..$number"

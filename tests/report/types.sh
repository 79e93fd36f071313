#!/bin/sh
# The page's TypeScript, checked strictly: esbuild only drops the types.
set -eu
modules=$(cd "$top_builddir/tests/report/npm/node_modules" 2>/dev/null && pwd) || {
    echo "1..0 # SKIP built without npm"
    exit 0
}
libraries=$(cd "$top_builddir/src/report/npm/node_modules" && pwd)
sources=$(cd "$top_srcdir/src/report" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/tsconfig.json" <<END
{
  "compilerOptions": {
    "target": "es2022", "lib": ["es2022", "dom", "dom.iterable"], "module": "esnext", "moduleResolution": "bundler",
    "strict": true, "noEmit": true, "noUnusedLocals": true, "noUnusedParameters": true, "noImplicitReturns": true,
    "types": [], "skipLibCheck": true,
    "paths": { "*": ["$libraries/*"] }
  },
  "include": ["$sources/*.ts"]
}
END
echo 1..1
if node "$modules/typescript/bin/tsc" -p "$work/tsconfig.json" >"$work/out"; then
    echo "ok 1 - the types fit"
else
    sed 's/^/# /' "$work/out"
    echo "not ok 1 - the types fit"
fi

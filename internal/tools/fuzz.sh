#!/usr/bin/env bash
# Runs every fuzz target of the module, one after the other, for the time given
# each. A crash stops it: go test has then written the input to
# testdata/fuzz/<target>, where it stays as a seed once it is mended.
set -euo pipefail
cd "$(dirname "$0")/../.."
each=${1:-30s}

targets=$(grep -rHoE '^func Fuzz[A-Za-z0-9_]+' --include='*_test.go' . | sed -E 's,/[^/:]*_test\.go:func , ,' | sort -u)
if [[ -z $targets ]]; then
	echo "fuzz: no targets found" >&2
	exit 1
fi

# fuzz runs one target. Go before 1.27 now and then fails at the end of the time
# with nothing but "context deadline exceeded" (golang/go#75804): that, and
# nothing else, counts as an end without a finding.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
fuzz() {
	go test -run '^$' -fuzz "^$2\$" -fuzztime "$each" "$1" </dev/null 2>&1 | tee "$log" && return 0
	grep -q '^    context deadline exceeded$' "$log" &&
		! grep -qE 'panic|Failing input|_test\.go:[0-9]+:|build failed' "$log"
}

count=$(wc -l <<<"$targets")
n=0
while read -r dir target; do
	n=$((n + 1))
	echo "fuzz: $n of $count: $dir $target for $each"
	fuzz "$dir" "$target"
done <<<"$targets"
echo "fuzz: $count targets, nothing found"

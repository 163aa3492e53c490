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
count=$(wc -l <<<"$targets")
n=0
while read -r dir target; do
	n=$((n + 1))
	echo "fuzz: $n of $count: $dir $target for $each"
	go test -run '^$' -fuzz "^$target\$" -fuzztime "$each" "$dir" </dev/null
done <<<"$targets"
echo "fuzz: $count targets, nothing found"

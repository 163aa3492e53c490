#!/usr/bin/env bash
# Runs golangci-lint by .golangci.yml. Where the module proxy withholds one of
# its many modules, the linters that matter most run by themselves instead, and
# a line says so. shellcheck runs where it is installed.
set -euo pipefail
cd "$(dirname "$0")/../.."

golangci=github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
staticcheck=honnef.co/go/tools/cmd/staticcheck@v0.8.2
errcheck=github.com/kisielk/errcheck@v1.30.0
errorlint=github.com/polyfloyd/go-errorlint@v1.8.0
unparam=mvdan.cc/unparam@v0.0.0-20260823230713-2fa3d841b0c8

scripts=()
while IFS= read -r f; do # by its first line: documents show scripts too
	head -n 1 "$f" | grep -qE '^#!.*\b(bash|sh)$' && scripts+=("$f")
done < <(grep -rlE '^#!.*\b(bash|sh)$' --exclude-dir=.git --exclude-dir=bin --exclude-dir=data .)
if command -v shellcheck >/dev/null; then
	shellcheck "${scripts[@]}"
else
	echo "lint: shellcheck is not installed; the ${#scripts[@]} shell scripts are not checked"
fi

# Building it is the one step that needs the proxy: tell it apart from findings.
build=$(mktemp)
trap 'rm -f "$build"' EXIT
if go run "$golangci" version >"$build" 2>&1; then
	go run "$golangci" run ./...
	exit
fi
echo "lint: golangci-lint can't be built here ($(tail -n 1 "$build")); staticcheck, errcheck, errorlint and unparam run instead"
go run "$staticcheck" -checks inherit,-SA1019 ./...
go run "$errcheck" -ignoretests ./...
go run "$errorlint" ./...
go run "$unparam" ./...

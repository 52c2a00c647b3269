#!/bin/bash
# Break each promise of docs/promises.md and see its test fail: scripts/promises.sh [WORD]
# With WORD only the lines that contain it. Files that have changes are left alone.
set -u
cd "$(dirname "$0")/.."
backup=$(mktemp)
file=
restore() { [[ -z $file ]] || cp "$backup" "$file"; file=; }
trap 'restore; rm -f "$backup"' EXIT
trap 'exit 130' INT TERM

kept=0
while IFS='|' read -r _ promise mutation test _; do
	mutation=$(sed 's/^ *`//; s/` *$//' <<<"$mutation")
	read -r package name <<<"$(tr -d '`' <<<"$test")"
	target=${mutation##* }
	fail() { echo "NOT PROVED:$promise($1)"; kept=1; }
	if ! git diff --quiet HEAD -- "$target"; then
		fail "$target has changes"
		continue
	fi
	cp "$target" "$backup"
	file=$target
	eval "$mutation"
	if cmp -s "$backup" "$target"; then
		fail "the mutation changes nothing"
	elif out=$(go test -count=1 -timeout 3m -run "^${name//\//\$/^}\$" "$package" 2>&1); then
		fail "$name passes"
	elif grep -Eq '\[(build|setup) failed\]|go build: ' <<<"$out"; then
		fail "it does not compile: $out"
	else
		echo "fails:$promise- $package $name"
	fi
	restore
done < <(grep '^|.*`sed -i' docs/promises.md | grep -F -- "${1:-}")
exit $kept

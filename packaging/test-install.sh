#!/usr/bin/env bash
# Install the last commit with `go install MODULE@VERSION`, and build a program of another module with the packages that need no
# C library. Git takes the module from here, Go everything else from where it always does.
set -euo pipefail
cd "$(dirname "$0")/.."
fail() { echo "test-install.sh: $*" >&2; exit 1; }
module=$(go list -m) version=v0.0.1
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
git clone -q --bare . "$work/origin"
git -C "$work/origin" tag $version HEAD
git config --file "$work/gitconfig" "url.file://$work/origin.insteadOf" "https://$module"
# A module cache of its own would fetch everything again, so the module is removed from the shared one.
cached=$(go env GOMODCACHE)/$module@$version
trap 'chmod -R u+w "$work" "$cached" 2>/dev/null; rm -rf "$work" "$cached" "$(go env GOMODCACHE)/cache/download/$module/@v/$version".*' EXIT
export GIT_CONFIG_GLOBAL=$work/gitconfig GOPRIVATE=$module GOBIN=$work/bin GOFLAGS='' GIT_ALLOW_PROTOCOL=file:https

(cd / && go install "$module@$version")
"$work/bin/wwflow" version
mkdir "$work/use"
cd "$work/use"
go mod init example.com/use 2>/dev/null
go get "$module@$version" 2>"$work/log" || { cat "$work/log" >&2; fail "go get failed"; }
cat >main.go <<END
package main

import (
	"fmt"
	"os"

	"$module/field"
	"$module/flowfile"
	_ "$module/frame"
	_ "$module/pairing"
	_ "$module/visualize"
)

func main() {
	f := field.New(3, 2)
	for _, name := range []string{"a.flo", "a.exr", "a.npy", "a.flo5"} {
		if err := flowfile.Write(name, f); err != nil {
			fmt.Println(err)
			continue
		}
		if _, err := flowfile.Read(name); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(name)
	}
}
END
said=$(CGO_ENABLED=0 go run .)
echo "$said"
grep -qx a.flo <<<"$said" && grep -qx a.exr <<<"$said" && grep -qx a.npy <<<"$said" || fail "flow files cannot be written without cgo"
grep -q 'a.flo5.*built without cgo' <<<"$said" || fail ".flo5 without cgo does not say why"
echo "test-install.sh: $module@$version can be installed, and used without C libraries"

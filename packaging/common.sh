# Sourced by the other scripts of this folder, from the root of the repository.
set -euo pipefail
shopt -s inherit_errexit

fail() { echo "${0##*/}: $*" >&2; exit 1; }

version=$(sed -n 's/^const release = "\(.*\)"$/\1/p' internal/cli/version.go)
arch=$(dpkg --print-architecture)
# Files get the time of the commit, so that two builds of a commit are the same.
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)} TZ=UTC LC_ALL=C.UTF-8
umask 022
ort_folder="${XDG_CACHE_HOME:-$HOME/.cache}/wwflow/onnxruntime-$(sed -n 's/^version=//p' scripts/onnxruntime.sh)"
ort="$ort_folder/libonnxruntime.so.1"

# build_program FILE [LDFLAGS]: build wwflow without paths of this machine.
build_program() {
  scripts/go.sh build -trimpath -ldflags "-s -w ${2:-}" -o "$1" .
}

# go_licences PROGRAM: print the licences of the Go modules in a program.
go_licences() {
  echo "Licences of the Go modules in wwflow, and of Go's standard library."
  go version -m "$1" | awk '$1 == "dep" { print $2 }' | xargs scripts/go.sh list -m -f '{{.Path}} {{.Version}} {{.Dir}}' |
    while read -r module release folder; do
      printf '\n---- %s %s ----\n\n' "$module" "$release"
      find "$folder" -maxdepth 1 -type f \( -iname 'licen[sc]e*' -o -iname 'copying*' -o -iname 'unlicense*' -o -iname notice \) | sort | xargs -r cat
    done
  printf '\n---- Go ----\n\n'
  cat "$(go env GOROOT)/LICENSE"
}

# same_times FOLDER: give all files the time of the commit.
same_times() { find "$1" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +; }

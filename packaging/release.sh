#!/usr/bin/env bash
# Build a release into dist/VERSION: packaging/release.sh [--check] VERSION
# It is refused unless the tree is clean and the program and CHANGELOG.md have that version. --check does no more than that.
# Then all tests run, packages, archive and image are built and tested, and SHA256SUMS and an SBOM are written.
cd "$(dirname "$0")/.."
. packaging/common.sh
check=""
[ "${1:-}" != --check ] || { check=1; shift; }
wanted=${1:-}
[[ $wanted =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || fail "name the version: make release VERSION=1.2.3"

changes=$(git status --porcelain | head -5)
[ -z "$changes" ] || fail "the tree has changes; commit them or put them away first:"$'\n'"$changes"
[ "$version" = "$wanted" ] || fail "the program is version $version: set release in internal/cli/version.go to $wanted"
heading=$(grep -m1 -E "^## ${wanted//./\\.}( |\$)" CHANGELOG.md) || fail "CHANGELOG.md has no section \"## $wanted (YYYY-MM-DD)\""
[[ $heading =~ ^"## $wanted ("[0-9]{4}-[0-9]{2}-[0-9]{2}")"$ ]] || fail "CHANGELOG.md has \"$heading\": write \"## $wanted (YYYY-MM-DD)\""
entries=$(awk -v heading="$heading" '$0 == heading { on = 1; next } /^## / { on = 0 } on && /^- /' CHANGELOG.md)
[ -n "$entries" ] || fail "CHANGELOG.md has no entries for $wanted"
tagged=$(git rev-parse -q --verify "refs/tags/v$wanted^{commit}" || true)
[ -z "$tagged" ] || [ "$tagged" = "$(git rev-parse HEAD)" ] || fail "v$wanted is the tag of another commit: choose another version"
[ -z "$check" ] || { echo "release.sh: $wanted can be released"; exit; }

folder=dist/$wanted
[ ! -e "$folder" ] || fail "$folder exists: remove it first"
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
make test
work=$PWD/dist/$wanted.part
rm -rf "$work"
mkdir -p "$work"
packaging/deb.sh "$work"
packaging/archive.sh "$work"
packaging/image.sh "$work"
packaging/test-deb.sh "$suite" "$work"/*.deb
packaging/test-archive.sh "$suite" "$work"/*.tar.xz
packaging/test-image.sh "$work"/*-image-*.tar
packaging/sbom.sh "$work"/*.tar.xz "$work/wwflow-$wanted.cdx.json"
(cd "$work" && sums=$(sha256sum -- *) && echo "$sums" >SHA256SUMS)
mv "$work" "$folder"
echo "$folder has the release. Next: git tag -a v$wanted -m v$wanted"

#!/usr/bin/env bash
# Write the software bill of materials of the portable archive in CycloneDX: packaging/sbom.sh ARCHIVE.tar.xz FILE.json
# It names the Go modules of the program (cyclonedx-gomod reads them from it), ONNX Runtime, and Debian's packages.
cd "$(dirname "$0")/.."
. packaging/common.sh
command -v jq >/dev/null || fail "jq is missing: apt-get install jq"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tar -xJf "$1" -C "$work" --strip-components=1
GOFLAGS='' go run github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0 bin -json -std -noserial -notimestamp \
  -version "$version" -output "$work/modules.json" "$work/lib/wwflow" 2>"$work/log" || { cat "$work/log" >&2; fail "cyclonedx-gomod failed"; }
# shellcheck disable=SC2016 # the names are jq's
jq --rawfile packages "$work/licences/debian-packages.txt" --arg ort "$(sed -n 's/^version=//p' scripts/onnxruntime.sh)" \
  --arg hash "$(sha256sum "$work/lib/libonnxruntime.so.1" | cut -d' ' -f1)" --arg time "$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)" '
  [$packages | split("\n")[] | select(. != "") | split(" ") | (.[0] | split(":")[0]) as $name |
    "pkg:deb/debian/\($name)@\(.[1] | @uri)?arch='"$arch"'" as $purl |
    {type: "library", "bom-ref": $purl, name: $name, version: .[1], scope: "required", purl: $purl,
     properties: [{name: "debian:source", value: "\(.[2]) \(.[3])"}]}] as $debian |
  [{type: "library", "bom-ref": "pkg:npm/onnxruntime-node@\($ort)", name: "onnxruntime", version: $ort, scope: "required",
    purl: "pkg:npm/onnxruntime-node@\($ort)", hashes: [{alg: "SHA-256", content: $hash}], licenses: [{license: {id: "MIT"}}]}] as $runtime |
  .metadata.timestamp = $time | del(.metadata.tools[].hashes) |
  .components += $runtime + $debian | .metadata.component["bom-ref"] as $main |
  (.dependencies[] | select(.ref == $main) | .dependsOn) += [($runtime + $debian)[]["bom-ref"]]' "$work/modules.json" >"$work/sbom.json"
mv "$work/sbom.json" "$2"
echo "$2: $(jq '.components | length' "$2") components, $(wc -l <"$work/licences/debian-packages.txt") of them Debian's"

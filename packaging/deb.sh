#!/usr/bin/env bash
# Build wwflow_VERSION+debN_ARCH.deb for this release of Debian in FOLDER (default dist).
# dpkg-shlibdeps finds the packages that it depends on.
cd "$(dirname "$0")/.."
. packaging/common.sh
folder=${1:-dist}
[ -r /etc/debian_version ] || fail "this is not Debian"
command -v dpkg-shlibdeps >/dev/null || fail "dpkg-dev is missing: apt-get install dpkg-dev"
full=$version+deb$(sed 's/\..*//' /etc/debian_version)
mkdir -p "$folder"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
stage=$work/stage
chmod 755 "$work"
doc=$stage/usr/share/doc/wwflow
mkdir -p "$stage/DEBIAN" "$stage/usr/bin" "$stage/usr/lib/wwflow" "$doc" "$stage/usr/share/man/man1" "$stage/usr/share/lintian/overrides" \
  "$stage/usr/share/bash-completion/completions" "$stage/usr/share/zsh/vendor-completions" "$stage/usr/share/fish/vendor_completions.d"

program=$stage/usr/bin/wwflow
build_program "$program"
install -m 644 "$ort" "$stage/usr/lib/wwflow/"
"$program" man | gzip -9n >"$stage/usr/share/man/man1/wwflow.1.gz"
"$program" completion bash >"$stage/usr/share/bash-completion/completions/wwflow"
"$program" completion zsh >"$stage/usr/share/zsh/vendor-completions/_wwflow"
"$program" completion fish >"$stage/usr/share/fish/vendor_completions.d/wwflow.fish"
printf 'wwflow (%s) unstable; urgency=medium\n\n  * CHANGELOG.md.gz has the changes.\n\n -- wwflow <wwflow@users.noreply.github.com>  %s\n' \
  "$full" "$(date -R -d "@$SOURCE_DATE_EPOCH")" | gzip -9n >"$doc/changelog.gz"
gzip -9nc CHANGELOG.md >"$doc/CHANGELOG.md.gz"
go_licences "$program" | gzip -9n >"$doc/go-licences.txt.gz"
install -m 644 NOTICE "$doc/NOTICE"
{
  echo "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/"
  echo "Upstream-Name: wwflow"
  echo "Comment: Debian's FFmpeg, which wwflow links, is under the GPL. go-licences.txt.gz has the licences of the Go modules."
  printf '\nFiles: *\nCopyright: 2026 the authors of wwflow\nLicense: Apache-2.0\n'
  printf ' On Debian systems the text is in /usr/share/common-licenses/Apache-2.0.\n'
  printf '\nFiles: usr/lib/wwflow/libonnxruntime.so.1\nCopyright: Microsoft Corporation\nLicense: Expat\n'
  sed -n '/^Permission is/,$p' packaging/onnxruntime-licence.txt | sed 's/^$/./; s/^/ /'
  printf 'Comment:\n'
  sed -n '/^The library is/,/^$/p' packaging/onnxruntime-licence.txt | sed '/^$/d; s/^/ /'
} >"$doc/copyright"
# The library is Microsoft's build, and only wwflow uses it.
cat >"$stage/usr/share/lintian/overrides/wwflow" <<'END'
wwflow: embedded-library
wwflow: hardening-no-fortify-functions
wwflow: hardening-no-pie
wwflow: hardening-no-relro
wwflow: hardening-no-bindnow
wwflow: initial-upload-closes-no-bugs
END

mkdir -p "$work/debian"
printf 'Source: wwflow\n\nPackage: wwflow\nArchitecture: %s\n' "$arch" >"$work/debian/control"
depends=$(cd "$work" && dpkg-shlibdeps -O --ignore-missing-info -xwwflow stage/usr/bin/wwflow stage/usr/lib/wwflow/libonnxruntime.so.1 2>"$work/log" |
  sed -n 's/^shlibs:Depends=//p') || { cat "$work/log" >&2; fail "dpkg-shlibdeps failed"; }
[ -n "$depends" ] || { cat "$work/log" >&2; fail "dpkg-shlibdeps found no packages"; }
cat >"$stage/DEBIAN/control" <<END
Package: wwflow
Version: $full
Architecture: $arch
Maintainer: wwflow <wwflow@users.noreply.github.com>
Installed-Size: $(du -sk --apparent-size "$stage/usr" | cut -f1)
Depends: $depends
Section: video
Priority: optional
Homepage: https://github.com/wwflow/wwflow
Description: optical flow of videos
 wwflow turns a video into its optical flow: for every pixel of every frame,
 where it moves to in the next frame. It writes a flow video, exports the
 vectors in the formats of researchers and compositors, and evaluates flow on
 benchmarks. The network is built into the program.
END
(cd "$stage" && find usr -type f | sort | xargs md5sum) >"$stage/DEBIAN/md5sums"
same_times "$stage"
# xz with one thread: the number of threads changes its output.
dpkg-deb --root-owner-group -Zxz -z6 --threads-max=1 --build "$stage" "$folder/wwflow_${full}_$arch.deb" >/dev/null
echo "$folder/wwflow_${full}_$arch.deb: $(du -h --apparent-size "$folder/wwflow_${full}_$arch.deb" | cut -f1)"

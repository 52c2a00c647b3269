#!/usr/bin/env bash
# Build FOLDER/wwflow-VERSION-image-ARCH.tar (default dist) without a daemon: an OCI image of this release of Debian with the
# package wwflow and what it depends on. Needs root. Two builds are the same while Debian's packages are.
cd "$(dirname "$0")/.."
. packaging/common.sh
folder=${1:-dist}
for tool in mmdebstrap umoci skopeo; do command -v $tool >/dev/null || fail "$tool is missing: apt-get install $tool"; done
[ "$(id -u)" = 0 ] || fail "run as root: the files of the image belong to root"
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
image=$folder/wwflow-$version-image-$arch.tar
mkdir -p "$folder"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

packaging/deb.sh "$work" >/dev/null
deb=$(ls "$work"/*.deb)
# Without versions and alternatives: all packages come from one release.
depends=$(dpkg-deb -f "$deb" Depends | sed -E 's/ \([^)]*\)//g; s/ \|[^,]*//g; s/ //g')

# dpkg knows the packages, so that scanners of images do. Left out are manuals and translations, but not licences, and Mesa's drivers
# with LLVM, which draw on a screen.
exclude() { printf -- '--dpkgopt=path-exclude=%s\n' "$@"; }
# shellcheck disable=SC2016,SC2046 # mmdebstrap sets $1 in hooks; the options have no spaces
mmdebstrap --quiet --variant=essential --include="$depends" --format=tar \
  $(exclude '/usr/share/doc/*' '/usr/share/man/*' '/usr/share/info/*' '/usr/share/locale/*' '/usr/share/lintian/*' '/usr/share/bug/*' \
  '/usr/lib/*/dri/*' '/usr/lib/*/libLLVM*' '/usr/lib/llvm*' '/usr/lib/*/libz3.so*') \
  --dpkgopt='path-include=/usr/share/doc/*/copyright' --dpkgopt='path-include=/usr/share/doc/wwflow/*licences*' --dpkgopt='path-include=/usr/share/doc/wwflow/NOTICE' \
  --customize-hook="upload $deb /tmp/wwflow.deb" \
  --customize-hook='chroot "$1" dpkg --install /tmp/wwflow.deb && rm "$1/tmp/wwflow.deb"' \
  --customize-hook='echo "wwflow:x:1000:" >>"$1/etc/group"; echo "wwflow:x:1000:1000:wwflow:/tmp:/usr/sbin/nologin" >>"$1/etc/passwd"' \
  --customize-hook='mkdir -m 1777 "$1/data"' \
  --customize-hook='rm -rf "$1"/var/cache/* "$1"/var/log/* "$1"/var/lib/apt "$1"/etc/machine-id "$1"/etc/hostname "$1"/etc/resolv.conf "$1"/etc/*- "$1"/var/lib/dpkg/*-old' \
  "$suite" "$work/root.tar" >&2

layout=$work/layout now=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)
umoci init --layout "$layout"
umoci new --image "$layout:build"
umoci raw add-layer --image "$layout:build" --history.created "$now" --history.created_by "packaging/image.sh" "$work/root.tar"
# The NVIDIA variables are for NVIDIA's container runtime, which then mounts the driver.
umoci config --image "$layout:build" --no-history --created "$now" --architecture "$arch" --os linux \
  --config.user 1000:1000 --config.workingdir /data --config.entrypoint wwflow --config.cmd --help \
  --config.env PATH=/usr/local/bin:/usr/bin:/bin --config.env HOME=/tmp --config.env LANG=C.UTF-8 --config.env container=oci \
  --config.env NVIDIA_VISIBLE_DEVICES=all --config.env NVIDIA_DRIVER_CAPABILITIES=compute,utility,video \
  --config.label org.opencontainers.image.title=wwflow --config.label "org.opencontainers.image.version=$version" \
  --config.label "org.opencontainers.image.revision=$(git rev-parse HEAD)" --config.label "org.opencontainers.image.created=$now" \
  --config.label org.opencontainers.image.source=https://github.com/wwflow/wwflow \
  --config.label 'org.opencontainers.image.licenses=Apache-2.0 AND GPL-3.0-or-later'
# umoci keeps the blobs of earlier steps, skopeo copies those of the result.
skopeo copy --quiet "oci:$layout:build" "oci:$work/final:localhost/wwflow:$version"
tar -C "$work/final" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" --format=gnu -cf "$image" .
echo "$image: $(du -h --apparent-size "$image" | cut -f1), unpacked $(du -h --apparent-size "$work/root.tar" | cut -f1)"

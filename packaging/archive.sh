#!/usr/bin/env bash
# Build FOLDER/wwflow-VERSION-linux-ARCH.tar.xz (default dist): the program with FFmpeg, HDF5 and ONNX Runtime in lib/, for
# systems without FFmpeg, and launch.sh, which starts it. It needs the C and C++ libraries of Debian 12 or newer (glibc 2.36,
# libstdc++ 12).
cd "$(dirname "$0")/.."
. packaging/common.sh
folder=${1:-dist}
command -v patchelf >/dev/null || fail "patchelf is missing: apt-get install patchelf"
name=wwflow-$version-linux-$arch
mkdir -p "$folder"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
stage=$work/$name
mkdir -p "$stage/lib" "$stage/licences"

# With DT_RPATH, unlike DT_RUNPATH, the libraries of the libraries are found in lib/ too.
# shellcheck disable=SC2016 # $ORIGIN is for the dynamic loader
program=$stage/lib/wwflow
build_program "$program" '-extldflags "-Wl,--disable-new-dtags,-rpath,$ORIGIN"'
loader=$(patchelf --print-interpreter "$program")
sed "s|@SYSTEM@|$(uname -sm)|g; s|@LOADER@|$loader|g" packaging/launch.sh >"$stage/wwflow"
chmod 755 "$stage/wwflow"
install -m 644 "$ort" "$stage/lib/"

# The system's C and C++ libraries stay outside: drivers of GPUs are loaded into the same process and may need newer ones.
ldd "$program" | awk '$3 ~ "^/" { print $3 }' | sort -u | while read -r library; do
  case $(basename "$library") in
    libc.so.*|libm.so.*|libdl.so.*|librt.so.*|libpthread.so.*|libresolv.so.*|libstdc++.so.*|libgcc_s.so.*) ;;
    *) echo "$library" ;;
  esac
done >"$work/libraries"
while read -r library; do
  copy=$stage/lib/$(basename "$library")
  install -m 644 "$(realpath "$library")" "$copy"
  # A DT_RUNPATH of its own would hide lib/.
  # shellcheck disable=SC2016
  [ -z "$(patchelf --print-rpath "$copy")" ] || patchelf --set-rpath '$ORIGIN' "$copy"
done <"$work/libraries"

# The packages that the libraries come from, with their licences.
while read -r library; do
  dpkg -S "$(realpath "$library")" 2>/dev/null || dpkg -S "$library" || dpkg -S "${library#/usr}"
done <"$work/libraries" | sed 's/: .*//' | sort -u >"$work/packages"
xargs dpkg-query -W -f '${binary:Package} ${Version} ${source:Package} ${source:Version}\n' <"$work/packages" >"$stage/licences/debian-packages.txt"
while read -r package _; do
  package=${package%:*}
  cp -L "/usr/share/doc/$package/copyright" "$stage/licences/$package.txt" || fail "no licence of $package"
done <"$stage/licences/debian-packages.txt"
go_licences "$program" >"$stage/licences/go-modules.txt"
cp packaging/onnxruntime-licence.txt "$stage/licences/onnxruntime.txt"
cp LICENSE NOTICE "$stage/"
cat >"$stage/README.txt" <<END
wwflow $version for Linux ($arch), with FFmpeg and ONNX Runtime in lib/.

  ./wwflow doctor                  checks this machine
  ./wwflow run in.mp4              makes the flow video in-flow.mp4

It needs glibc 2.36 and libstdc++ of GCC 12, or newer (Debian 12, Ubuntu 24.04). The program may be linked from elsewhere, but
must stay beside lib/.

Licence: wwflow is under Apache-2.0. FFmpeg is Debian's build, which includes GPL code (x264, x265 and others), so that this
archive as a whole is under the GNU General Public License, version 3 or later. licences/ has the licence of every part.
licences/debian-packages.txt names the Debian packages of the libraries, and the source packages and versions that they were
built from: https://snapshot.debian.org has their sources.
END
same_times "$stage"
tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" --format=gnu -cf - "$name" |
  xz -T1 -1 >"$folder/$name.tar.xz"
echo "$folder/$name.tar.xz: $(du -h --apparent-size "$folder/$name.tar.xz" | cut -f1), $(wc -l <"$work/libraries") libraries"

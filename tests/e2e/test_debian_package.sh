#!/bin/sh
# The Debian package: made by cpack, installed into a clean root made by debootstrap, and run there.
# test_debian_package.sh BUILD-FOLDER
set -eu
build=$1
for program in cpack dpkg-deb debootstrap chroot; do
  command -v $program >/dev/null || PATH=$PATH:/usr/sbin command -v $program >/dev/null || {
    echo "skipped: there is no $program"
    exit 77
  }
done
PATH=$PATH:/usr/sbin:/sbin
[ "$(id -u)" = 0 ] || { echo "skipped: a clean root needs root"; exit 77; }
tmp=$(mktemp -d "${TMPDIR:-/tmp}/trireme-test-XXXXXX")
trap 'status=$?; umount "$tmp/root/proc" 2>/dev/null || true
      if [ $status = 0 ] || [ $status = 77 ]; then rm -rf "$tmp"; else echo "left for a look: $tmp"; fi
      exit $status' EXIT

(cd "$build" && cpack -G DEB -B "$tmp/package" >"$tmp/cpack.log" 2>&1) || { tail -20 "$tmp/cpack.log"; exit 1; }
package=$(ls "$tmp"/package/*.deb)
dpkg-deb --info "$package" | grep -q "Depends: .*libhdf5" || { echo "the package depends on no HDF5"; exit 1; }
dpkg-deb --contents "$package" >"$tmp/contents"
for file in ./usr/bin/trireme ./usr/share/man/man1/trireme-train.1 \
  ./usr/share/bash-completion/completions/trireme ./usr/share/trireme/trireme.schema.json; do
  grep -q "$file" "$tmp/contents" || { echo "the package has no $file"; exit 1; }
done

release=$(. /etc/os-release && echo "$VERSION_CODENAME")
mirror=$(grep -rhoE 'https?://[^ ]*/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null | head -1 | tr -d ' ')
debootstrap --variant=minbase "$release" "$tmp/root" "${mirror:-http://deb.debian.org/debian}" >"$tmp/debootstrap.log" 2>&1 || {
  echo "skipped: debootstrap cannot make a root: $(tail -1 "$tmp/debootstrap.log")"
  exit 77
}
cp "$package" "$tmp/root/trireme.deb"
for file in /etc/apt/apt.conf.d/*; do [ -e "$file" ] && cp "$file" "$tmp/root/etc/apt/apt.conf.d/"; done
cp /etc/resolv.conf "$tmp/root/etc/" 2>/dev/null || true
mount -t proc proc "$tmp/root/proc" 2>/dev/null || true
cat >"$tmp/root/check" <<'END'
set -eu
export DEBIAN_FRONTEND=noninteractive OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 HOME=/root
apt-get update >/dev/null
apt-get install -y --no-install-recommends /trireme.deb >/apt.log 2>&1 || { tail -5 /apt.log; exit 1; }
cd /root
trireme version
trireme prepare synth --tokens 4000 --vocab 9 -o data.h5
printf 'data: {path: data.h5}\nmodel: {layers: 1, heads: 2, width: 8, context: 8}\ntrain: {steps: 4}\n' >c.yaml
mpirun -n 2 --oversubscribe trireme train c.yaml -q
trireme export runs/c -o c.npz
bash -c 'source /usr/share/bash-completion/completions/trireme'
END
chroot "$tmp/root" sh /check >"$tmp/out" 2>&1 || { cat "$tmp/out"; exit 1; }
grep -q "c.npz: " "$tmp/out" || { cat "$tmp/out"; exit 1; }

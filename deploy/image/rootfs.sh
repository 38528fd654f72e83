#!/usr/bin/env bash
# Lays out all that the image holds: the binary, the libraries it loads, what it reads, and what it is made of.
# Usage: rootfs.sh --binary FILE --out DIR [--metadata FILE]
#   --out DIR         a new folder: DIR/rootfs is what the image holds, DIR/state what weir's user owns in /var/lib
#   --metadata FILE   what `cargo metadata` printed; without it the image says that its parts are not known
# SOURCE_DATE_EPOCH is the time that every file gets, 0 unless set.
set -euo pipefail
# Everybody's right to read is weir's: a builder's stricter mask would lock it out.
umask 022
project=$(cd "$(dirname "$0")/../.." && pwd)
binary='' out='' metadata=''
while [ $# -gt 0 ]; do
    case $1 in
    --binary) binary=$2 && shift 2 ;;
    --out) out=$2 && shift 2 ;;
    --metadata) metadata=$2 && shift 2 ;;
    *) echo "rootfs: unknown option $1" >&2 && exit 64 ;;
    esac
done
[ -n "$binary" ] && [ -n "$out" ] || { echo "rootfs: --binary FILE and --out DIR are needed" >&2; exit 64; }
[ -f "$binary" ] || { echo "rootfs: --binary $binary is not a file: name a weir that was built" >&2; exit 66; }
[ ! -e "$out" ] || { echo "rootfs: $out is there already: name a folder that is not" >&2; exit 64; }

user=65532 layout=$out out=$out/rootfs
install -d -m 0755 "$out"/{usr/bin,etc/ssl/certs,etc/weir,usr/share/weir,var/lib}
install -m 0755 "$binary" "$out/usr/bin/weir"
strip "$out/usr/bin/weir"

# The libraries that the binary asks for, at the paths where its loader looks. The C library's own resolver is inside
# libc since glibc 2.34, so files and DNS need nothing more.
libraries=$(ldd "$binary" | grep -o '/[^ ]*' | sort -u || true)
for library in $libraries; do
    install -D -m 0755 "$library" "$out$library"
done

install -m 0644 /etc/ssl/certs/ca-certificates.crt "$out/etc/ssl/certs/ca-certificates.crt"
install -m 0644 "$project/config/weir.toml" "$out/etc/weir/weir.toml"
printf 'weir:x:%s:%s:weir:/var/lib/weir:/none\n' $user $user >"$out/etc/passwd"
printf 'weir:x:%s:\n' $user >"$out/etc/group"
printf 'hosts: files dns\n' >"$out/etc/nsswitch.conf"
install -d -m 0750 "$layout/state/weir"

install -m 0644 "$project/LICENSE" "$out/usr/share/weir/LICENSE"
# shellcheck disable=SC2086  # one word a library
python3 "$project/deploy/image/sbom.py" ${metadata:+--metadata "$metadata"} --binary "$out/usr/bin/weir" \
    --sbom "$out/usr/share/weir/sbom.cdx.json" --licences "$out/usr/share/weir/LICENCES.txt" $libraries
# 400 crates' texts shrink to a tenth, and nobody reads them in a running task.
gzip --no-name -9 "$out/usr/share/weir/LICENCES.txt"

# The same time on everything, or two builds of one commit differ.
find "$layout" -exec touch --no-dereference --date="@${SOURCE_DATE_EPOCH:-0}" {} +
echo "rootfs: $(du -sh "$out" | cut -f1) in $out" >&2

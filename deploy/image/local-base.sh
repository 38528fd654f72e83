#!/usr/bin/env bash
# Makes the image that weir is built in out of Debian's packages and this machine's Rust, for builders that can pull no
# image. It has the paths of the official Rust image, so the Dockerfile does not know the difference.
# Usage: deploy/image/local-base.sh [NAME]      (localhost/rust:1.95-bookworm unless said; as root)
#   RUST_IMAGE=localhost/rust:1.95-bookworm deploy/image/build.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
name=${1:-localhost/rust:$wanted-bookworm}
export PATH="$PATH:/usr/sbin:/sbin"
for tool in debootstrap buildah rustc; do
    command -v "$tool" >/dev/null || { echo "local-base: $tool is missing: install it first" >&2; exit 69; }
done
sysroot=$(rustc --print sysroot)
found=$("$sysroot/bin/rustc" --version | cut -d' ' -f2)
[[ $found == "$wanted"* ]] || { echo "local-base: rustc is $found, and Cargo.toml asks for $wanted" >&2; exit 69; }

work=$(mktemp -d)
container=''
tidy() {
    [ -z "$container" ] || buildah rm "$container" >/dev/null
    rm -rf "$work"
}
trap tidy EXIT
debootstrap --variant=minbase --include=ca-certificates,g++,make bookworm "$work/rootfs" >&2

toolchain=$work/rootfs/usr/local/rustup/toolchains/$found
mkdir -p "$toolchain" "$work/rootfs/usr/local/cargo/bin"
# Without the books.
cp -a "$sysroot"/{bin,lib,libexec} "$toolchain/"
for command in cargo rustc rustdoc; do
    ln -s "/usr/local/rustup/toolchains/$found/bin/$command" "$work/rootfs/usr/local/cargo/bin/$command"
done

container=$(buildah from scratch)
# The bytes of /dev belong to a machine, not to an image.
tar --create --directory "$work/rootfs" --exclude=./dev --exclude=./var/cache/apt --one-file-system . >"$work/rootfs.tar"
buildah add --quiet "$container" "$work/rootfs.tar" / >/dev/null
# Where a proxy between here and the registry shows its own certificate, cargo trusts what this machine trusts; the image
# takes its CA certificates from Debian's package all the same.
buildah copy --quiet "$container" /etc/ssl/certs/ca-certificates.crt /usr/local/share/builder-ca.crt >/dev/null
buildah config --env CARGO_HTTP_CAINFO=/usr/local/share/builder-ca.crt \
    --env CARGO_HOME=/usr/local/cargo --env RUSTUP_HOME=/usr/local/rustup --env "RUST_VERSION=$found" \
    --env PATH=/usr/local/cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
buildah commit --quiet --rm "$container" "$name" >/dev/null
container=''
echo "local-base: $name" >&2

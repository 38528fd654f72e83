#!/usr/bin/env bash
# Builds weir's image with docker or buildah, whichever is there.
# Usage: deploy/image/build.sh [--tag NAME] [--binary FILE] [--metadata FILE]
#
#   --tag NAME       what the image is called, weir:dev unless said
#   --binary FILE    put this binary into the image in place of building one (it must run on this machine's C library)
#   --metadata FILE  with --binary: what `cargo metadata` printed, for the list of parts
#
#   TARGET_CPU=x86-64-v3   for processors since 2013 (neoverse-n1 on Arm)
#   RUST_IMAGE=…           another image to build in than the one that the Dockerfile pins, such as local-base.sh's
#   BUILDER=buildah        docker or buildah
#   FORMAT=docker          with buildah: keep the image's own health check, at the cost of equal bytes
#   SOURCE_DATE_EPOCH=…    the time in the image, the commit's unless set
set -euo pipefail
cd "$(dirname "$0")/../.."
tag=weir:dev binary='' metadata=''
while [ $# -gt 0 ]; do
    case $1 in
    --tag) tag=$2 && shift 2 ;;
    --binary) binary=$2 && shift 2 ;;
    --metadata) metadata=$2 && shift 2 ;;
    -h | --help) sed -n '2,14s/^# \{0,1\}//p' "$0" && exit 0 ;;
    *) echo "build: unknown option $1, see --help" >&2 && exit 64 ;;
    esac
done
builder=${BUILDER:-$(command -v docker >/dev/null 2>&1 && docker info >/dev/null 2>&1 && echo docker || echo buildah)}
command -v "$builder" >/dev/null 2>&1 || { echo "build: neither docker nor buildah is here: install one" >&2; exit 69; }

export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
arguments=(
    --build-arg "SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH"
    --build-arg "VERSION=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)"
    --build-arg "REVISION=$(git rev-parse HEAD)"
    --build-arg "CREATED=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)"
)
[ -z "${TARGET_CPU:-}" ] || arguments+=(--build-arg "TARGET_CPU=$TARGET_CPU")

file=deploy/image/Dockerfile context=.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ -n "$binary" ]; then
    # The last stage alone, over files laid out here: what is tested is the text that ships.
    context=$work
    deploy/image/rootfs.sh --binary "$binary" ${metadata:+--metadata "$metadata"} --out "$context/layout"
    sed -n '/^FROM scratch/,$p' "$file" | sed 's|--from=build ||; s| /layout/| layout/|' >"$context/Dockerfile"
    file=$context/Dockerfile
elif [ -n "${RUST_IMAGE:-}" ]; then
    sed "1,/^FROM/s|^FROM [^ ]*|FROM $RUST_IMAGE|" "$file" >"$work/Dockerfile"
    file=$work/Dockerfile
fi

case $builder in
# rewrite-timestamp gives the layers' files the same time too.
docker) docker buildx build "${arguments[@]}" --file "$file" --tag "$tag" \
    --output type=docker,rewrite-timestamp=true "$context" ;;
# OCI's format: two builds are one, byte for byte. Docker's has the health check, which OCI's does not know and ECS does
# not read, but also a number that differs each time; so does --layers. chroot: no privileges are needed for it. What is
# here already is not looked for again: the base is named by its digest.
buildah) buildah bud --pull=false --format "${FORMAT:-oci}" --isolation "${BUILDAH_ISOLATION:-chroot}" \
    --timestamp "$SOURCE_DATE_EPOCH" "${arguments[@]}" --file "$file" --tag "$tag" "$context" ;;
*) echo "build: BUILDER is docker or buildah, not $builder" >&2 && exit 64 ;;
esac
echo "build: $tag" >&2

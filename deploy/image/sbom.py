#!/usr/bin/env python3
"""Writes what the image is made of: a CycloneDX 1.5 list of parts, and the text of every licence.

The crates come from `cargo metadata` (only what is linked: no tests, no tools), the C libraries from dpkg. Nothing in
the output depends on the time or the machine, so the same commit gives the same bytes.
"""

import argparse
import datetime
import hashlib
import json
import os
import pathlib
import platform
import re
import subprocess
import urllib.parse
import uuid


def linked(metadata: dict) -> list[dict]:
    """The packages that end up in the binary, by name: reached from weir without dev-dependencies. Each knows those that
    it needs itself.
    """
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    packages = {package["id"]: package for package in metadata["packages"]}
    root = next(id for id, package in packages.items() if package["name"] == "weir")
    seen, todo = {root}, [root]
    while todo:
        id = todo.pop()
        # A null kind is an ordinary dependency; build scripts' crates may be copied into the binary too.
        needs = {dep["pkg"] for dep in nodes[id]["deps"] if any(k["kind"] in (None, "build") for k in dep["dep_kinds"])}
        packages[id]["needs"] = sorted(reference(packages[need]) for need in needs)
        todo += needs - seen
        seen |= needs
    return sorted((packages[id] for id in seen), key=lambda p: (p["name"], p["version"]))


def reference(package: dict) -> str:
    """What the list calls a crate. weir is what the list is of."""
    return package["name"] if package["name"] == "weir" else f"{package['name']}@{package['version']}"


def crate(package: dict) -> dict:
    """One crate, as CycloneDX writes it."""
    name, version = package["name"], package["version"]
    part = {"type": "library", "bom-ref": reference(package), "name": name, "version": version,
            "purl": f"pkg:cargo/{name}@{urllib.parse.quote(version, safe='')}"}
    if package.get("license"):
        # Old crates write "MIT/Apache-2.0", which is the same as OR.
        part["licenses"] = [{"expression": re.sub(r"\s*/\s*", " OR ", package["license"])}]
    return part


def compiler(binary: bytes) -> list[dict]:
    """Rust's own library, in the version that the binary itself names."""
    found = re.search(rb"rustc version (\d+\.\d+\.\d+)", binary)
    if not found:
        return []
    version = found[1].decode()
    return [{"type": "library", "bom-ref": f"rust-std@{version}", "name": "rust-std", "version": version,
             "purl": f"pkg:generic/rust-std@{version}", "licenses": [{"expression": "MIT OR Apache-2.0"}]}]


def debian(paths: list[str]) -> list[dict]:
    """The Debian packages of the C library's files, named as scanners look them up; a file of none stands for itself."""
    files: dict[str, list[str]] = {}
    for path in paths:
        files.setdefault(package_of(path) or path, []).append(path)
    parts = []
    for owner, held in sorted(files.items()):
        part = {"type": "library", "bom-ref": owner, "name": owner.split(":")[0],
                "properties": [{"name": "file", "value": path} for path in sorted(held)]}
        if owner not in held:
            version, source, arch = ask("dpkg-query", "-W", "-f=${Version} ${source:Package} ${Architecture}", owner).split()
            told = {"arch": arch, "distro": distribution(), "upstream": source}
            part |= {"version": version, "purl": f"pkg:deb/debian/{part['name']}@{urllib.parse.quote(version, safe='')}"
                                                 f"?{urllib.parse.urlencode(told)}"}
        parts.append(part)
    return parts


def distribution() -> str:
    """What the C library was built for, such as debian-12."""
    told = platform.freedesktop_os_release()
    return f"{told['ID']}-{told.get('VERSION_ID', 'unknown')}"


def package_of(path: str) -> str:
    """The Debian package of a file; it may be known by the path before /lib became a link to /usr/lib, or after."""
    folder, name = os.path.split(path)
    for place in (path, os.path.realpath(path), os.path.join(os.path.realpath(folder), name)):
        for known in (place, place.removeprefix("/usr")):
            if owner := ask("dpkg", "-S", known).split(": ")[0]:
                return owner
    return ""


def ask(*command: str) -> str:
    """What a command prints; nothing where it fails or is missing."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def licence_texts(packages: list[dict]) -> dict[str, list[str]]:
    """Every different licence text, with the crates that carry it."""
    found: dict[str, list[str]] = {}
    for package in packages:
        folder = pathlib.Path(package["manifest_path"]).parent
        for file in sorted(folder.glob("*")):
            if file.is_file() and file.name.upper().startswith(("LICENSE", "LICENCE", "COPYING", "NOTICE", "UNLICENSE")):
                text = file.read_text(encoding="utf-8", errors="replace").strip()
                owner = f"{package['name']} {package['version']}"
                if owner not in found.setdefault(text, []):
                    found[text].append(owner)
    return found


def bill(packages: list[dict], binary: bytes, libraries: list[str]) -> dict:
    """The list of parts. Without packages it says of itself that it is not whole."""
    digest = hashlib.sha256(binary).hexdigest()
    version = next((p["version"] for p in packages if p["name"] == "weir"), "unknown")
    beside = compiler(binary) + debian(libraries)
    needs = {reference(p): p["needs"] for p in packages}
    needs["weir"] = needs.get("weir", []) + [part["bom-ref"] for part in beside]
    bom = {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        # Made of the binary's digest, not drawn: the same build has the same number.
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, digest)}",
        "metadata": {"timestamp": moment(), "component": {
            "type": "application", "bom-ref": "weir", "name": "weir", "version": version,
            "hashes": [{"alg": "SHA-256", "content": digest}], "licenses": [{"expression": "Apache-2.0"}]}},
        "components": [crate(p) for p in packages if p["name"] != "weir"] + beside,
        "dependencies": [{"ref": ref, "dependsOn": needed} for ref, needed in sorted(needs.items())],
    }
    if not packages:
        bom["compositions"] = [{"aggregate": "incomplete", "assemblies": ["weir"]}]
    return bom


def moment() -> str:
    """The commit's time, never this one."""
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
    return datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def licences(packages: list[dict], libraries: list[str]) -> str:
    """Who stands under which licence, then every text once."""
    lines = ["What weir is made of, and under which licences.\n"]
    lines += [f"{p['name']} {p['version']}: {p.get('license') or 'see its text below'}\n" for p in packages]
    # The C library's packages, whose terms Debian keeps in one file each.
    for owner in sorted({package_of(path).split(":")[0] for path in libraries} - {""}):
        terms = pathlib.Path("/usr/share/doc", owner, "copyright")
        if terms.exists():
            lines.append(f"\n{'=' * 80}\n{owner}\n{'=' * 80}\n{terms.read_text(errors='replace').strip()}\n")
    for text, owners in sorted(licence_texts(packages).items(), key=lambda item: item[1]):
        lines.append(f"\n{'=' * 80}\n{', '.join(owners)}\n{'=' * 80}\n{text}\n")
    return "".join(lines)


def main() -> None:
    """Reads the arguments and writes both files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--metadata", help="file with the output of cargo metadata")
    parser.add_argument("--binary", required=True, help="the binary that the image holds")
    parser.add_argument("--sbom", required=True, help="where the list of parts goes")
    parser.add_argument("--licences", required=True, help="where the licences' texts go")
    parser.add_argument("library", nargs="*", help="libraries that the image holds")
    args = parser.parse_args()

    packages = linked(json.loads(pathlib.Path(args.metadata).read_text())) if args.metadata else []
    bom = bill(packages, pathlib.Path(args.binary).read_bytes(), args.library)
    pathlib.Path(args.sbom).write_text(json.dumps(bom, indent=1, sort_keys=True) + "\n")
    pathlib.Path(args.licences).write_text(licences(packages, args.library))


if __name__ == "__main__":
    main()

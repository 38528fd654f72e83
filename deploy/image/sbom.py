#!/usr/bin/env python3
"""Writes what the image is made of: a CycloneDX 1.5 list of parts, and the text of every licence.

The crates come from `cargo metadata` (only what is linked: no tests, no tools), the C libraries from dpkg. Nothing in
the output depends on the time or the machine, so the same commit gives the same bytes.
"""

import argparse
import hashlib
import json
import os
import pathlib
import subprocess
import uuid


def linked(metadata: dict) -> list[dict]:
    """The packages that end up in the binary, by name: reached from weir without dev-dependencies."""
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    packages = {package["id"]: package for package in metadata["packages"]}
    root = next(id for id, package in packages.items() if package["name"] == "weir")
    seen, todo = {root}, [root]
    while todo:
        for dep in nodes[todo.pop()]["deps"]:
            # A null kind is an ordinary dependency; build scripts' crates may be copied into the binary too.
            if dep["pkg"] not in seen and any(kind["kind"] in (None, "build") for kind in dep["dep_kinds"]):
                seen.add(dep["pkg"])
                todo.append(dep["pkg"])
    return sorted((packages[id] for id in seen), key=lambda p: (p["name"], p["version"]))


def crate(package: dict) -> dict:
    """One crate, as CycloneDX writes it."""
    name, version = package["name"], package["version"]
    part = {"type": "library", "bom-ref": f"{name}@{version}", "name": name, "version": version,
            "purl": f"pkg:cargo/{name}@{version}"}
    if package.get("license"):
        # Old crates write "MIT/Apache-2.0", which is the same as OR.
        part["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
    return part


def library(path: str) -> dict:
    """One file of the C library, with the Debian package that it came with, which is what scanners look up."""
    part = {"type": "library", "bom-ref": path, "name": os.path.basename(path)}
    owner = package_of(path)
    if owner:
        version = ask("dpkg-query", "-W", "-f=${Version}", owner)
        part |= {"name": owner.split(":")[0], "version": version, "purl": f"pkg:deb/debian/{owner.split(':')[0]}@{version}",
                 "properties": [{"name": "file", "value": path}]}
    return part


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
    digest = hashlib.sha256(pathlib.Path(args.binary).read_bytes()).hexdigest()
    version = next((p["version"] for p in packages if p["name"] == "weir"), "unknown")
    crates = [crate(p) for p in packages if p["name"] != "weir"]
    bom = {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        # Made of the binary's digest, not drawn: the same build has the same number.
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, digest)}",
        "metadata": {"component": {"type": "application", "bom-ref": "weir", "name": "weir", "version": version,
                                   "hashes": [{"alg": "SHA-256", "content": digest}],
                                   "licenses": [{"expression": "Apache-2.0"}]}},
        "components": crates + [library(path) for path in args.library],
    }
    if not args.metadata:
        bom["compositions"] = [{"aggregate": "incomplete", "assemblies": ["weir"]}]
    pathlib.Path(args.sbom).write_text(json.dumps(bom, indent=1, sort_keys=True) + "\n")

    lines = ["What weir is made of, and under which licences.\n"]
    lines += [f"{p['name']} {p['version']}: {p.get('license') or 'see its text below'}\n" for p in packages]
    # The C library's packages, whose terms Debian keeps in one file each.
    for owner in sorted({package_of(path).split(":")[0] for path in args.library} - {""}):
        terms = pathlib.Path("/usr/share/doc", owner, "copyright")
        if terms.exists():
            lines.append(f"\n{'=' * 80}\n{owner}\n{'=' * 80}\n{terms.read_text(errors='replace').strip()}\n")
    for text, owners in sorted(licence_texts(packages).items(), key=lambda item: item[1]):
        lines.append(f"\n{'=' * 80}\n{', '.join(owners)}\n{'=' * 80}\n{text}\n")
    pathlib.Path(args.licences).write_text("".join(lines))


if __name__ == "__main__":
    main()

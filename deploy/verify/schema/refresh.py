#!/usr/bin/env python3
"""Makes aws.json and aviatrix.json anew: fetches the pinned bindings, checks their bytes, keeps what is in use.

Usage: refresh.py           after a module began to use another type; writes both files
       refresh.py --check   writes nothing, and fails where a file is not what would be written
It needs npm and pip, and a minute. The bindings are fetched by their registries' own clients; npm's package is 40 MB."""
import hashlib
import pathlib
import subprocess
import sys
import tarfile
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True
import recover  # noqa: E402
import recover_aviatrix  # noqa: E402

# @cdktn/provider-aws 24.1.0 is made from provider AWS 6.45.0.
PACKAGES = {
    "aws": (["npm", "pack", "--silent", "@cdktn/provider-aws@24.1.0"],
            "6011fbc46969a666e523c9a4714ccd2650bd04c3a5e8013e4f26ec2889b5076a"),
    "aviatrix": ([sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-binary", ":all:",
                  "pulumi-aviatrix==0.0.11"],
                 "815b8a078e99c9d57665d3a76248939058ff47fad5617fef8bd611fdeafeb39d"),
}


def fetch(name, folder):
    """The package's archive, if its bytes are the pinned ones."""
    command, wanted = PACKAGES[name]
    folder.mkdir()
    try:
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SystemExit(f"refresh: {' '.join(command)} failed ({error}): it needs {command[0]} and the way to its registry")
    archive = next(folder.iterdir())
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != wanted:
        raise SystemExit(f"refresh: {archive.name} is not what it was: its SHA-256 is {found}, expected was {wanted}")
    return tarfile.open(archive)


def aws(archive):
    names = sorted(name for name in archive.getnames() if name.startswith("package/lib/") and name.endswith("/index.js") and name.count("/") == 3)
    return recover.schema(archive.extractfile(name).read().decode() for name in names)


def aviatrix(archive):
    names = {pathlib.PurePosixPath(name).name: name for name in archive.getnames() if name.count("/") == 2 and name.endswith(".py")}
    return recover_aviatrix.schema(lambda module: archive.extractfile(names[f"{module}.py"]).read().decode())


def main(arguments):
    if arguments not in ([], ["--check"]):
        print(__doc__)
        return 64
    stale = []
    with tempfile.TemporaryDirectory(prefix="weir-schema-") as folder:
        for name, make in (("aws", aws), ("aviatrix", aviatrix)):
            with fetch(name, pathlib.Path(folder) / name) as archive:
                made = make(archive)
            text, path = recover.lines(made, name), HERE / f"{name}.json"
            same = path.exists() and path.read_text() == text
            print(f"refresh: {path.name}: {len(made['resource'])} resources, {len(made['data'])} data sources: {'as it was' if same else 'differs'}")
            if not same and arguments:
                stale.append(path.name)
            elif not same:
                path.write_text(text)
    if stale:
        print(f"refresh: run refresh.py, and commit {' and '.join(stale)}")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

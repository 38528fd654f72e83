#!/usr/bin/env python3
"""Makes the function's zip, the same bytes each time. Usage: build.py OUT.zip"""
import pathlib
import sys
import zipfile

with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as out:
    entry = zipfile.ZipInfo("promises.py", (2020, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    out.writestr(entry, pathlib.Path(__file__).with_name("promises.py").read_bytes())

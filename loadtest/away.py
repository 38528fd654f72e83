#!/usr/bin/env python3
"""What weir passes while AWS and the fleet's store take every connection and never answer, beside what it passes without
them: pairs of runs in turn, and the ratio of their rates. Needs a weir that was built with the feature aws."""

import argparse
import json
import os
import statistics
import tempfile
from pathlib import Path

from kit.hole import black_hole
from kit.service import Unavailable, Weir
from kit.tools import Failed, run

HERE = Path(__file__).parent
BLACK_HOLE = """
[fleet]
enabled = true
url = "redis://127.0.0.1:{port}"
[waf]
enabled = true
[guardduty]
enabled = true
queue_url = "http://127.0.0.1:{port}/1/findings"
"""


def rate(weir, config, seconds):
    """Requests a second that are passed on."""
    with Weir(weir, config) as running:
        command = ["oha", "--no-tui", "--output-format", "json", "-z", f"{seconds}s", "-c", "32", f"http://{running.http}/health"]
        code, out, errors = run(command, seconds=seconds + 60)
        if code:
            raise Failed(f"oha ended with {code}: {errors}")
        said = json.loads(out)
        if set(said["statusCodeDistribution"]) != {"200"}:
            raise Failed(f"not all were passed on: {said['statusCodeDistribution']}")
        return said["summary"]["requestsPerSec"]


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--weir", required=True, help="the binary")
    arguments.add_argument("--pairs", type=int, default=5)
    arguments.add_argument("--seconds", type=int, default=8)
    wanted = arguments.parse_args()
    port = black_hole()
    # The SDK's own way to another endpoint; the credentials are nobody's.
    os.environ.update(AWS_ENDPOINT_URL=f"http://127.0.0.1:{port}", AWS_REGION="us-east-1", AWS_ACCESS_KEY_ID="none",
                      AWS_SECRET_ACCESS_KEY="none", AWS_EC2_METADATA_DISABLED="true")
    plain = HERE / "conf" / "open.toml"
    with tempfile.TemporaryDirectory() as folder:
        away = Path(folder, "away.toml")
        away.write_text(plain.read_text() + BLACK_HOLE.format(port=port))
        ratios = []
        for pair in range(wanted.pairs):
            without, with_them = rate(wanted.weir, plain, wanted.seconds), rate(wanted.weir, away, wanted.seconds)
            ratios.append(with_them / without)
            print(f"pair {pair + 1}: {without:.0f}/s without, {with_them:.0f}/s black-holed, ratio {ratios[-1]:.3f}", flush=True)
    print(f"median ratio {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})")


if __name__ == "__main__":
    try:
        main()
    except (Failed, Unavailable) as failed:
        raise SystemExit(f"away: {failed}") from failed

"""What the arithmetic takes for granted. Change it here, run cost.py --write, and the document follows."""

import json
import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent
MODULES = HERE.parent / "terraform/modules"

HOURS = 730
SECONDS = HOURS * 3600
GB = 1e9

ZONES = 3
STORE_NODES = 2
PEAK = 3  # the busiest hour is so many times the mean
REQUEST_BYTES = 900  # with what the load balancer adds: docs/capacity.md
RESPONSE_BYTES = 10_000  # the mean of pages, pictures and API calls
REFUSAL_BYTES = 480
REQUESTS_A_CONNECTION = 20
CONNECTION_SECONDS = 60  # the load balancer's idle timeout
FREE_RULES = 10  # of the load balancer; there are fewer

WEIR_METRICS = 75  # docs/aws.md
PUTS_A_TASK_MONTH = SECONDS / 10
INSIGHTS_METRICS = 46  # Container Insights: some 12 a service and 10 a cluster
AWS_ALARM_METRICS = 24  # those of module monitoring beside weir's own
COMPOSITES, DASHBOARDS = 2, 2

LOG_LINE = 550  # docs/access-log.md
FORWARDED_SAMPLE = 0.01  # log.forwarded_sample
REFUSED_LINES = 100  # log.refused_rate, a second and task
WAF_LINE = 1_500
WAF_KEPT = 0.005  # the share of an ordinary day's requests that AWS WAF does not just pass
WAF_BY_GROUPS = 0.05  # the share of what it blocks in an attack that managed groups do: only that is logged
FLOW_LINE = 120
FLOW_LINES_A_CONNECTION = 2  # to and from the load balancer
BALANCER_LINE = 60  # compressed

TRAIL_EVENTS = 500_000  # a month, of the account
CONFIG_ITEMS, CONFIG_EVALUATIONS, HUB_CHECKS = 1_000, 20_000, 20_000
KMS_CALLS, SECRETS = 1_000_000, 4
WEB_ACL_RULES = 9  # three sets, anti-DDoS, four groups, the rate rule

ATTACK_RPS, ATTACK_HOURS = 50_000, 1
PASS_US, REFUSE_US, USED = 45, 8, 0.6  # docs/capacity.md


def endpoints() -> int:
    """How many interface endpoints module network makes, as its default says."""
    text = (MODULES / "network/variables.tf").read_text(encoding="utf-8")
    found = re.search(r'variable "interface_endpoints".*?default\s*=\s*\[(.*?)\]', text, re.S)
    if not found:
        raise SystemExit("cost: modules/network/variables.tf has no variable interface_endpoints with a default list")
    return len(re.findall(r'"[^"]+"', found[1]))


def alarm_metrics() -> int:
    """How many metrics weir's own alarms look at: each is paid for."""
    alarms = json.loads((HERE.parent / "alarms.json").read_text(encoding="utf-8"))["alarms"]
    return sum("metric" in query for alarm in alarms for query in alarm["metric_queries"])

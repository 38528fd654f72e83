"""The arithmetic: a month of a size, an hour of attack. Each line says how it came about."""

import json
import pathlib
from typing import NamedTuple

import assume as a


class Faulty(Exception):
    """Sizes that can't be reckoned with; the text is for people."""


class Line(NamedTuple):
    """One part of the bill."""

    dollars: float
    how: str


LEAST = {"rps": 1, "tasks": 1, "vcpu": 0.25, "memory_gb": 0.5}


def read_sizes(path: pathlib.Path, prices: dict) -> dict:
    """Checks all sizes and names every fault."""
    sizes, faults = json.loads(path.read_text(encoding="utf-8")), []
    if not isinstance(sizes, dict) or not sizes:
        raise Faulty(f"{path}: write an object of sizes, as sizes.json is")
    for name, size in sizes.items():
        for key, least in LEAST.items():
            if not isinstance(size.get(key), (int, float)) or size[key] < least:
                faults.append(f"{name}.{key} = {size.get(key)!r}: write a number from {least} on")
        nodes = [price for price in prices["prices"] if price.startswith("cache.")]
        if size.get("node") not in nodes:
            faults.append(f"{name}.node = {size.get('node')!r}: write one of {', '.join(nodes)}, or add its price to prices.json")
    if faults:
        raise Faulty(f"{path}:\n  " + "\n  ".join(faults))
    return sizes


def month(size: dict, prices: dict) -> dict[str, Line]:
    """Every part of a month's bill."""
    p = {name: each["dollars"] for name, each in prices["prices"].items()}
    millions = size["rps"] * a.SECONDS / 1e6
    return {
        "Fargate": fargate(size, p),
        "load balancer": balancer(size["rps"], p, a.HOURS, a.REQUESTS_A_CONNECTION, a.RESPONSE_BYTES, base=True),
        "AWS WAF": Line(p["waf_acl"] + a.WEB_ACL_RULES * p["waf_rule"] + millions * p["waf_million"],
                        f"web ACL {p['waf_acl']:g} + {a.WEB_ACL_RULES} rules × {p['waf_rule']:g} + {millions:,.0f} M × {p['waf_million']:g}"),
        "… its anti-DDoS group": Line(p["anti_ddos"] + millions * p["anti_ddos_million"],
                                      f"{p['anti_ddos']:g} + {millions:,.0f} M × {p['anti_ddos_million']:g}"),
        "endpoints": Line(a.endpoints() * a.ZONES * a.HOURS * p["endpoint_hour"],
                          f"{a.endpoints()} × {a.ZONES} zones × {a.HOURS} h × {p['endpoint_hour']:g}; data is some GB"),
        "store": Line(a.STORE_NODES * a.HOURS * p[size["node"]], f"{a.STORE_NODES} × {size['node']} × {a.HOURS} h × {p[size['node']]:g}"),
        "CloudWatch: metrics, alarms, dashboards": watching(size, p),
        "CloudWatch: logs": logs(size, p),
        "S3: the load balancer's logs": s3(millions, p),
        "GuardDuty": guardduty(size, p),
        "Config, Security Hub, CloudTrail": Line(
            a.CONFIG_ITEMS * p["config_item"] + a.CONFIG_EVALUATIONS * p["config_evaluation"] + a.HUB_CHECKS * p["hub_check"],
            f"{a.CONFIG_ITEMS:,} items × {p['config_item']:g} + {a.CONFIG_EVALUATIONS:,} evaluations × {p['config_evaluation']:g} + "
            f"{a.HUB_CHECKS:,} checks × {p['hub_check']:g}; the first trail is free"),
        "KMS, secrets, health check": Line(
            p["kms_key"] + a.KMS_CALLS / 1e4 * p["kms_ten_thousand"] + a.SECRETS * p["secret"] + p["health_check"],
            f"key {p['kms_key']:g} + {a.KMS_CALLS / 1e4:,.0f} × {p['kms_ten_thousand']:g} + {a.SECRETS} secrets × {p['secret']:g} + {p['health_check']:g}"),
        "data out": data_out(millions * 1e6 * a.RESPONSE_BYTES / a.GB, prices["data_out"]["steps"]),
    }


def fargate(size: dict, p: dict) -> Line:
    """weir's tasks; the service behind it is not weir's cost."""
    one = size["vcpu"] * p["fargate_vcpu_hour"] + size["memory_gb"] * p["fargate_gb_hour"]
    return Line(size["tasks"] * one * a.HOURS,
                f"{size['tasks']} × ({size['vcpu']:g} × {p['fargate_vcpu_hour']:g} + {size['memory_gb']:g} × {p['fargate_gb_hour']:g}) × {a.HOURS} h")


def balancer(rps: float, p: dict, hours: float, requests_a_connection: float, response: float, base: bool) -> Line:
    """LCUs: the dearest of new connections, open ones and bytes (rules are within the free ones)."""
    new = rps / requests_a_connection
    parts = {"new connections": new / 25, "open ones": new * a.CONNECTION_SECONDS / 3000,
             "GB": rps * 3600 * (a.REQUEST_BYTES + response) / a.GB}
    most = max(parts, key=parts.get)
    fixed = hours * p["alb_hour"] if base else 0
    before = f"{hours} h × {p['alb_hour']:g} + " if base else ""
    return Line(fixed + parts[most] * hours * p["alb_lcu_hour"], f"{before}{parts[most]:,.0f} LCU (by {most}) × {hours} h × {p['alb_lcu_hour']:g}")


def watching(size: dict, p: dict) -> Line:
    """Metrics do not grow with traffic, requests to put them grow with tasks."""
    metrics, alarms = a.WEIR_METRICS + a.INSIGHTS_METRICS, a.alarm_metrics() + a.AWS_ALARM_METRICS
    puts = size["tasks"] * a.PUTS_A_TASK_MONTH / 1e3
    cost = metrics * p["metric"] + puts * p["put_thousand"] + alarms * p["alarm_metric"] + a.COMPOSITES * p["composite"] + a.DASHBOARDS * p["dashboard"]
    return Line(cost, f"{metrics} metrics × {p['metric']:g} + {puts:,.0f} k puts × {p['put_thousand']:g} + {alarms} metrics of alarms × {p['alarm_metric']:g} + "
                      f"{a.COMPOSITES} × {p['composite']:g} + {a.DASHBOARDS} × {p['dashboard']:g}")


def flow_gb(connections: float) -> float:
    """What flow logs write of so many connections."""
    return connections * a.FLOW_LINES_A_CONNECTION * a.FLOW_LINE / a.GB


def logs(size: dict, p: dict) -> Line:
    """weir's, AWS WAF's and flow logs of an ordinary month."""
    requests = size["rps"] * a.SECONDS
    parts = {"weir": requests * a.FORWARDED_SAMPLE * a.LOG_LINE / a.GB, "WAF": requests * a.WAF_KEPT * a.WAF_LINE / a.GB,
             "flows": flow_gb(requests / a.REQUESTS_A_CONNECTION)}
    total = sum(parts.values())
    words = " + ".join(f"{name} {gb:,.1f} GB" for name, gb in parts.items())
    return Line(total * (p["logs_gb"] + p["logs_kept_gb"]), f"({words}) × ({p['logs_gb']:g} + {p['logs_kept_gb']:g} kept)")


def s3(millions: float, p: dict) -> Line:
    """A month's logs of the load balancer, kept for a month."""
    gb = millions * 1e6 * a.BALANCER_LINE / a.GB
    return Line(gb * p["s3_gb"], f"{gb:,.1f} GB × {p['s3_gb']:g}, for each month kept")


def guardduty(size: dict, p: dict) -> Line:
    """What it looks at."""
    flows, vcpu = flow_gb(size["rps"] * a.SECONDS / a.REQUESTS_A_CONNECTION), size["tasks"] * size["vcpu"]
    return Line(flows * p["guardduty_flow_gb"] + a.TRAIL_EVENTS / 1e6 * p["guardduty_events_million"] + vcpu * p["guardduty_vcpu"],
                f"{flows:,.1f} GB of flows × {p['guardduty_flow_gb']:g} + {a.TRAIL_EVENTS / 1e6:g} M events × {p['guardduty_events_million']:g} + "
                f"{vcpu:g} vCPU × {p['guardduty_vcpu']:g}")


def data_out(gb: float, steps: list) -> Line:
    """By steps: the more, the cheaper."""
    cost, done, words = 0.0, 0.0, []
    for top, price in steps:
        part = min(gb, top if top else gb) - done
        if part <= 0:
            break
        cost, done = cost + part * price, done + part
        words.append(f"{part:,.0f} GB × {price:g}")
    return Line(cost, " + ".join(words))


def attack(blocked: float, prices: dict) -> dict[str, Line]:
    """What an attack adds; blocked is the share that AWS WAF blocks, weir refuses the rest. Every request is a connection."""
    p = {name: each["dollars"] for name, each in prices["prices"].items()}
    requests = a.ATTACK_RPS * a.ATTACK_HOURS * 3600
    millions, flows = requests / 1e6, flow_gb(requests)
    refused = a.ATTACK_RPS * (1 - blocked) * a.REFUSE_US / 1e6 / a.USED
    own = a.REFUSED_LINES * 3600 * a.ATTACK_HOURS * 6 * a.LOG_LINE / a.GB
    every = requests * blocked * a.WAF_LINE / a.GB
    waf = every * a.WAF_BY_GROUPS
    out = requests * a.REFUSAL_BYTES / a.GB
    rate = prices["data_out"]["steps"][0][1]
    return {
        "AWS WAF": Line(millions * p["waf_million"], f"{millions:,.0f} M × {p['waf_million']:g}"),
        "… its anti-DDoS group": Line(millions * p["anti_ddos_million"], f"{millions:,.0f} M × {p['anti_ddos_million']:g}"),
        "load balancer": balancer(a.ATTACK_RPS, p, a.ATTACK_HOURS, 1, a.REFUSAL_BYTES, base=False),
        "flow logs": Line(flows * p["logs_gb"], f"{flows:,.0f} GB × {p['logs_gb']:g}"),
        "GuardDuty on them": Line(flows * p["guardduty_flow_gb"], f"{flows:,.0f} GB × {p['guardduty_flow_gb']:g}"),
        "AWS WAF's log": Line(waf * p["logs_gb"], f"{waf:,.0f} GB × {p['logs_gb']:g}: the {a.WAF_BY_GROUPS * 100:g} % that groups block; waf_log_all makes it {every * p['logs_gb']:,.0f} dollars"),
        "weir's log": Line(own * p["logs_gb"], f"{own:,.1f} GB × {p['logs_gb']:g}: at most {a.REFUSED_LINES} lines a second and task, of 6"),
        "more tasks of weir": Line(refused * a.ATTACK_HOURS * p["fargate_vcpu_hour"], f"{refused:,.2f} vCPU × {a.ATTACK_HOURS} h × {p['fargate_vcpu_hour']:g}"),
        "refusals to the internet": Line(out * rate, f"{out:,.0f} GB × {rate:g}"),
    }


def bears(size: dict) -> float:
    """Refusals a second beside the peak of good requests, with one task gone: docs/capacity.md."""
    left = (size["tasks"] - 1) * size["vcpu"] * a.USED * 1e6
    return max(0.0, (left - a.PEAK * size["rps"] * a.PASS_US) / a.REFUSE_US)

"""What the load balancer lets through, and what it tells weir."""
from .registry import rule


@rule("no-smuggling", "Ambiguous requests and invalid header fields end at the load balancer.")
def no_smuggling(plan):
    for one in plan.of("aws_lb"):
        if one["desync_mitigation_mode"] not in ("defensive", "strictest"):
            yield one.address, "passes ambiguous requests on: desync_mitigation_mode defensive or strictest"
        if not one["drop_invalid_header_fields"]:
            yield one.address, "passes invalid header fields on: drop_invalid_header_fields = true"


@rule("client-address-told", "weir learns each client's address and port from the load balancer.")
def client_address_told(plan):
    for one in plan.of("aws_lb"):
        if one["xff_header_processing_mode"] not in ("append", None):
            yield one.address, "does not tell clients' addresses: xff_header_processing_mode = \"append\""
        if not one["enable_xff_client_port"]:
            yield one.address, "does not tell clients' ports: enable_xff_client_port = true"


@rule("left-alone", "A plan takes back nothing that weir, a rollout or autoscaling has written.")
def left_alone(plan):
    waf = plan.config.get("waf", {})
    ours = {*waf.get("ipv4_sets", []), *waf.get("ipv6_sets", [])}
    for one in plan.resources:
        before, after = one.change.get("before") or {}, one.change.get("after") or {}
        if "update" not in one.change.get("actions", []):
            continue
        watched = ()
        if one.kind == "aws_wafv2_ip_set" and one["name"] in ours:
            watched = ("addresses",)
        elif one.kind == "aws_lb_listener" and before["default_action"][0]["type"] == "forward":
            watched = ("default_action",)
        elif one.kind == "aws_ecs_service":
            watched = ("desired_count", "task_definition") if one.blocks("load_balancer") else ("desired_count",)
        for key in watched:
            if before.get(key) != after.get(key):
                yield one.address, f"would take back {key}, which others write: ignore_changes"

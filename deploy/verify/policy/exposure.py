"""Who can be reached from where."""
from .plan import UNKNOWN
from .registry import rule

EVERYBODY = {"0.0.0.0/0", "::/0"}
ADMIN = (9901, 9901)
# The default of aviatrix.port.
SYSLOG = 5140
CLOSED = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")


def ingress(plan):
    """(address, the group, where from: groups, networks, ports) of each rule that lets something in."""
    for one in plan.of("aws_vpc_security_group_ingress_rule"):
        networks = {n for n in (one["cidr_ipv4"], one["cidr_ipv6"], one["prefix_list_id"]) if n}
        yield one.address, one["security_group_id"], one["referenced_security_group_id"], networks, (one["from_port"], one["to_port"])
    for one in plan.of("aws_security_group_rule"):
        if one["type"] == "ingress":
            networks = set(one["cidr_blocks"] or []) | set(one["ipv6_cidr_blocks"] or []) | set(one["prefix_list_ids"] or [])
            yield one.address, one["security_group_id"], one["source_security_group_id"], networks, (one["from_port"], one["to_port"])


def groups(plan):
    """The security groups of the load balancer, weir, the backend and the store."""
    behind, inner = set(), set()
    for service in plan.of("aws_ecs_service"):
        (behind if service.blocks("load_balancer") else inner).update(service.block("network_configuration").get("security_groups") or [])
    found = {"load balancer": {g for one in plan.of("aws_lb") for g in one["security_groups"] or []}, "weir": behind, "backend": inner,
             "store": {g for one in plan.of("aws_elasticache_replication_group", "aws_elasticache_serverless_cache") for g in one["security_group_ids"] or []}}
    return {name: ids - {UNKNOWN} for name, ids in found.items()}


def public_subnets(plan):
    """Subnets with a way to an internet gateway."""
    tables = {one["route_table_id"] for one in plan.of("aws_route") if one["gateway_id"]}
    tables |= {one["id"] for one in plan.of("aws_route_table") for route in one.blocks("route") if str(route.get("gateway_id")).startswith("igw-")}
    return {one["subnet_id"] for one in plan.of("aws_route_table_association") if one["route_table_id"] in tables} - {UNKNOWN}


@rule("no-public-task", "No task has a public address, and nothing gets one by starting in a subnet.")
def no_public_task(plan):
    for one in plan.of("aws_ecs_service"):
        if one.block("network_configuration").get("assign_public_ip"):
            yield one.address, "its tasks get public addresses: assign_public_ip = false"
    for one in plan.of("aws_subnet"):
        if one["map_public_ip_on_launch"]:
            yield one.address, "what starts here gets a public address: map_public_ip_on_launch = false"


@rule("private-subnets", "Tasks and the store are in subnets without a way from the internet.")
def private_subnets(plan):
    public = public_subnets(plan)
    for one in plan.of("aws_ecs_service", "aws_elasticache_subnet_group"):
        subnets = one["subnet_ids"] if one.kind != "aws_ecs_service" else one.block("network_configuration").get("subnets")
        if public & set(subnets or []):
            yield one.address, "is in a subnet that an internet gateway serves"


@rule("open-doors", "Only the load balancer is open to everybody, on ports 80 and 443; no rule lets everything out.")
def open_doors(plan):
    doors = groups(plan)["load balancer"]
    for address, group, _, networks, ports in ingress(plan):
        if networks & EVERYBODY and not (group in doors | {UNKNOWN} and ports in ((80, 80), (443, 443))):
            yield address, f"ports {ports[0]} to {ports[1]} are open to everybody"
    for one in plan.of("aws_vpc_security_group_egress_rule"):
        if one["ip_protocol"] == "-1" and {one["cidr_ipv4"], one["cidr_ipv6"]} & EVERYBODY:
            yield one.address, "lets everything out: name a port and a destination"
    for address, names in plan.written("aws_security_group"):
        if names & {"ingress", "egress"}:
            yield address, "holds rules in itself: write each as a resource of its own, or they can't be judged"


@rule("one-way-in", "Only the load balancer reaches weir, declared operators its admin address, and declared gateways its syslog port; only weir reaches the backend and the store.")
def one_way_in(plan):
    of, operators = groups(plan), set(plan.variable("operator_security_group_ids") or [])
    aviatrix = plan.variable("aviatrix") or {"sources": []}
    syslog, gateways = (aviatrix.get("port", SYSLOG),) * 2, set(aviatrix["sources"])
    before = {"weir": of["load balancer"], "backend": of["weir"], "store": of["weir"]}
    for inner, outer in before.items():
        if of[inner] & (of["load balancer"] | set().union(*(of[name] for name in before if name != inner))):
            yield f"security groups of {inner}", "are also somebody else's: each has a group of its own"
        for address, group, source, networks, ports in ingress(plan):
            if inner == "weir" and source in operators and ports == ADMIN and not networks:
                continue
            if inner == "weir" and networks and networks <= gateways and ports == syslog and not source:
                continue
            if group in of[inner] and (networks or source not in outer | {UNKNOWN}):
                yield address, f"lets somebody else than it should reach the {inner}"


@rule("private-buckets", "No bucket can be opened to the public.")
def private_buckets(plan):
    closed = {one["bucket"] for one in plan.of("aws_s3_bucket_public_access_block") if all(one[key] for key in CLOSED)}
    for one in plan.of("aws_s3_bucket"):
        if not {one["id"], one["bucket"]} & closed:
            yield one.address, "lacks a aws_s3_bucket_public_access_block that closes all four ways"

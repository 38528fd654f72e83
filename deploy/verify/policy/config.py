"""Whether weir's config, as Terraform writes it, fits what stands around it."""
import ipaddress

from .encryption import leaves
from .plan import seconds
from .registry import rule


@rule("keepalive-outlives", "weir keeps an idle connection for longer than the load balancer does: who closes last makes no 502.")
def keepalive_outlives(plan):
    keepalive = seconds(plan.config.get("listen", {}).get("keepalive_timeout", "75s"))
    for one in plan.of("aws_lb"):
        if (one["idle_timeout"] or 60) >= keepalive:
            yield one.address, f"idle_timeout {one['idle_timeout']} s is not below weir's keepalive_timeout, {keepalive:.0f} s"


@rule("trusted-proxies", "weir believes nobody's word on a client's address but the load balancer's.")
def trusted_proxies(plan):
    client = plan.config.get("client", {})
    subnets = [ipaddress.ip_network(one[key]) for one in plan.of("aws_subnet") for key in ("cidr_block", "ipv6_cidr_block") if isinstance(one[key], str) and "/" in one[key]]
    known = [*subnets, ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")]
    for text in client.get("trusted_proxies", []):
        network = ipaddress.ip_network(text)
        if not any(network.version == one.version and network.subnet_of(one) for one in known):
            yield "weir's config", f"client.trusted_proxies: {text} is no subnet of ours"
    if plan.config and client.get("address_from") not in ("x-forwarded-for", "cloudfront-viewer-address"):
        yield "weir's config", "client.address_from: behind a load balancer it is x-forwarded-for, or all clients are one"


@rule("secrets-given", "Each secret that weir's config takes from a variable is given to its container.")
def secrets_given(plan):
    given = {secret["name"] for _, container in plan.containers() if container["name"] in plan.doors() for secret in container.get("secrets") or []}
    for path, value in leaves(plan.config):
        if isinstance(value, str) and value.startswith("env:") and value[4:] not in given:
            yield "weir's config", f"{path} = {value}, and the container gets no secret {value[4:]}"


@rule("admin-closed", "weir's admin address asks for a token, or is on loopback.")
def admin_closed(plan):
    admin = plan.config.get("admin", {})
    host = admin.get("address", "127.0.0.1:9901").rsplit(":", 1)[0].strip("[]")
    if host != "localhost" and not ipaddress.ip_address(host).is_loopback and not admin.get("token_file"):
        yield "weir's config", "admin.address is not on loopback, and admin.token_file is missing"

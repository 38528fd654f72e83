"""What lies or travels encrypted, and what must not lie in the open."""
import re

from .plan import UNKNOWN
from .registry import rule

AT_REST = {
    "aws_cloudwatch_log_group": "kms_key_id", "aws_sns_topic": "kms_master_key_id", "aws_secretsmanager_secret": "kms_key_id",
    "aws_cloudtrail": "kms_key_id", "aws_lambda_function": "kms_key_arn", "aws_appconfig_configuration_profile": "kms_key_identifier",
    "aws_elasticache_replication_group": "kms_key_id", "aws_elasticache_serverless_cache": "kms_key_id",
}
SECRET = re.compile(r"(?i)(secret|password|passwd|token|credential|api_?key|private_?key)s?$")
POLICIES = {"aws_s3_bucket": ("aws_s3_bucket_policy", "bucket"), "aws_sns_topic": ("aws_sns_topic_policy", "arn"),
            "aws_sqs_queue": ("aws_sqs_queue_policy", "queue_url")}


@rule("encrypted-at-rest", "What is kept is encrypted, with our key where the service takes one; the key is rotated.")
def encrypted_at_rest(plan):
    for one in plan.of(*AT_REST):
        if not one[AT_REST[one.kind]]:
            yield one.address, f"is not encrypted with our key: set {AT_REST[one.kind]}"
    for one in plan.of("aws_sqs_queue"):
        if not (one["sqs_managed_sse_enabled"] or one["kms_master_key_id"]):
            yield one.address, "is not encrypted: set sqs_managed_sse_enabled or kms_master_key_id"
    for one in plan.of("aws_kms_key"):
        if not one["enable_key_rotation"]:
            yield one.address, "is never rotated: set enable_key_rotation"
    for one in plan.of("aws_elasticache_replication_group"):
        if str(one["at_rest_encryption_enabled"]).lower() == "false":
            yield one.address, "is not encrypted: set at_rest_encryption_enabled"
    buckets = {one["bucket"] for one in plan.of("aws_s3_bucket_server_side_encryption_configuration")}
    for one in plan.of("aws_s3_bucket"):
        if not {one["id"], one["bucket"]} & buckets:
            yield one.address, "says nothing of its encryption: add aws_s3_bucket_server_side_encryption_configuration"


@rule("encrypted-in-transit", "Clients and the store are spoken to by TLS, with no protocol below 1.2.")
def encrypted_in_transit(plan):
    for one in plan.of("aws_lb_listener"):
        if one["protocol"] == "HTTP" and one.block("default_action").get("type") != "redirect":
            yield one.address, "passes requests on without TLS: redirect them to HTTPS"
        if one["protocol"] == "HTTPS" and not re.match(r"ELBSecurityPolicy-TLS13-1-[23]-", str(one["ssl_policy"])):
            yield one.address, f"{one['ssl_policy']} is no policy with TLS 1.3 and nothing below 1.2: ELBSecurityPolicy-TLS13-1-2-…"
    for one in plan.of("aws_elasticache_replication_group"):
        if not one["transit_encryption_enabled"] or one["transit_encryption_mode"] == "preferred":
            yield one.address, "speaks without TLS too: transit_encryption_enabled = true, transit_encryption_mode = \"required\""


@rule("tls-only", "Buckets, topics and queues that have a policy refuse requests without TLS.")
def tls_only(plan):
    """Each policy, not each resource: without a policy only the account's own principals come in."""
    kinds = {kind for kind, _ in POLICIES.values()}
    for one in plan.of(*kinds):
        document = one.document("policy")
        denied = [s for s in (document or {}).get("Statement", []) if s.get("Effect") == "Deny" and s.get("Principal") in ("*", {"AWS": "*"})
                  and s.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport") == "false"]
        if document is not None and not denied:
            yield one.address, "lets requests without TLS in: deny where aws:SecureTransport is false"
    named = {one["bucket"] for one in plan.of("aws_s3_bucket_policy")}
    for one in plan.of("aws_s3_bucket"):
        if not {one["id"], one["bucket"]} & named:
            yield one.address, "has no policy, so requests without TLS come in: deny them"


def leaves(value, path=""):
    """(path, value) of everything in a config."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from leaves(inner, f"{path}[{number}]")
    else:
        yield path, value


@rule("no-open-secrets", "No secret stands in a variable of a container, in weir's config or in Terraform's state.")
def no_open_secrets(plan):
    for one, container in plan.containers():
        for variable in container.get("environment") or []:
            if SECRET.search(variable["name"]):
                yield one.address, f"container {container['name']} has {variable['name']} in the open: use secrets"
        for secret in container.get("secrets") or []:
            if ":secretsmanager:" not in secret["valueFrom"] and ":ssm:" not in secret["valueFrom"] and ":stub:" not in secret["valueFrom"]:
                yield one.address, f"container {container['name']}: {secret['name']} comes from neither Secrets Manager nor SSM"
    for path, value in leaves(plan.config):
        if SECRET.search(path) and value:
            yield "weir's config", f"{path} is written out: use {path}_file"
    for one in plan.of("aws_secretsmanager_secret_version"):
        if one["secret_string"] or one["secret_binary"]:
            if UNKNOWN not in (one["secret_string"], one["secret_binary"]):
                yield one.address, "leaves the secret in Terraform's state: use secret_string_wo"
    for one in plan.of("aws_elasticache_user"):
        if one["passwords"]:
            yield one.address, "leaves the password in Terraform's state: use passwords_wo"
        if one["no_password_required"] or (one.block("authentication_mode").get("type") == "no-password-required" and not str(one["access_string"]).startswith("off ")):
            yield one.address, "lets anybody in without a password"

"""What the stub says of its own: values of data sources that modules count on, and values that AWS would refuse."""
import json
import re

DATA = {
    "aws_caller_identity": {"account_id": "123456789012", "arn": "arn:aws:iam::123456789012:role/verify"},
    "aws_partition": {"partition": "aws", "dns_suffix": "amazonaws.com"},
    "aws_region": {"name": "us-east-1", "region": "us-east-1"},
    "aws_availability_zones": {"names": ["us-east-1a", "us-east-1b", "us-east-1c"]},
}
# Fargate's pairs: CPU units to the memory (MiB) that goes with them.
FARGATE = {256: [512, 1024, 2048], 512: range(1024, 4097, 1024), 1024: range(2048, 8193, 1024),
           2048: range(4096, 16385, 1024), 4096: range(8192, 30721, 1024), 8192: range(16384, 61441, 4096),
           16384: range(32768, 122881, 8192)}
NAMES = {  # What a name may be.
    ("aws_lb", "name"): r"(?!internal-)[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?",
    ("aws_lb_target_group", "name"): r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?",
    ("aws_elasticache_replication_group", "replication_group_id"): r"[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?",
    ("aws_s3_bucket", "bucket"): r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
    ("aws_iam_role", "name"): r"[\w+=,.@-]{1,64}",
    ("aws_sqs_queue", "name"): r"[A-Za-z0-9_-]{1,80}(\.fifo)?",
}
# What may stand in the description of a security group and its rules.
DESCRIPTION = r"[A-Za-z0-9 ._:/()#,@\[\]+=&;{}!$*-]{0,255}"
RETENTION = {0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}


def data(kind):
    return DATA.get(kind, {})


def faults(kind, config):
    """What is wrong with a resource's values, as far as they are known."""
    for (of, key), pattern in NAMES.items():
        value = config.get(key)
        if of == kind and isinstance(value, str) and not re.fullmatch(pattern, value):
            yield f"{key}: {value!r} is no name that AWS takes"
    if kind == "aws_ecs_task_definition":
        cpu, memory = config.get("cpu"), config.get("memory")
        if isinstance(cpu, str) and isinstance(memory, str) and int(memory) not in FARGATE.get(int(cpu), []):
            yield f"memory: Fargate has no {memory} MiB with {cpu} CPU units"
    if kind == "aws_cloudwatch_log_group" and config.get("retention_in_days") is not None:
        days = config["retention_in_days"]
        if isinstance(days, (int, float)) and days not in RETENTION:
            yield f"retention_in_days: CloudWatch does not take {days}"
    description = config.get("description")
    if "security_group" in kind and isinstance(description, str) and not re.fullmatch(DESCRIPTION, description):
        yield f"description: EC2 does not take {description!r}"
    for key in ("policy", "assume_role_policy", "access_policy"):
        value = config.get(key)
        # What ECR calls a lifecycle policy has rules and no statements.
        if isinstance(value, str) and kind != "aws_ecr_lifecycle_policy":
            yield from policy_faults(key, value)


def policy_faults(key, text):
    try:
        statements = json.loads(text)["Statement"]
    except (ValueError, KeyError, TypeError):
        yield f"{key}: no policy document"
        return
    for one in statements if isinstance(statements, list) else [statements]:
        unknown = set(one) - {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal",
                              "NotPrincipal", "Condition"}
        if unknown:
            yield f"{key}: a statement has no {', '.join(sorted(unknown))}"
        if one.get("Effect") not in ("Allow", "Deny"):
            yield f"{key}: Effect is Allow or Deny"

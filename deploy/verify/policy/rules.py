"""Our own rules over a plan's JSON. Each yields (address, what is wrong); RULES at the end lists them.

Exceptions stand in EXCEPTIONS with their reason, so that none goes unexplained."""
import json
import re

# Calls that have no resource to bind them to (AWS's service authorization reference says so).
NO_RESOURCE = {"ecr:GetAuthorizationToken", "cloudwatch:PutMetricData", "wafv2:ListIPSets", "ec2:DescribeSecurityGroups",
               "elasticloadbalancing:DescribeLoadBalancers", "elasticloadbalancing:DescribeListeners",
               "config:PutEvaluations"}
EXCEPTIONS = {
    ("encryption", "aws_ssm_parameter"): "the config holds no secret, and weir would pay a Decrypt a poll and task",
    ("wildcards", "aws_kms_key"): "the account's root administers its key, as AWS documents; without it nobody could",
}


def resources(plan):
    """Every managed resource that will stand, of all modules: (address, type, values)."""
    def walk(module):
        for one in module.get("resources", []):
            if one["mode"] == "managed":
                yield one["address"], one["type"], one["values"]
        for child in module.get("child_modules", []):
            yield from walk(child)
    return list(walk(plan["planned_values"]["root_module"]))


def listed(value):
    return value if isinstance(value, list) else [] if value is None else [value]


def first(value):
    return (value or [{}])[0] or {}


def statements(values):
    for key in ("policy", "assume_role_policy"):
        if str(values.get(key)).startswith("{"):
            for one in listed(json.loads(values[key])["Statement"]):
                yield one


def no_public_task(all_, production):
    for address, kind, values in all_:
        if kind == "aws_ecs_service" and first(values.get("network_configuration")).get("assign_public_ip"):
            yield address, "its tasks get public addresses"
        if kind == "aws_subnet" and values.get("map_public_ip_on_launch"):
            yield address, "what starts here gets a public address"
        if kind == "aws_vpc_security_group_ingress_rule" and values.get("cidr_ipv4") == "0.0.0.0/0":
            if '"http' not in address or values.get("from_port") not in (80, 443):
                yield address, f"port {values.get('from_port')} is open to everybody"


def no_wildcard_rights(all_, production):
    for address, kind, values in all_:
        identity = kind.startswith("aws_iam_")
        for one in statements(values):
            if one["Effect"] != "Allow" or (kind == "aws_kms_key" and one.get("Sid") == "AccountAdministers"):
                continue
            actions, everybody = listed(one.get("Action")), one.get("Principal") in ("*", {"AWS": "*"})
            if one.get("NotAction") or (identity and any("*" in action for action in actions)):
                yield address, f"actions are not written out: {actions}"
            if identity and "*" in listed(one.get("Resource")):
                unbound = sorted(set(actions) - NO_RESOURCE)
                if unbound:
                    yield address, f"on everything: {', '.join(unbound)}"
            if everybody and not one.get("Condition"):
                yield address, "anybody may, without a condition"
            if "cloudwatch:PutMetricData" in actions and not one.get("Condition"):
                yield address, "may write metrics of others"


def encrypted(all_, production):
    wanted = {
        "aws_cloudwatch_log_group": lambda v: v.get("kms_key_id"), "aws_sns_topic": lambda v: v.get("kms_master_key_id"),
        "aws_sqs_queue": lambda v: v.get("sqs_managed_sse_enabled") or v.get("kms_master_key_id"),
        "aws_secretsmanager_secret": lambda v: v.get("kms_key_id"), "aws_cloudtrail": lambda v: v.get("kms_key_id"),
        "aws_elasticache_replication_group": lambda v: str(v.get("at_rest_encryption_enabled")).lower() == "true"
        and v.get("kms_key_id") and v.get("transit_encryption_enabled") and v.get("transit_encryption_mode") == "required",
        "aws_kms_key": lambda v: v.get("enable_key_rotation"), "aws_lambda_function": lambda v: v.get("kms_key_arn"),
        "aws_appconfig_configuration_profile": lambda v: v.get("kms_key_identifier"),
    }
    buckets = {v["bucket"] for _, k, v in all_ if k == "aws_s3_bucket_server_side_encryption_configuration"}
    for address, kind, values in all_:
        if kind in wanted and not wanted[kind](values):
            yield address, "is not encrypted as it must be"
        if kind == "aws_s3_bucket" and not ({values.get("id"), values.get("bucket")} & buckets):
            yield address, "has no encryption of its own"
        if kind == "aws_lb_listener" and values["protocol"] == "HTTP" and first(values["default_action"])["type"] != "redirect":
            yield address, "passes requests without TLS"
        if kind == "aws_lb_listener" and values["protocol"] == "HTTPS" and "TLS13" not in (values.get("ssl_policy") or ""):
            yield address, "lets old TLS in"


def logged(all_, production):
    kinds = {kind for _, kind, _ in all_}
    for need, why in (("aws_flow_log", "the VPC"), ("aws_wafv2_web_acl_logging_configuration", "the web ACL"),
                      ("aws_cloudtrail", "the account")):
        if need not in kinds:
            yield need, f"{why} has no log"
    for address, kind, values in all_:
        if kind == "aws_lb" and not all(first(values.get(k)).get("enabled") for k in ("access_logs", "connection_logs")):
            yield address, "has no access or connection log"
        if kind == "aws_cloudwatch_log_group" and not values.get("retention_in_days"):
            yield address, "is kept for ever"
        if kind == "aws_wafv2_web_acl_logging_configuration":
            hidden = {first(f.get("single_header")).get("name") for f in values.get("redacted_fields", [])}
            if not {"authorization", "cookie"} <= hidden:
                yield address, "writes what a reader could act with: authorization, cookie"
        for one in json.loads(values["container_definitions"]) if kind == "aws_ecs_task_definition" else []:
            if not one.get("logConfiguration"):
                yield address, f"container {one['name']} has no log"


def hardened(all_, production):
    for address, kind, values in all_:
        for one in json.loads(values["container_definitions"]) if kind == "aws_ecs_task_definition" else []:
            name = one["name"]
            if not one.get("readonlyRootFilesystem"):
                yield address, f"container {name} may write to its root"
            if one.get("privileged") or one.get("user", "0") == "0" and name != "prepare":
                yield address, f"container {name} runs as root"
            if first([one.get("linuxParameters")]).get("capabilities", {}).get("drop") != ["ALL"]:
                yield address, f"container {name} keeps capabilities"
            if re.search(r":latest$|^[^:@]+$", one["image"]):
                yield address, f"container {name}: the image says no version"
            for variable in one.get("environment", []):
                if re.search(r"(?i)(secret|password|token|key)$", variable["name"]):
                    yield address, f"container {name} has {variable['name']} in the open"
            if name != "prepare" and {"name": "nofile", "softLimit": 65535, "hardLimit": 65535} not in one.get("ulimits", []):
                yield address, f"container {name}: nofile is not 65535"
            if name == "weir" and one.get("stopTimeout", 30) <= 25:
                yield address, "weir is killed before it has drained"
        if kind == "aws_lb" and not (values.get("drop_invalid_header_fields") and values.get("desync_mitigation_mode") in ("defensive", "strictest")):
            yield address, "lets malformed requests through"
        if kind == "aws_lb" and values.get("xff_header_processing_mode") not in (None, "append"):
            yield address, "X-Forwarded-For does not end with what the load balancer saw"
        if kind == "aws_ecs_service":
            circuit = first(values.get("deployment_circuit_breaker"))
            if not (circuit.get("enable") and circuit.get("rollback")):
                yield address, "a bad deployment is not turned back"
            if values.get("enable_execute_command"):
                yield address, "lets people into its containers"


def guarded(all_, production):
    """The web ACL is in front, weir's sets in it block, and a public bucket or an open group there is not."""
    kinds = [kind for _, kind, _ in all_]
    if "aws_wafv2_web_acl_association" not in kinds:
        yield "aws_wafv2_web_acl_association", "no web ACL guards the load balancer"
    sets = {values["arn"] for _, kind, values in all_ if kind == "aws_wafv2_ip_set"}
    for address, kind, values in all_:
        if kind == "aws_wafv2_web_acl":
            blocking = {first(first(rule["statement"]).get("ip_set_reference_statement")).get("arn")
                        for rule in values["rule"] if first(rule.get("action")).get("block")}
            if not sets <= blocking:
                yield address, "some of weir's sets do not block"
            groups = {first(first(rule["statement"]).get("managed_rule_group_statement")).get("name") for rule in values["rule"]}
            for name in ("CommonRuleSet", "SQLiRuleSet", "AmazonIpReputationList"):
                if f"AWSManagedRules{name}" not in groups:
                    yield address, f"lacks the group {name}"
    public = {v["bucket"] for _, k, v in all_ if k == "aws_s3_bucket_public_access_block" and all(
        v[x] for x in ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"))}
    for address, kind, values in all_:
        if kind == "aws_s3_bucket" and not ({values.get("id"), values.get("bucket")} & public):
            yield address, "is not closed to the public"


def protected(all_, production):
    if not production:
        return
    for address, kind, values in all_:
        if kind == "aws_lb" and not values.get("enable_deletion_protection"):
            yield address, "can be deleted"
        if kind == "aws_s3_bucket" and values.get("force_destroy"):
            yield address, "goes with all that is in it"
        if kind == "aws_secretsmanager_secret" and not values.get("recovery_window_in_days"):
            yield address, "can't be called back"
        if kind == "aws_elasticache_replication_group" and not (values.get("multi_az_enabled") and values.get("automatic_failover_enabled") and values.get("final_snapshot_identifier")):
            yield address, "a zone lost, or a deletion, takes the store"
        if kind == "aws_s3_bucket_object_lock_configuration" and first(first(values["rule"])["default_retention"])["mode"] != "COMPLIANCE":
            yield address, "the record can be shortened"
        if kind == "aws_appautoscaling_target" and values["max_capacity"] < 2:
            yield address, "one task is no service"


def tagged(all_, production):
    for address, kind, values in all_:
        for key in ("name", "bucket", "family", "function_name", "alarm_name", "replication_group_id"):
            value = values.get(key)
            if isinstance(value, str) and kind in ("aws_lb", "aws_ecs_cluster", "aws_ecs_service", "aws_s3_bucket", "aws_sqs_queue", "aws_sns_topic", "aws_iam_role", "aws_lambda_function", "aws_elasticache_replication_group") and not value.startswith("weir-"):
                yield address, f"is called {value}; names begin with weir-"


RULES = {"public": no_public_task, "wildcards": no_wildcard_rights, "encryption": encrypted, "logs": logged,
         "hardening": hardened, "guard": guarded, "protection": protected, "names": tagged}


def judge(plan, production):
    """All that is wrong: (rule, address, what)."""
    all_ = resources(plan)
    return [(name, address, what) for name, rule in RULES.items() for address, what in rule(all_, production)]

"""Cases of the rules on logs, containers, weir's config and what outlives a mistake."""
from .fragment import Case, config, resource, task

LOGS = {"access_logs": [{"enabled": True}], "connection_logs": [{"enabled": True}]}
HARD = {"readonlyRootFilesystem": True, "user": "65532", "linuxParameters": {"capabilities": {"drop": ["ALL"], "add": []}}}
AWSLOGS = {"logDriver": "awslogs", "options": {"mode": "non-blocking"}}
TRAIL = {"is_multi_region_trail": True, "enable_log_file_validation": True}
BREAKER = {"deployment_circuit_breaker": [{"enable": True, "rollback": True}]}
STORE = {"multi_az_enabled": True, "automatic_failover_enabled": True, "snapshot_retention_limit": 7, "final_snapshot_identifier": "f"}
LOCK = resource("aws_s3_bucket_object_lock_configuration", rule=[{"default_retention": [{"mode": "COMPLIANCE"}]}])
SUBNET = resource("aws_subnet", cidr_block="10.0.1.0/24")


def fields(*names):
    return resource("aws_wafv2_web_acl_logging_configuration", redacted_fields=[{"single_header": [{"name": name}]} for name in names])


def filtered(default, *filters):
    """A web ACL that blocks by a rate, and its log: (behaviour, label) of each filter."""
    label = "awswaf:123456789012:webacl:weir:"
    rate = {"name": "rate", "action": [{"block": [{}]}], "rule_label": [{"name": "weir:rate"}], "statement": [{"rate_based_statement": [{"limit": 600}]}]}
    told = [{"behavior": behaviour, "condition": [{"label_name_condition": [{"label_name": label + name}]}]} for behaviour, name in filters]
    return [resource("aws_wafv2_web_acl", name="weir", rule=[rate]),
            resource("aws_wafv2_web_acl_logging_configuration", logging_filter=[{"default_behavior": default, "filter": told}])]


def insights(value):
    return resource("aws_ecs_cluster", setting=[{"name": "containerInsights", "value": value}])


CASES = {
    "network-logged": Case([resource("aws_flow_log", traffic_type="ALL"), resource("aws_lb", **LOGS), resource("aws_wafv2_web_acl"), fields()], {
        "flows are not logged": [resource("aws_flow_log", traffic_type="REJECT")],
        "no connection_logs": [resource("aws_flow_log", traffic_type="ALL"), resource("aws_lb", **{**LOGS, "connection_logs": [{"enabled": False}]})],
        "verdicts": [resource("aws_wafv2_web_acl")]}),
    "redacted": Case([fields("authorization", "cookie")], {"writes cookie": [fields("authorization")]}),
    "floods-affordable": Case(filtered("KEEP", ("DROP", "weir:rate")), {
        "every request: add": [fields("authorization")], "keeps and drops": filtered("DROP", ("KEEP", "other"), ("DROP", "weir:rate")),
        "that rule rate blocks": filtered("KEEP", ("DROP", "weir:ban"))}),
    "account-logged": Case([resource("aws_cloudtrail", **TRAIL)], {
        "nobody writes": [], "validation is off": [resource("aws_cloudtrail", **{**TRAIL, "enable_log_file_validation": None})],
        "records nothing": [resource("aws_cloudtrail", **TRAIL, enable_logging=False)]}),
    "tasks-logged": Case([*task(logConfiguration=AWSLOGS), insights("enhanced")], {
        "has no log": task(), "waits where": task(logConfiguration={"logDriver": "awslogs"}), "Container Insights": [insights("disabled")]}),
    "retention": Case([resource("aws_cloudwatch_log_group", retention_in_days=90), resource("aws_s3_bucket", id="b"),
                       resource("aws_s3_bucket_lifecycle_configuration", bucket="b")], {
        "for ever: set": [resource("aws_cloudwatch_log_group")], "after 30 days": [resource("aws_cloudwatch_log_group", retention_in_days=30)],
        "everything for ever": [resource("aws_s3_bucket", id="b")]}),
    "hardened": Case([*task(**HARD), resource("aws_ecs_service", "y", enable_execute_command=False)], {
        "may write": task(**{**HARD, "readonlyRootFilesystem": False}), "as root: give": task(**{**HARD, "user": "0:0"}),
        "runs as root": task(**{**HARD, "user": ""}), "capabilities": task(**{**HARD, "linuxParameters": {"capabilities": {"drop": ["ALL"], "add": ["NET_RAW"]}}}),
        "lets people in": [resource("aws_ecs_service", enable_execute_command=True)]}),
    "images-named": Case(task(image="registry.example:5000/weir@sha256:" + "0" * 64), {
        "weir:latest says": task(image="registry.example/weir:latest"), "says no version": task(image="registry.example:5000/weir")}),
    "open-files": Case(task(ulimits=[{"name": "nofile", "softLimit": 65535, "hardLimit": 65535}]), {
        "may open 1024": task(), "may open 4096": task(ulimits=[{"name": "nofile", "softLimit": 4096, "hardLimit": 65535}])}),
    "time-to-drain": Case([config('drain_timeout = "50s"'), *task(stopTimeout=60), resource("aws_lb_target_group", deregistration_delay="50")], {
        "stopTimeout 60": [config('drain_timeout = "1m"'), *task(stopTimeout=60)], "stopTimeout 20": task(stopTimeout=20),
        "stopTimeout 300": task(stopTimeout=300), "deregistration_delay 5": [resource("aws_lb_target_group", deregistration_delay="5")]}),
    "health-checked": Case(task(healthCheck={"command": ["CMD", "true"]}), {"no healthCheck": task()}),
    "bad-releases-end": Case([resource("aws_ecs_service", **BREAKER)], {
        "not turned back": [resource("aws_ecs_service", deployment_circuit_breaker=[{"enable": True, "rollback": False}])],
        "takes tasks away": [resource("aws_ecs_service", **BREAKER, deployment_minimum_healthy_percent=50)],
        "no alarm": [resource("aws_ecs_service", **BREAKER, load_balancer=[{}])]}),
    "kept-from-deletion": Case([LOCK, resource("aws_lb", enable_deletion_protection=True), resource("aws_secretsmanager_secret", recovery_window_in_days=30)], {
        "can be deleted": [LOCK, resource("aws_lb")], "force_destroy": [LOCK, resource("aws_s3_bucket", force_destroy=True)],
        "called back": [LOCK, resource("aws_secretsmanager_secret", recovery_window_in_days=0)],
        "encrypted along": [LOCK, resource("aws_kms_key", deletion_window_in_days=7)],
        "shorten": [resource("aws_s3_bucket_object_lock_configuration", rule=[{"default_retention": [{"mode": "GOVERNANCE"}]}])], "no bucket keeps": []}),
    "backed-up": Case([resource("aws_s3_bucket", id="b"), resource("aws_s3_bucket_versioning", bucket="b", versioning_configuration=[{"status": "Enabled"}]),
                       resource("aws_elasticache_replication_group", **STORE)], {
        "old versions": [resource("aws_s3_bucket", id="b"), resource("aws_s3_bucket_versioning", bucket="b", versioning_configuration=[{"status": "Suspended"}])],
        "no copy": [resource("aws_elasticache_replication_group", **{**STORE, "snapshot_retention_limit": 0})]}),
    "zones": Case([resource("aws_lb", subnets=["a", "b", "c"]), resource("aws_elasticache_replication_group", **STORE),
                   resource("aws_appautoscaling_target", min_capacity=0, max_capacity=9)], {
        "three zones": [resource("aws_lb", subnets=["a", "b"])],
        "is not in three": [resource("aws_ecs_service", network_configuration=[{"subnets": ["a", "a", "b"]}])],
        "takes the store": [resource("aws_elasticache_replication_group", **{**STORE, "multi_az_enabled": False})],
        "no service": [resource("aws_appautoscaling_target", min_capacity=1, max_capacity=9)]}),
    "names": Case([resource("aws_lb", name="weir-production")], {"is called edge": [resource("aws_lb", name="edge")]}),
    "config-is-toml": Case([config("")], {"is no TOML": [config('drain_timeout = "1s"\ndrain_timeout = "2s"')]}),
    "keepalive-outlives": Case([config('keepalive_timeout = "75s"'), resource("aws_lb", idle_timeout=60)], {
        "idle_timeout 60": [config('keepalive_timeout = "1m"'), resource("aws_lb", idle_timeout=60)]}),
    "trusted-proxies": Case([SUBNET, config('[client]\naddress_from = "x-forwarded-for"\ntrusted_proxies = ["10.0.1.0/24", "127.0.0.0/8"]')], {
        "0.0.0.0/0 is no subnet": [SUBNET, config('[client]\naddress_from = "x-forwarded-for"\ntrusted_proxies = ["0.0.0.0/0"]')],
        "all clients are one": [SUBNET, config('[client]\naddress_from = "peer"')]}),
    "secrets-given": Case([config('[admin]\ntoken_file = "env:TOKEN"'), *task(secrets=[{"name": "TOKEN", "valueFrom": "arn"}])], {
        "no secret TOKEN": [config('[admin]\ntoken_file = "env:TOKEN"'), *task()]}),
    "admin-closed": Case([config('[admin]\naddress = "0.0.0.0:9901"\ntoken_file = "env:TOKEN"')], {
        "token_file is missing": [config('[admin]\naddress = "0.0.0.0:9901"')]}),
}

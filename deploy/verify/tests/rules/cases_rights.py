"""Cases of the rules on rights and encryption."""
from .fragment import Case, allow, config, policy, resource, task

ROLE, QUEUE, BUCKET = "aws_iam_role_policy", "aws_sqs_queue_policy", "aws_s3_bucket_policy"
BY_US = {"StringEquals": {"aws:SourceAccount": "123456789012"}}
EVENTS = {"Service": "events.amazonaws.com"}
DENY = {"Effect": "Deny", "Principal": "*", "Action": ["sqs:*"], "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
STORE = {"kms_key_id": "k", "transit_encryption_enabled": True, "transit_encryption_mode": "required"}


def listener(**values):
    return resource("aws_lb_listener", **values)


CASES = {
    "actions-written-out": Case([policy(ROLE, allow()), policy("aws_kms_key", allow(["kms:*"]))], {
        "written out: ['s3:*']": [policy(ROLE, allow(["s3:*"]))], "['s3:Get*']": [policy(ROLE, allow(["s3:Get*"]))],
        "NotAction": [policy(ROLE, {"Effect": "Allow", "NotAction": ["iam:*"], "Resource": "*"})],
        "than anything": [resource("aws_iam_role_policy_attachment", policy_arn="arn:aws:iam::aws:policy/AdministratorAccess")],
        "gives more": [resource("aws_iam_role", managed_policy_arns=["arn:aws:iam::aws:policy/PowerUserAccess"])]}),
    "resources-written-out": Case([policy(ROLE, allow(), allow(["ecr:GetAuthorizationToken"], ["*"]))], {
        "everything: s3:GetObject": [policy(ROLE, allow(resources=["*"]))],
        "everything: sqs:SendMessage": [policy(ROLE, allow(["sqs:SendMessage"], ["arn:aws:sqs:us-east-1:123456789012:*"]))],
        "NotResource": [policy(ROLE, {"Effect": "Allow", "Action": ["s3:GetObject"], "NotResource": ["arn:aws:s3:::x"]})]}),
    "bound-services": Case([policy(QUEUE, allow(Principal=EVENTS, Condition=BY_US)), resource("aws_lambda_permission", source_account="123456789012")], {
        "events.amazonaws.com may act": [policy(QUEUE, allow(Principal=EVENTS))],
        "for any account: add aws:SourceAccount": [policy(QUEUE, allow(Principal=EVENTS, Condition={"StringEqualsIfExists": BY_US["StringEquals"]}))],
        "may call it": [resource("aws_lambda_permission", principal="config.amazonaws.com")]}),
    "nobody-is-everybody": Case([policy(QUEUE, allow(Principal="*", Condition={"StringEquals": {"aws:PrincipalAccount": "123456789012"}}), DENY)], {
        "anybody may": [policy(QUEUE, allow(Principal="*"))],
        "says who": [policy(QUEUE, allow(Principal={"AWS": "*"}, Condition={"Bool": {"aws:SecureTransport": "true"}}))]}),
    "own-metrics": Case([policy(ROLE, allow(["cloudwatch:PutMetricData"], Condition={"StringEquals": {"cloudwatch:namespace": "weir"}}))], {
        "metrics of others": [policy(ROLE, allow(["cloudwatch:PutMetricData"]))]}),
    "passed-roles": Case([policy(ROLE, allow(["iam:PassRole"], Condition={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}))], {
        "to any service": [policy(ROLE, allow(["iam:PassRole"]))]}),
    "encrypted-at-rest": Case([
        resource("aws_cloudwatch_log_group", kms_key_id="k"), resource("aws_sqs_queue", sqs_managed_sse_enabled=True),
        resource("aws_kms_key", enable_key_rotation=True), resource("aws_elasticache_replication_group", **STORE),
        resource("aws_sns_topic", unknown={"kms_master_key_id": True}),
        resource("aws_s3_bucket", id="b"), resource("aws_s3_bucket_server_side_encryption_configuration", bucket="b")], {
        "set kms_key_id": [resource("aws_cloudwatch_log_group")], "set kms_master_key_id": [resource("aws_sns_topic")],
        "sqs_managed_sse": [resource("aws_sqs_queue")], "never rotated": [resource("aws_kms_key")],
        "at_rest": [resource("aws_elasticache_replication_group", **STORE, at_rest_encryption_enabled="false")],
        "nothing of its encryption": [resource("aws_s3_bucket", id="b")]}),
    "encrypted-in-transit": Case([
        listener(protocol="HTTP", default_action=[{"type": "redirect"}]), listener(protocol="HTTPS", ssl_policy="ELBSecurityPolicy-TLS13-1-2-2021-06"),
        resource("aws_elasticache_replication_group", **STORE)], {
        "without TLS: redirect": [listener(protocol="HTTP", default_action=[{"type": "forward"}])],
        "nothing below 1.2": [listener(protocol="HTTPS", ssl_policy="ELBSecurityPolicy-2016-08")],
        "TLS13-1-0": [listener(protocol="HTTPS", ssl_policy="ELBSecurityPolicy-TLS13-1-0-2021-06")],
        "speaks without TLS": [resource("aws_elasticache_replication_group", **{**STORE, "transit_encryption_mode": "preferred"})]}),
    "tls-only": Case([policy(QUEUE, allow(), DENY), resource("aws_s3_bucket", id="b"), resource(BUCKET, bucket="b", unknown={"policy": True})], {
        "requests without TLS in": [policy(QUEUE, allow())], "has no policy": [resource("aws_s3_bucket", id="b")]}),
    "no-open-secrets": Case([
        *task(environment=[{"name": "WEIR_TOKEN_FILE", "value": "env:TOKEN"}], secrets=[{"name": "TOKEN", "valueFrom": "arn:aws:secretsmanager:x"}]),
        config('[admin]\ntoken_file = "env:TOKEN"'), resource("aws_secretsmanager_secret_version", secret_string_wo_version=1),
        resource("aws_elasticache_user", access_string="off -@all", authentication_mode=[{"type": "no-password-required"}])], {
        "WEIR_PASSWORD in the open": task(environment=[{"name": "WEIR_PASSWORD", "value": "x"}]),
        "neither Secrets Manager": task(secrets=[{"name": "TOKEN", "valueFrom": "hunter2"}]),
        "webhook_secret is written out": [config('[alerts]\nwebhook_secret = "x"')],
        "in Terraform's state": [resource("aws_secretsmanager_secret_version", secret_string="x")],
        "passwords_wo": [resource("aws_elasticache_user", passwords=["x"])],
        "without a password": [resource("aws_elasticache_user", access_string="on ~*", authentication_mode=[{"type": "no-password-required"}])]}),
}

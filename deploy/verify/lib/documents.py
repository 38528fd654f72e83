"""The documents that Terraform passes on as text without looking into them, held against models of AWS.

Policies and task definitions go to cfn-lint in a template of CloudFormation: it knows every action of AWS, every key of
a task definition and Fargate's pairs of CPU and memory. What it does not know is judged here."""
import json
import pathlib
import re
import tempfile

from policy.plan import Plan
from policy.rights import NO_RESOURCE

from . import terraform as tf
from . import tools

# Findings about CloudFormation's own ways, and I for information.
NOT_OURS = ("E3019", "W2", "W3005", "W3010", "W3045", "W1", "W4", "W6", "W7", "W8", "I")
BY_IDENTITY = ("AWS::IAM::ManagedPolicy", "PolicyDocument", {})
POLICIES = {
    "aws_s3_bucket_policy": ("AWS::S3::BucketPolicy", "PolicyDocument", {"Bucket": "bucket"}),
    "aws_sns_topic_policy": ("AWS::SNS::TopicPolicy", "PolicyDocument", {"Topics": ["arn:aws:sns:us-east-1:123456789012:topic"]}),
    "aws_sqs_queue_policy": ("AWS::SQS::QueuePolicy", "PolicyDocument", {"Queues": ["https://sqs.example/queue"]}),
    "aws_kms_key": ("AWS::KMS::Key", "KeyPolicy", {}),
    "aws_vpc_endpoint": ("AWS::EC2::VPCEndpoint", "PolicyDocument", {"VpcId": "vpc-12345678", "ServiceName": "com.amazonaws.us-east-1.s3"}),
}
PATTERN = {"source", "detail-type", "detail", "account", "region", "resources", "id", "time", "version"}
STEP = {"name", "action", "inputs", "onFailure", "isEnd", "isCritical", "nextStep", "outputs", "timeoutSeconds", "maxAttempts", "description", "onCancel"}


def capital(value):
    """The keys of ECS's API in CloudFormation's words."""
    if isinstance(value, dict):
        return {key[:1].upper() + key[1:]: inner if key in ("options", "dockerLabels", "driverOpts", "labels") else capital(inner) for key, inner in value.items()}
    return [capital(inner) for inner in value] if isinstance(value, list) else value


def task(one):
    return {"Type": "AWS::ECS::TaskDefinition", "Properties": {
        "Family": one["family"], "Cpu": one["cpu"], "Memory": one["memory"], "NetworkMode": one["network_mode"],
        "RequiresCompatibilities": one["requires_compatibilities"], "ContainerDefinitions": capital(one.document("container_definitions")),
        "Volumes": [{"Name": volume["name"]} for volume in one.blocks("volume")]}}


def policy(one, key):
    """A policy as the kind of resource that bears it: cfn-lint then knows which actions it may name."""
    kind, name, more = ("AWS::IAM::Role", "AssumeRolePolicyDocument", {}) if key == "assume_role_policy" else POLICIES.get(one.kind, BY_IDENTITY)
    return {"Type": kind, "Properties": {**more, name: one.document(key)}}


def template(plan):
    """(a template, resource's name in it → address)."""
    resources, of = {}, {}

    def add(one, body):
        of[f"R{len(of)}"] = one.address
        resources[f"R{len(resources)}"] = body
    for one in plan.resources:
        if one.kind == "aws_ecs_task_definition" and one.document("container_definitions"):
            add(one, task(one))
        for key in ("policy", "assume_role_policy"):
            if isinstance(one.document(key), dict):
                add(one, policy(one, key))
    return {"Resources": resources}, of


def linted(plan):
    """What cfn-lint says: (address, what), and how many documents it saw."""
    body, of = template(plan)
    with tempfile.TemporaryDirectory(prefix="weir-documents-") as folder:
        path = pathlib.Path(folder) / "plan.json"
        path.write_text(json.dumps(body))
        done = tools.call("lint", "cfn-lint", "-f", "json", path, cwd=folder)
    try:
        found = json.loads(done.stdout or "[]")
    except ValueError:
        raise tf.Failed(f"cfn-lint did not report: {done.stderr[-2000:]}") from None
    wrong = []
    for one in found:
        code, path = one["Rule"]["Id"], one["Location"]["Path"] or []
        if not code.startswith(NOT_OURS):
            place = ".".join(map(str, path[3:]))
            wrong.append((of.get(path[1] if len(path) > 1 else "", "template"), f"{place}: {one['Message'][:160]} ({code})"))
    return wrong, len(of)


def unbound_actions():
    """Calls that the rules take for bound to nothing, and AWS's reference does not."""
    reference = json.loads((tools.folder("lint") / "cfnlint/data/AdditionalSpecs/Policies.json").read_text())
    for action in sorted(NO_RESOURCE - {"cloudwatch:PutMetricData"}):
        service, name = action.split(":")
        held = reference.get(service, {}).get("Actions", {}).get(name.lower())
        if held is None:
            yield "policy/rights.py", f"NO_RESOURCE: there is no action {action}"
        elif held.get("Resources"):
            yield "policy/rights.py", f"NO_RESOURCE: {action} can be bound to {', '.join(held['Resources'])}"


def patterns(plan):
    for one in plan.of("aws_cloudwatch_event_rule"):
        for key in set(one.document("event_pattern") or {}) - PATTERN:
            yield one.address, f"event_pattern: no event has {key}; {', '.join(sorted(PATTERN))}"


def automation(plan):
    """SSM's automation documents: their shape, their scripts, and that they name only parameters that they have."""
    import yaml
    for one in plan.of("aws_ssm_document"):
        try:
            held = yaml.safe_load(one["content"])
        except yaml.YAMLError as error:
            yield one.address, f"is no YAML: {error}"
            continue
        if held.get("schemaVersion") != "0.3" or not held.get("assumeRole") or not held.get("mainSteps"):
            yield one.address, 'an automation has schemaVersion "0.3", assumeRole and mainSteps'
        named = set(held.get("parameters", {}))
        for missing in sorted(set(re.findall(r"\{\{ *(\w+) *\}\}", one["content"])) - named):
            yield one.address, f"{{{{ {missing} }}}}: there is no such parameter"
        for name, parameter in held.get("parameters", {}).items():
            if parameter.get("type") == "String" and not {"allowedPattern", "allowedValues"} & set(parameter):
                yield one.address, f"parameter {name} takes anything: allowedPattern or allowedValues"
        for step in held.get("mainSteps", []):
            for key in set(step) - STEP:
                yield one.address, f"step {step.get('name')}: there is no key {key}"
            script = (step.get("inputs") or {}).get("Script")
            if script:
                try:
                    tree = compile(script, "script", "exec")
                    if step["inputs"]["Handler"] not in tree.co_names:
                        yield one.address, f"step {step['name']}: the script has no {step['inputs']['Handler']}"
                except SyntaxError as error:
                    yield one.address, f"step {step['name']}: {error}"


def dashboards(plan):
    """No schema of CloudWatch's dashboards exists: widgets have a kind, fit 24 columns, and name metrics as pairs."""
    for one in plan.of("aws_cloudwatch_dashboard"):
        for number, widget in enumerate((one.document("dashboard_body") or {}).get("widgets") or [{}]):
            at = f"widget {number}"
            if widget.get("type") not in ("metric", "text", "log", "alarm", "explorer"):
                yield one.address, f"{at}: type {widget.get('type')}: metric, text, log, alarm or explorer"
            if widget.get("x", 0) + widget.get("width", 6) > 24:
                yield one.address, f"{at}: is wider than the 24 columns"
            for metric in widget.get("properties", {}).get("metrics") or []:
                words = [word for word in metric if not isinstance(word, dict)]
                if words and (len(words) % 2 or len(words) < 2 or not all(isinstance(word, str) and word for word in words)):
                    yield one.address, f"{at}: {words}: a namespace, a metric, then names and values of dimensions"


def alarms(plan):
    """An alarm is on a metric or on queries of which one is judged; what its actions name is an ARN."""
    for one in plan.of("aws_cloudwatch_metric_alarm"):
        queries = one.blocks("metric_query")
        if bool(one["metric_name"]) == bool(queries):
            yield one.address, "has neither a metric nor queries, or both"
        if queries and sum(bool(query.get("return_data")) for query in queries) != 1 and not one["threshold_metric_id"]:
            yield one.address, "of its queries exactly one is judged: return_data"
        if one["alarm_description"] in (None, ""):
            yield one.address, "says not what it means: alarm_description"
    for one in plan.of("aws_cloudwatch_composite_alarm"):
        known = {alarm["alarm_name"] for alarm in plan.of("aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm")}
        for name in set(re.findall(r'(?:ALARM|OK|INSUFFICIENT_DATA)\("?([^")]+)"?\)', str(one["alarm_rule"]))) - known:
            yield one.address, f"alarm_rule names {name}, which is not there"


def findings(made):
    """All that is wrong with a plan's documents, and how many there are."""
    plan = Plan(made)
    wrong, held = linted(plan)
    for look in (patterns, automation, dashboards, alarms):
        wrong += look(plan)
    kinds = ("aws_cloudwatch_event_rule", "aws_ssm_document", "aws_cloudwatch_dashboard", "aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm")
    return wrong, held + len(plan.of(*kinds))


def check(made):
    """How many documents were held, or Failed with what is wrong."""
    wrong, held = findings(made)
    if wrong:
        raise tf.Failed("\n".join(f"{address}: {what}" for address, what in wrong))
    return held

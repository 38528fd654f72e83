"""What watches, asked at the API: alarms, findings, trail, Config, what operators have, what it may cost."""
import json

from . import terraform as tf


def check(api, prefix, outputs):
    findings(api, prefix)
    alarms(api, prefix, outputs)
    trail(api, prefix)
    config(api, prefix)
    operations(api, prefix)


def findings(api, prefix):
    """GuardDuty's findings go by EventBridge to weir's queue: one is sent and comes out."""
    api.client("events").put_events(Entries=[{"Source": "aws.guardduty", "DetailType": "GuardDuty Finding", "Detail": json.dumps(
        {"severity": 5, "service": {"resourceRole": "TARGET", "archived": False}})}])
    sqs = api.client("sqs")
    url = sqs.get_queue_url(QueueName=f"{prefix}-findings")["QueueUrl"]
    got = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=2).get("Messages", [])
    api.holds(len(got) == 1, "a finding reaches weir's queue")


def alarms(api, prefix, outputs):
    found = api.client("cloudwatch").describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    names = {one["AlarmName"] for one in found["MetricAlarms"]}
    listed = {f"{prefix}-{one['rule']}" for one in json.loads((tf.DEPLOY / "alarms.json").read_text())["alarms"]}
    api.holds(listed and listed <= names, f"an alarm for each of weir's list: {listed - names}")
    composite = {one["AlarmName"]: one for one in found["CompositeAlarms"]}
    rollback = outputs["rollout"].get("alarms") or [outputs["rollout"].get("alarm")]
    api.holds(set(rollback) <= set(composite), f"the alarms that turn a release back: {rollback}")
    for one in composite.values():
        children = set(part.split('"')[1] for part in one["AlarmRule"].split("ALARM(")[1:])
        api.holds(children and children <= {*names, *composite}, f"{one['AlarmName']} is made of alarms that are there: {children - {*names, *composite}}")
    topics = {one["TopicArn"] for one in api.client("sns").list_topics()["Topics"]}
    told = {action for one in found["MetricAlarms"] for action in one["AlarmActions"] if ":sns:" in action}
    api.holds(told and told <= topics, "alarms tell a topic that is there")


def trail(api, prefix):
    client, s3 = api.client("cloudtrail"), api.client("s3")
    found = client.get_trail(Name=prefix)["Trail"]
    api.holds(found["IsMultiRegionTrail"] and found["LogFileValidationEnabled"] and found["KmsKeyId"], "a trail of all Regions, validated, encrypted")
    api.holds(client.get_trail_status(Name=prefix)["IsLogging"], "the trail is on")
    bucket = found["S3BucketName"]
    lock = s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]
    api.holds(lock["ObjectLockEnabled"] == "Enabled" and lock["Rule"]["DefaultRetention"]["Days"] > 0, "what was recorded is locked")
    rule = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
    api.holds(rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms", "the record is encrypted by a key of ours")
    api.holds(s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled", "the record is versioned")
    api.holds(all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values()), "the record is not public")


def config(api, prefix):
    client = api.client("config")
    api.holds(client.describe_configuration_recorder_status()["ConfigurationRecordersStatus"][0]["recording"], "AWS Config records")
    api.holds(client.describe_delivery_channels()["DeliveryChannels"][0]["s3BucketName"], "and delivers")
    rules = {one["ConfigRuleName"]: one for one in client.describe_config_rules()["ConfigRules"]}
    own = [one for one in rules.values() if one["Source"]["Owner"] == "CUSTOM_LAMBDA"]
    functions = {one["FunctionArn"] for one in api.client("lambda").list_functions()["Functions"]}
    api.holds(own and {one["Source"]["SourceIdentifier"] for one in own} <= functions, "the rule for weir's promises has its function")


def pack(api, templates):
    """moto takes no conformance pack, but each of its rules: it knows AWS's identifiers and what parameters each must have."""
    client = api.client("config")
    rules = [rule["Properties"] for text in templates for rule in json.loads(text)["Resources"].values()]
    api.holds(len(rules) >= 15, f"a pack of managed rules, and not of {len(rules)}")
    for rule in rules:
        asked = {"ConfigRuleName": f"{rule['ConfigRuleName']}-alone", "Source": rule["Source"]}
        if rule.get("InputParameters"):
            asked["InputParameters"] = json.dumps(rule["InputParameters"])
        try:
            client.put_config_rule(ConfigRule=asked)
        except client.exceptions.ClientError as error:
            raise tf.Failed(f"conformance pack: {rule['Source']['SourceIdentifier']}: {error}") from error
        client.delete_config_rule(ConfigRuleName=asked["ConfigRuleName"])
    api.holds(True, "AWS Config knows each rule of the pack")


def operations(api, prefix):
    ssm = api.client("ssm")
    windows = [one for one in ssm.describe_maintenance_windows()["WindowIdentities"] if one["Name"].startswith(prefix)]
    documents = {one["Name"] for one in ssm.list_documents(Filters=[{"Key": "Owner", "Values": ["Self"]}])["DocumentIdentifiers"]}
    tasks = [task for window in windows for task in ssm.describe_maintenance_window_tasks(WindowId=window["WindowId"])["Tasks"]]
    api.holds(tasks and {task["TaskArn"].rsplit("/", 1)[-1] for task in tasks} <= documents, "the window runs documents that are there")
    budget = api.client("budgets").describe_budgets(AccountId="123456789012")["Budgets"]
    api.holds(len(budget) == 1 and float(budget[0]["BudgetLimit"]["Amount"]) > 0, "a budget")
    notices = api.client("budgets").describe_notifications_for_budget(AccountId="123456789012", BudgetName=budget[0]["BudgetName"])["Notifications"]
    api.holds({one["NotificationType"] for one in notices} == {"ACTUAL", "FORECASTED"}, "somebody hears when it costs more")

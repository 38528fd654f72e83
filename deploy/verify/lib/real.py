"""A real apply by the genuine provider: what Terraform says it made is asked for at the API."""
import json
import shutil

from . import downgrade, moto
from . import terraform as tf

PREFIX = "weir-verify"


def harness(terraform):
    """The folder whose main.tf composes the modules for moto."""
    shutil.copytree(tf.VERIFY / "genuine", terraform / "genuine", ignore=lambda _, names: [n for n in names if not n.endswith(".tf")])
    downgrade.prepare(terraform)
    shutil.copy(terraform / "modules/key/versions.tf", terraform / "genuine/versions.tf")
    return terraform / "genuine"


def client(service, endpoint):
    import boto3
    return boto3.client(service, endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="moto", aws_secret_access_key="moto")


def check(truth, what):
    if not truth:
        raise tf.Failed(f"the API says otherwise: {what}")


def apply_and_destroy(mirror, say):
    """Fit, apply, ask, plan again, shift the weights, plan again, destroy, ask again."""
    with tf.copy() as terraform, moto.server() as endpoint:
        env = {**downgrade.environment(mirror, terraform), "TF_VAR_endpoint": endpoint}
        # A listener wants a certificate that is there; Terraform asks for a missing one for minutes.
        env["TF_VAR_certificate_arn"] = client("acm", endpoint).request_certificate(DomainName="weir.example.com")["CertificateArn"]
        folder = harness(terraform)
        gone, faults = downgrade.fit(folder, env)
        if faults:
            raise tf.Failed("\n".join(f"{d['summary']} {d.get('detail', '')}" for d in faults))
        say(f"valid on {downgrade.PROVIDER}; {len(gone)} newer arguments and resources left to the stub")
        tf.run(["terraform", "apply", "-auto-approve", "-input=false", "-no-color", "-parallelism=20"], folder, env, timeout=500)
        made = [line for line in tf.run(["terraform", "state", "list"], folder, env).stdout.split() if ".data." not in line]
        say(f"applied: {len(made)} resources")
        outputs = {k: v["value"] for k, v in json.loads(tf.run(["terraform", "output", "-json"], folder, env).stdout).items()}
        asked = assertions(endpoint, outputs)
        say(f"the API agrees on {asked} points")
        unchanged(folder, env)
        shift(endpoint, outputs)
        unchanged(folder, env)
        bans(endpoint)
        unchanged(folder, env)
        say("no change is planned: after the apply, after a shift of weights, after bans of weir's")
        tf.run(["terraform", "destroy", "-auto-approve", "-input=false", "-no-color", "-parallelism=20"], folder, env, timeout=500)
        check(not client("elbv2", endpoint).describe_load_balancers()["LoadBalancers"], "the load balancer outlived the destroy")
        check(not client("wafv2", endpoint).list_ip_sets(Scope="REGIONAL")["IPSets"], "IP sets outlived the destroy")
        say("destroyed, and nothing is left")


def unchanged(folder, env):
    done = tf.run(["terraform", "plan", "-input=false", "-no-color", "-detailed-exitcode"], folder, env, ok=(0, 2))
    if done.returncode == 2:
        raise tf.Failed("a second plan wants to change something:\n" + done.stdout[-5000:])


def shift(endpoint, outputs):
    """What a rollout does: the weights move, by the API."""
    elb = client("elbv2", endpoint)
    for green in (5, 25, 50, 100, 0):
        elb.modify_listener(ListenerArn=outputs["listener"], DefaultActions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": [
            {"TargetGroupArn": outputs["target_groups"]["blue"]["arn"], "Weight": 100 - green},
            {"TargetGroupArn": outputs["target_groups"]["green"]["arn"], "Weight": green}]}}])
        now = elb.describe_listeners(ListenerArns=[outputs["listener"]])["Listeners"][0]["DefaultActions"][0]["ForwardConfig"]
        check(sorted(g["Weight"] for g in now["TargetGroups"]) == sorted((green, 100 - green)), f"weights at {green} %")


def bans(endpoint):
    """What weir does: it writes into its sets."""
    waf = client("wafv2", endpoint)
    for one in waf.list_ip_sets(Scope="REGIONAL")["IPSets"]:
        if "-ipv4-" in one["Name"]:
            of = {"Name": one["Name"], "Id": one["Id"], "Scope": "REGIONAL"}
            waf.update_ip_set(**of, Addresses=["192.0.2.7/32"], LockToken=waf.get_ip_set(**of)["LockToken"])


def assertions(endpoint, outputs):
    asked = 0

    def holds(truth, what):
        nonlocal asked
        check(truth, what)
        asked += 1

    elb = client("elbv2", endpoint)
    balancer = elb.describe_load_balancers(Names=[PREFIX])["LoadBalancers"][0]
    holds(balancer.get("Scheme") != "internal" and len(balancer["AvailabilityZones"]) == 3, "a balancer over three zones")
    groups = elb.describe_target_groups(LoadBalancerArn=balancer["LoadBalancerArn"])["TargetGroups"]
    holds({g["TargetGroupName"] for g in groups} == {f"{PREFIX}-blue", f"{PREFIX}-green"}, "blue and green")
    holds(all(g["HealthCheckPath"] == "/readyz" and g["TargetType"] == "ip" for g in groups), "health is weir's own word")
    listeners = {x["Port"]: x for x in elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]}
    holds(set(listeners) == {80, 443, 8443} and listeners[80]["DefaultActions"][0]["Type"] == "redirect", "listeners")

    ec2 = client("ec2", endpoint)
    found = {g["GroupName"]: g for g in ec2.describe_security_groups()["SecurityGroups"]}
    for name, source in (("weir", "balancer"), ("backend", "weir"), ("store", "weir")):
        inward = found[f"{PREFIX}-{name}"]["IpPermissions"]
        sources = {pair["GroupId"] for rule in inward for pair in rule["UserIdGroupPairs"]}
        holds(sources == {found[f"{PREFIX}-{source}"]["GroupId"]} and not any(r["IpRanges"] for r in inward), f"{name} only from {source}")
    endpoints = ec2.describe_vpc_endpoints()["VpcEndpoints"]
    holds({"Gateway", "Interface"} == {e["VpcEndpointType"] for e in endpoints} and not ec2.describe_nat_gateways()["NatGateways"], "endpoints, and no NAT")
    holds(ec2.describe_flow_logs()["FlowLogs"][0]["TrafficType"] == "ALL", "flow logs")

    ecs = client("ecs", endpoint)
    services = {s["serviceName"]: s for s in ecs.describe_services(cluster=PREFIX, services=[f"{PREFIX}-{n}" for n in ("blue", "green", "backend")])["services"]}
    holds(services[f"{PREFIX}-blue"]["desiredCount"] == 3 and services[f"{PREFIX}-green"]["desiredCount"] == 0, "blue has tasks, green has none")
    holds(all(s["networkConfiguration"]["awsvpcConfiguration"]["assignPublicIp"] == "DISABLED" for s in services.values()), "no public task")
    task = ecs.describe_task_definition(taskDefinition=f"{PREFIX}-weir")["taskDefinition"]
    weir = next(c for c in task["containerDefinitions"] if c["name"] == "weir")
    holds(weir["readonlyRootFilesystem"] and weir["user"] == "65532" and weir["ulimits"][0]["softLimit"] == 65535, "weir's container is hardened")

    waf = client("wafv2", endpoint)
    acl = waf.get_web_acl_for_resource(ResourceArn=outputs["balancer"])["WebACL"]
    sets = {s["ARN"] for s in waf.list_ip_sets(Scope="REGIONAL")["IPSets"]}
    blocked = {r["Statement"]["IPSetReferenceStatement"]["ARN"] for r in acl["Rules"] if "IPSetReferenceStatement" in r["Statement"] and "Block" in r["Action"]}
    holds(sets == blocked and len(sets) == 3, "each of weir's sets blocks")

    role = json.dumps(client("iam", endpoint).get_role_policy(RoleName=f"{PREFIX}-weir-task", PolicyName="weir")["PolicyDocument"])
    holds("wafv2:UpdateIPSet" in role and ":*\"" not in role, "weir's rights are written out")
    client("sqs", endpoint).get_queue_url(QueueName=f"{PREFIX}-findings")
    client("events", endpoint).put_events(Entries=[{"Source": "aws.guardduty", "DetailType": "GuardDuty Finding", "Detail": json.dumps(
        {"severity": 5, "service": {"resourceRole": "TARGET", "archived": False}})}])
    sqs = client("sqs", endpoint)
    url = sqs.get_queue_url(QueueName=f"{PREFIX}-findings")["QueueUrl"]
    got = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=2).get("Messages", [])
    holds(len(got) == 1, "a finding reaches weir's queue")
    alarms = client("cloudwatch", endpoint).describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    names = {a["AlarmName"] for a in alarms["MetricAlarms"]} | {a["AlarmName"] for a in alarms.get("CompositeAlarms", [])}
    listed = {f"{PREFIX}-{a['rule']}" for a in json.loads((tf.DEPLOY / "alarms.json").read_text())["alarms"]}
    holds(listed <= names, f"an alarm for each of weir's list: {listed - names}")
    holds(client("ssm", endpoint).get_parameter(Name=f"/{PREFIX}/config")["Parameter"]["Value"].startswith("[flood]"), "the config")
    return asked

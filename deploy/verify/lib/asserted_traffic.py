"""The way of a request, asked at the API: balancer, network, services, web ACL, name."""
import json


def check(api, prefix, outputs):
    network(api, prefix)
    services(api, prefix)
    waf(api, balancer(api, prefix))
    name(api, prefix)


def balancer(api, prefix):
    """Its ARN, once it is as it must be."""
    elb = api.client("elbv2")
    found = elb.describe_load_balancers(Names=[prefix])["LoadBalancers"][0]
    arn = found["LoadBalancerArn"]
    api.holds(found.get("Scheme") != "internal" and len(found["AvailabilityZones"]) == 3, "a balancer over three zones")
    groups = elb.describe_target_groups(LoadBalancerArn=arn)["TargetGroups"]
    api.holds({group["TargetGroupName"] for group in groups} == {f"{prefix}-blue", f"{prefix}-green"}, "blue and green")
    api.holds(all(g["HealthCheckPath"] == "/readyz" and g["TargetType"] == "ip" for g in groups), "health is weir's own word")
    listeners = {one["Port"]: one for one in elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]}
    api.holds(set(listeners) == {80, 443, 8443} and listeners[80]["DefaultActions"][0]["Type"] == "redirect", "listeners, and none without TLS")
    set_to = {one["Key"]: one["Value"] for one in elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]}
    api.holds(set_to["routing.http.drop_invalid_header_fields.enabled"] == "true", "invalid headers are dropped")
    api.holds(set_to["access_logs.s3.enabled"] == "true", "access logs")
    bucket = set_to["access_logs.s3.bucket"]
    public = api.client("s3").get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    api.holds(all(public.values()), "the logs are not public")
    return arn


def network(api, prefix):
    ec2 = api.client("ec2")
    found = {group["GroupName"]: group for group in ec2.describe_security_groups()["SecurityGroups"]}
    for of, source in (("weir", "balancer"), ("backend", "weir"), ("store", "weir")):
        inward = found[f"{prefix}-{of}"]["IpPermissions"]
        sources = {pair["GroupId"] for rule in inward for pair in rule["UserIdGroupPairs"]}
        ranges = any(rule["IpRanges"] or rule.get("Ipv6Ranges") for rule in inward)
        api.holds(sources == {found[f"{prefix}-{source}"]["GroupId"]} and not ranges, f"{of} only from {source}")
    vpc = next(v["VpcId"] for v in ec2.describe_vpcs()["Vpcs"] if not v["IsDefault"])
    of_vpc = [{"Name": "vpc-id", "Values": [vpc]}]
    kinds = {one["VpcEndpointType"] for one in ec2.describe_vpc_endpoints(Filters=of_vpc)["VpcEndpoints"]}
    api.holds(kinds == {"Gateway", "Interface"} and not ec2.describe_nat_gateways()["NatGateways"], "endpoints, and no NAT")
    logs = ec2.describe_flow_logs(Filters=[{"Name": "resource-id", "Values": [vpc]}])["FlowLogs"]
    api.holds([log["TrafficType"] for log in logs] == ["ALL"], "flow logs")


def services(api, prefix):
    ecs = api.client("ecs")
    names = [f"{prefix}-{name}" for name in ("blue", "green", "backend")]
    found = {one["serviceName"]: one for one in ecs.describe_services(cluster=prefix, services=names)["services"]}
    api.holds(found[f"{prefix}-blue"]["desiredCount"] > 0 == found[f"{prefix}-green"]["desiredCount"], "blue has tasks, green has none")
    public = [one["networkConfiguration"]["awsvpcConfiguration"]["assignPublicIp"] for one in found.values()]
    api.holds(public == ["DISABLED"] * 3, "no public task")
    task = ecs.describe_task_definition(taskDefinition=f"{prefix}-weir")["taskDefinition"]
    weir = next(c for c in task["containerDefinitions"] if c["name"] == "weir")
    api.holds(weir["readonlyRootFilesystem"] and weir["user"] == "65532" and weir["ulimits"][0]["softLimit"] == 65535, "weir's container is hardened")
    secrets = {one["valueFrom"] for container in task["containerDefinitions"] for one in container.get("secrets", [])}
    known = {one["ARN"] for one in api.client("secretsmanager").list_secrets()["SecretList"]}
    api.holds(secrets and secrets <= known, "weir's secrets are there")
    policies = {s["PolicyName"] for s in api.client("application-autoscaling").describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"]}
    api.holds({f"{prefix}-{colour}-{by}" for colour in ("blue", "green") for by in ("requests", "cpu", "attack")} <= policies, "autoscaling of both colours")
    role = json.dumps(api.client("iam").get_role_policy(RoleName=f"{prefix}-weir-task", PolicyName="weir")["PolicyDocument"])
    api.holds("wafv2:UpdateIPSet" in role and ':*"' not in role, "weir's rights are written out")


def waf(api, balancer_arn):
    client = api.client("wafv2")
    acl = client.get_web_acl_for_resource(ResourceArn=balancer_arn)["WebACL"]
    blocked = {rule["Statement"]["IPSetReferenceStatement"]["ARN"] for rule in acl["Rules"]
               if "IPSetReferenceStatement" in rule["Statement"] and "Block" in rule["Action"]}
    sets = {one["ARN"] for one in client.list_ip_sets(Scope="REGIONAL")["IPSets"]}
    api.holds(sets and sets == blocked, "each set blocks")


def name(api, prefix):
    route53 = api.client("route53")
    zone = route53.list_hosted_zones()["HostedZones"][0]["Id"]
    records = [one for one in route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"] if one.get("Failover")]
    kinds = {one["Type"] for one in records}
    places = {(one["Type"], one["Failover"]) for one in records}
    api.holds("A" in kinds and places == {(kind, order) for kind in kinds for order in ("PRIMARY", "SECONDARY")}, "a first and a second place to go")
    checks = {one["Id"] for one in route53.list_health_checks()["HealthChecks"]}
    api.holds({one["HealthCheckId"] for one in records if one["Failover"] == "PRIMARY"} <= checks, "the first is health-checked")
    protected = api.client("shield").list_protections()["Protections"]
    api.holds(any("/app/" + prefix + "/" in one["ResourceArn"] for one in protected), "Shield protects the balancer")

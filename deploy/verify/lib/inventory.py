"""All that is in the account, listed: what a destroy must bring back to what it was before the apply."""

# (service, operation, list in its answer, what names an entry, arguments)
LISTS = [
    ("elbv2", "describe_load_balancers", "LoadBalancers", "LoadBalancerArn", {}),
    ("elbv2", "describe_target_groups", "TargetGroups", "TargetGroupArn", {}),
    ("ec2", "describe_vpcs", "Vpcs", "VpcId", {}),
    ("ec2", "describe_subnets", "Subnets", "SubnetId", {}),
    ("ec2", "describe_security_groups", "SecurityGroups", "GroupId", {}),
    ("ec2", "describe_route_tables", "RouteTables", "RouteTableId", {}),
    ("ec2", "describe_flow_logs", "FlowLogs", "FlowLogId", {}),
    ("wafv2", "list_ip_sets", "IPSets", "ARN", {"Scope": "REGIONAL"}),
    ("wafv2", "list_web_acls", "WebACLs", "ARN", {"Scope": "REGIONAL"}),
    ("ecs", "list_clusters", "clusterArns", None, {}),
    ("ecs", "list_task_definitions", "taskDefinitionArns", None, {}),
    ("iam", "list_roles", "Roles", "Arn", {}),
    ("iam", "list_policies", "Policies", "Arn", {"Scope": "Local"}),
    ("s3", "list_buckets", "Buckets", "Name", {}),
    ("sqs", "list_queues", "QueueUrls", None, {}),
    ("sns", "list_topics", "Topics", "TopicArn", {}),
    ("ssm", "describe_parameters", "Parameters", "Name", {}),
    ("ssm", "list_documents", "DocumentIdentifiers", "Name", {"Filters": [{"Key": "Owner", "Values": ["Self"]}]}),
    ("ssm", "describe_maintenance_windows", "WindowIdentities", "WindowId", {}),
    ("logs", "describe_log_groups", "logGroups", "logGroupName", {}),
    ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName", {}),
    ("cloudwatch", "describe_alarms", "CompositeAlarms", "AlarmName", {"AlarmTypes": ["CompositeAlarm"]}),
    ("events", "list_rules", "Rules", "Name", {}),
    ("cloudtrail", "describe_trails", "trailList", "Name", {}),
    ("config", "describe_config_rules", "ConfigRules", "ConfigRuleName", {}),
    ("config", "describe_configuration_recorders", "ConfigurationRecorders", "name", {}),
    ("lambda", "list_functions", "Functions", "FunctionName", {}),
    ("guardduty", "list_detectors", "DetectorIds", None, {}),
    ("route53", "list_health_checks", "HealthChecks", "Id", {}),
    ("shield", "list_protections", "Protections", "Id", {}),
    ("elasticache", "describe_cache_subnet_groups", "CacheSubnetGroups", "CacheSubnetGroupName", {}),
    ("secretsmanager", "list_secrets", "SecretList", "Name", {}),
    ("servicediscovery", "list_namespaces", "Namespaces", "Id", {}),
    ("budgets", "describe_budgets", "Budgets", "BudgetName", {"AccountId": "123456789012"}),
]


def take(api):
    """Names by list."""
    found = {}
    for service, operation, key, name, arguments in LISTS:
        client = api.client(service)
        call = getattr(client, operation)
        pages = client.get_paginator(operation).paginate(**arguments) if client.can_paginate(operation) else [call(**arguments)]
        entries = {entry[name] if name else entry for page in pages for entry in page.get(key, [])}
        found[f"{service} {key}"] = entries
    # ECS lists a deleted cluster for a while, as INACTIVE.
    arns = sorted(found["ecs clusterArns"])
    there = api.client("ecs").describe_clusters(clusters=arns)["clusters"] if arns else []
    found["ecs clusterArns"] = {one["clusterArn"] for one in there if one["status"] == "ACTIVE"}
    return found


def grown(before, now):
    """What there is more of, by list."""
    return {key: sorted(names - before[key]) for key, names in now.items() if names - before[key]}

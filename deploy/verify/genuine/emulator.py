#!/usr/bin/env python3
"""moto as a server, mended where it answers other than AWS documents. Usage: emulator.py PORT

Each mend below names the call of AWS's API that it follows; nothing else of moto is touched."""
import json
import sys

from moto import server
from moto.applicationautoscaling import responses as scaling
from moto.budgets.responses import BudgetsResponse
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult, EmptyResult
from moto.ecs import models as ecs
from moto.ecs import responses as ecs_responses
from moto.elasticache.responses import ElastiCacheResponse
from moto.elbv2.models import elbv2_backends
from moto.route53 import models as route53
from moto.sqs import models as sqs
from moto.ssm.responses import SimpleSystemManagerResponse


def scaling_policies_by_name():
    """DescribeScalingPolicies takes PolicyNames; moto gives every policy of the target, whatever the name."""
    kind = scaling.ApplicationAutoScalingResponse
    answer = kind.describe_scaling_policies

    def described(self):
        told, names = json.loads(answer(self)), self._get_param("PolicyNames")
        told["ScalingPolicies"] = [p for p in told["ScalingPolicies"] if not names or p["PolicyName"] in names]
        return json.dumps(told)
    kind.describe_scaling_policies = described


def composite_alarms():
    """PutCompositeAlarm: moto's PutMetricAlarm stores them, and is not reached by that name."""
    if not hasattr(CloudWatchResponse, "put_composite_alarm"):
        CloudWatchResponse.put_composite_alarm = CloudWatchResponse.put_metric_alarm


def zone_ids():
    """CreateHostedZone: every id begins with Z."""
    made = route53.create_route53_zone_id
    route53.create_route53_zone_id = lambda **words: "Z" + made(**words)[1:]


def redrive_policy():
    """GetQueueAttributes gives RedrivePolicy as it was set, and moto with blanks added: a change that nobody made."""
    found = sqs.Queue.attributes.fget

    def attributes(self):
        told = found(self)
        if told.get("RedrivePolicy"):
            told["RedrivePolicy"] = json.dumps(self.redrive_policy, separators=(",", ":"))
        return told
    sqs.Queue.attributes = property(attributes)


def maintenance_tasks():
    """GetMaintenanceWindowTask: moto stores what RegisterTaskWithMaintenanceWindow took, and lists it only."""
    def get_maintenance_window_task(self):
        window = self.ssm_backend.get_maintenance_window(self._get_param("WindowId"))
        return ActionResult(window.tasks[self._get_param("WindowTaskId")].to_json())
    SimpleSystemManagerResponse.get_maintenance_window_task = get_maintenance_window_task


def budget_subscribers():
    """DescribeSubscribersForNotification: moto stores them with the notification."""
    def describe_subscribers_for_notification(self):
        budget = self.backend.budgets[self._get_param("AccountId")][self._get_param("BudgetName")]
        asked = self._get_param("Notification")
        same = [one for one in budget.notifications if all(one.details.get(key) == value for key, value in asked.items())]
        return json.dumps({"Subscribers": [subscriber for one in same for subscriber in one.subscribers]})
    BudgetsResponse.describe_subscribers_for_notification = describe_subscribers_for_notification


def cache_subnet_groups():
    """DeleteCacheSubnetGroup: moto makes groups and never takes one away."""
    def delete_cache_subnet_group(self):
        del self.elasticache_backend.cache_subnet_groups[self._get_param("CacheSubnetGroupName")]
        return EmptyResult()
    ElastiCacheResponse.delete_cache_subnet_group = delete_cache_subnet_group


def services():
    """CreateService keeps healthCheckGracePeriodSeconds, and ECS starts the tasks and registers them at the load
    balancer; moto starts none. Here they come up at once and are healthy: what a release waits for."""
    made, changed = ecs_responses.EC2ContainerServiceResponse.create_service, ecs.EC2ContainerServiceBackend.update_service

    def create_service(self):
        told = made(self)
        service = told.result["service"]
        service.health_check_grace_period_seconds = self._get_param("healthCheckGracePeriodSeconds")
        start(service)
        return told

    def update_service(self, words):
        service = changed(self, words)
        start(service)
        return service
    ecs_responses.EC2ContainerServiceResponse.create_service = create_service
    ecs.EC2ContainerServiceBackend.update_service = update_service


def start(service):
    """As many tasks as are desired, each a target of the service's groups."""
    count = service.desired_count
    service.running_count, service.pending_count = count, 0
    for deployment in service.deployments:
        deployment.update(desiredCount=count, runningCount=count, pendingCount=0, rolloutState="COMPLETED", taskDefinition=service.task_definition)
    for balancer in service.load_balancers:
        group = elbv2_backends[service._account_id][service.region_name].target_groups.get(balancer.get("targetGroupArn"))
        if group:
            group.targets.clear()
            group.register([{"Id": f"192.0.2.{at + 1}", "Port": balancer["containerPort"]} for at in range(count)])


def main(port):
    for mend in (scaling_policies_by_name, composite_alarms, zone_ids, redrive_policy, maintenance_tasks, budget_subscribers,
                 cache_subnet_groups, services):
        mend()
    server.main(["-H", "127.0.0.1", "-p", port])


if __name__ == "__main__":
    main(sys.argv[1])

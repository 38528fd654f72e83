"""What outlives a mistake, a zone and a disk."""
from .registry import rule


@rule("kept-from-deletion", "In production nothing that holds data or traffic goes by one command.")
def kept_from_deletion(plan):
    if not plan.production:
        return
    for one in plan.of("aws_lb"):
        if not one["enable_deletion_protection"]:
            yield one.address, "can be deleted: enable_deletion_protection = true"
    for one in plan.of("aws_s3_bucket"):
        if one["force_destroy"]:
            yield one.address, "goes with all that is in it: force_destroy = false"
    for one in plan.of("aws_secretsmanager_secret"):
        if (one["recovery_window_in_days"] or 0) < 7:
            yield one.address, "can't be called back: recovery_window_in_days, 7 or more"
    for one in plan.of("aws_kms_key"):
        if (one["deletion_window_in_days"] or 30) < 30:
            yield one.address, "takes all that it encrypted along: deletion_window_in_days = 30"
    for one in plan.of("aws_s3_bucket_object_lock_configuration"):
        if one.block("rule", "default_retention").get("mode") != "COMPLIANCE":
            yield one.address, "lets somebody shorten the record: mode = \"COMPLIANCE\""
    if not plan.of("aws_s3_bucket_object_lock_configuration"):
        yield "aws_s3_bucket_object_lock_configuration", "no bucket keeps the record of who did what from deletion"


@rule("backed-up", "Buckets keep old versions; in production the store is copied each day and when it goes.")
def backed_up(plan):
    versioned = {one["bucket"] for one in plan.of("aws_s3_bucket_versioning") if one.block("versioning_configuration").get("status") == "Enabled"}
    for one in plan.of("aws_s3_bucket"):
        if not {one["id"], one["bucket"]} & versioned:
            yield one.address, "keeps no old versions: aws_s3_bucket_versioning"
    if plan.production:
        for one in plan.of("aws_elasticache_replication_group"):
            if not one["snapshot_retention_limit"] or not one["final_snapshot_identifier"]:
                yield one.address, "has no copy: snapshot_retention_limit and final_snapshot_identifier"


@rule("zones", "In production a zone may fail: three zones for tasks, two for the store, two tasks or more.")
def zones(plan):
    if not plan.production:
        return
    for one in plan.of("aws_lb"):
        if len(set(one["subnets"] or [])) < 3:
            yield one.address, "is not in three zones"
    for one in plan.of("aws_ecs_service"):
        if len(set(one.block("network_configuration").get("subnets") or [])) < 3:
            yield one.address, "is not in three zones"
    for one in plan.of("aws_elasticache_replication_group"):
        if not (one["multi_az_enabled"] and one["automatic_failover_enabled"]):
            yield one.address, "a lost zone takes the store: multi_az_enabled and automatic_failover_enabled"
    for one in plan.of("aws_appautoscaling_target"):
        if one["min_capacity"] == 1 or one["max_capacity"] < 2:
            yield one.address, "one task is no service: min_capacity 2 or more, or 0 for the colour that is not live"


@rule("names", "Names begin with weir-, so that roles and documents can be bound to them.")
def names(plan):
    kinds = ("aws_lb", "aws_ecs_cluster", "aws_ecs_service", "aws_s3_bucket", "aws_sqs_queue", "aws_sns_topic", "aws_iam_role",
             "aws_lambda_function", "aws_elasticache_replication_group")
    for one in plan.of(*kinds):
        for key in ("name", "bucket", "function_name", "replication_group_id"):
            if isinstance(one[key], str) and not one[key].startswith("weir-"):
                yield one.address, f"is called {one[key]}: names begin with weir-"

"""The JSON that Terraform passes on without looking into it, held against AWS's own model of it (botocore's)."""
import json

from . import terraform as tf



def check(resources):
    """How many documents were held, or Failed with what is wrong."""
    import botocore.session
    from botocore.validate import ParamValidator
    model = botocore.session.get_session().get_service_model("ecs").operation_model("RegisterTaskDefinition").input_shape
    held = 0
    for address, kind, values in resources:
        if kind == "aws_ecs_task_definition":
            asked = {"family": values["family"], "containerDefinitions": json.loads(values["container_definitions"])}
            report = ParamValidator().validate(asked, model)
            if report.has_errors():
                raise tf.Failed(f"{address}: {report.generate_report()}")
            held += 1
        if kind in ("aws_cloudwatch_event_rule",) and values.get("event_pattern"):
            pattern = json.loads(values["event_pattern"])
            if not set(pattern) <= {"source", "detail-type", "detail", "account", "region", "resources"}:
                raise tf.Failed(f"{address}: a pattern has no {set(pattern)}")
            held += 1
        if kind == "aws_ssm_document":
            if "mainSteps:" not in values["content"] or "schemaVersion" not in values["content"]:
                raise tf.Failed(f"{address}: no automation document")
            held += 1
    return held

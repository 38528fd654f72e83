"""Puts the config that only observes in force, or the one before it; weir takes either within its polling time."""
import boto3

LABEL = "enforcing"


def parameter(switch, source):
    """Parameter Store: the value is replaced, and a label marks the version to come back to."""
    ssm, name = boto3.client("ssm"), source["parameter"]
    now = ssm.get_parameter(Name=name)["Parameter"]
    observing = ssm.get_parameter(Name=f"{name}-observe")["Parameter"]["Value"]
    if (now["Value"] == observing) == (switch == "on"):
        return str(now["Version"]), str(now["Version"])
    if switch == "on":
        ssm.label_parameter_version(Name=name, ParameterVersion=now["Version"], Labels=[LABEL])
        wanted = observing
    else:
        wanted = ssm.get_parameter(Name=f"{name}:{LABEL}")["Parameter"]["Value"]
    put = ssm.put_parameter(Name=name, Value=wanted, Type=now["Type"], Overwrite=True, Tier="Intelligent-Tiering")
    return str(now["Version"]), str(put["Version"])


def deployment(switch, source):
    """AppConfig: one version or the other is deployed at once, past alarms that are the reason for the switch."""
    appconfig = boto3.client("appconfig")
    place = {"ApplicationId": source["application"], "EnvironmentId": source["environment"]}
    wanted = source["observe" if switch == "on" else "enforce"]
    before = ""
    for one in appconfig.list_deployments(**place)["Items"]:  # the latest comes first
        if one["State"] in ("DEPLOYING", "BAKING", "VALIDATING"):
            appconfig.stop_deployment(**place, DeploymentNumber=one["DeploymentNumber"])
        elif one["State"] == "COMPLETE":
            before = one["ConfigurationVersion"]
            break
    started = appconfig.start_deployment(
        **place, ConfigurationProfileId=source["profile"], DeploymentStrategyId=source["strategy"],
        ConfigurationVersion=wanted, KmsKeyIdentifier=source["key"], Description=f"kill switch {switch}")
    return before, started["ConfigurationVersion"]


def run(events, context):
    source = events["source"]
    before, now = (parameter if source.get("parameter") else deployment)(events["switch"], source)
    return {"before": before, "now": now}

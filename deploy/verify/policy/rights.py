"""Who may do what."""
from .plan import listed
from .registry import rule

# Calls that AWS binds to no resource (its service authorization reference says so), and PutMetricData, which a condition
# on the namespace binds. The step "documents" holds this list against cfn-lint's copy of that reference.
NO_RESOURCE = {"ecr:GetAuthorizationToken", "cloudwatch:PutMetricData", "wafv2:ListIPSets", "ec2:DescribeSecurityGroups",
               "elasticloadbalancing:DescribeLoadBalancers", "elasticloadbalancing:DescribeListeners",
               "config:PutEvaluations", "application-autoscaling:DescribeScalableTargets"}
# What binds a service that acts for others to our account (the confused deputy).
BINDING = ("aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths", "kms:encryptioncontext:")
NARROW = BINDING + ("aws:principalaccount", "aws:principalorgid", "aws:principalorgpaths", "aws:principalarn", "aws:sourcevpce", "aws:sourcevpc")
TOO_MUCH = ("AdministratorAccess", "PowerUserAccess", "IAMFullAccess")


def keys(statement):
    """The keys that its conditions ask for, in small letters. Conditions with IfExists bind nobody who leaves the key out."""
    return {key.lower() for operator, asked in (statement.get("Condition") or {}).items() if not operator.endswith("IfExists") for key in asked}


def allowing(plan):
    return ((one, role, statement) for one, role, statement in plan.statements() if statement.get("Effect") == "Allow")


def services(statement):
    principal = statement.get("Principal")
    return listed(principal.get("Service")) if isinstance(principal, dict) else []


@rule("actions-written-out", "Roles have each action written out: no wildcard, no NotAction, no policy of AWS that allows all.")
def actions_written_out(plan):
    for one, role, statement in allowing(plan):
        if role != "resource" and ("NotAction" in statement or any("*" in action for action in listed(statement.get("Action")))):
            yield one.address, f"actions are not written out: {statement.get('Action', 'NotAction')}"
    for one in plan.of("aws_iam_role_policy_attachment", "aws_iam_policy_attachment"):
        if str(one["policy_arn"]).endswith(TOO_MUCH):
            yield one.address, f"gives more than anything here needs: {one['policy_arn']}"
    for one in plan.of("aws_iam_role"):
        if any(str(arn).endswith(TOO_MUCH) for arn in one["managed_policy_arns"] or []):
            yield one.address, "gives more than anything here needs"


@rule("resources-written-out", "Roles have their rights on named resources; on everything only what AWS binds to nothing.")
def resources_written_out(plan):
    for one, role, statement in allowing(plan):
        if role != "identity":
            continue
        if "NotResource" in statement:
            yield one.address, "NotResource allows everything else: write Resource"
        for resource in listed(statement.get("Resource")):
            # arn:partition:service:region:account:what
            if resource == "*" or resource.split(":", 5)[-1] == "*":
                unbound = sorted(set(listed(statement.get("Action"))) - NO_RESOURCE)
                if unbound:
                    yield one.address, f"on everything: {', '.join(unbound)}"


@rule("bound-services", "A service of AWS that is let in is bound to our account or to one resource (the confused deputy).")
def bound_services(plan):
    for one, _, statement in allowing(plan):
        if services(statement) and not any(key.startswith(BINDING) for key in keys(statement)):
            yield one.address, f"{', '.join(services(statement))} may act for any account: add aws:SourceAccount or aws:SourceArn"
    for one in plan.of("aws_lambda_permission"):
        if not (one["source_arn"] or one["source_account"]):
            yield one.address, f"{one['principal']} may call it for any account: add source_arn or source_account"


@rule("nobody-is-everybody", "Whoever is let in has a name, or a condition that says who.")
def nobody_is_everybody(plan):
    for one, _, statement in allowing(plan):
        principal = statement.get("Principal")
        named = listed(principal.get("AWS")) if isinstance(principal, dict) else listed(principal)
        if "*" in named and not any(key.startswith(NARROW) for key in keys(statement)):
            yield one.address, "anybody may, without a condition that says who"


@rule("own-metrics", "Who writes metrics writes them into our namespace.")
def own_metrics(plan):
    for one, _, statement in allowing(plan):
        if "cloudwatch:PutMetricData" in listed(statement.get("Action")) and "cloudwatch:namespace" not in keys(statement):
            yield one.address, "may write metrics of others: add a condition on cloudwatch:namespace"


@rule("passed-roles", "A role is passed by name, and to the service that it is for.")
def passed_roles(plan):
    for one, role, statement in allowing(plan):
        if role == "identity" and "iam:PassRole" in listed(statement.get("Action")) and "iam:passedtoservice" not in keys(statement):
            yield one.address, "passes roles to any service: add a condition on iam:PassedToService"

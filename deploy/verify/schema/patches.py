"""What the bindings do not tell, written from the provider's documentation."""


def _value(kind="string", required=False):
    return {"computed": False, "optional": not required, "required": required, "type": kind}


def _block(fields, required=False, many=False):
    block = {"computed": False, "optional": not required, "required": required, "nest": "list", "block": True,
             "fields": fields}
    return block if many else {**block, "max1": True}


_TAGS = {"tags": _value(["map", "string"])}
PROVIDER = {"aws": {
    **{name: _value() for name in ("region", "profile", "access_key", "secret_key")},
    **{name: _value("bool") for name in (
        "skip_credentials_validation", "skip_metadata_api_check", "skip_requesting_account_id", "skip_region_validation",
        "s3_use_path_style")},
    "max_retries": _value("number"), "allowed_account_ids": _value(["set", "string"]),
    "default_tags": _block(_TAGS), "assume_role": _block({"role_arn": _value(), "session_name": _value()}, many=True)}}

_FORWARDED = {"fallback_behavior": _value(required=True), "header_name": _value(required=True)}
_OVERRIDE = {name: _block({}) for name in ("allow", "block", "captcha", "challenge", "count")}
_ANTI_DDOS = {
    "sensitivity_to_block": _value(),
    "client_side_action_config": _block({"challenge": _block({
        "usage_of_action": _value(required=True), "sensitivity": _value(),
        "exempt_uri_regular_expression": _block({"regex_string": _value()}, many=True)}, required=True)}, required=True)}
# The whole of it is a tree without end; these are the statements that the modules use.
STATEMENT = _block({
    "ip_set_reference_statement": _block({
        "arn": _value(required=True),
        "ip_set_forwarded_ip_config": _block({**_FORWARDED, "position": _value(required=True)})}),
    "rate_based_statement": _block({
        "limit": _value("number", required=True), "aggregate_key_type": _value(),
        "evaluation_window_sec": _value("number"), "forwarded_ip_config": _block(_FORWARDED)}),
    "managed_rule_group_statement": _block({
        "name": _value(required=True), "vendor_name": _value(required=True), "version": _value(),
        "managed_rule_group_configs": _block({"aws_managed_rules_anti_ddos_rule_set": _block(_ANTI_DDOS)}, many=True),
        "rule_action_override": _block({"name": _value(required=True), "action_to_use": _block(_OVERRIDE, required=True)},
                                       many=True)}),
}, required=True)


def apply(schema):
    acl = schema["resource"].get("aws_wafv2_web_acl")
    if acl:
        acl["rule"]["fields"]["statement"] = STATEMENT

"""Resources of the Aviatrix provider that are newer than the bindings from which the rest is recovered, written from the
provider's documentation; those the provider gained since are the only ones here."""


def _value(kind="string", required=False, computed=False):
    return {"computed": computed, "optional": not required and not computed, "required": required, "type": kind}


def _blocks(fields, required=False, nest="set", one=False):
    block = {"computed": False, "optional": not required, "required": required, "nest": nest, "block": True, "fields": fields}
    return {**block, "max1": True} if one else block


_TEXTS = ["set", "string"]
_ID = {"computed": True, "optional": True, "required": False, "type": "string"}
_MATCH = {name: _value() for name in ("cidr", "fqdn", "site", "type", "res_id", "account_id", "account_name", "name", "region",
                                      "zone", "k8s_cluster_id", "k8s_namespace", "k8s_service", "k8s_pod", "s2c", "external")}
_RULE = {
    "name": _value(required=True), "action": _value(required=True), "protocol": _value(required=True),
    "src_smart_groups": _value(_TEXTS, required=True), "dst_smart_groups": _value(_TEXTS, required=True),
    "priority": _value("number"), "watch": _value("bool"), "logging": _value("bool"), "web_groups": _value(_TEXTS),
    "flow_app_requirement": _value(), "decrypt_policy": _value(), "exclude_sg_orchestration": _value("bool"),
    "tls_profile": _value(), "log_profile": _value(),
    "port_ranges": _blocks({"lo": _value("number", required=True), "hi": _value("number")})}
RESOURCES = {
    "aviatrix_smart_group": {
        "id": _ID, "uuid": _value(computed=True), "name": _value(required=True),
        "selector": _blocks({"match_expressions": _blocks(
            {**_MATCH, "tags": _value(["map", "string"]), "ext_args": _value(["map", "string"])}, required=True, nest="list")},
            required=True, nest="list", one=True)},
    "aviatrix_dcf_ruleset": {"id": _ID, "name": _value(required=True), "attach_to": _value(), "rules": _blocks(_RULE)},
}
DATA = {"aviatrix_dcf_attachment_point": {"id": _ID, "name": _value(required=True)}}

"""A recovered schema in the words of Terraform's plugin protocol, and values of its types."""
import hashlib
import json

import msgpack
from tf.gen import tfplugin_pb2 as pb

NEST = {"single": pb.Schema.NestedBlock.SINGLE, "list": pb.Schema.NestedBlock.LIST,
        "set": pb.Schema.NestedBlock.SET, "map": pb.Schema.NestedBlock.MAP}
# Attribute.write_only = true, field 11: the library's protocol is older than it, and passes on what it does not know.
WRITE_ONLY = bytes([11 << 3, 1])
UNKNOWN = msgpack.ExtType(0, b"\0")


def type_of(field):
    if "type" in field:
        return field["type"]
    entry = ["object", {name: type_of(inner) for name, inner in field["fields"].items()}]
    return entry if field["nest"] == "single" else [field["nest"], entry]


def block_of(fields):
    block = pb.Schema.Block()
    for name, field in sorted(fields.items()):
        if field.get("block"):
            nested = block.block_types.add(type_name=name, nesting=NEST[field["nest"]])
            nested.block.CopyFrom(block_of(field["fields"]))
            if field["nest"] in ("list", "set"):
                nested.max_items = 1 if field.get("max1") else 0
                nested.min_items = 1 if field["required"] else 0
        else:
            attribute = block.attributes.add(
                name=name, type=json.dumps(type_of(field)).encode(), computed=field["computed"],
                required=field["required"], optional=field["optional"] or not (field["computed"] or field["required"]))
            if name.endswith("_wo"):
                attribute.MergeFromString(WRITE_ONLY)
    return block


def inner_blocks(field, value):
    """The elements of a block's value."""
    if isinstance(value, dict) and field["nest"] == "map":
        return list(value.values())
    return [v for v in (value if isinstance(value, list) else [value]) if isinstance(v, dict)]


def leave_open(fields, value):
    """What a provider computes and nobody has set is not known at a plan."""
    for name, field in fields.items():
        if field.get("block"):
            for inner in inner_blocks(field, value.get(name)):
                leave_open(field["fields"], inner)
        elif name.endswith("_wo"):
            value[name] = None
        elif field["computed"] and value.get(name) is None:
            value[name] = UNKNOWN


def forget(value):
    """Write-only values never come back from a provider."""
    value.update({name: None for name in value if name.endswith("_wo")})


def settle(fields, value, seed):
    """An apply makes up what was open, the same for the same seed."""
    for name, field in fields.items():
        if field.get("block"):
            for number, inner in enumerate(inner_blocks(field, value.get(name))):
                settle(field["fields"], inner, f"{seed}.{name}.{number}")
        elif isinstance(value.get(name), msgpack.ExtType):
            value[name] = made_up(type_of(field), f"{seed}.{name}", name)


def made_up(kind, seed, name):
    if kind == "string":
        word = f"{name.replace('_', '-')}-{hashlib.sha1(seed.encode()).hexdigest()[:12]}"
        return f"arn:aws:stub:us-east-1:123456789012:{word}" if name.endswith("arn") else word
    if kind in ("number", "bool", "dynamic"):
        return {"number": 0, "bool": False, "dynamic": None}[kind]
    return {"map": {}, "object": None}.get(kind[0], [])


def set_but_computed(fields, value, path=""):
    """Paths that a config sets and only the provider may."""
    for name, field in fields.items():
        given = (value or {}).get(name)
        if given is None:
            continue
        if field.get("block"):
            for inner in inner_blocks(field, given):
                yield from set_but_computed(field["fields"], inner, f"{path}{name}.")
        elif field["computed"] and not field["optional"]:
            yield path + name


def decode(value):
    if value.msgpack:
        return msgpack.unpackb(value.msgpack, raw=False, strict_map_key=False)
    return json.loads(value.json) if value.json else None


def encode(value):
    return pb.DynamicValue(msgpack=msgpack.packb(value, use_bin_type=True))

"""AppConfig calls this with a config; it answers by raising, with the faults, or not at all.

The schema lies beside it in the zip. Only what weir's schema uses is understood; another keyword is an error, so that
nothing is waved through because it was not understood. `weir check` says more; this is the last gate, not the first."""
import base64
import json
import pathlib
import re
import tomllib

SCHEMA = pathlib.Path(__file__).with_name("weir.schema.json")
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float)}
NOTES = {"$schema", "$id", "title", "description", "default", "examples", "format", "deprecated", "x-taplo"}
KNOWN = {"type", "enum", "properties", "required", "additionalProperties", "items", "anyOf", "minimum", "maximum",
         "minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "pattern"}


def is_a(value, kind):
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, TYPES[kind])


def faults(value, schema, path="config"):
    unknown = set(schema) - KNOWN - NOTES
    if unknown:
        raise ValueError(f"the validator does not understand {', '.join(sorted(unknown))} in the schema")
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(is_a(value, kind) for kind in kinds):
        yield f"{path}: {' or '.join(kinds)} is wanted"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path}: one of {', '.join(map(str, schema['enum']))} is wanted"
    if "anyOf" in schema and all(any(True for _ in faults(value, one, path)) for one in schema["anyOf"]):
        yield f"{path}: {value!r} is none of what may stand here"
    if isinstance(value, dict):
        yield from of_table(value, schema, path)
    elif isinstance(value, list):
        yield from bounds(len(value), schema, "minItems", "maxItems", path, "entries")
        for number, one in enumerate(value):
            yield from faults(one, schema.get("items", {}), f"{path}[{number}]")
    elif isinstance(value, str):
        yield from bounds(len(value), schema, "minLength", "maxLength", path, "characters")
        if "pattern" in schema and not re.search(schema["pattern"], value):
            yield f"{path}: {value!r} is not written as it must be"
    elif not isinstance(value, bool):
        yield from bounds(value, schema, "minimum", "maximum", path, "")


def of_table(value, schema, path):
    known, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    for key in schema.get("required", []):
        if key not in value:
            yield f"{path}.{key}: is missing"
    for key, one in value.items():
        if key in known:
            yield from faults(one, known[key], f"{path}.{key}")
        elif others is False:
            yield f"{path}.{key}: there is no such key"
        elif isinstance(others, dict):
            yield from faults(one, others, f"{path}.{key}")


def bounds(number, schema, low, high, path, what):
    if number < schema.get(low, number):
        yield f"{path}: at least {schema[low]} {what}".rstrip()
    if number > schema.get(high, number):
        yield f"{path}: at most {schema[high]} {what}".rstrip()


def handler(event, context):
    try:
        config = tomllib.loads(base64.b64decode(event["content"]).decode())
    except (ValueError, UnicodeDecodeError) as error:
        raise ValueError(f"no TOML: {error}") from None
    found = list(faults(config, json.loads(SCHEMA.read_text())))
    if found:
        raise ValueError("; ".join(found[:20]))

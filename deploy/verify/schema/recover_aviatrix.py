"""Recovers the Aviatrix provider's schema from its Python bindings, and keeps the types that deploy/terraform uses.

The bindings (PyPI, Apache-2.0) have a class of arguments for each resource and one of its state: what only the state has
is computed. Their module's name is the resource's name. What the provider gained since stands in newer.py."""
import ast
import re

import newer
import recover

# Where the bindings lost an underscore on the way from Terraform's name to Python's.
NAMES = {"domain_name1": "domain_name_1", "domain_name2": "domain_name_2"}
SIGN_IN = ("controller_ip", "username", "password")


def arguments(kind):
    """(name, annotation, whether it must be given) of what a class is constructed with."""
    for function in kind.body:
        if isinstance(function, ast.FunctionDef) and function.name == "__init__":
            for argument, default in zip(function.args.kwonlyargs, function.args.kw_defaults):
                yield NAMES.get(argument.arg, argument.arg), ast.unparse(argument.annotation) if argument.annotation else "", default is None


def classes(text):
    return [one for one in ast.parse(text).body if isinstance(one, ast.ClassDef)]


def plain(annotation):
    """The type of a field that is no block."""
    base = "string" if "str" in annotation else "bool" if "bool" in annotation else "number" if re.search("int|float", annotation) else "dynamic"
    return ["list", base] if "Sequence" in annotation else ["map", base] if "Mapping" in annotation else base


def fields(kind, blocks):
    made = {}
    for name, annotation, required in arguments(kind):
        made[name] = {"computed": False, "optional": not required, "required": required}
        block = re.search(r"'(\w+Args)'", annotation)
        if block:
            made[name] |= {"nest": "list" if "Sequence" in annotation else "single", "block": True, "fields": fields(blocks[block[1]], blocks)}
        else:
            made[name]["type"] = plain(annotation)
    return made


def resource(text, blocks):
    """All fields of one resource's module."""
    found = classes(text)
    made = fields(next(one for one in found if one.name.endswith("Args")), blocks)
    state = next((one for one in found if one.name.startswith("_") and one.name.endswith("State")), None)
    for name, field in (fields(state, blocks) if state else {}).items():
        if name not in made:
            made[name] = field | {"computed": True, "optional": False, "required": False, "block": False}
    made.setdefault("id", {"computed": True, "optional": True, "required": False, "type": "string"})
    return made


def in_use(kind, known, wanted):
    """Those types of newer.py that a module uses."""
    return {name: fields for name, fields in known.items() if (kind, name) in wanted}


def schema(read):
    """The schema of what is in use; READ gives the text of a module of the bindings, or None."""
    blocks = {one.name: one for one in classes(read("_inputs"))}
    wanted = recover.used("aviatrix")
    sign_in = {name: {"computed": False, "optional": True, "required": False, "type": "string"} for name in SIGN_IN}
    texts = {name: read(name) for kind, name in sorted(wanted) if kind == "resource"}
    old = {name: resource(text, blocks) for name, text in texts.items() if text}
    made = {"provider": {"aviatrix": sign_in}, "data": in_use("data", newer.DATA, wanted),
            "resource": old | in_use("resource", newer.RESOURCES, wanted)}
    return recover.complete(made, wanted)

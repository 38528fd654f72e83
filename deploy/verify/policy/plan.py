"""A plan's JSON as the rules read it: resources by kind, the documents in them, and what only the apply will tell."""
import functools
import json
import re
import tomllib


class _Unknown:
    """Stands where a value is known after the apply only. It counts as set, holds nothing that a rule could look at,
    and is neither more nor less than anything: a rule judges what it can see."""

    def __bool__(self):
        return True

    def __iter__(self):
        return iter(())

    def _is_not(self, _other):
        return False

    __lt__ = __le__ = __gt__ = __ge__ = _is_not

    def __repr__(self):
        return "(known after apply)"


UNKNOWN = _Unknown()
UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(text):
    """weir's durations, such as 25s."""
    number, unit = re.fullmatch(r"([0-9]+)(ms|s|m|h|d)", text).groups()
    return int(number) * UNITS[unit]


def listed(value):
    return value if isinstance(value, list) else [] if value is None else [value]


def fill(value, unknown):
    """The value with UNKNOWN wherever Terraform says that it does not know yet."""
    if unknown is True:
        return UNKNOWN
    if isinstance(unknown, dict):
        held = value if isinstance(value, dict) else {}
        return {**held, **{key: fill(held.get(key), inner) for key, inner in unknown.items() if inner not in ({}, [], False)}}
    if isinstance(unknown, list) and unknown:
        held = value if isinstance(value, list) else []
        pairs = [(held[n] if n < len(held) else None, unknown[n] if n < len(unknown) else False) for n in range(max(len(held), len(unknown)))]
        return [fill(one, inner) for one, inner in pairs]
    return value


class Resource:
    """One resource as it will stand."""

    def __init__(self, address, kind, values, change):
        self.address, self.kind, self.values, self.change = address, kind, values, change

    def __getitem__(self, key):
        return self.values.get(key)

    def block(self, *path):
        """The first block of that name, and the first of the next name in it; {} where there is none."""
        held = self.values
        for key in path:
            held = held.get(key) if isinstance(held, dict) else None
            held = held[0] if isinstance(held, list) and held else held
        return held if isinstance(held, dict) else {}

    def blocks(self, key):
        held = self[key]
        return [one for one in held if isinstance(one, dict)] if isinstance(held, list) else []

    def document(self, key):
        """JSON that is passed on as text, or None where it is absent or not known yet."""
        text = self[key]
        return json.loads(text) if isinstance(text, str) and text.lstrip().startswith(("{", "[")) else None


class Plan:
    """All managed resources of all modules."""

    def __init__(self, made, production=False):
        self.made, self.production = made, production
        changes = {one["address"]: one["change"] for one in made.get("resource_changes", [])}
        self.resources = []
        for one in self._walk(made["planned_values"]["root_module"]):
            change = changes.get(one["address"], {})
            self.resources.append(Resource(one["address"], one["type"], fill(one["values"], change.get("after_unknown", {})), change))

    def _walk(self, module):
        yield from (one for one in module.get("resources", []) if one["mode"] == "managed")
        for child in module.get("child_modules", []):
            yield from self._walk(child)

    def of(self, *kinds):
        return [one for one in self.resources if one.kind in kinds]

    def variable(self, name):
        """What the environment's one file says, or None."""
        return self.made.get("variables", {}).get(name, {}).get("value")

    def written(self, kind):
        """What the code itself says of resources of a kind: (address, names of what is set there)."""
        def walk(module, prefix):
            for one in module.get("resources", []):
                if one["type"] == kind:
                    yield f"{prefix}{one['address']}", set(one.get("expressions", {}))
            for name, call in module.get("module_calls", {}).items():
                yield from walk(call.get("module", {}), f"{prefix}module.{name}.")
        return walk(self.made.get("configuration", {}).get("root_module", {}), "")

    def containers(self):
        """(task definition, container) of each that is known."""
        for one in self.of("aws_ecs_task_definition"):
            for container in one.document("container_definitions") or []:
                yield one, container

    def doors(self):
        """Names of the containers that the load balancer reaches: weir's."""
        return {block.get("container_name") for one in self.of("aws_ecs_service") for block in one.blocks("load_balancer")}

    def statements(self):
        """(resource, who is bound: identity, trust or resource, statement) of each policy that is known."""
        for one in self.resources:
            for key in ("policy", "assume_role_policy", "access_policy"):
                document = one.document(key)
                if isinstance(document, dict):
                    role = "trust" if key == "assume_role_policy" else "identity" if one.kind.startswith("aws_iam_") else "resource"
                    for statement in listed(document.get("Statement")):
                        yield one, role, statement

    @functools.cached_property
    def config(self):
        """weir's config; {} where it is not known, or is no TOML."""
        try:
            return tomllib.loads(self.config_text()[1])
        except tomllib.TOMLDecodeError:
            return {}

    def config_text(self):
        """(where it lies, its text) of weir's config, in AppConfig or SSM; no text where it is not known."""
        for one in self.of("aws_appconfig_hosted_configuration_version", "aws_ssm_parameter"):
            text = one["content"] if one.kind.startswith("aws_appconfig") else one["value"]
            if isinstance(text, str) and "[listen]" in text:
                return one.address, text
        return "", ""

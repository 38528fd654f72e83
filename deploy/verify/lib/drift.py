"""What a second plan would change, read from its JSON: nothing, but for what is listed here by resource and attribute."""
import json

from . import terraform as tf

# (type, attribute): why a difference there is moto's or the old provider's and not ours. Each is printed when it is met.
ALLOWED = {}


def differences(plan):
    """(address, type, attribute) of each change in a plan's JSON; the attribute is * where a resource comes or goes."""
    found = []
    for resource in plan.get("resource_changes", []):
        change = resource["change"]
        if resource["mode"] != "managed" or change["actions"] == ["no-op"]:
            continue
        if change["actions"] != ["update"]:
            found.append((resource["address"], resource["type"], "*"))
            continue
        before, after, unknown = change["before"], change["after"], change["after_unknown"]
        names = {name for name in {*before, *after} if before.get(name) != after.get(name)}
        names |= {name for name, is_unknown in unknown.items() if is_unknown is True}
        found += [(resource["address"], resource["type"], name) for name in sorted(names)]
    return found


def split(found, allowed):
    """What is allowed and what is not."""
    fine = [one for one in found if one[1:] in allowed]
    return fine, [one for one in found if one not in fine]


def unchanged(folder, env, after):
    """Plans again; what differed and is allowed, or Failed with what is not."""
    tf.run(["terraform", "plan", "-input=false", "-no-color", "-out=again"], folder, env)
    plan = json.loads(tf.run(["terraform", "show", "-json", "again"], folder, env).stdout)
    fine, wrong = split(differences(plan), ALLOWED)
    if wrong:
        raise tf.Failed(f"a plan after {after} wants to change:\n  " + "\n  ".join(f"{address}: {name}" for address, _, name in wrong))
    return fine

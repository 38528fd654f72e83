"""Holds a plan against all our rules. Files of one idea each register theirs; exceptions.toml lists what is excepted."""
from . import balancer, config, containers, durability, encryption, exposure, firewall, logs, rights  # noqa: F401
from .plan import Plan
from .registry import RULES, exceptions


def findings(made, production):
    """All that breaks a rule, exceptions included: (rule, address, what)."""
    plan = Plan(made, production)
    return [(name, address, what) for name, rule in RULES.items() for address, what in rule.check(plan)]


def judge(made, production, used=None):
    """All that is wrong: (rule, address, what). USED, a set, gets the exceptions that applied."""
    allowed, wrong = exceptions("rule"), []
    for name, address, what in findings(made, production):
        covering = [one for one in allowed if one.covers(name, address)]
        if used is not None:
            used.update(covering)
        if not covering:
            wrong.append((name, address, what))
    return wrong


def unused(used):
    """Exceptions that no longer apply, and so must go."""
    return [one for one in exceptions("rule") if one not in used]

"""The list of rules. Each has a name, a sentence that says what holds, and a function that yields (address, what is wrong)."""
import dataclasses
import pathlib
import re
import tomllib
import typing

EXCEPTIONS = pathlib.Path(__file__).with_name("exceptions.toml")
RULES: dict[str, "Rule"] = {}


@dataclasses.dataclass(frozen=True)
class Rule:
    """What a plan must keep."""
    name: str
    sentence: str
    check: typing.Callable


@dataclasses.dataclass(frozen=True)
class Excepted:
    """A place where a rule, ours or checkov's, is broken knowingly."""
    check: str
    where: str
    reason: str

    def covers(self, check, where):
        pattern = ".*".join(map(re.escape, self.where.split("*")))
        return check == self.check and re.fullmatch(pattern, where) is not None


def rule(name, sentence):
    def keep(check):
        if name in RULES:
            raise ValueError(f"two rules are called {name}")
        RULES[name] = Rule(name, sentence, check)
        return check
    return keep


def exceptions(table, path=EXCEPTIONS):
    """The exceptions of one table of the file; each must say what, where and why."""
    found = []
    for number, one in enumerate(tomllib.loads(path.read_text()).get(table, []), 1):
        if set(one) != {"check", "where", "reason"} or not all(isinstance(v, str) and v.strip() for v in one.values()):
            raise ValueError(f"{path.name}: [[{table}]] number {number}: write check, where and reason, and nothing else")
        found.append(Excepted(**one))
    return found

"""Each rule against a fragment that keeps it and fragments that break it."""
import json
import pathlib
import tempfile
import unittest

from policy import registry, rules
from policy.plan import UNKNOWN, Plan

from . import cases_reach, cases_rights, cases_running
from .fragment import config, plan, resource

CASES = {**cases_reach.CASES, **cases_rights.CASES, **cases_running.CASES}


def found(name, resources, production=True, configuration=None):
    check = registry.RULES[name].check
    return [f"{address}: {what}" for address, what in check(Plan(plan(resources, configuration), production))]


class EveryRule(unittest.TestCase):
    def test_has_a_case_and_a_sentence(self):
        self.assertEqual(set(CASES), set(registry.RULES))
        for name, rule in registry.RULES.items():
            self.assertRegex(rule.sentence, r"^[A-Za-z].*\.$", name)

    def test_holds(self):
        for name, case in CASES.items():
            with self.subTest(name):
                self.assertEqual(found(name, case.holds, case.production), [])

    def test_breaks(self):
        for name, case in CASES.items():
            for words, resources in case.breaks.items():
                with self.subTest(name, words=words):
                    self.assertIn(words, "\n".join(found(name, resources, case.production)))

    def test_rules_inside_a_group_are_seen(self):
        for configuration in cases_reach.INSIDE.values():
            self.assertIn("holds rules in itself", str(found("open-doors", [], configuration=configuration)))
        self.assertEqual(found("open-doors", [], configuration=cases_reach.written("name")), [])

    def test_staging_may_be_deleted(self):
        self.assertEqual(found("kept-from-deletion", [resource("aws_lb")], production=False), [])


class WhatIsNotKnownYet(unittest.TestCase):
    def test_counts_as_set(self):
        one = Plan(plan([resource("aws_lb", unknown={"arn": True, "access_logs": [{"bucket": True}]}, access_logs=[{"enabled": True}])])).resources[0]
        self.assertIs(one["arn"], UNKNOWN)
        self.assertEqual(one["access_logs"], [{"enabled": True, "bucket": UNKNOWN}])

    def test_operators_reach_the_admin_address_alone_and_only_if_declared(self):
        def broken(ports, declared):
            people = cases_reach.way_in("people", "sg-weir", ports, referenced_security_group_id="sg-people")
            made = plan([*cases_reach.CHAIN, people]) | {"variables": {"operator_security_group_ids": {"value": declared}}}
            return len(list(registry.RULES["one-way-in"].check(Plan(made))))
        self.assertEqual(broken((9901, 9901), ["sg-people"]), 0)
        self.assertEqual(broken((9901, 9901), []), 1)
        self.assertEqual(broken((8080, 8080), ["sg-people"]), 1)

    def test_gateways_reach_the_syslog_port_alone_and_only_if_declared(self):
        def broken(ports, declared):
            gateway = cases_reach.way_in("gateway", "sg-weir", ports, cidr_ipv4="192.0.2.0/28")
            made = plan([*cases_reach.CHAIN, gateway]) | {"variables": {"aviatrix": {"value": declared}}}
            return len(list(registry.RULES["one-way-in"].check(Plan(made))))
        self.assertEqual(broken((5140, 5140), {"sources": ["192.0.2.0/28"]}), 0)
        self.assertEqual(broken((5514, 5514), {"sources": ["192.0.2.0/28"], "port": 5514}), 0)
        self.assertEqual(broken((5140, 5140), {"sources": ["198.51.100.0/28"]}), 1)
        self.assertEqual(broken((8080, 8080), {"sources": ["192.0.2.0/28"]}), 1)
        self.assertEqual(broken((5140, 5140), None), 1)

    def test_no_rule_falls_over_a_first_plan(self):
        """Before the first apply nearly nothing is known: rules may find less, and must not fall over."""
        kinds = {one["type"] for case in CASES.values() for one in [*case.holds, *sum(case.breaks.values(), [])]}
        keys = {key for case in CASES.values() for one in case.holds for key in one["values"]}
        for name in registry.RULES:
            for kind in sorted(kinds):
                with self.subTest(name, kind=kind):
                    found(name, [resource(kind, unknown={key: True for key in keys})])

    def test_a_config_that_is_not_known_is_empty(self):
        self.assertEqual(Plan(plan([resource("aws_ssm_parameter", unknown={"value": True})])).config, {})
        self.assertIn("listen", Plan(plan([config("")])).config)


class Exceptions(unittest.TestCase):
    def test_each_says_why(self):
        self.assertTrue(all(one.reason for table in ("rule", "checkov") for one in registry.exceptions(table)))

    def test_one_without_a_reason_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "exceptions.toml"
            path.write_text('[[rule]]\ncheck = "names"\nwhere = "*"\n')
            with self.assertRaisesRegex(ValueError, r"\[\[rule\]\] number 1: write check, where and reason"):
                registry.exceptions("rule", path)

    def test_a_star_stands_for_anything_and_brackets_for_themselves(self):
        one = registry.Excepted("names", 'module.*.aws_lb.this["blue"]', "why")
        self.assertTrue(one.covers("names", 'module.a.module.b.aws_lb.this["blue"]'))
        self.assertFalse(one.covers("names", "module.a.aws_lb.thisb"))
        self.assertFalse(one.covers("zones", 'module.a.aws_lb.this["blue"]'))

    def test_those_that_apply_nowhere_are_told(self):
        used = set()
        rules.judge(json.loads(json.dumps(plan([]))), True, used)
        self.assertEqual(rules.unused(used), registry.exceptions("rule"))


if __name__ == "__main__":
    unittest.main()

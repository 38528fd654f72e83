"""The reading of a second plan finds what would change, and lets through only what is listed."""
import unittest

from lib import drift


def plan(actions, before, after, unknown=None):
    return {"resource_changes": [{"address": "module.service.aws_ecs_service.weir", "type": "aws_ecs_service", "mode": "managed",
                                  "change": {"actions": actions, "before": before, "after": after, "after_unknown": unknown or {}}}]}


class Drift(unittest.TestCase):
    def test_no_change(self):
        self.assertEqual(drift.differences(plan(["no-op"], {"a": 1}, {"a": 1})), [])

    def test_a_changed_value(self):
        found = drift.differences(plan(["update"], {"a": 1, "b": 2}, {"a": 1, "b": 3}))
        self.assertEqual(found, [("module.service.aws_ecs_service.weir", "aws_ecs_service", "b")])

    def test_a_value_known_after_the_apply(self):
        self.assertEqual([name for _, _, name in drift.differences(plan(["update"], {"a": 1}, {}, {"a": True}))], ["a"])

    def test_a_replacement_is_all_of_it(self):
        for actions in (["delete", "create"], ["create"], ["delete"]):
            self.assertEqual([name for _, _, name in drift.differences(plan(actions, {"a": 1}, {"a": 1}))], ["*"])

    def test_one_allowed_attribute_does_not_cover_another(self):
        found = drift.differences(plan(["update"], {"a": 1, "b": 2}, {"a": 9, "b": 9}))
        fine, wrong = drift.split(found, {("aws_ecs_service", "a"): "why"})
        self.assertEqual([[name for _, _, name in part] for part in (fine, wrong)], [["a"], ["b"]])

    def test_an_allowed_attribute_does_not_cover_a_replacement(self):
        fine, wrong = drift.split(drift.differences(plan(["delete", "create"], {"a": 1}, {"a": 2})), {("aws_ecs_service", "a"): "why"})
        self.assertEqual((len(fine), len(wrong)), (0, 1))


if __name__ == "__main__":
    unittest.main()

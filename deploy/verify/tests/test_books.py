"""The books name nothing that is not there: commands, flags, alarms, metrics, documents, variables, files, links.

weir's own commands are held against the binary's --help: WEIR=FILE, or what was built last."""
import functools
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

import names  # noqa: E402
from books import BOOKS, ROOT, anchors, apart, commands, flags, lines, links, spans, text  # noqa: E402

try:
    import botocore.session
except ImportError:
    botocore = None

# Of the AWS CLI's own making: no call of the API has their names.
AWS_OWN = {("cloudformation", "deploy"), ("s3", "cp"), ("logs", "tail"), ("ecr", "get-login-password")}
AWS_GENERAL = {"--query", "--output", "--region", "--profile", "--no-cli-pager"}
CALLS_IN_THE_TRAIL = {"GetSecretValue", "PutSecretValue", "StartAutomationExecution", "UpdateIPSet"}


def binary():
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    given = os.environ.get("WEIR")
    found = [pathlib.Path(given)] if given else [target / kind / "weir" for kind in ("release", "debug")]
    return next((path for path in found if path.exists()), None)


@functools.cache
def weir_help(*subcommands):
    return subprocess.run([binary(), *subcommands, "--help"], capture_output=True, text=True, timeout=20).stdout


def written():
    """(book, text) of every piece of code."""
    return [(path.name, piece) for path in BOOKS for piece in lines(path) + spans(path)]


class Holding(unittest.TestCase):
    """Looks at everything before it fails, and says of each fault where it stands."""

    def hold(self, pieces, look, least):
        faults, seen = [], 0
        for book, piece in pieces:
            try:
                seen += bool(look(piece))
            except AssertionError as fault:
                faults.append(f"{book}: {piece if isinstance(piece, str) else ' '.join(map(str, piece))}: {fault}")
        self.assertEqual([], faults, "\n" + "\n".join(faults))
        self.assertGreater(seen, least, "hardly anything was looked at")

    def hold_commands(self, look, least):
        self.hold([(path.name, words) for path in BOOKS for words in commands(path)], look, least)


class Commands(Holding):
    @unittest.skipUnless(binary(), "no weir was built: WEIR=FILE names one")
    def test_weir_knows_its_commands_and_flags(self):
        def look(words):
            if words[0] != "weir" or len(words) < 2:
                return False
            told, chain = weir_help(), ()
            while len(words) > len(chain) + 1 and "Commands:" in told and re.search(rf"^  {re.escape(words[len(chain) + 1])}\s", told, re.M):
                chain += (words[len(chain) + 1],)
                told = weir_help(*chain)
            self.assertTrue(chain or words[1].startswith("-"), f"weir has no command {words[1]}")
            self.assertFalse(chain and "\nCommands:" in told, f"weir {' '.join(chain)} wants a command of its own")
            for flag in flags(words):
                self.assertRegex(told, rf"(?m)(^|\s){flag}\b", f"no flag {flag}")
            return True
        self.hold_commands(look, 40)

    @unittest.skipUnless(binary(), "no weir was built: WEIR=FILE names one")
    def test_simulated_scenarios_are_there(self):
        told = subprocess.run([binary(), "simulate", "--scenario", "list"], capture_output=True, text=True, timeout=20).stdout
        known = set(re.findall(r"^  ([a-z0-9-]+)  ", told, re.M)) | {"all", "list"}

        def look(words):
            if words[:2] != ["weir", "simulate"] or "--scenario" not in words:
                return False
            self.assertIn(words[words.index("--scenario") + 1], known)
            return True
        self.hold_commands(look, 4)

    def test_make_and_its_scenarios(self):
        targets = set(re.findall(r"^([a-z-]+):", text(ROOT / "Makefile"), re.M))

        def look(words):
            if words[0] != "make" or len(words) < 2:
                return False
            self.assertIn(words[1], targets)
            for word in words[2:]:
                if word.startswith("SCENARIO="):
                    self.assertIn(word.partition("=")[2], names.scenarios())
            return True
        self.hold_commands(look, 10)

    def test_scripts_take_the_flags(self):
        def look(words):
            script = next((word for word in words[:2] if re.match(r"^(deploy|loadtest|scripts)/[\w/.-]+$", word)), None)
            if script is None:
                return False
            self.assertTrue((ROOT / script).exists(), f"no file {script}")
            if words[0] == script and os.access(ROOT / script, os.X_OK) and (ROOT / script).is_file():
                for flag in flags(words):
                    self.assertRegex(text(ROOT / script), rf"{flag}\b", f"no flag {flag}")
            return True
        self.hold_commands(look, 10)

    @unittest.skipIf(botocore is None, "botocore is missing: make setup-deploy installs it")
    def test_aws_has_the_calls_and_arguments(self):
        session = botocore.session.get_session()

        def look(words):
            if words[0] != "aws" or len(words) < 3 or tuple(words[1:3]) in AWS_OWN:
                return False
            service, call = words[1:3]
            model = session.get_service_model({"s3api": "s3"}.get(service, service))
            if call == "wait":
                self.assertIn(words[3], {spelt(name) for name in session.get_waiter_model(service).waiter_names})
                return True
            calls = {spelt(name): name for name in model.operation_names}
            self.assertIn(call, calls, f"{service} has no call {call}")
            shape = model.operation_model(calls[call]).input_shape
            members = {spelt(name): member for name, member in shape.members.items()} if shape else {}
            known = {"--" + name for name in members} | {"--no-" + name for name, member in members.items() if member.type_name == "boolean"}
            known |= AWS_GENERAL | ({"--protocol", "--port", "--source-group"} if call.endswith("security-group-ingress") else set())
            for flag in flags(words):
                self.assertIn(flag, known, f"no flag {flag}")
            # Alone by its name in a sentence it needs no arguments.
            missing = {"--" + spelt(name) for name in shape.required_members} - set(flags(words)) if shape and len(words) > 3 else set()
            self.assertEqual(set(), missing, "arguments are missing")
            return True
        self.hold_commands(look, 25)

    def test_documents_take_the_parameters(self):
        def look(words):
            if "--document-name" not in words:
                return False
            document = re.sub("|".join(f"^{prefix}-" for prefix in names.prefixes()), "", words[words.index("--document-name") + 1])
            self.assertTrue((names.DOCUMENTS / f"{document}.yaml").exists(), "no such document")
            given = {one.partition("=")[0] for one in words[words.index("--parameters") + 1].split(",")} if "--parameters" in words else set()
            self.assertEqual(given, names.document_parameters(document))
            return True
        self.hold_commands(look, 3)


def spelt(name):
    """As the AWS CLI spells it."""
    return botocore.xform_name(name, "-")


class Names(Holding):
    def test_what_has_our_prefix_is_made_somewhere(self):
        pattern = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, names.prefixes()))})([-/][a-z0-9/-]*[a-z0-9])?(-[A-Z…]+)?(?![\w])")

        def look(piece):
            for found in pattern.finditer(piece):
                # Not made here: the group that deploy.md has people make by hand.
                if found[1] and found[1] != "-people":
                    self.assertTrue(found[1] in names.suffixes(), f"nothing is called {found[0]}")
            return pattern.search(piece)
        self.hold(written(), look, 40)

    def test_prefixes_are_those_of_the_environments(self):
        def look(piece):
            found = re.findall(r"(?<![\w-])weir-(?:prod|stag)\w*", piece)
            self.assertEqual(set(), set(found) - set(names.prefixes()))
            return found
        self.hold(written(), look, 40)

    def test_metrics(self):
        prometheus, cloudwatch = names.metrics()

        def look(piece):
            found = re.findall(r"\bweir_[a-z0-9_]+", piece)
            for name in found:
                self.assertIn(re.sub(r"_(bucket|sum|count)$", "", name), prometheus)
            camel = re.fullmatch(r"[A-Z][a-z]+([A-Z][A-Za-z]+)+", piece) and piece not in CALLS_IN_THE_TRAIL
            if camel:
                self.assertTrue(piece in cloudwatch or f'"{piece}"' in names.all_terraform(), "no such metric")
            return found or camel
        self.hold(written(), look, 15)

    def test_settings_are_of_terraform_or_of_weir(self):
        keys = names.config_keys()
        ends = {key.rsplit(".", 1)[-1] for key in keys}

        def look(piece):
            secrets = re.findall(r"TF_VAR_(\w+)", piece)
            self.assertEqual(set(), set(secrets) - names.environment_variables())
            setting = re.fullmatch(r"([a-z][a-z0-9_]*) = .+", piece)
            if setting and setting[1] != "brust":  # the mistake of game day 6
                self.assertTrue(setting[1] in names.variables() | ends | {"enforce"}, "no such setting")
            dotted = re.fullmatch(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+", piece)
            ours = dotted and ".aws_" not in piece and piece.split(".")[0] in {key.split(".")[0] for key in keys} and not piece.endswith((".md", ".toml", ".tf", ".json", ".log"))
            if ours:
                self.assertTrue(piece in keys, "weir's config has no such key")
            return secrets or setting or ours
        self.hold(written(), look, 15)

    def test_links_lead_somewhere(self):
        def look(link):
            _, file, anchor = link
            self.assertTrue(file.exists(), "no such file")
            if anchor and file.suffix == ".md":
                self.assertIn(anchor, anchors(file))
            return True
        self.hold([(path.name, link) for path in BOOKS for link in links(path)], look, 50)


class Reading(unittest.TestCase):
    """The reading itself: what it does not see, nothing above can hold."""

    def test_commands_come_apart(self):
        found = apart("export A=1 B=2; zcat x.gz | weir simulate --log - --config=new.toml > out # and so on")
        self.assertEqual(found[1:], [["zcat", "x.gz"], ["weir", "simulate", "--log", "-", "--config=new.toml", ">", "out"]])
        self.assertEqual(flags(found[2]), ["--log", "--config"])
        self.assertEqual(apart("a weir's word"), [])

    def test_a_span_may_go_over_the_end_of_a_line(self):
        with tempfile.TemporaryDirectory() as folder:
            page = pathlib.Path(folder) / "page.md"
            page.write_text("Say `weir ban\nlist`.\n\n## A `b`, [c](d): e\n\n```console\n$ WEIR_ADMIN=x weir top\nout\n```\n")
            self.assertEqual(spans(page), ["weir ban list", "b"])
            self.assertEqual(lines(page), ["WEIR_ADMIN=x weir top"])
            self.assertEqual(list(commands(page)), [["weir", "top"], ["weir", "ban", "list"], ["b"]])
            self.assertEqual(anchors(page), {"a-b-c-e"})
            self.assertEqual([target for target, _, _ in links(page)], ["d"])

    def test_a_fault_is_told_with_its_place(self):
        class One(Holding):
            def runTest(self):
                self.hold([("book.md", "a"), ("book.md", "b")], lambda piece: self.assertEqual(piece, "a") or True, 0)
        told = unittest.TestResult()
        One().run(told)
        self.assertIn("book.md: b: ", told.failures[0][1])


if __name__ == "__main__":
    unittest.main()

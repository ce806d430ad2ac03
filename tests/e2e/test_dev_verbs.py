"""What the verbs of `./dev` say about themselves, and that they refuse what they do not know before
they do anything. In a tree that has only the scripts, where every tool that does something is a trap."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from harness.dev import ROOT

VERBS = ("bench", "build", "clean", "env", "format", "help", "lint", "run", "status", "stop", "test")
TRAPS = ("apt-get", "clang-format", "cmake", "ninja", "npm", "runuser", "shellcheck", "wrk")


class DevVerbs(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tocsin-verbs-")
        self.addCleanup(folder.cleanup)
        self.tree = pathlib.Path(folder.name, "tree")
        self.tree.mkdir()
        shutil.copy(ROOT / "dev", self.tree)
        nothing = shutil.ignore_patterns("__pycache__")
        for part in ("tools", "bench", "tests/e2e/harness"):
            shutil.copytree(ROOT / part, self.tree / part, ignore=nothing)
        traps = pathlib.Path(folder.name, "traps")
        traps.mkdir()
        self.sprung = pathlib.Path(folder.name, "sprung")
        for name in TRAPS:
            trap = traps / name
            trap.write_text(f"#!/bin/sh\necho {name} >>'{self.sprung}'\nexit 1\n")
            trap.chmod(0o755)
        own = {name: value for name, value in os.environ.items() if not name.startswith("TOCSIN_")}
        self.environment = {**own, "PATH": f"{traps}:{own['PATH']}"}
        self.before = self.files()

    def files(self):
        return sorted(str(path) for path in self.tree.rglob("*"))

    def dev(self, *arguments, **environment):
        done = subprocess.run(["./dev", *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=30, check=False, cwd=self.tree,
                              env={**self.environment, **environment})
        self.assertFalse(self.sprung.exists(), f"{arguments} used a tool:\n{done.stderr}")
        self.assertEqual(self.files(), self.before, f"{arguments} changed the tree")
        return done

    def assert_refused(self, arguments, *words, **environment):
        done = self.dev(*arguments, **environment)
        self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def test_every_verb_shows_its_help_and_does_nothing(self):
        for verb in VERBS:
            for arguments in ((verb, "--help"), (verb, "-h"), ("help", verb)):
                with self.subTest(arguments):
                    done = self.dev(*arguments)
                    self.assertEqual((done.returncode, done.stderr), (0, ""))
                    self.assertRegex(done.stdout, rf"\AUsage: \./dev {verb}\b")

    def test_help_wins_over_other_arguments(self):
        for arguments in (("run", "--detach", "--help"), ("build", "--preset", "dev", "-h"),
                          ("stop", "everything", "--help")):
            done = self.dev(*arguments)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertRegex(done.stdout, rf"\AUsage: \./dev {arguments[0]}\b")

    def test_the_help_of_a_verb_is_its_own(self):
        out = self.dev("build", "--help").stdout
        self.assertIn("--preset", out)
        self.assertNotIn("--detach", out)
        self.assertIn("TOCSIN_HTTP_PORT", self.dev("run", "--help").stdout)
        self.assertIn("--quick", self.dev("bench", "--help").stdout)

    def test_the_general_help_lists_every_verb(self):
        for arguments in ((), ("help",), ("--help",), ("-h",)):
            out = self.dev(*arguments).stdout
            for verb in VERBS:
                self.assertRegex(out, rf"(?m)^  {verb}\b")

    def test_what_a_verb_does_not_take_is_refused(self):
        for verb in VERBS:
            with self.subTest(verb):
                self.assert_refused((verb, "--no-such-option"), "--no-such-option",
                                    f"./dev {verb} --help")
        for verb in ("clean", "env", "format", "lint", "run", "status", "stop", "test", "bench"):
            with self.subTest(verb):
                self.assert_refused((verb, "surplus"), "surplus", f"./dev {verb} --help")
        self.assert_refused(("help", "surplus"), "surplus")
        self.assert_refused(("surplus",), "surplus", "./dev help")
        self.assert_refused(("run", "--detach", "surplus"), "surplus")
        self.assert_refused(("clean", "--data", "surplus"), "surplus")

    def test_a_test_without_its_option_says_how_to_choose_one(self):
        self.assert_refused(("test", "push_http"), "-R push_http")

    def test_a_preset_that_is_none_is_refused_with_those_there_are(self):
        for verb in ("build", "test"):
            self.assert_refused((verb, "--preset", "fast"), '"fast"', "release", "tsan")
            self.assert_refused((verb, "--preset"), "--preset", "release")

    def test_a_port_that_is_none_is_refused_before_anything_is_done(self):
        for port in ("99999", "65536", "-1", "http", "8080x", "1e3", "000000000000000000080"):
            for name in ("TOCSIN_HTTP_PORT", "TOCSIN_GRPC_PORT"):
                with self.subTest(port=port, name=name):
                    self.assert_refused(("run",), f'{name} is "{port}"', "1 to 65535",
                                        **{name: port})
        self.assert_refused(("run",), "are the same", TOCSIN_HTTP_PORT="9090")


if __name__ == "__main__":
    unittest.main()

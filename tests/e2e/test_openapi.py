"""The OpenAPI document: valid by a public validator, and the one that was agreed upon."""

import difflib
import json
import os
import pathlib
import subprocess
import unittest

from harness.node import install

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests/golden/api/openapi.json"


class OpenApi(unittest.TestCase):
    def setUp(self):
        self.made = pathlib.Path(os.environ["TOCSIN_OPENAPI"])

    def test_it_is_valid(self):
        done = subprocess.run(["node", "validate.mjs", str(self.made)], cwd=install(),
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(json.loads(done.stdout)["version"], "3.1")

    def test_it_is_the_golden_one(self):
        made, golden = self.made.read_text(), GOLDEN.read_text()
        if made == golden:
            return
        difference = "".join(difflib.unified_diff(golden.splitlines(True), made.splitlines(True),
                                                  "tests/golden/api/openapi.json", "made"))
        self.fail(f"the contract has changed:\n{difference[:8000]}\n"
                  f"If that is wanted: cp {self.made} {GOLDEN}")


if __name__ == "__main__":
    unittest.main()

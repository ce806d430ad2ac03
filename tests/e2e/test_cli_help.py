"""What `--help` of every command says, word for word.

TOCSIN_UPDATE_GOLDEN=1 writes the files anew."""

import os
import pathlib
import subprocess
import unittest

from harness.cluster import binary

GOLDEN = pathlib.Path(__file__).parent.parent / "golden" / "help"


class Help(unittest.TestCase):
    maxDiff = None

    def run_tocsin(self, *arguments):
        """The completed process, with no environment of whoever runs the tests, and no core."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("TOCSIN_")}
        environment |= {"TOCSIN_CONFIG": "/nonexistent/tocsin.yaml", "TOCSIN_CORE_ADDRESS": "127.0.0.1:1"}
        return subprocess.run([binary("tocsin"), *arguments], text=True, capture_output=True,
                              env=environment, check=False)

    def commands(self, above=()):
        """Every one, as lists of words: those that completion offers and help explains."""
        for line in self.run_tocsin("__complete", *above, "").stdout.splitlines():
            words = [*above, line.split("\t")[0]]
            if self.run_tocsin("help", *words).returncode == 0:
                yield words
                yield from self.commands(words)

    def test_help_is_as_it_was_agreed(self):
        said = {"tocsin.txt": self.run_tocsin("help").stdout}
        for words in self.commands():
            said[f"{'-'.join(words)}.txt"] = self.run_tocsin("help", *words).stdout
        self.assertGreater(len(said), 60)
        if os.environ.get("TOCSIN_UPDATE_GOLDEN"):
            GOLDEN.mkdir(exist_ok=True)
            for old in GOLDEN.iterdir():
                old.unlink()
            for name, text in said.items():
                (GOLDEN / name).write_text(text)
        self.assertEqual(sorted(said), sorted(file.name for file in GOLDEN.iterdir()))
        for name, text in said.items():
            self.assertEqual(text, (GOLDEN / name).read_text(), name)
            # An example that has a key or a token in it would be copied.
            self.assertNotRegex(text, r"tk_[A-Za-z0-9]{8}|--key[ =]", name)


if __name__ == "__main__":
    unittest.main()

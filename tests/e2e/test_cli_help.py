"""What `--help` of the commands that change something says, word for word.

TOCSIN_UPDATE_GOLDEN=1 writes the files anew."""

import os
import pathlib
import subprocess
import unittest

from harness.cluster import binary

GOLDEN = pathlib.Path(__file__).parent.parent / "golden" / "help"
COMMANDS = ("monitor create", "monitor update", "monitor delete", "monitor rotate-token", "monitor stats",
            "channel create", "channel update", "channel delete", "key create", "key update",
            "project create", "audit list", "schedule preview", "heartbeat list", "heartbeat output",
            "push", "exec", "import healthchecks", "import uptime-kuma", "maintenance create",
            "maintenance update", "maintenance delete", "mute", "mute list", "unmute",
            "explain", "apply", "export", "import kubernetes", "import crontab")


class Help(unittest.TestCase):
    maxDiff = None

    def test_help_is_as_it_was_agreed(self):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("TOCSIN_")}
        for command in COMMANDS:
            done = subprocess.run([binary("tocsin"), "help", *command.split()], text=True,
                                  capture_output=True, env=environment, check=True)
            file = GOLDEN / f"{command.replace(' ', '-')}.txt"
            if os.environ.get("TOCSIN_UPDATE_GOLDEN"):
                file.parent.mkdir(exist_ok=True)
                file.write_text(done.stdout)
            self.assertEqual(done.stdout, file.read_text(), command)


if __name__ == "__main__":
    unittest.main()

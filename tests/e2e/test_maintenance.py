"""Maintenance windows, from the command line to the webhook that gets nothing, and then what is left."""

import unittest

from harness.pushing import push
from harness.testcase import TocsinTestCase
from harness.waiting import wait_until

LONG = ("--timeout", "1h")


class Maintenance(TocsinTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cluster.make_channel(cls.receiver, "everyone", "--default")

    def setUp(self):
        self.monitor = self.id_of_test()
        self.token = self.cli.json("monitor", "create", self.monitor, *LONG)["pushToken"]

    def push(self, status):
        self.assertEqual(push(self.gateway, self.token, status=status).status, 200)

    def announce(self, *flags):
        return self.cli.json("maintenance", "create", self.monitor, "--reason", "new disks",
                             "--monitor", self.monitor, *flags)

    def told(self):
        return [message.type for message in self.receiver.messages(monitor=self.monitor)]

    def incident(self):
        return self.cli.json("incident", "list", "--monitor", self.monitor)["incidents"][0]

    def test_what_fails_and_recovers_in_a_window_is_recorded_and_not_told(self):
        self.announce("--for", "1h")
        self.assertTrue(self.cli.monitor(self.monitor)["inMaintenance"])
        self.push("down")
        self.push("up")
        self.assertEqual(self.incident()["resolution"], "RESOLUTION_RECOVERED")
        # Whatever comes after the window is told, and nothing came before it.
        self.assertEqual(self.cli.run("maintenance", "delete", self.monitor).returncode, 0)
        self.push("down")
        self.receiver.wait_for(1, 20, monitor=self.monitor, type="incident.opened")
        self.assertEqual(self.told(), ["incident.opened"])

    def test_what_is_down_when_the_window_ends_is_told_once(self):
        self.announce("--for", "1h")
        self.push("down")
        opened = self.incident()["openTime"]
        self.assertEqual(self.told(), [])
        self.assertEqual(self.cli.run("maintenance", "delete", self.monitor).returncode, 0)
        message = self.receiver.wait_for(1, 20, monitor=self.monitor, type="incident.opened")[0]
        self.assertEqual(message.data["occurredAt"][:19], opened[:19])
        self.push("up")
        self.receiver.wait_for(1, 20, monitor=self.monitor, type="incident.resolved")
        self.assertEqual(self.told(), ["incident.opened", "incident.resolved"])

    def test_a_new_end_leaves_the_beginning_alone(self):
        made = self.announce("--for", "1h")
        changed = self.cli.json("maintenance", "update", self.monitor, "--until", made["oneOff"]["endTime"],
                                "--validate-only")
        self.assertEqual(changed["oneOff"]["startTime"], made["oneOff"]["startTime"])

    def test_a_new_length_counts_from_the_beginning_and_a_new_beginning_leaves_the_end_alone(self):
        made = self.announce("--start", "2099-01-01 12:00:00Z", "--for", "1h")
        longer = self.cli.json("maintenance", "update", self.monitor, "--for", "3h")
        self.assertEqual(longer["oneOff"], {"startTime": "2099-01-01T12:00:00Z",
                                            "endTime": "2099-01-01T15:00:00Z"})
        later = self.cli.json("maintenance", "update", self.monitor, "--start", "2099-01-01 14:00:00Z")
        self.assertEqual(later["oneOff"], longer["oneOff"] | {"startTime": "2099-01-01T14:00:00Z"})
        self.assertEqual(made["oneOff"]["startTime"], longer["oneOff"]["startTime"])
        nothing = self.cli.run("maintenance", "update", self.monitor)
        self.assertEqual(nothing.returncode, 2)
        self.assertIn("nothing to change", nothing.stderr)

    def test_an_end_makes_no_window_of_now_of_one_that_recurs(self):
        made = self.announce("--cron", "0 12 1 1 *", "--window", "3h")
        refused = self.cli.run("maintenance", "update", self.monitor, "--for", "1h")
        self.assertEqual(refused.returncode, 2)
        self.assertIn("it recurs", refused.stderr)
        self.assertEqual(self.cli.json("maintenance", "get", self.monitor)["recurring"],
                         made["recurring"])

    def test_that_what_was_told_has_recovered_is_told_in_a_window(self):
        self.push("down")
        self.receiver.wait_for(1, 20, monitor=self.monitor, type="incident.opened")
        self.announce("--for", "1h")
        self.push("up")
        self.receiver.wait_for(1, 20, monitor=self.monitor, type="incident.resolved")

    def test_a_window_that_recurs_says_when_it_opens(self):
        made = self.announce("--cron", "0 12 1 1 *", "--time-zone", "Europe/Paris", "--window", "3h")
        self.assertNotIn("active", made)
        self.assertIn("nextStartTime", made)
        listed = self.cli.run("maintenance", "list")
        self.assertIn("0 12 1 1 * Europe/Paris, for 3h", listed.stdout)

    def test_what_is_wrong_is_told_at_once(self):
        refused = self.cli.run("maintenance", "create", "wrong", "--cron", "61 * * * *", "--window", "3h")
        self.assertEqual(refused.returncode, 2, refused.stderr)
        for words in ("minute", "reason"):
            self.assertIn(words, refused.stderr)
        wait_until(lambda: self.cli.run("maintenance", "get", "wrong").returncode == 3, 5, "it was not made")


class Mute(TocsinTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cluster.make_channel(cls.receiver, "everyone", "--default")

    def setUp(self):
        self.monitor = self.id_of_test()
        self.token = self.cli.json("monitor", "create", self.monitor, *LONG, "--label", f"of={self.monitor[:20]}")[
            "pushToken"]

    def push(self, status):
        self.assertEqual(push(self.gateway, self.token, status=status).status, 200)

    def told(self):
        return [message.type for message in self.receiver.messages(monitor=self.monitor)]

    def test_what_fails_while_muted_is_told_when_the_mute_ends(self):
        done = self.cli.run("mute", self.monitor, "--for", "2h", "--reason", "known, ticket 7")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"Muted {self.monitor} until ", done.stdout)
        self.assertIn("(muted)", self.cli.run("monitor", "get", self.monitor).stdout)
        self.push("down")
        listed = self.cli.run("mute", "list").stdout
        self.assertIn("known, ticket 7", listed)
        self.assertEqual(self.told(), [])
        ended = self.cli.run("unmute", self.monitor)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.receiver.wait_for(1, 20, monitor=self.monitor, type="incident.opened")
        self.assertNotIn("(muted)", self.cli.run("monitor", "get", self.monitor).stdout)
        self.assertEqual(self.cli.run("unmute", self.monitor).returncode, 3)

    def test_a_mute_that_runs_out_tells_what_is_down(self):
        self.assertEqual(self.cli.run("mute", "-l", f"of={self.monitor[:20]}", "--for", "3s",
                                      "--reason", "short").returncode, 0)
        self.push("down")
        self.receiver.wait_for(1, 30, monitor=self.monitor, type="incident.opened")
        self.push("up")
        self.receiver.wait_for(1, 20, monitor=self.monitor, type="incident.resolved")

    def test_what_was_told_before_recovers_at_once(self):
        self.push("down")
        self.receiver.wait_for(1, 20, monitor=self.monitor, type="incident.opened")
        self.assertEqual(self.cli.run("mute", self.monitor, "--for", "2h", "--reason", "x").returncode, 0)
        self.push("up")
        self.receiver.wait_for(1, 20, monitor=self.monitor, type="incident.resolved")

    def test_what_is_missing_is_asked_for(self):
        for flags, missing in ((("--reason", "x"), "--for"), (("--for", "2h"), "--reason")):
            refused = self.cli.run("mute", self.monitor, *flags)
            self.assertEqual(refused.returncode, 2)
            self.assertIn(missing, refused.stderr)
        unknown = self.cli.run("mute", "nightyl", "--for", "2h", "--reason", "x")
        self.assertEqual(unknown.returncode, 3)
        self.assertIn("monitors/nightyl does not exist", unknown.stderr)
        self.cli.text("monitor", "create", f"{self.monitor}-gone", "--timeout", "1h")
        self.cli.text("monitor", "delete", f"{self.monitor}-gone")
        gone = self.cli.run("mute", f"{self.monitor}-gone", "--for", "2h", "--reason", "x")
        self.assertEqual((gone.returncode, "or is deleted" in gone.stderr), (3, True), gone.stderr)
        self.assertNotIn("nightyl", self.cli.run("mute", "list").stdout)
        nobody = self.cli.run("mute", "-l", "team=nobody", "--for", "3s", "--reason", "x")
        self.assertEqual(nobody.returncode, 0)
        self.assertIn("no monitor matches team=nobody now", nobody.stderr)
        refused = self.cli.run("mute", "--for", "2h", "--reason", "x")
        self.assertEqual(refused.returncode, 2)
        self.assertIn("tocsin mute ID", refused.stderr)
        refused = self.cli.run("mute", self.monitor, "--for", "10000h", "--reason", "x")
        self.assertEqual(refused.returncode, 2, refused.stderr)
        self.assertIn("366 days", refused.stderr)


if __name__ == "__main__":
    unittest.main()

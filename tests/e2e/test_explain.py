"""`tocsin explain`: why a monitor rang, or why it did not, by one command."""

import unittest

from harness.pushing import push, request
from harness.testcase import TocsinTestCase
from harness.waiting import wait_until

LONG = ("--timeout", "1h")
COLUMNS = 100


class Explain(TocsinTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cluster.make_channel(cls.receiver, "everyone", "--default")

    def setUp(self):
        self.monitor = self.id_of_test()

    def make(self, *flags):
        self.token = self.cli.json("monitor", "create", self.monitor, *flags)["pushToken"]

    def push(self, status="up", **parameters):
        self.assertEqual(push(self.gateway, self.token, status=status, **parameters).status, 200)

    def explain(self, *flags):
        return self.cli.json("explain", self.monitor, *flags)

    def verdict(self, *flags):
        return self.explain(*flags)["verdict"]

    def kinds(self):
        return [entry["kind"] for entry in self.explain()["entries"]]

    def test_a_false_alarm_is_explained_with_one_command(self):
        self.make("--timeout", "2s", "--grace", "1s", "--owner", "payments")
        self.push()
        # A job that is wrongly configured from now on.
        self.assertEqual(push(self.gateway, self.token, status="okk").status, 400)
        self.assertEqual(push(self.gateway, self.token, status="okk").status, 400)
        self.receiver.wait_for(1, 30, monitor=self.monitor, type="incident.opened")
        self.push()
        self.receiver.wait_for(1, 30, monitor=self.monitor, type="incident.resolved")
        wait_until(lambda: "KIND_REJECTED_PUSH" in self.kinds(), 20, "core has heard what was refused")
        wait_until(lambda: self.verdict()["answer"] == "ANSWER_RANG", 20, "the delivery is reported")

        text = self.cli.text("explain", self.monitor)
        flat = " ".join(text.split())
        for words in ("It rang. DOWN from", "no heartbeat came in time", "The last heartbeat before was up",
                      "every 2s, grace 1s", "one was expected by", "the deadline was",
                      "2 × 400 bad parameter from 127.0.0.1", "okk", "Channel everyone was told at",
                      "(1 attempt)", "It ended at", "it would not have rung"):
            self.assertIn(words, flat)
        self.assertLess(flat.index("It rang."), flat.index("TIME WHAT WHY"))
        for line in text.splitlines():
            self.assertLessEqual(len(line), COLUMNS, line)
        for kind in ("HEARTBEAT", "TRANSITION", "ALERT", "DELIVERY", "CHANGE"):
            self.assertIn(f"KIND_{kind}", self.kinds())
        verdict = self.verdict()
        self.assertEqual(verdict["reason"], "missed_deadline")
        incident = self.cli.json("incident", "list", "--monitor", self.monitor)["incidents"][0]
        self.assertEqual(verdict["incident"], incident["name"])
        # The same, asked about the time that the alert showed.
        then = self.verdict("--at", incident["openTime"])
        self.assertEqual(then["incident"], incident["name"])

    def test_a_body_that_was_too_large_is_in_the_timeline(self):
        self.make(*LONG)
        self.push()
        answer = request(self.gateway, "POST", f"/api/push/{self.token}", "x" * 200_000)
        self.assertEqual(answer.status, 413)
        wait_until(lambda: "KIND_REJECTED_PUSH" in self.kinds(), 20, "core has heard what was refused")
        self.assertIn("413 too large", self.cli.text("explain", self.monitor))

    def test_a_monitor_that_was_paused_says_by_whom(self):
        self.make(*LONG)
        self.push()
        self.cli.text("monitor", "pause", self.monitor)
        self.push("down")
        verdict = self.verdict()
        self.assertEqual((verdict["answer"], verdict["reason"]), ("ANSWER_NOT_WATCHED", "paused"))
        self.assertRegex(verdict["sentences"][0], r"It was paused, since .* by projects/-/keys/")
        self.assertIn("PauseMonitor", [entry["what"] for entry in self.explain()["entries"]])
        self.assertIn("stored paused", [entry.get("why") for entry in self.explain()["entries"]])

    def test_a_monitor_that_was_muted_says_by_whom_and_until_when(self):
        self.make(*LONG)
        self.push()
        self.cli.text("mute", self.monitor, "--for", "2h", "--reason", "known, ticket 7")
        self.push("down")
        verdict = self.verdict()
        self.assertEqual((verdict["answer"], verdict["reason"]), ("ANSWER_HELD_BACK", "muted"))
        said = " ".join(verdict["sentences"])
        self.assertIn("It failed and did not ring.", said)
        self.assertRegex(said, r"muted \(.*\) from .* to .* by projects/-/keys/.*: \"known, ticket 7\"")
        self.assertIn("KIND_MUTE", self.kinds())
        # It is told when the mute is ended early, and the verdict still says what had held it back.
        self.cli.text("unmute", self.monitor)
        wait_until(lambda: self.verdict()["answer"] == "ANSWER_RANG", 30, "it is told")
        self.assertRegex(" ".join(self.verdict()["sentences"]), "It was held back until .*: it was muted")
        self.assertIn("DeleteMute", [entry["what"] for entry in self.explain()["entries"]])

    def test_a_monitor_that_nobody_is_told_of_says_so(self):
        other = self.id_of_test()[:30] + "-p"
        self.cli.text("project", "create", other)
        token = self.cli.json("--project", other, "monitor", "create", "job", *LONG)["pushToken"]
        self.assertEqual(push(self.gateway, token, status="down", msg="disk full").status, 200)
        verdict = self.cli.json("--project", other, "explain", "job")["verdict"]
        self.assertEqual((verdict["answer"], verdict["reason"]), ("ANSWER_NOT_DELIVERED", "no_channel"))
        said = " ".join(verdict["sentences"])
        self.assertIn('down "disk full"', said)
        self.assertIn("the project has no channel", said)

    def test_a_monitor_that_was_never_pushed_is_not_watched(self):
        self.make(*LONG)
        self.assertEqual(self.verdict()["reason"], "never_pushed")

    def test_failures_below_the_threshold_are_counted_and_shown(self):
        self.make("--timeout", "1s", "--failure-threshold", "100")
        self.push()
        wait_until(lambda: self.verdict()["reason"] == "below_threshold", 20, "a deadline has passed")
        passed = [entry for entry in self.explain()["entries"] if entry["what"] == "deadline passed"]
        self.assertIn("failure 1 of 100", passed[0]["why"])
        self.assertEqual(passed[0]["settings"], "every 1s, grace 0, 100 failures in a row")

    def test_pushes_with_a_token_that_was_rotated_are_shown(self):
        self.make(*LONG)
        self.push()
        old = self.token
        self.token = self.cli.json("monitor", "rotate-token", self.monitor, "--overlap", "0s")["pushToken"]
        wait_until(lambda: push(self.gateway, old).status == 404, 20, "the old token has ended")
        wait_until(lambda: "refused: 404 old token" in
                   [entry["what"] for entry in self.explain()["entries"]], 20, "core has heard of it")
        self.assertIn("404 old token", " ".join(self.verdict()["sentences"]))

    def test_settings_are_those_of_the_time_that_is_asked_about(self):
        self.make("--timeout", "1h")
        self.push()
        moment = self.explain()["at"]
        self.cli.text("monitor", "update", self.monitor, "--timeout", "2h")
        self.assertIn("every 2h", " ".join(self.verdict()["sentences"]))
        self.assertIn("every 1h", " ".join(self.verdict("--at", moment)["sentences"]))

    def test_the_timeline_is_bounded_and_pages_leave_nothing_out(self):
        self.make(*LONG)
        for number in range(12):
            self.push(msg=f"number {number}")
        whole = self.explain()
        beats = [entry["what"] for entry in whole["entries"] if entry["kind"] == "KIND_HEARTBEAT"]
        self.assertEqual(beats, [f'up "number {number}"' for number in range(12)])
        few = self.cli.text("explain", self.monitor, "--limit", "3")
        self.assertIn("number 11", few)
        self.assertNotIn("number 2", few)
        self.assertIn("Older ones are left out: --limit.", few)

    def test_what_cannot_be_asked_is_refused_in_words(self):
        self.make(*LONG)
        for flags, words in ((("--at", "noon"), "is no time"),
                             (("--at", "2999-01-01 00:00:00Z"), "future"),
                             (("--since", "1h", "--until", "2h"), "before the beginning")):
            refused = self.cli.run("explain", self.monitor, *flags)
            self.assertEqual(refused.returncode, 2, refused.stderr)
            self.assertIn(words, refused.stderr)
        self.assertEqual(self.cli.run("explain", "no-such-monitor").returncode, 3)


if __name__ == "__main__":
    unittest.main()

"""Storms: many alerts at once go as one digest; what flaps is told once."""

import concurrent.futures
import unittest

from harness.pushing import push
from harness.testcase import TocsinTestCase
from harness.waiting import wait_until


class Storms(TocsinTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cluster.make_channel(cls.receiver, "everyone", "--default", "--group-wait", "10s")

    def make(self, name, *flags):
        return self.cli.json("monitor", "create", name, "--timeout", "1h", *flags)["pushToken"]

    def push(self, token, status):
        self.assertEqual(push(self.gateway, token, status=status).status, 200)

    def test_what_comes_beyond_ten_at_once_goes_as_one_digest(self):
        tokens = [self.make(f"storm-{n}") for n in range(30)]
        critical = self.make("storm-critical", "--severity", "critical")
        with concurrent.futures.ThreadPoolExecutor(10) as together:
            list(together.map(lambda token: self.push(token, "down"), tokens))
        self.push(critical, "down")
        self.receiver.wait_for(1, 20, monitor="storm-critical", type="incident.opened")
        digest = self.receiver.wait_for(1, 60, type="alerts.digest")[0]
        self.assertEqual(digest.data["counts"],
                         [{"project": "default", "type": "incident.opened", "cause": "reported_down",
                           "events": digest.data["total"]}])
        self.assertIn("DIGEST default: ", digest.data["summary"])
        alone = [message for message in self.receiver.messages(type="incident.opened")
                 if message.data["monitor"]["name"].split("/")[-1] in {f"storm-{n}" for n in range(30)}]
        self.assertGreaterEqual(len(alone), 10)
        # Whatever was gathered is delivered once the notifier has reported its digest.
        wait_until(lambda: self.states_of_gathered() == {"STATE_DELIVERED"}, 20,
                   "what was gathered is delivered")

    def states_of_gathered(self):
        listed = self.cli.json("delivery", "list", "--limit", "100")["deliveries"]
        return {delivery["state"] for delivery in listed if delivery.get("digest")}

    def test_what_flaps_is_told_once_and_shown(self):
        token = self.make("flapper", "--severity", "critical")
        for n in range(7):
            self.push(token, "down" if n % 2 == 0 else "up")
            # What ends before it was sent goes out in one message with its end.
            messages = self.receiver.wait_for(n + 1, 20, monitor="flapper")
        for n in range(7, 12):
            self.push(token, "down" if n % 2 == 0 else "up")
        self.assertTrue(messages[6].data["flapping"])
        self.assertIn("It FLAPS", messages[6].data["summary"])
        self.assertEqual(messages[6].type, "incident.opened")
        self.assertTrue(self.cli.monitor("flapper")["flapping"])
        # A sentinel that is told after whatever else would have been.
        self.push(self.make("sentinel", "--severity", "critical"), "down")
        self.receiver.wait_for(1, 20, monitor="sentinel")
        self.assertEqual(len(self.receiver.messages(monitor="flapper")), 7)
        # Nobody waits for what is not watched: that is told at once.
        self.assertEqual(self.cli.run("monitor", "pause", "flapper").returncode, 0)
        ended = self.receiver.wait_for(8, 20, monitor="flapper")[7]
        self.assertEqual(ended.type, "incident.resolved")


if __name__ == "__main__":
    unittest.main()

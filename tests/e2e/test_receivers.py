"""Channels of Slack and PagerDuty: what they are sent, and what their answers lead to."""

import unittest

from harness.format_receiver import FormatReceiver
from harness.pushing import push
from harness.testcase import TocsinTestCase

ROUTING_KEY = "R0123456789ABCDEFGHIJKLMNOPQRSTU"


class Receivers(TocsinTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.world = FormatReceiver()
        cls.addClassCleanup(cls.world.close)

    def setUp(self):
        # Each test has channels of its own; an id has at most 63 characters.
        self.name = self.id_of_test()[:40].rstrip("-")
        self.addCleanup(lambda: self.assertEqual(self.world.faults, []))

    def make_slack(self, *flags):
        """The path of a Slack channel of this test."""
        path = f"/slack/{self.name}"
        self.cli.json("channel", "create", f"{self.name}-slack", "--format", "slack",
                      "--url", self.world.url(path), *(flags or ("--group-wait", "0s")))
        return path

    def make_pager(self):
        path = f"/pagerduty/{self.name}"
        self.cli.json("channel", "create", f"{self.name}-pager", "--format", "pagerduty",
                      "--url", self.world.url(path), "--secret", ROUTING_KEY)
        return path

    def make_monitor(self, suffix="", *flags, to="slack"):
        """The push token of a monitor that alerts to the channel of this test."""
        return self.cli.make_monitor(f"{self.name}{suffix}", "1h", "--channel", f"{self.name}-{to}",
                                     *flags)

    def push(self, token, **parameters):
        self.assertEqual(push(self.gateway, token, **parameters).status, 200)

    # --- Slack ---

    def test_slack_is_told_of_a_death_and_of_the_recovery(self):
        path = self.make_slack()
        token = self.make_monitor("", "--severity", "critical", "--owner", "payments",
                                  "--description", "copies <the> ledger", "--runbook-url",
                                  "https://wiki.example.com/?a=1&b=2")
        self.push(token, status="down", msg="<!channel> @here disk full & [x](http://evil)")
        down = self.world.wait_for(path)[0]["attachments"][0]
        self.assertEqual(down["color"], "#b71c1c")
        self.assertTrue(down["text"].startswith(f"DOWN {self.name} (critical, @\u200bpayments): reported "
                                                "down \"&lt;!channel&gt; @\u200bhere disk full &amp; "
                                                "[x]\u200b(http://evil)\""), down["text"])
        self.assertIn("Runbook: https://wiki.example.com/?a=1&amp;b=2", down["text"])
        self.assertEqual(down["fields"], [{"title": "About", "value": "copies &lt;the&gt; ledger",
                                           "short": False}])
        self.push(token, status="up")
        up = self.world.wait_for(path, 2)[1]["attachments"][0]
        self.assertEqual(up["color"], "#2e7d32")
        self.assertTrue(up["text"].startswith(f"UP {self.name} "), up["text"])
        headers = self.world.posts(path)[0].headers
        self.assertNotIn("webhook-signature", headers)

    def test_a_storm_is_one_message_in_slack(self):
        path = self.make_slack("--group-wait", "2s")
        tokens = [self.make_monitor(f"-{n}") for n in range(25)]
        for token in tokens:
            self.push(token, status="down")

        def is_digest(content):
            return content["attachments"][0]["text"].startswith("DIGEST default: ")
        self.world.wait_for(path, 1, 30, is_digest)

    def test_slack_says_how_long_to_wait(self):
        path = self.make_slack()
        self.world.script(path, (429, {"retry-after": "1"}, ""))
        self.push(self.make_monitor(), status="down")
        self.world.wait_for(path)

    def test_a_webhook_that_slack_has_forgotten_disables_its_channel(self):
        path = self.make_slack()
        self.world.script(path, (404, {}, "no_service"))
        done = self.cli.run("channel", "test", f"{self.name}-slack")
        self.assertEqual(done.returncode, 1)
        self.assertIn('not delivered, its receiver answered 404 "no_service" (gone); not tried again',
                      done.stdout)
        self.assertRegex(self.cli.text("channel", "get", f"{self.name}-slack"),
                         r"(?m)^State +disabled: gone$")

    def test_a_404_of_a_proxy_is_tried_again(self):
        path = self.make_slack()
        self.world.script(path, (404, {}, "default backend - 404"))
        self.push(self.make_monitor(), status="down")
        self.world.wait_for(path)

    # --- headers ---

    def test_a_channel_sends_headers_that_nobody_else_is_shown(self):
        path = self.make_slack("--header", "Authorization: Bearer hunter2", "--header", "X-Env:prod")
        channel = f"{self.name}-slack"
        self.cli.text("channel", "test", channel)
        self.assertEqual(self.world.posts(path)[0].headers["authorization"], "Bearer hunter2")
        self.assertEqual(self.world.posts(path)[0].headers["x-env"], "prod")
        self.assertRegex(self.cli.text("channel", "get", channel),
                         r"(?m)^Header +Authorization: \*\*\*$")
        self.cli.text("channel", "update", channel, "--header", "Authorization: ***")
        self.cli.text("channel", "test", channel)
        self.assertEqual(self.world.posts(path)[1].headers["authorization"], "Bearer hunter2")
        self.assertNotIn("x-env", self.world.posts(path)[1].headers)
        audit = str(self.cli.json("audit", "list"))
        self.assertIn("headers.Authorization", audit)
        self.assertNotIn("hunter2", audit)
        self.cli.text("channel", "update", channel, "--header", "")
        self.cli.text("channel", "test", channel)
        self.assertNotIn("authorization", self.world.posts(path)[2].headers)

    def test_headers_do_not_follow_a_url_to_another_host(self):
        self.make_slack("--header", "Authorization: Bearer hunter2")
        done = self.cli.run("channel", "update", f"{self.name}-slack", "--url", "https://evil.example/")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--header: the values of Authorization were given for http://127.0.0.1",
                      done.stderr)
        self.assertNotIn("hunter2", done.stderr)

    # --- PagerDuty ---

    def test_pagerduty_is_triggered_and_resolved_by_incident(self):
        path = self.make_pager()
        token = self.make_monitor("", "--severity", "warning", "--runbook-url",
                                  "https://wiki.example.com/sync", to="pager")
        self.push(token, status="down", msg="disk full")
        event = self.world.wait_for(path)[0]
        incident = self.cli.json("incident", "list", "--monitor", self.name)["incidents"][0]["name"]
        self.assertEqual((event["routing_key"], event["event_action"], event["dedup_key"]),
                         (ROUTING_KEY, "trigger", incident))
        payload = event["payload"]
        self.assertEqual((payload["severity"], payload["source"], payload["component"],
                          payload["group"], payload["class"]),
                         ("warning", f"projects/default/monitors/{self.name}", self.name, "default",
                          "reported_down"))
        self.assertIn("disk full", payload["summary"])
        self.assertEqual(payload["custom_details"]["lastHeartbeat"]["message"], "disk full")
        self.assertEqual(event["links"], [{"href": "https://wiki.example.com/sync", "text": "Runbook"}])
        self.assertEqual(set(self.world.open_alerts(path)), {incident})
        self.push(token, status="up")
        resolved = self.world.wait_for(path, 2)[1]
        self.assertEqual((resolved["event_action"], resolved["dedup_key"]), ("resolve", incident))
        self.assertEqual(self.world.open_alerts(path), {})

    def test_a_pager_is_told_each_alert_of_a_storm(self):
        path = self.make_pager()
        tokens = [self.make_monitor(f"-{n}", to="pager") for n in range(15)]
        for token in tokens:
            self.push(token, status="down")
        self.world.wait_for(path, 15, 30)
        self.assertEqual(len(self.world.open_alerts(path)), 15)

    def test_what_is_over_before_it_could_be_told_leaves_nothing_open(self):
        path = self.make_pager()
        self.world.script(path, (503, {"retry-after": "2"}, ""))
        token = self.make_monitor("", to="pager")
        self.push(token, status="down")
        self.push(token, status="up")
        self.world.wait_for(path, 1, 30, lambda event: event["event_action"] == "resolve")
        self.assertEqual(self.world.open_alerts(path), {})

    def test_an_event_that_pagerduty_refuses_holds_up_nothing(self):
        path = self.make_pager()
        self.world.script(path, (400, {}, '{"status":"invalid event"}'))
        token = self.make_monitor("", to="pager")
        self.push(token, status="down")
        self.push(token, status="up")
        self.world.wait_for(path, 1, 30, lambda event: event["event_action"] == "resolve")
        dead = self.cli.json("delivery", "list", "--channel", f"{self.name}-pager",
                             "--state", "dead")["deliveries"]
        self.assertEqual([(d["lastOutcome"], d["lastHttpStatus"], d["lastAnswer"]) for d in dead],
                         [("rejected", 400, '{"status":"invalid event"}')])

    def test_a_test_shows_what_the_receiver_says(self):
        self.make_slack()
        self.assertEqual(self.cli.text("channel", "test", f"{self.name}-slack"),
                         f'{self.name}-slack: delivered, its receiver answered 200 "ok"\n')
        path = self.make_pager()
        # What repeats a part of the URL, as the key of this test would, is not shown.
        self.world.script(path, (202, {}, '{"status":"success"}'))
        self.assertIn('delivered, its receiver answered 202 "{"status":"success"}"\n',
                      self.cli.text("channel", "test", f"{self.name}-pager"))
        event = self.world.posts(path)[0].content
        self.assertEqual((event["event_action"], event["payload"]["severity"], event["dedup_key"]),
                         ("trigger", "info",
                          f"channel.test/projects/default/channels/{self.name}-pager"))

    # --- what core accepts ---

    def test_each_format_has_the_secret_that_it_needs(self):
        url = ("--url", "https://hooks.example.com/x")
        slack = self.cli.run("channel", "create", "chat", "--format", "slack", *url,
                             "--secret", ROUTING_KEY)
        self.assertEqual(slack.returncode, 2)
        self.assertIn("--secret: a Slack channel has none", slack.stderr)
        pager = self.cli.run("channel", "create", "rings", "--format", "pagerduty", *url)
        self.assertEqual(pager.returncode, 2)
        self.assertIn("32 letters and digits", pager.stderr)
        self.assertEqual(self.cli.run("channel", "create", "x", "--format", "teams", *url).returncode, 2)

    def test_formats_are_shown_and_a_routing_key_is_not(self):
        made = self.cli.json("channel", "create", "shown", "--format", "pagerduty",
                             "--url", "https://events.example.com/v2/enqueue", "--secret", ROUTING_KEY)
        self.addCleanup(self.cli.text, "channel", "delete", "shown")
        self.assertEqual(made["channel"]["format"], "FORMAT_PAGERDUTY")
        self.assertNotIn("webhookSecret", made)
        self.assertRegex(self.cli.text("channel", "list"), r"(?m)^shown +pagerduty ")
        self.assertRegex(self.cli.text("channel", "get", "shown"), r"(?m)^Format +pagerduty$")
        self.assertNotIn(ROUTING_KEY, self.cluster.postgres.dump())
        for service in self.cluster.services:
            self.assertNotIn(ROUTING_KEY, service.log_tail(100000), service.name)


if __name__ == "__main__":
    unittest.main()

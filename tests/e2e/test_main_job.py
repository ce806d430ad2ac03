"""The main job: heartbeats in, signed alerts out, through real processes."""

import datetime
import unittest

from harness.pushing import push
from harness.testcase import TocsinTestCase
from harness.waiting import pause, wait_until


def _time(text):
    """Seconds of an RFC 3339 time, whatever its number of decimals."""
    head, _, fraction = text.removesuffix("Z").partition(".")
    whole = datetime.datetime.fromisoformat(head + "+00:00").timestamp()
    return whole + float(f"0.{fraction or 0}")


class MainJob(TocsinTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.channel = cls.cluster.make_channel(cls.receiver, "everyone", "--default")

    def setUp(self):
        self.monitor = self.id_of_test()

    def tearDown(self):
        self.assertEqual(self.receiver.faults, [])

    def alert(self, kind, count=1, timeout=15):
        """The newest of `count` alerts of that kind for this test's monitor."""
        return self.receiver.wait_for(count, timeout, monitor=self.monitor,
                                      type=f"incident.{kind}")[-1]

    def push(self, token, **parameters):
        answer = push(self.gateway, token, **parameters)
        self.assertEqual(answer.status, 200, answer)
        return answer

    def test_silence_opens_an_incident_and_the_next_push_resolves_it(self):
        token = self.cli.make_monitor(self.monitor, "1s", "--display-name", "Nightly backup",
                                      "--label", "team=payments")
        self.assertEqual(self.cli.state(self.monitor), "NEW")
        answer = self.push(token, msg="backup done")
        self.assertEqual(answer.json, {"ok": True, "message": "Push received successfully",
                                       "msg": "OK"})
        self.assertEqual(self.cli.state(self.monitor), "UP")

        opened = self.alert("opened")
        self.assertEqual(opened.data["monitor"]["name"], f"projects/default/monitors/{self.monitor}")
        self.assertEqual(opened.data["monitor"]["displayName"], "Nightly backup")
        self.assertEqual(opened.data["monitor"]["labels"], {"team": "payments"})
        self.assertEqual(opened.sequence, 1)
        self.assertTrue(opened.summary.startswith("DOWN "), opened.summary)
        for word in ("no heartbeat for", "Last: up", '"backup done"'):
            self.assertIn(word, opened.summary)
        beat = self.cli.heartbeats(self.monitor)[0]
        self.assertAlmostEqual(_time(opened.data["occurredAt"]), _time(beat["receiveTime"]) + 1,
                               delta=0.0001)
        self.assertGreaterEqual(_time(opened.data["detectedAt"]), _time(opened.data["occurredAt"]))
        self.assertEqual(self.cli.state(self.monitor), "DOWN")

        self.push(token)
        resolved = self.alert("resolved")
        self.assertEqual(resolved.sequence, 2)
        self.assertEqual(resolved.data["incident"]["id"], opened.data["incident"]["id"])
        self.assertEqual(resolved.data["incident"]["reason"], "recovered")
        self.assertNotIn("DOWN", resolved.summary)
        self.assertNotEqual(resolved.id, opened.id)

    def test_grace_postpones_the_alert(self):
        token = self.cli.make_monitor(self.monitor, "1s", "--grace", "2s")
        self.push(token)
        sent = _time(self.cli.heartbeats(self.monitor)[0]["receiveTime"])
        wait_until(lambda: self.cli.monitor(self.monitor)["condition"] == "CONDITION_LATE", 5,
                   "shown as late")
        self.assertEqual(self.cli.state(self.monitor), "UP")
        opened = self.alert("opened")
        self.assertAlmostEqual(_time(opened.data["occurredAt"]), sent + 3, delta=0.0001)
        self.assertAlmostEqual(_time(opened.data["expectedAt"]), sent + 1, delta=0.0001)

    def test_a_job_that_says_down_alerts_at_once(self):
        token = self.cli.make_monitor(self.monitor, "1h")
        self.push(token)
        self.push(token, status="down", msg="disk full")
        opened = self.alert("opened")
        self.assertIn("disk full", opened.summary)
        self.assertEqual(opened.data["incident"]["cause"], "reported_down")
        self.push(token, status="down", msg="still full")
        self.push(token, status="up")
        self.assertEqual(self.alert("resolved").sequence, 2)
        self.assertEqual(len(self.receiver.messages(monitor=self.monitor)), 2)

    def test_a_monitor_that_never_reported_does_not_alert(self):
        self.cli.make_monitor(self.monitor, "1s")
        wait_until(lambda: self.cli.monitor(self.monitor)["condition"] == "CONDITION_NEVER_REPORTED",
                   5, "shown as never reported")
        self.assertEqual(self.cli.state(self.monitor), "NEW")
        self.assertEqual(self.receiver.messages(monitor=self.monitor), [])

    def test_pausing_a_monitor_that_is_down_resolves_and_resuming_watches_again(self):
        token = self.cli.make_monitor(self.monitor, "2s")
        self.push(token, status="down")
        self.alert("opened")
        self.cli.json("monitor", "pause", self.monitor)
        self.assertEqual(self.alert("resolved").data["incident"]["reason"], "paused")
        answer = self.push(token, msg="hello")
        self.assertIn("pause", str(answer.json).lower())
        self.assertEqual(self.cli.state(self.monitor), "PAUSED")
        self.cli.json("monitor", "resume", self.monitor)
        self.assertEqual(self.cli.state(self.monitor), "UP")
        # Nobody pushes: the job died while it was paused.
        self.assertEqual(self.alert("opened", 2).sequence, 3)

    def test_deleting_a_monitor_that_is_down_resolves_and_its_token_is_unknown(self):
        token = self.cli.make_monitor(self.monitor, "1h")
        self.push(token, status="down")
        self.alert("opened")
        self.cli.json("monitor", "delete", self.monitor)
        self.assertEqual(self.alert("resolved").data["incident"]["reason"], "deleted")
        wait_until(lambda: push(self.gateway, token).status == 404, 5, "the token is unknown")

    def test_a_rotated_token_works_beside_the_old_one_for_the_overlap(self):
        old = self.cli.make_monitor(self.monitor, "1h")
        self.push(old)
        new = self.cli.json("monitor", "rotate-token", self.monitor, "--overlap", "2s")["pushToken"]
        self.assertNotEqual(new, old)
        self.push(new)
        self.push(old)
        wait_until(lambda: push(self.gateway, old).status == 404, 10, "the old token ends")
        self.push(new)

    def test_rotation_without_overlap_ends_the_old_token_at_once(self):
        old = self.cli.make_monitor(self.monitor, "1h")
        self.push(old)
        new = self.cli.json("monitor", "rotate-token", self.monitor, "--overlap", "0s")["pushToken"]
        self.push(new)
        self.assertEqual(push(self.gateway, old).status, 404)

    def test_a_shorter_timeout_takes_effect_one_full_timeout_after_the_change(self):
        token = self.cli.make_monitor(self.monitor, "1h")
        self.push(token)
        self.cli.json("monitor", "update", self.monitor, "--timeout", "2s")
        changed = _time(self.cli.monitor(self.monitor)["updateTime"])
        opened = self.alert("opened")
        self.assertAlmostEqual(_time(opened.data["occurredAt"]), changed + 2, delta=0.01)

    def test_an_update_of_another_field_moves_no_deadline(self):
        token = self.cli.make_monitor(self.monitor, "1h")
        self.push(token)
        before = self.cli.monitor(self.monitor)["deadlineTime"]
        after = self.cli.json("monitor", "update", self.monitor, "--display-name", "New name")
        self.assertEqual(after["displayName"], "New name")
        self.assertEqual(self.cli.monitor(self.monitor)["deadlineTime"], before)

    def test_a_receiver_that_fails_is_tried_again_with_the_same_id_and_bytes(self):
        path = self.cluster.make_channel(self.receiver, "shaky", "--selector", "team=shaky")
        self.receiver.script(path, (500, {}), (429, {"retry-after": "1"}))
        token = self.cli.make_monitor(self.monitor, "1h", "--label", "team=shaky")
        self.push(token, status="down")
        self.receiver.wait_for(1, 30, path=path)
        tries = self.receiver.messages(path, accepted_only=False)
        self.assertEqual([m.status for m in tries], [500, 429, 204])
        self.assertEqual(len({m.id for m in tries}), 1)
        self.assertEqual(len({m.body for m in tries}), 1)
        self.assertGreaterEqual(tries[2].arrived - tries[1].arrived, 1)
        # It went to the channel that selects it, not to the default one.
        self.assertEqual(self.receiver.messages(self.channel, self.monitor), [])

    def test_a_receiver_that_is_gone_is_left_alone(self):
        path = self.cluster.make_channel(self.receiver, "gone", "--selector", "team=gone")
        self.receiver.script(path, (410, {}))
        token = self.cli.make_monitor(self.monitor, "1h", "--label", "team=gone")
        self.push(token, status="down")
        wait_until(lambda: "disableTime" in self.channel_named("gone"), 10, "the channel is disabled")
        failing = self.receiver.wait_for(1, 20, path=self.channel, type="channel.failing")[-1]
        self.assertIn("gone", failing.summary)
        self.assertEqual(len(self.receiver.messages(path, accepted_only=False)), 1)

    def channel_named(self, channel_id):
        channels = self.cli.json("channel", "list")["channels"]
        return next(c for c in channels if c["name"].endswith(f"/channels/{channel_id}"))

    def test_a_delivery_can_be_repeated_with_the_same_id(self):
        token = self.cli.make_monitor(self.monitor, "1h")
        self.push(token, status="down")
        first = self.alert("opened")
        name = f"projects/default/deliveries/{first.id}"
        wait_until(lambda: self.delivery(name)["state"] == "STATE_DELIVERED", 10, "delivered")
        self.cli.json("delivery", "redeliver", first.id)
        second = self.alert("opened", 2)
        self.assertEqual(second.id, first.id)
        self.assertEqual(second.body, first.body)

    def delivery(self, name):
        deliveries = self.cli.json("delivery", "list")["deliveries"]
        return next(d for d in deliveries if d["name"] == name)

    def test_a_channel_can_be_tested(self):
        path = self.cluster.make_channel(self.receiver, "tested")
        self.cli.json("channel", "test", "tested")
        message = self.receiver.wait_for(1, 10, path=path)[0]
        self.assertEqual(message.type, "channel.test")
        self.assertIn("tested", message.summary)

    def test_a_watcher_that_comes_back_with_its_cursor_misses_nothing(self):
        token = self.cli.make_monitor(self.monitor, "1h")
        mine = f"projects/default/monitors/{self.monitor}"
        with self.cli.follow("-o", "json", "watch") as watch:
            watch.wait_for(lambda line: "cursor" in line, what="the stream is there")
            self.push(token, status="down")
            line = watch.wait_for(lambda line: mine in line and "TYPE_FIRING" in line)
        cursor = watch.json(line)["cursor"]
        self.push(token)
        self.push(token, status="down")
        with self.cli.follow("-o", "json", "watch", "--cursor", cursor) as watch:
            watch.wait_for(lambda line: mine in line and '"3"' in line)
            seen = [watch.json(line)["event"] for line in watch.lines if mine in line]
        self.assertEqual([(e["type"], e["sequence"]) for e in seen],
                         [("TYPE_RESOLVED", "2"), ("TYPE_FIRING", "3")])

    def test_the_history_says_what_each_heartbeat_did(self):
        token = self.cli.make_monitor(self.monitor, "1h")
        self.push(token, msg="one", value="12.5")
        self.push(token, status="log", msg="two")
        self.push(token, status="down", msg="three")
        self.push(token, msg="four")
        beats = list(reversed(self.cli.heartbeats(self.monitor)))
        self.assertEqual([(b["kind"], b["message"], b["reason"]) for b in beats], [
            ("KIND_UP", "one", "first_heartbeat"), ("KIND_LOG", "two", "logged"),
            ("KIND_DOWN", "three", "reported_down"), ("KIND_UP", "four", "recovered")])
        self.assertEqual(beats[0]["value"], 12.5)
        self.assertEqual({b["source"] for b in beats}, {"SOURCE_HTTP"})

    def test_an_incident_is_listed_while_open_and_after(self):
        token = self.cli.make_monitor(self.monitor, "1h")
        self.push(token, status="down", msg="broken")
        mine = f"projects/default/monitors/{self.monitor}"

        def incidents(*flags):
            found = self.cli.json("incident", "list", *flags).get("incidents", [])
            return [i for i in found if i["monitor"] == mine]
        self.assertEqual(incidents("--open")[0]["message"], "broken")
        self.push(token)
        self.assertEqual(incidents("--open"), [])
        self.assertEqual(incidents()[0]["resolution"], "RESOLUTION_RECOVERED")

    def test_pushing_over_grpc_does_the_same(self):
        token = self.cli.make_monitor(self.monitor, "1h")
        self.cli.json("push", token)
        self.assertEqual(self.cli.state(self.monitor), "UP")
        self.cli.json("push", token, "--status", "down", "--message", "by hand")
        self.assertIn("by hand", self.alert("opened").summary)

    def test_secrets_are_in_no_log_and_in_no_table(self):
        token = self.cli.make_monitor(self.monitor, "1h")
        made = self.cli.json("channel", "create", "quiet", "--url",
                             self.receiver.url("/very-secret-path"))
        self.receiver.trust("/very-secret-path", made["webhookSecret"])
        self.push(token)
        push(self.gateway, token + "x")
        self.cli.json("channel", "test", "quiet")
        self.receiver.wait_for(1, 10, path="/very-secret-path")
        self.assertNotIn("very-secret-path", self.cli.text("channel", "list"))
        secrets = (token, made["webhookSecret"].removeprefix("whsec_"), "very-secret-path")
        for service in self.cluster.services:
            for secret in secrets:
                self.assertNotIn(secret, service.log_tail(100000), service.name)
        dump = self.cluster.postgres.dump()
        for secret in secrets:
            self.assertNotIn(secret, dump)
            self.assertNotIn(secret.encode().hex(), dump)

    def test_a_dead_job_is_found_with_all_else_idle(self):
        token = self.cli.make_monitor(self.monitor, "3s")
        self.push(token)
        pause(2)
        self.push(token)
        opened = self.alert("opened")
        lateness = _time(opened.data["detectedAt"]) - _time(opened.data["occurredAt"])
        self.assertLess(lateness, 1)


if __name__ == "__main__":
    unittest.main()

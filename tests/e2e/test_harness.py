"""The checkers themselves: a check that finds nothing wrong must be able to find something."""

import types
import unittest

from harness import history
from harness.load import Attempt
from harness.receiver import sign

UP, DOWN = history.UP, history.DOWN
FIRING, RESOLVED = history.FIRING, history.RESOLVED


def make_history(**parts):
    """A history of the monitor "m" that went down once and recovered, but for `parts`."""
    good = {
        "heartbeats": [beat(1, UP, "a"), beat(2, DOWN, "b"), beat(3, UP, "c")],
        "events": {"m": [event(10, 1, FIRING, 2), event(11, 2, RESOLVED, 3)]},
        "incidents": {"m": [{"id": 7, "closed_at": 3, "resolution": 1, "held_until": None}]},
        "states": {"m": 2},
        "untold_ends": {"m": None},
        "deliveries": [],
    }
    return types.SimpleNamespace(**{**good, **parts})


def beat(at, kind, message, reason=None):
    return {"monitor": "m", "at": at, "kind": kind, "reason": reason, "message": message}


def event(key, sequence, kind, at, incident=7):
    return {"id": key, "sequence": sequence, "type": kind, "at": at, "incident": incident}


def attempt(message, status=200):
    return Attempt("m", message, "up", status, 0.0, 0.0, True)


def told(*sequences):
    return [types.SimpleNamespace(data={"sequence": s}) for s in sequences]


class Checkers(unittest.TestCase):
    def test_the_signature_is_that_of_the_specification(self):
        self.assertEqual(
            sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek",
                 "1614265330", b'{"test": 2432232314}'),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")

    def test_a_good_history_has_no_faults(self):
        good = make_history()
        self.assertEqual(list(history.event_faults(good, "m")), [])
        self.assertEqual(list(history.replay_faults(good, "m")), [])
        self.assertEqual(list(history.delivery_faults(good, "m", "/x", told(1, 1, 2, 1))), [])
        self.assertEqual(list(history.acknowledged_faults(
            good, [attempt("a"), attempt("b"), attempt("c", 503), attempt("never", 0)])), [])

    def test_a_lost_or_doubled_or_invented_heartbeat_is_seen(self):
        doubled = make_history(heartbeats=[beat(1, UP, "a"), beat(2, UP, "a")])
        for found, attempts in ((make_history(), [attempt(m) for m in "abcd"]),
                                (doubled, [attempt("a")]), (doubled, [attempt("a", 503)]),
                                (make_history(), [attempt("a"), attempt("b")])):
            self.assertNotEqual(list(history.acknowledged_faults(found, attempts)), [])

    def test_a_hole_a_repetition_and_a_missing_event_are_seen(self):
        for events in ([event(10, 1, FIRING, 2), event(11, 3, RESOLVED, 3)],
                       [event(10, 1, FIRING, 2), event(11, 2, FIRING, 3)],
                       [event(10, 1, FIRING, 2)],
                       [event(10, 1, FIRING, 2), event(11, 2, RESOLVED, 3, incident=8)]):
            self.assertNotEqual(list(history.event_faults(make_history(events={"m": events}), "m")),
                                [], events)

    def test_events_that_the_heartbeats_do_not_give_are_seen(self):
        silent = make_history(events={})
        self.assertNotEqual(list(history.replay_faults(silent, "m")), [])
        stale = make_history(heartbeats=[beat(1, UP, "a"), beat(2, DOWN, "b", history.STALE)])
        self.assertNotEqual(list(history.replay_faults(stale, "m")), [])

    def test_an_event_that_did_not_arrive_or_arrived_out_of_order_is_seen(self):
        for messages in (told(1), told(2), told(2, 1), told()):
            self.assertNotEqual(list(history.delivery_faults(make_history(), "m", "/x", messages)), [])

    def test_a_withdrawn_false_alarm_need_not_arrive(self):
        withdrawn = make_history(
            incidents={"m": [{"id": 7, "closed_at": 3, "resolution": history.LATE_HEARTBEAT}]},
            deliveries=[{"state": history.SUPERSEDED, "events": [10]}])
        self.assertEqual(list(history.delivery_faults(withdrawn, "m", "/x", told())), [])


if __name__ == "__main__":
    unittest.main()

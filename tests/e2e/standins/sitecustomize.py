"""Runs before an example written in Python: lets its time pass quickly and plays its sync job.

A `time.sleep(s)` takes s / 100 seconds, and for the `schedule` module 20 minutes pass with each
second slept. The examples themselves are run as they are.
"""

import builtins
import datetime
import os
import time
import types

_really_sleep = time.sleep
_slept = 0.0


def _sleep(seconds):
    global _slept
    _slept += seconds
    _really_sleep(seconds / 100)


time.sleep = _sleep


class _Datetime(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime.datetime.now(tz) + datetime.timedelta(minutes=20 * _slept)


def _perform_data_sync():
    """What EXAMPLE_SYNC says, one word for each call, the last one for ever."""
    outcome = _outcomes.pop(0) if len(_outcomes) > 1 else _outcomes[0]
    if outcome == "raise":
        raise ValueError("disk full")
    return types.SimpleNamespace(success=outcome == "succeed", records=42)


_outcomes = os.environ.get("EXAMPLE_SYNC", "").split(",")
if _outcomes[0]:
    import schedule

    schedule.datetime = types.SimpleNamespace(
        datetime=_Datetime, timedelta=datetime.timedelta, time=datetime.time)
    builtins.perform_data_sync = _perform_data_sync

"""Waiting for conditions, never for time alone."""

import threading
import time


def wait_until(condition, timeout, what, poll=0.02):
    """Returns the first truthy value of `condition()`; fails after `timeout` seconds, saying `what`
    was awaited (text, or a function that gives it)."""
    end = time.monotonic() + timeout
    value = None
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            text = what() if callable(what) else what
            raise AssertionError(f"not within {timeout} s: {text} (last seen: {value!r})")
        pause(poll)


def pause(seconds):
    """Lets real time pass: for tests whose subject is the passing of time."""
    threading.Event().wait(seconds)

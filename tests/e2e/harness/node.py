"""Programs from npm, as tests/e2e/clients/node/package-lock.json pins them."""

import fcntl
import os
import pathlib
import shutil
import subprocess
import unittest

_HERE = pathlib.Path(__file__).resolve().parents[1]
_SOURCE = _HERE / "clients/node"
_INSTALLED = _HERE.parents[1] / "build/e2e-node"
# How npm says that there is no way to the registry.
_UNREACHABLE = ("EAI_AGAIN", "ENOTFOUND", "ECONNREFUSED", "ETIMEDOUT", "ENETUNREACH")


def install():
    """The folder with what is installed. Does so once for each state of the lock file. A machine
    without a way to the registry skips the test."""
    _INSTALLED.mkdir(parents=True, exist_ok=True)
    with open(_INSTALLED / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run side by side
        wanted = (_SOURCE / "package-lock.json").read_bytes()
        stamp = _INSTALLED / "installed.json"
        if not stamp.exists() or stamp.read_bytes() != wanted:
            for name in ("package.json", "package-lock.json"):
                shutil.copy(_SOURCE / name, _INSTALLED / name)
            done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel", "error"],
                                  cwd=_INSTALLED, check=False, timeout=300, text=True,
                                  stderr=subprocess.PIPE)
            if any(code in done.stderr for code in _UNREACHABLE):
                raise unittest.SkipTest(f"npm cannot reach what the test needs:\n{done.stderr}")
            if done.returncode != 0:
                raise RuntimeError(f"npm ci failed:\n{done.stderr}")
            stamp.write_bytes(wanted)
        for script in _SOURCE.glob("*.mjs"):
            shutil.copy(script, _INSTALLED / script.name)
    return _INSTALLED


def google_protos():
    """The folder with google/api, wherever the system keeps it."""
    for folder in ("/usr/lib/python3/dist-packages",
                   "/usr/share/gocode/src/github.com/grpc-ecosystem/grpc-gateway/third_party/googleapis"):
        if os.path.exists(f"{folder}/google/api/annotations.proto"):
            return folder
    raise AssertionError("google/api/annotations.proto is not installed")

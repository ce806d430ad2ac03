"""Programs from npm, as tests/e2e/clients/node/package-lock.json pins them."""

import fcntl
import os
import pathlib
import shutil
import subprocess

_HERE = pathlib.Path(__file__).resolve().parents[1]
_SOURCE = _HERE / "clients/node"
_INSTALLED = _HERE.parents[1] / "build/e2e-node"


def install():
    """The folder with what is installed. Does so once for each state of the lock file."""
    _INSTALLED.mkdir(parents=True, exist_ok=True)
    with open(_INSTALLED / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run side by side
        wanted = (_SOURCE / "package-lock.json").read_bytes()
        stamp = _INSTALLED / "installed.json"
        if not stamp.exists() or stamp.read_bytes() != wanted:
            for name in ("package.json", "package-lock.json"):
                shutil.copy(_SOURCE / name, _INSTALLED / name)
            subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel", "error"],
                           cwd=_INSTALLED, check=True, timeout=300)
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

"""Programs of Debian packages, without installing them: some start services when they are."""

import fcntl
import os
import pathlib
import shutil
import subprocess
import unittest

_UNPACKED = pathlib.Path(__file__).resolve().parents[3] / "build/e2e-debian"


def unpack(*packages):
    """The folder below which the packages' files are, fetched once. A machine that cannot fetch
    them skips the test."""
    folder = _UNPACKED / packages[0]
    folder.mkdir(parents=True, exist_ok=True)
    with open(_UNPACKED / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run side by side
        done = folder / "unpacked"
        if done.exists() and done.read_text() == " ".join(packages):
            return folder / "root"
        if not shutil.which("apt-get"):
            raise unittest.SkipTest(f"{packages[0]} comes from Debian, and this is another system")
        fetched = subprocess.run(["apt-get", "download", *packages], cwd=folder, check=False,
                                 timeout=300, text=True, capture_output=True)
        if fetched.returncode != 0:
            raise unittest.SkipTest(f"apt-get cannot fetch {packages[0]}:\n{fetched.stderr}")
        for package in folder.glob("*.deb"):
            subprocess.run(["dpkg", "-x", package, folder / "root"], check=True, timeout=60)
            package.unlink()
        done.write_text(" ".join(packages))
    return folder / "root"


def program(command, *packages):
    """(path, environment) of a command: the system's own, or that of the packages."""
    installed = shutil.which(command)
    if installed:
        return installed, dict(os.environ)
    root = unpack(*packages)
    python = f"{root}/usr/lib/python3/dist-packages"
    return f"{root}/usr/bin/{command}", {**os.environ, "PYTHONPATH": python}


def as_if_installed(command, *packages):
    """The beginning of a command line, for a program that looks for its files below /usr/share,
    where only an installation would put them: it alone sees those of the packages there. A machine
    on which that is not allowed skips the test."""
    installed = shutil.which(command)
    if installed:
        return [installed]
    root = unpack(*packages)
    script = 'mount -t overlay -o "lowerdir=$0:/usr/share" overlay /usr/share && exec "$@"'
    # As another user than root the namespace needs one of users.
    private = ["unshare", "-m" if os.geteuid() == 0 else "-rm", "sh", "-c", script,
               f"{root}/usr/share"]
    tried = subprocess.run([*private, "true"], check=False, timeout=60, text=True,
                           capture_output=True)
    if tried.returncode != 0:
        raise unittest.SkipTest(f"{command} cannot see files of its own:\n{tried.stderr}")
    return [*private, f"{root}/usr/bin/{command}"]

"""Where things are, how to run a tool, and the one moment that every file of an image has."""
import os
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
BUILD = TOP / "build" / "firmware"
SYSTEM = TOP / "firmware" / "system"
BOARDS = TOP / "firmware" / "boards"
SBIN = os.environ["PATH"] + ":/usr/sbin:/sbin"


class Failed(Exception):
    """What went wrong, for people; no traceback needed."""


def say(text):
    print(text, file=sys.stderr, flush=True)


def run(*command, env=None, **how):
    """Its output; a tool that fails says why and ends the build."""
    done = subprocess.run([str(c) for c in command], text=True, capture_output=True,
                          env={**os.environ, "PATH": SBIN, "TZ": "UTC", "LC_ALL": "C",
                               **(env or {})}, **how)
    if done.returncode:
        said = (done.stderr or done.stdout).rstrip().splitlines()[-15:]
        raise Failed("\n    ".join([f"{command[0]} ended with {done.returncode}", *said]))
    return done.stdout


def git(*words):
    try:
        return run("git", "-C", TOP, *words).strip()
    except (Failed, OSError):
        return ""


def moment():
    """Seconds since 1970: of the commit that is built, so that the same source gives the same
    bits whenever it is built."""
    return int(os.environ.get("SOURCE_DATE_EPOCH") or git("log", "-1", "--format=%ct") or 1)


def settle(tree, when):
    """Gives everything below a folder one time."""
    for path in [*sorted(tree.rglob("*"), reverse=True), tree]:
        os.utime(path, (when, when), follow_symlinks=False)

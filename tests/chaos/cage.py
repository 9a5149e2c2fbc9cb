"""What surrounds the server and can be taken from it while it runs: its disk, its descriptors,
its memory. None of it outlives this process."""

import ctypes
import os
import re
import subprocess
from contextlib import contextmanager, suppress
from pathlib import Path

CLONE_NEWNS = 0x00020000
MS_REC, MS_PRIVATE = 0x4000, 1 << 18
libc = ctypes.CDLL(None, use_errno=True)


def private_mounts():
    """This process, before it has threads, and its children see mounts that nobody else does.
    False: not permitted."""
    if libc.unshare(CLONE_NEWNS) != 0:
        return False
    return libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None) == 0


class Disk:
    """A small file system of its own at `folder`."""

    BYTES = 2 << 20

    def __init__(self, folder):
        self.folder = folder
        what = f"size={self.BYTES},mode=0700".encode()
        if libc.mount(b"none", str(folder).encode(), b"tmpfs", 0, what) != 0:
            raise OSError(ctypes.get_errno(), "mount")

    @contextmanager
    def full(self):
        """Not a byte is left. The server's own files keep what they have."""
        filler = self.folder / "filler"
        with open(filler, "wb", buffering=0) as f, suppress(OSError):
            while f.write(bytes(4096)):
                pass
        try:
            yield
        finally:
            filler.unlink()

    def close(self):
        """Once nobody uses it."""
        libc.umount2(str(self.folder).encode(), 2)  # MNT_DETACH


@contextmanager
def limit(pid, what, most):
    """A soft limit of a running process ("nofile", "as"), put back at the end. Asked for by its
    own user: another one's limits take a capability that root does not have everywhere."""
    status = Path(f"/proc/{pid}/status").read_text()
    uid, gid = (int(re.search(rf"^{w}:\s+(\d+)", status, re.M)[1]) for w in ("Uid", "Gid"))

    def prlimit(value):
        subprocess.run(["prlimit", "--pid", str(pid), f"--{what}={value}:"], check=True,
                       capture_output=True, user=uid, group=gid, extra_groups=[])  # fmt: skip

    had = subprocess.run(
        ["prlimit", "--pid", str(pid), f"--{what}", "--output=SOFT", "--noheadings", "--raw"],
        check=True, capture_output=True, text=True, user=uid, group=gid, extra_groups=[],
    ).stdout.strip()  # fmt: skip
    prlimit(most)
    try:
        yield
    finally:
        prlimit(had)


def address_space(pid):
    """Bytes that it has mapped."""
    pages = Path(f"/proc/{pid}/statm").read_text().split()[0]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")

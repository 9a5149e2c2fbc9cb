"""Debian's packages for a board, through an apt root of our own: fetched, checked by apt against
the signed index, unpacked side by side. Nothing is installed; the machine's apt is left alone."""
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from common import BUILD, TOP, Failed, run, say

# The first suite whose index for the architecture is whole gives the packages: mirrors have been
# seen with a stable release's index out of step for days.
SUITES = ("trixie", "bookworm")


def forget():
    """The index is read anew before the next package is asked for."""
    for stamp in (BUILD / "packages").glob("*/apt-*/updated"):
        stamp.unlink()


@dataclass(frozen=True)
class Package:
    name: str
    version: str
    source: str  # source package and its version: what a GPL source offer names
    folder: Path  # unpacked here

    def find(self, pattern):
        """The one path that matches."""
        found = sorted(self.folder.glob(pattern))
        if not found:
            raise Failed(f"package {self.name} {self.version} has no {pattern}")
        return found[0]


class Archive:
    """Packages of one architecture."""

    def __init__(self, arch, components=("main",)):
        self.arch = arch
        self.folder = BUILD / "packages" / arch
        self.folder.mkdir(parents=True, exist_ok=True)
        for suite in SUITES:
            self.suite = suite
            self.conf = self.root(suite, components)
            if self.newest("busybox-static"):
                break
        else:
            raise Failed(f"no Debian release here has an index for {arch}: see apt-get update")
        say(f"  packages for {arch} come from Debian {self.suite}")

    def root(self, suite, components):
        # Each set of components has its own: an update forgets what it was not asked for.
        place = self.folder / "-".join(["apt", suite, *components])
        conf = run(TOP / "toolchain/deps/apt-root", place, suite, self.arch,
                   env={"APT_ROOT_COMPONENTS": " ".join(components)}).strip()
        stamp = place / "updated"
        if not stamp.exists():
            # A half-answered update is told by what newest() then finds.
            done = subprocess.run(["apt-get", "-qq", "update"], env=self.env(conf),
                                  capture_output=True, text=True)
            if done.returncode:
                say(f"  Debian {suite}: part of the index for {self.arch} is out of step")
            else:
                stamp.touch()
        return conf

    @staticmethod
    def env(conf):
        return {"APT_CONFIG": conf, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}

    def newest(self, name):
        """(version, source, dependencies, what apt calls it) of a package, or None."""
        # A package for all architectures bears the name of none.
        for called in (f"{name}:{self.arch}", name):
            done = subprocess.run(["apt-cache", "show", "--no-all-versions", called],
                                  env=self.env(self.conf), capture_output=True, text=True)
            fields = dict(re.findall(r"^(\w+): (.*)$", done.stdout, re.M))
            if done.returncode == 0 and fields.get("Architecture") in (self.arch, "all"):
                break
        else:
            return None
        source = fields.get("Source", name)
        if "(" not in source:
            source += f" ({fields['Version']})"
        return fields["Version"], source, fields.get("Depends", ""), called

    def kernel(self, name):
        """The kernel that the package NAME, which is only a pointer, stands for today."""
        found = self.newest(name)
        real = found and re.search(r"linux-image-\d\S*", found[2])
        if not real:
            raise Failed(f"package {name} names no kernel")
        return self.bring(real[0])

    def bring(self, name):
        found = self.newest(name)
        if not found:
            raise Failed(f"Debian {self.suite} has no package {name} for {self.arch}")
        version, source, _, called = found
        into = self.folder / f"{name}_{version.replace(':', '%3a')}"
        if not into.is_dir():
            say(f"  bringing {name} {version}")
            self.unpack(called, into)
        return Package(name, version, source, into)

    def unpack(self, called, into):
        new = into.with_suffix(".new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir()
        run("apt-get", "-qq", "download", called, env=self.env(self.conf), cwd=new)
        deb = next(new.glob("*.deb"))
        run("dpkg-deb", "-x", deb, new)
        deb.unlink()
        new.rename(into)

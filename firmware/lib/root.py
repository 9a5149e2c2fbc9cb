"""The root file system of a slot, read-only: BusyBox, the program, the scripts of system/root."""
import json
import lzma
import os
import shutil
from pathlib import Path

from common import SYSTEM, run, say, settle
from disk import MIB, ext4

FOLDERS = ("boot", "data", "dev", "proc", "run", "slot", "sys", "tmp", "bin", "lib/modules",
           "usr/share/licenses", "usr/share/empty", "etc/pulseboard")
# What is run by number, so that files of the data partition keep their owner for good.
PASSWD = "root:x:0:0:root:/run:/bin/sh\npulseboard:x:100:100:Pulseboard:/data/pulseboard:/bin/false\n"
GROUP = "root:x:0:\npulseboard:x:100:\n"
DATA_BYTES = 16 * MIB
# Where firmware/keys puts it: an input of the build beside the sources. Without one the board
# takes no update.
UPDATE_KEY = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config",
                  "pulseboard/update.pub")


def build(folder, parts, release, when):
    """Fills a folder; parts: see image.py."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(SYSTEM / "root", folder, ignore=shutil.ignore_patterns("README.md"))
    for name in FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "sbin").symlink_to("bin")
    (folder / "root").symlink_to("run")
    programs(folder / "bin", parts.programs)
    modules(folder / "lib/modules", parts.later)
    for name, data in parts.firmware.items():
        (folder / "lib/firmware" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "lib/firmware" / name).write_bytes(data)
    etc(folder / "etc", release)
    empty = ext4(folder.with_suffix(".data"), DATA_BYTES, "data", when=when)
    (folder / "usr/share/data.img.xz").write_bytes(lzma.compress(empty.read_bytes()))
    for name, text in parts.licences.items():
        (folder / "usr/share/licenses" / name).write_text(text)
    for path in folder.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
    settle(folder, when)


def programs(into, files):
    for name, source in files.items():
        shutil.copyfile(source, into / name)
        (into / name).chmod(0o755)
    for applet in files["busybox"].with_name("applets").read_text().split():
        if not (into / applet).exists():
            (into / applet).symlink_to("busybox")


def modules(into, files):
    for name, data in files:
        (into / name).write_bytes(data)
    (into / "order").write_text("".join(f"{name}\n" for name, _ in files))


def etc(into, release):
    (into / "passwd").write_text(PASSWD)
    (into / "group").write_text(GROUP)
    (into / "resolv.conf").symlink_to("/run/resolv.conf")
    (into / "hostname-of-image").write_text(f"{release['version']} on {release['board']}\n")
    told = {k: release[k] for k in ("board", "version", "built", "arch")}
    (into / "pulseboard/image.json").write_text(json.dumps(told) + "\n")
    if UPDATE_KEY.exists():
        shutil.copyfile(UPDATE_KEY, into / "pulseboard/update.pub")
    else:
        say(f"  NO KEY in {UPDATE_KEY}: this image will never take an update (firmware/keys)")


def squash(folder, out, when):
    out.unlink(missing_ok=True)
    run("mksquashfs", folder, out, "-all-root", "-noappend", "-comp", "xz", "-b", "256K",
        "-no-xattrs", "-no-exports", "-quiet", "-no-progress", "-mkfs-time", str(when),
        "-all-time", str(when))
    return out

"""One board's image, from its folder: slot, boot partition, disk."""
import json
import shutil
from dataclasses import dataclass, field

import programs
import root
import sbom
from common import BOARDS, BUILD, SYSTEM, TOP, Failed, git, moment, run, say, settle
from cpio import Cpio
from disk import FAT, LINUX, MIB, disk, ext4, fat, sha256
from kernel import TLS, Kernel
from packages import Archive

MKIMAGE = {"armhf": "arm", "arm64": "arm64"}
AB = b"pending=0\nslot=a\ntries=0\n"
SLOT_MIB, BOOT_MIB = 32, 16
# On which channels a country lets radios send: signed by Debian, whose kernel checks that.
REGDB, REGDB_FILES = "wireless-regdb", ("regulatory.db", "regulatory.db.p7s")


@dataclass
class Parts:
    """What an image is put together from."""

    programs: dict  # name in /bin -> file
    first: list = field(default_factory=list)  # modules of the initramfs: [(name, bytes)]
    later: list = field(default_factory=list)  # and of the root
    firmware: dict = field(default_factory=dict)  # name in /lib/firmware -> bytes
    licences: dict = field(default_factory=dict)


def boards():
    return sorted(p.parent.name for p in BOARDS.glob("*/board.json"))


def board_of(name):
    return json.loads((BOARDS / name / "board.json").read_text())


def device_trees(board):
    """Names of files of the kernel's; the first is for what the boot loader does not know."""
    named = board.get("dtb", [])
    return [named] if isinstance(named, str) else named


def version():
    described = git("describe", "--always", "--dirty=.dirty", "--exclude=*")
    text = (TOP / "CMakeLists.txt").read_text()
    number = text.split("VERSION ", 2)[2].split()[0]
    return f"{number}+g{described}" if described else number


# --- the parts of an image ------------------------------------------------------------------

def initramfs(parts):
    archive = Cpio()
    for name in ("bin", "boot", "dev", "modules", "proc", "root", "slot", "sys"):
        archive.folder(name)
    archive.file("init", (SYSTEM / "initramfs/init").read_bytes(), 0o755)
    archive.file("bin/busybox", parts.programs["busybox"].read_bytes(), 0o755)
    applets = "sh mount umount insmod switch_root sleep cat echo mkdir ln ls tr dd grep reboot sync"
    for applet in [*applets.split(), "printf", "["]:
        archive.link(f"bin/{applet}", "busybox")
    for name, data in parts.first:
        archive.file(f"modules/{name}", data)
    order = "".join(f"{name}\n" for name, _ in parts.first)
    archive.file("modules/order", order.encode())
    return archive.packed()


def boot_script(folder, name, board, when):
    address = board.get("address", {})
    values = {
        "BOARD": name,
        "BOOTARGS": board["bootargs"],
        "BOOT": board["boot"],
        "SCRATCH": address.get("scratch", "${pxefile_addr_r}"),
        "KERNEL_ADDR": address.get("kernel", "${kernel_addr_r}"),
        "RAMDISK_ADDR": address.get("ramdisk", "${ramdisk_addr_r}"),
        "FDT_ADDR": address.get("fdt", "${fdt_addr_r}"),
        "LOAD_FDT": "true",
        "DTB": next(iter(device_trees(board)), ""),
    }
    if "dtb" in board:
        values["LOAD_FDT"] = f"load ${{devtype}} ${{devnum}}:${{part}} {values['FDT_ADDR']} ${{dtb}}"
    if "unpack" in address:
        values["LOAD_FDT"] += (f"\n        setenv kernel_comp_addr_r {address['unpack']}"
                               "\n        setenv kernel_comp_size 2000000")
    text = (SYSTEM / "boot.cmd").read_text()
    for key, value in values.items():
        text = text.replace(f"@{key}@", value)
    source = folder / "boot.cmd"
    source.write_text(text)
    run("mkimage", "-A", MKIMAGE[board["arch"]], "-T", "script", "-C", "none", "-d", source,
        folder / "boot.scr", env={"SOURCE_DATE_EPOCH": str(when)})
    return (folder / "boot.scr").read_bytes()


def slot(folder, board, kernel, parts, release, when):
    """slot.img: everything that one version consists of, in one file system."""
    tree = folder / "slot"
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir()
    (tree / "vmlinuz").write_bytes(kernel.image())
    (tree / "initrd.img").write_bytes(initramfs(parts))
    for dtb in device_trees(board):
        shutil.copyfile(kernel.dtb(dtb), tree / dtb)
    root.build(folder / "root", parts, release, when)
    root.squash(folder / "root", tree / "root.squashfs", when)
    told = "".join(f"{k}={v}\n" for k, v in release.items())
    (tree / "release.txt").write_text(told)
    (folder / "release.txt").write_text(told)
    settle(tree, when)
    content = sum(f.stat().st_size for f in tree.iterdir())
    size = (content * 21 // 20 // MIB + 2) * MIB
    image = ext4(folder / "slot.img", size, "slot", tree, journal=False, when=when)
    same_times(image, [f.name for f in tree.iterdir()], when)
    return image


def same_times(image, names, when):
    """mke2fs copies the owner and the time of change of a file, which cannot be set."""
    lines = [f"set_inode_field {name} {field} {value}"
             for name in ["/lost+found", *(f"/{n}" for n in sorted(names))]
             for field, value in [("uid", 0), ("gid", 0),
                                  *((t, f"@{when}") for t in ("ctime", "atime", "mtime", "crtime"))]]
    script = image.with_suffix(".debugfs")
    script.write_text("\n".join(lines) + "\n")
    run("debugfs", "-w", "-f", script, image, env={"E2FSPROGS_FAKE_TIME": str(when)})
    script.unlink()


def radio_firmware(archive, board):
    """What drivers of radios load: ({name below /lib/firmware: bytes}, packages)."""
    law = archive.bring(REGDB)
    files = {n: law.find(f"usr/lib/firmware/{n}-debian").read_bytes() for n in REGDB_FILES}
    packages = [law]
    for name, wanted in board.get("firmware", {}).items():
        packages.append(archive.bring(name))
        files |= {n: packages[-1].find(f"usr/lib/firmware/{n}").read_bytes() for n in wanted}
    return files, packages


def boot_files(folder, name, board, brought, when):
    """The boot partition: what every board has, the board's own files, and those that come from
    packages. brought: "kernel", or the name of a package -> Package."""
    files = {"boot.scr": boot_script(folder, name, board, when), "ab.txt": AB,
             "README.txt": (SYSTEM / "boot/README.txt").read_bytes(),
             "pulseboard.json": (SYSTEM / "boot/pulseboard.json").read_bytes()}
    for own in (BOARDS / name / "boot").glob("*"):
        if own.name != "README.md":
            files[own.name] = own.read_bytes()
    for target, (package, pattern) in board.get("boot_files", {}).items():
        files[target] = brought[package].find(pattern).read_bytes()
    return files


# --- all of it ------------------------------------------------------------------------------

def build(name):
    """Builds the image of a board; its path."""
    if name not in boards():
        raise Failed(f"there is no board {name}: --list names them")
    board, when = board_of(name), moment()
    say(f"{name}: {board['title']}")
    folder = BUILD / name
    folder.mkdir(parents=True, exist_ok=True)
    archive = Archive(board["arch"], board.get("components", ["main"]))
    kernel = Kernel(archive.kernel(board["kernel"]))
    e2fsck = archive.bring("e2fsck-static")
    first = kernel.in_order(board["boot_modules"])
    later = [m for m in kernel.in_order(board["modules"] + TLS) if m not in first]
    wifi = any(m.name.startswith("cfg80211.") for m in later)
    parts = Parts({**programs.build(board["arch"], wifi), "e2fsck": e2fsck.find("**/e2fsck.static")},
                  [kernel.plain(m) for m in first], [kernel.plain(m) for m in later])
    uboot = board["uboot"]
    bootloader = archive.bring(uboot["package"])
    brought = {"kernel": kernel.package, uboot["package"]: bootloader}
    for package, _ in board.get("boot_files", {}).values():
        if package not in brought:
            brought[package] = archive.bring(package)
    packages = [e2fsck, *brought.values()]
    if wifi:
        parts.firmware, more = radio_firmware(archive, board)
        packages += more
    parts.licences = sbom.licences(packages, wifi)
    release = {"board": name, "version": version(), "built": when, "arch": board["arch"],
               "kernel": kernel.release}
    say("  putting the slot together")
    slot_image = slot(folder, board, kernel, parts, release, when)
    say("  putting the disk together")
    raw = [(bootloader.find(uboot["file"]), uboot["offset"])] if "offset" in uboot else []
    if "beside" in uboot:
        shutil.copyfile(bootloader.find(uboot["file"]), folder / uboot["beside"])
    boot = fat(folder / "boot.vfat", BOOT_MIB * MIB,
               boot_files(folder, name, board, brought, when), when)
    data = ext4(folder / "data.img", root.DATA_BYTES, "data", when=when)
    for old in folder.glob("pulseboard-*"):
        old.unlink()
    out = folder / f"pulseboard-{name}-{release['version']}.img"
    disk(out, [(FAT, boot, BOOT_MIB * MIB), (LINUX, slot_image, SLOT_MIB * MIB),
               (LINUX, slot_image, SLOT_MIB * MIB), (LINUX, data, root.DATA_BYTES)],
         raw, board.get("disk_mib", 128) * MIB)
    total = sha256(out)
    out.with_suffix(".img.sha256").write_text(f"{total}  {out.name}\n")
    out.with_suffix(".spdx.json").write_text(
        sbom.document(release, packages, wifi, sha256(slot_image)))
    link = folder / "disk.img"
    link.unlink(missing_ok=True)
    link.symlink_to(out.name)
    say(f"  {out.relative_to(TOP)}, SHA-256 {total}")
    return out


def sign(name):
    """The slot that build() left, as one signed file for boards that run already; its path."""
    folder = BUILD / name
    told = dict(line.split("=", 1) for line in (folder / "release.txt").read_text().splitlines())
    out = folder / f"pulseboard-{name}-{told['version']}.pbu"
    run(TOP / "firmware/sign", "--board", name, "--version", told["version"],
        "--built", told["built"], folder / "slot.img", out)
    return out

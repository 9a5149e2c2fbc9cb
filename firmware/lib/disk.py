"""File systems and the disk, put together without root rights and without a clock."""
import hashlib
import os
import struct
import uuid

from common import Failed, run

MIB = 1 << 20
DISK_ID = 0x424C5550  # "PULB" on the disk: how the initramfs knows its own
ALIGN = MIB
FAT, LINUX = 0x0C, 0x83


def ext4(path, size, label, tree=None, journal=True, when=1):
    """An ext4 file system of fixed identity."""
    who = uuid.uuid5(uuid.NAMESPACE_OID, f"pulseboard/{label}")
    path.unlink(missing_ok=True)
    features = "^metadata_csum_seed,^orphan_file,resize_inode" + ("" if journal else ",^has_journal")
    run("mke2fs", "-q", "-t", "ext4", "-b", "1024" if size < 64 * MIB and not journal else "4096",
        "-m", "0", "-L", label, "-U", who, "-O", features,
        "-E", f"hash_seed={who},root_owner=0:0,lazy_itable_init=0,lazy_journal_init=0",
        *(["-d", tree] if tree else []), path, f"{size // 1024}k",
        env={"E2FSPROGS_FAKE_TIME": str(when), "SOURCE_DATE_EPOCH": str(when)})
    return path


def fat(path, size, files, when):
    """A FAT file system that any PC shows as PULSEBOARD. files: name -> bytes."""
    path.unlink(missing_ok=True)
    run("mkfs.vfat", "-C", "--invariant", "-n", "PULSEBOARD", "-i", f"{DISK_ID:08x}", path,
        str(size // 1024))
    folder = path.with_suffix(".files")
    folder.mkdir(exist_ok=True)
    for name, data in sorted(files.items()):
        source = folder / name.replace("/", "_")
        source.write_bytes(data)
        os.utime(source, (when, when))
        for above in sorted({name.rsplit("/", 1)[0]} if "/" in name else ()):
            run("mmd", "-D", "s", "-i", path, f"::{above}")
        run("mcopy", "-m", "-i", path, source, f"::{name}",
            env={"SOURCE_DATE_EPOCH": str(when), "MTOOLS_SKIP_CHECK": "1"})
        source.unlink()
    folder.rmdir()
    return path


def mbr_entry(kind, start, size, active):
    # LBA only: nothing that boots these boards counts in cylinders.
    return struct.pack("<B3sB3sII", 0x80 if active else 0, b"\xfe\xff\xff", kind,
                       b"\xfe\xff\xff", start // 512, size // 512)


def disk(path, partitions, raw=(), size=0):
    """partitions: [(kind, file, size)] one after the other; raw: [(file, offset)] before the
    first. The file is sparse, and at least size bytes long."""
    entries, places, at = b"", [], 4 * ALIGN
    for number, (kind, source, length) in enumerate(partitions):
        if source.stat().st_size > length:
            raise Failed(f"{source.name} is larger than its partition of {length // MIB} MiB")
        entries += mbr_entry(kind, at, length, number == 0)
        places.append((source, at))
        at += length
    for source, offset in raw:
        if offset + source.stat().st_size > 4 * ALIGN:
            raise Failed(f"{source.name} reaches into the first partition")
    with open(path, "wb") as out:
        out.truncate(max(at, size))
        for source, offset in [*raw, *places]:
            copy_sparse(source, out, offset)
        out.seek(440)
        out.write(struct.pack("<IH", DISK_ID, 0) + entries.ljust(64, b"\0") + b"\x55\xaa")
    return path


def copy_sparse(source, out, offset):
    with open(source, "rb") as data:
        while block := data.read(64 * 1024):
            if block.strip(b"\0"):
                out.seek(offset)
                out.write(block)
            offset += len(block)


def sha256(path):
    with open(path, "rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()

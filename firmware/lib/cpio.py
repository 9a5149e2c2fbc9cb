"""An initramfs: a cpio archive (newc) that depends on nothing but what goes in, packed as the
kernel of a board with little memory can unpack it."""
import lzma
import stat

S_DIR, S_FILE, S_LINK = stat.S_IFDIR | 0o755, stat.S_IFREG, stat.S_IFLNK | 0o777


class Cpio:
    def __init__(self):
        self.entries = {}

    def folder(self, name):
        self.entries[name] = (S_DIR, b"")

    def file(self, name, data, mode=0o644):
        self.entries[name] = (S_FILE | mode, data)

    def link(self, name, target):
        self.entries[name] = (S_LINK, target.encode())

    def packed(self):
        out = bytearray()
        for number, (name, (mode, data)) in enumerate(sorted(self.entries.items()), 1):
            out += self.record(number, name, mode, data)
        out += self.record(0, "TRAILER!!!", 0, b"")
        # A larger dictionary than the archive only costs the kernel memory that it may not have.
        how = [{"id": lzma.FILTER_LZMA2, "preset": 9, "dict_size": 1 << 20}]
        return lzma.compress(bytes(out), check=lzma.CHECK_CRC32, filters=how)

    @staticmethod
    def record(number, name, mode, data):
        raw = name.encode() + b"\0"
        fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(raw), 0)
        head = b"070701" + b"".join(b"%08X" % f for f in fields) + raw
        return head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4)

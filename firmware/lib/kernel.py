"""What a board needs of Debian's kernel: the image, and modules with what those depend on."""
import gzip
import lzma
from pathlib import Path

from common import Failed, run

# The kernel's own TLS and its ciphers: of every board, since they are not loaded when asked for
# (the program has no right to that).
TLS = ["tls", "gcm", "ghash_generic", "chacha20poly1305", "chacha_generic", "poly1305_generic"]


class Kernel:
    def __init__(self, package):
        self.package = package
        lib = package.folder / "lib"
        if not lib.exists():
            lib.symlink_to("usr/lib")  # where depmod looks
        self.modules = package.find("usr/lib/modules/*") if (
            package.folder / "usr/lib/modules").is_dir() else package.find("lib/modules/*")
        self.release = self.modules.name
        if not (self.modules / "modules.dep.bin").exists():
            run("depmod", "-b", package.folder, self.release)

    def image(self):
        """As the boot loader wants it: ARM's unpacks itself, arm64's is plain and is packed
        here (booti unpacks it)."""
        raw = self.package.find(f"boot/vmlinuz-{self.release}").read_bytes()
        return gzip.compress(raw, 9, mtime=0) if raw[56:60] == b"ARMd" else raw

    def dtb(self, name):
        return self.package.find(f"usr/lib/linux-image-{self.release}/{name}")

    def in_order(self, names):
        """Module files in the order in which they must be loaded, each after what it needs."""
        ordered = []
        for name in names:
            try:
                shown = run("modprobe", "-d", self.package.folder, "-S", self.release,
                            "--show-depends", name)
            except Failed as why:
                raise Failed(f"the kernel has no module {name}: {why}") from None
            for line in shown.splitlines():
                word, _, rest = line.partition(" ")
                # Optional ones for processors that not every board has.
                if "-arm-ce" in rest:
                    continue
                if word == "insmod" and (path := Path(rest.split()[0])) not in ordered:
                    ordered.append(path)
        return ordered

    @staticmethod
    def plain(path):
        """(name.ko, bytes) of a module file, unpacked: the image as a whole is packed."""
        data = path.read_bytes()
        if path.suffix == ".xz":
            return path.stem, lzma.decompress(data)
        return path.name, data

"""The programs of a board that are built here, static with musl, each when its inputs changed."""
from pathlib import Path

from common import BUILD, SYSTEM, TOP, run, say
from disk import sha256

CROSS = {"armhf": "arm-linux-gnueabihf-", "arm64": "aarch64-linux-gnu-"}
# Source package of Debian -> what build-PROGRAM makes of it, and what that reads beside it.
FROM_DEBIAN = {"busybox": ("busybox", ["busybox.config"]),
               "avahi": ("announce", ["announce.c"]),
               "dropbear": ("dropbearmulti", ["dropbear.h"]),
               "wpa": ("wpa_supplicant", ["wpa_supplicant.config"])}
# Source packages that such a program is linked with: package -> of which.
LIBRARIES = {"libnl3": "wpa"}
# What only boards with Wi-Fi have.
WIFI = ("wpa", "libnl3")


def build(arch, wifi):
    """name in /bin -> file, for an architecture."""
    say("  building the program")
    run(TOP / "toolchain/build", arch, "pulseboard")
    compiler = TOP / f"build/deps/musl-{arch}/cc"
    folder = BUILD / "programs" / arch
    folder.mkdir(parents=True, exist_ok=True)
    made = {"pulseboard": TOP / "build" / arch / "pulseboard", "grow": folder / "grow"}
    sources = bring_sources()
    for package, (name, inputs) in FROM_DEBIAN.items():
        if package in WIFI and not wifi:
            continue
        made[name] = folder / name
        script = SYSTEM / f"build-{name}"
        linked = [sources[library] for library, of in LIBRARIES.items() if of == package]
        asked = [sources[package], *linked, *(sha256(SYSTEM / i) for i in inputs), sha256(script),
                 (compiler.parent / "stamp").read_text().strip()]
        stamp = folder / f"{name}.stamp"
        if not stamp.exists() or stamp.read_text().split("\n") != asked:
            say(f"  building {name}")
            stamp.unlink(missing_ok=True)
            run(script, BUILD / "deps/src" / package, compiler, folder, CROSS[arch])
            stamp.write_text("\n".join(asked))
    run(compiler, "-Os", "-fPIE", "-Wall", "-Wextra", "-Werror", "-s", "-o", made["grow"],
        SYSTEM / "grow.c")
    return made


def versions(listed=BUILD / "deps/VERSIONS"):
    """source package -> version, of what toolchain/deps/fetch brought."""
    if not Path(listed).exists():
        return {}
    words = (line.split(",")[0].split() for line in listed.read_text().splitlines())
    return {name: version for name, version in words}


def forget():
    """The sources are brought anew before they are built."""
    (BUILD / "deps/VERSIONS").unlink(missing_ok=True)


def bring_sources():
    """The versions of the sources, which are there afterwards."""
    wanted = sorted({*FROM_DEBIAN, *LIBRARIES})
    if not set(wanted) <= set(versions()):
        say(f"  bringing the sources of {', '.join(wanted)}")
        run(TOP / "toolchain/deps/fetch", BUILD / "deps", *wanted)
    return versions()

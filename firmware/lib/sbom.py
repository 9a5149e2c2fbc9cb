"""What is in an image: an SPDX 2.3 document, licence texts, and where the sources are."""
import json
import re
import uuid
from datetime import datetime, timezone

from common import BUILD, TOP

# Built here from Debian's sources; the licence as their copyright files state it.
SOURCES = {"civetweb": "MIT", "mbedtls": "Apache-2.0 OR GPL-2.0-or-later", "cjson": "MIT",
           "musl": "MIT", "busybox": "GPL-2.0-only"}
# Debian's packages of which files are taken.
PACKAGES = {"linux-image": "GPL-2.0-only", "e2fsck-static": "GPL-2.0-only",
            "u-boot": "GPL-2.0-or-later"}

OFFER = """The programs in this image that are under the GNU General Public License come from the
Debian packages below, unchanged; their complete sources are Debian's source packages of the
same name and version (apt-get source NAME=VERSION). BusyBox was built with the options in
firmware/system/busybox.config by firmware/system/build-busybox of the Pulseboard sources. Who
received this image may ask whoever gave it for these sources, for three years.

"""


def licence_of(package):
    return next((v for k, v in PACKAGES.items() if package.startswith(k)), "NOASSERTION")


def built_here():
    """(name, version) of what our own build compiled in."""
    for listed in (TOP / "build/deps/VERSIONS", BUILD / "deps/VERSIONS"):
        for line in listed.read_text().splitlines():
            if found := re.match(r"(\S+) (\S+),", line):
                if found[1] in SOURCES:
                    yield found[1], found[2]


def licences(packages):
    """Texts for the image: file name -> text."""
    texts = {"pulseboard": (TOP / "LICENSE").read_text()}
    for name, _ in built_here():
        base = BUILD if name == "busybox" else TOP / "build"
        texts[name] = (base / "deps/src" / name / "debian/copyright").read_text()
    for package in packages:
        texts[package.name] = package.find(f"usr/share/doc/{package.name}/copyright").read_text()
    offered = "".join(f"{p.name}: {p.source}\n" for p in packages)
    offered += "".join(f"{n}: {n} ({v})\n" for n, v in built_here() if n == "busybox")
    texts["SOURCE-OFFER"] = OFFER + offered
    return texts


def document(release, packages, checksum):
    """SPDX 2.3 as JSON text; checksum: SHA-256 of the slot."""
    entries = [("pulseboard", release["version"], "MIT", "")]
    entries += [(n, v, SOURCES[n], f"Debian source package {n} ({v})") for n, v in built_here()]
    entries += [(p.name, p.version, licence_of(p.name), f"Debian source package {p.source}")
                for p in packages]
    listed = [{
        "SPDXID": f"SPDXRef-{re.sub('[^A-Za-z0-9.-]', '-', name)}", "name": name,
        "versionInfo": version, "downloadLocation": "NOASSERTION", "filesAnalyzed": False,
        "licenseConcluded": licence, "licenseDeclared": licence,
        "copyrightText": "NOASSERTION", **({"sourceInfo": source} if source else {}),
    } for name, version, licence, source in entries]
    name = f"pulseboard-{release['board']}-{release['version']}"
    when = datetime.fromtimestamp(release["built"], timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return json.dumps({
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
        "name": name,
        "documentNamespace": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, name + checksum)}",
        "creationInfo": {"created": when, "creators": ["Tool: firmware/build"]},
        "packages": listed,
        "relationships": [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES",
                           "relatedSpdxElement": p["SPDXID"]} for p in listed],
    }, indent=1) + "\n"

"""What is in an image: an SPDX 2.3 document, licence texts, and where the sources are."""
import json
import re
import uuid
from datetime import datetime, timezone

from common import BUILD, TOP
from programs import FROM_DEBIAN, LIBRARIES, WIFI, versions

# Built here from Debian's sources; the licence as their copyright files state it.
SOURCES = {"civetweb": "MIT", "mbedtls": "Apache-2.0 OR GPL-2.0-or-later", "cjson": "MIT",
           "musl": "MIT", "busybox": "GPL-2.0-only", "avahi": "LGPL-2.1-or-later",
           "dropbear": "MIT AND BSD-2-Clause AND BSD-3-Clause", "wpa": "BSD-3-Clause",
           "libnl3": "LGPL-2.1-only"}
# Of these, the ones whose licence lets who receives them ask for their source, and where that is.
OFFERED = {"busybox": "LICENSE", "avahi": "LICENSE", "libnl3": "COPYING"}
# Debian's packages of which files are taken.
PACKAGES = {"linux-image": "GPL-2.0-only", "e2fsck-static": "GPL-2.0-only",
            "u-boot": "GPL-2.0-or-later", "raspi-firmware": "LicenseRef-raspi-firmware",
            "firmware-brcm80211": "LicenseRef-firmware-brcm80211", "wireless-regdb": "ISC"}

OFFER = """The programs in this image that are under the GNU General Public License or the Lesser one
come from the Debian packages below, unchanged; their complete sources are Debian's source packages
of the same name and version (apt-get source NAME=VERSION). firmware/system/build-busybox (with the
options in busybox.config), firmware/system/build-announce and, where there is Wi-Fi,
firmware/system/build-wpa_supplicant of the Pulseboard sources built BusyBox, announce from Avahi,
and wpa_supplicant with libnl; they build them again from a changed source too. Who received this
image may ask whoever gave it for these sources, for three years.

"""


def licence_of(package):
    return next((v for k, v in PACKAGES.items() if package.startswith(k)), "NOASSERTION")


def copyright_of(package):
    return package.find(f"usr/share/doc/{package.name}/copyright").read_text()


def built_here(wifi):
    """(name, version) of what our own build compiled in."""
    for name, version in {**versions(TOP / "build/deps/VERSIONS"), **versions()}.items():
        if name in SOURCES and (wifi or name not in WIFI):
            yield name, version


def licences(packages, wifi):
    """Texts for the image: file name -> text."""
    texts = {"pulseboard": (TOP / "LICENSE").read_text()}
    for name, _ in built_here(wifi):
        base = BUILD if name in FROM_DEBIAN or name in LIBRARIES else TOP / "build"
        source = base / "deps/src" / name
        texts[name] = (source / "debian/copyright").read_text()
        if name in OFFERED:  # the whole licence, which debian/copyright only points to
            texts[SOURCES[name]] = (source / OFFERED[name]).read_text()
    for package in packages:
        texts[package.name] = copyright_of(package)
    offered = "".join(f"{p.name}: {p.source}\n" for p in packages
                      if not licence_of(p.name).startswith("LicenseRef-"))
    offered += "".join(f"{n}: {n} ({v})\n" for n, v in built_here(wifi) if n in OFFERED)
    texts["SOURCE-OFFER"] = OFFER + offered
    return texts


def document(release, packages, wifi, checksum):
    """SPDX 2.3 as JSON text; checksum: SHA-256 of the slot."""
    entries = [("pulseboard", release["version"], "MIT", "")]
    entries += [(n, v, SOURCES[n], f"Debian source package {n} ({v})") for n, v in built_here(wifi)]
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
        # What has no name of SPDX's is there in full.
        "hasExtractedLicensingInfos": [
            {"licenseId": licence_of(p.name), "name": p.name, "extractedText": copyright_of(p)}
            for p in packages if licence_of(p.name).startswith("LicenseRef-")],
        "relationships": [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES",
                           "relatedSpdxElement": p["SPDXID"]} for p in listed],
    }, indent=1) + "\n"

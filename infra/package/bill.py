"""What a release ships of other people's work: a bill of materials (CycloneDX), and all licences."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesHeaderParser
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from infra.setup.steps import SetupError

LONGEST_NAME = 60  # characters of a licence's name; more is its text
_LICENCE_FILE = re.compile(r"(^|/)(licen[cs]e|copying|notice|authors)[^/]*$|/licen[cs]es/.", re.IGNORECASE)


@dataclass(frozen=True)
class Shipped:
    """One package of the archive, or one jar.

    Attributes:
        address: its package URL, which names its kind, group, name and version.
        licence: an SPDX expression, or what the package says instead.
        texts: licence files, by name.
        sha256: of a jar. Which wheel is in an archive depends on the architecture; the lock has their hashes.
    """

    address: PackageURL
    licence: str
    texts: Mapping[str, bytes] = field(default_factory=dict)
    sha256: str = ""

    def component(self) -> Component:
        """As CycloneDX has it."""
        return Component(
            type=ComponentType.LIBRARY,
            group=self.address.namespace,
            name=self.address.name,
            version=self.address.version,
            purl=self.address,
            bom_ref=str(self.address),
            licenses=[LicenseFactory().make_from_string(self.licence)],
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=self.sha256)] if self.sha256 else [],
        )


def packages(described: Path) -> list[Shipped]:
    """The Python packages, from their own descriptions.

    Raises:
        SetupError: one says nothing of its licence.
    """
    found = []
    with zipfile.ZipFile(described) as archive:
        names = archive.namelist()
        for name in sorted(name for name in names if name.count("/") == 1 and name.endswith(".dist-info/METADATA")):
            metadata = BytesHeaderParser().parsebytes(archive.read(name))
            folder = name.removesuffix("METADATA")
            texts = {each: archive.read(each) for each in names if each.startswith(folder) and _is_licence(each)}
            licence = _licence(metadata)
            if not licence:
                raise SetupError(f"{folder.strip('/')} does not say under which licence it is: see what it is first")
            name, version = str(metadata["Name"]).lower().replace("_", "-"), str(metadata["Version"])
            address = PackageURL("pypi", None, name, version)
            found.append(Shipped(address, licence, texts))
    return found


def jar(coordinate: str, file: Path) -> Shipped:
    """A jar, with the licence that it holds. Those of a release are all under Apache's."""
    group, name, version = coordinate.split(":")
    with zipfile.ZipFile(io.BytesIO(file.read_bytes())) as archive:
        texts = {each: archive.read(each) for each in archive.namelist() if _is_licence(each)}
    if not any(b"Apache License" in text for text in texts.values()):
        raise SetupError(f"{file.name} holds no Apache licence: see under which one it is, and write it down here")
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    return Shipped(PackageURL("maven", group, name, version), "Apache-2.0", texts, sha256)


def sbom(release: str, shipped: Iterable[Shipped]) -> bytes:
    """The bill of materials. The library's random serial and its time are left out: equal content, equal bytes."""
    own = Component(
        type=ComponentType.APPLICATION,
        name="sluice",
        version=release,
        bom_ref=f"sluice@{release}",
        licenses=[LicenseFactory().make_from_string("Apache-2.0")],
    )
    parts = [each.component() for each in shipped]
    bom = Bom(components=parts, metadata=BomMetaData(component=own))
    bom.register_dependency(own, parts)
    document = json.loads(JsonV1Dot6(bom).output_as_string())
    del document["serialNumber"], document["metadata"]["timestamp"]
    return (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()


def licences(own: bytes, shipped: Iterable[Shipped]) -> dict[str, bytes]:
    """The files of `licences.zip`: our own licence, a list, and a folder for each package and jar."""
    found, lines = {"LICENSE": own}, []
    for each in shipped:
        title = f"{each.address.name}-{each.address.version}"
        lines.append(f"{title}: {each.licence}\n")
        found |= {f"{title}/{name.rpartition('dist-info/')[2]}": text for name, text in each.texts.items()}
    return {**found, "LICENCES.txt": "".join(sorted(lines)).encode()}


def _is_licence(name: str) -> bool:
    return not name.endswith(("/", ".class", ".py")) and _LICENCE_FILE.search(name) is not None


def _licence(metadata: Message) -> str:
    """What a package says of itself. An old `License` field may hold the whole text, or nothing that helps."""
    if expression := metadata["License-Expression"]:
        return str(expression)
    said = str(metadata["License"] or "").strip()
    if said and "\n" not in said and len(said) <= LONGEST_NAME:
        return said
    classifiers = [str(each) for each in metadata.get_all("Classifier", []) if str(each).startswith("License ::")]
    return " AND ".join(each.rpartition(":: ")[2] for each in classifiers)

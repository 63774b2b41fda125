"""What is shipped says under which licence it is."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from infra.package import archives, bill
from infra.setup.steps import SetupError


def described(tmp_path: Path, metadata: str) -> list[bill.Shipped]:
    file = tmp_path / "packages.zip"
    text = f"Metadata-Version: 2.4\nName: Some_Thing\nVersion: 2\n{metadata}\n"
    file.write_bytes(archives.zipped({"some_thing-2.dist-info/METADATA": text.encode()}))
    return bill.packages(file)


@pytest.mark.parametrize(
    ("metadata", "licence"),
    [
        ("License-Expression: MIT OR Apache-2.0", "MIT OR Apache-2.0"),
        ("License: Apache 2.0", "Apache 2.0"),
        ("License: BSD\n may do\n what\nClassifier: License :: OSI Approved :: BSD License", "BSD License"),
        ("Classifier: License :: OSI Approved :: MIT License", "MIT License"),
    ],
)
def test_licence_is_what_the_package_says(metadata: str, licence: str, tmp_path: Path) -> None:
    (found,) = described(tmp_path, metadata)
    assert found.licence == licence
    assert str(found.address) == "pkg:pypi/some-thing@2"


def test_package_without_a_licence_is_not_shipped(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"some_thing-2\.dist-info does not say under which licence it is"):
        described(tmp_path, "Summary: nothing")


def test_jar_without_apache_s_licence_is_not_shipped(tmp_path: Path) -> None:
    file = tmp_path / "x-1.jar"
    with zipfile.ZipFile(file, "w") as jar:
        jar.writestr("META-INF/LICENSE", "All rights reserved")
    with pytest.raises(SetupError, match=r"x-1\.jar holds no Apache licence"):
        bill.jar("g:x:1", file)

"""The JVM jars that EMR's image holds and a laptop lacks: an exact list, fetched by the Ivy inside pyspark.

`jars.lock` has one `group:artifact:version sha256` per line. Fetched once into the cache, each checked.
Not `spark.jars.packages`: that pulls 729 MB and second copies of what Spark ships.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
from pathlib import Path

from infra.setup.steps import VENV, SetupError, cache, command, fingerprint, once

LOCK = Path(__file__).with_name("jars.lock")


def folder() -> Path:
    """Where the jars of this lock are."""
    return cache() / f"jars-{fingerprint([LOCK])[:12]}"


def install(java: str) -> None:
    """Fetches the jars unless they are in the cache."""
    once(f"Delta, S3A, Kafka and JDBC jars ({len(_lock())})", folder() / "stamp", [LOCK], lambda: fetch(java))


def fetch(java: str) -> None:
    """Fetches every jar of the lock, checks it, and puts it into the cache.

    Raises:
        SetupError: a jar is missing or is not the one of the lock.
    """
    with tempfile.TemporaryDirectory() as scratch:
        got = download(java, list(_lock()), Path(scratch))
        for coordinate, wanted in _lock().items():
            jar = got[coordinate]
            actual = hashlib.sha256(jar.read_bytes()).hexdigest()
            if actual != wanted:
                raise SetupError(f"{coordinate}: sha256 is {actual}, {LOCK.name} has {wanted}. Not used.")
        folder().mkdir(parents=True, exist_ok=True)
        for jar in got.values():
            shutil.move(str(jar), folder() / jar.name)


def download(java: str, coordinates: list[str], target: Path) -> dict[str, Path]:
    """Downloads jars without what they depend on; gives the file of each coordinate."""
    parts = {coordinate: coordinate.split(":") for coordinate in coordinates}
    dependencies = "".join(
        f'<dependency org="{group}" name="{name}" rev="{version}" transitive="false" conf="*->master"/>'
        for group, name, version in parts.values()
    )
    module = target / "ivy.xml"
    module.write_text(
        '<ivy-module version="2.0"><info organisation="sluice" module="jars"/>'
        f"<dependencies>{dependencies}</dependencies></ivy-module>"
    )
    ivy = next((VENV / "jobs").glob("lib/python*/site-packages/pyspark/jars/ivy-*.jar"), None)
    if ivy is None:
        raise SetupError("the job environment has no pyspark; remove .venv and run `make setup` again")
    command(
        java, f"-Divy.cache.dir={target / 'ivy'}", "-jar", ivy, "-ivy", module, "-types", "jar",
        "-retrieve", f"{target}/[artifact]-[revision].[ext]",
    )  # fmt: skip
    files = {coordinate: target / f"{name}-{version}.jar" for coordinate, (_, name, version) in parts.items()}
    missing = [coordinate for coordinate, file in files.items() if not file.is_file()]
    if missing:
        raise SetupError(f"could not be fetched: {', '.join(missing)}")
    return files


def _lock() -> dict[str, str]:
    return dict(line.split() for line in LOCK.read_text().splitlines() if line.strip())


def write_lock(java: str, coordinates: list[str]) -> None:
    """Writes `jars.lock` anew, for a change of Spark or Delta; review the difference before committing."""
    with tempfile.TemporaryDirectory() as scratch:
        got = download(java, coordinates, Path(scratch))
        lines = [f"{c} {hashlib.sha256(got[c].read_bytes()).hexdigest()}\n" for c in sorted(got)]
    LOCK.write_text("".join(lines))


if __name__ == "__main__":
    write_lock("java", [line.split()[0] for line in sys.stdin if line.strip()])

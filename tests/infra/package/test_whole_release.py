"""The real release: two archives, their bytes, and one job that runs from it with nothing else on its path."""

from __future__ import annotations

import http.server
import io
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from deltalake import DeltaTable

from infra.package import content, machine_code, python_archive, release, smoke
from infra.setup import jars
from infra.setup.spark_conf import local_conf
from jobs.lake import settings
from jobs.lake.release import ARCHITECTURES, JARS
from jobs.lake.release import python_archive as archive_name
from tests.infra.package.conftest import REPOSITORY, copy_of_the_repository, use

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
FEED = "Date,USD,JPY,\n2026-10-02,1.1000,160.50,\n2026-10-01,1.0900,,\n"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Built as `make package` does it, in a folder of the test's own; it imports all job code on the archive."""
    lock = (REPOSITORY / content.LOCK).read_text()
    copy = copy_of_the_repository(tmp_path_factory.mktemp("whole") / "checkout", lock)
    with pytest.MonkeyPatch.context() as patch:
        use(copy, patch)
        yield release.build()


@pytest.fixture
def feed() -> Iterator[str]:
    """ECB's server."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("eurofxref-hist.csv", FEED)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Last-Modified", "Fri, 02 Oct 2026 14:15:00 GMT")
            self.end_headers()
            self.wfile.write(body.getvalue())

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/feed.zip"
        server.shutdown()


def test_real_archives_hold_libraries_of_their_architectures_and_neither_pyspark_nor_jars(
    built: Path, tmp_path: Path
) -> None:
    for architecture in ARCHITECTURES:
        packages = smoke.unpack(built / archive_name(architecture), tmp_path / architecture)
        assert machine_code.foreign(packages, architecture) == []
        assert len(list(packages.rglob("*.so"))) > 100
        assert {"delta", "great_expectations", "pyarrow", "deltalake"} <= {path.name for path in packages.iterdir()}
        assert [path for path in packages.rglob("*") if path.name in ("pyspark", "py4j") or path.suffix == ".jar"] == []
        size = (built / archive_name(architecture)).stat().st_size
        print(f"{architecture}: {size / 1e6:.0f} MB")
        assert size < 400e6


def test_real_archive_has_equal_bytes_when_it_is_built_at_another_path(built: Path, tmp_path: Path) -> None:
    lock = tmp_path / "a longer path" / "requirements.lock"
    lock.parent.mkdir()
    lock.write_bytes((REPOSITORY / content.LOCK).read_bytes())
    packages, again = lock.parent / "packages", tmp_path / "again.tar.gz"
    python_archive.install(lock, "ARM64", packages)
    python_archive.archives.tar_gz(packages, again)
    assert again.read_bytes() == (built / archive_name("ARM64")).read_bytes()


def test_one_job_runs_from_the_release_with_nothing_else_on_its_path(
    built: Path, feed: str, lake: str, lake_environment: dict[str, str], tmp_path: Path
) -> None:
    """As on EMR: the archive unpacked below the working folder, EMR's pyspark and jars, and the release."""
    architecture = smoke.architecture_here()
    if architecture is None:
        pytest.skip(f"no archive is for {sys.platform}")
    smoke.unpack(built / archive_name(architecture), tmp_path / "environment")
    image = smoke.image(tmp_path / "image")
    of_image = tmp_path / "image-jars"
    of_image.mkdir()
    for jar in jars.folder().glob("*.jar"):
        if jar.name not in JARS:
            (of_image / jar.name).symlink_to(jar)
    conf = {**local_conf(lake_environment["AWS_ENDPOINT_URL_S3"]), "spark.driver.extraClassPath": f"{of_image}/*"}
    words = [word for key, value in conf.items() for word in ("--conf", f"{key}={value}")]
    shipped = ",".join(str(built / "jars" / name) for name in JARS)
    java = {name: os.environ[name] for name in ("JAVA_HOME", "JAVA_TOOL_OPTIONS") if name in os.environ}
    done = subprocess.run(
        [
            image / "pyspark" / "bin" / "spark-submit", *words, "--jars", shipped, "--py-files", built / "jobs.zip",
            built / "run.py", "bronze.fx_rates", "--window-end=2026-10-03", "--run-id=r", "--code", built.name,
        ],
        cwd=tmp_path,
        env={
            **java, **lake_environment, "PATH": os.environ["PATH"],
            "HOME": str(tmp_path), "PYTHONNOUSERSITE": "1", "PYTHONPATH": "./environment",
            "PYSPARK_PYTHON": str(smoke.interpreter()), "PYSPARK_DRIVER_PYTHON": str(smoke.interpreter()),
            "SPARK_HOME": str(image / "pyspark"), "SPARK_LOCAL_IP": "127.0.0.1", "SLUICE_LAKE_BUCKET": lake,
            "SLUICE_PROJECT": lake, "FX_RATES_URL": feed,
        },
        capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    table = DeltaTable(settings.lake().uri("bronze.fx_rates"), storage_options=settings.storage_options())
    rows = table.to_pyarrow_table().to_pylist()
    assert rows
    assert built.name in str(table.history(1)), "the commit says which release made it"

"""A release of the code: what its S3 prefix holds, by name, and which release a tree of DAGs belongs to.

Standard library only. The build writes these names and the operators ask for them, so that neither can drift.
"""

from __future__ import annotations

from pathlib import Path

ENTRY_POINT = "run.py"
CODE = "jobs.zip"
JARS_FOLDER = "jars"
# EMR's image has neither Spark's Kafka source nor what it needs beyond Spark's own jars. `infra/setup/jars.lock` has
# the checksums. A private network reaches no repository of jars, so that `spark.jars.packages` would fail there.
JARS = (
    "spark-sql-kafka-0-10_2.13-4.1.1.jar",
    "spark-token-provider-kafka-0-10_2.13-4.1.0-preview1.jar",
    "kafka-clients-3.9.1.jar",
    "commons-pool2-2.12.1.jar",
)
ARCHITECTURES = ("ARM64", "X86_64")  # as an EMR Serverless application names them
MARK = "release.txt"  # at the import root of a release's DAG tree; holds the release's name
IMPORT_ROOT = Path(__file__).resolve().parents[2]


def python_archive(architecture: str) -> str:
    """Name of the archive with the jobs' Python packages.

    Raises:
        ValueError: EMR Serverless has no such architecture.
    """
    if architecture not in ARCHITECTURES:
        raise ValueError(f"no architecture {architecture!r}; EMR Serverless has {', '.join(ARCHITECTURES)}")
    return f"python-{architecture.lower()}.tar.gz"


def prefix(code_bucket: str, name: str) -> str:
    """Where a release lies in S3: `s3://<code bucket>/releases/<name>`."""
    return f"s3://{code_bucket}/releases/{name}"


def of_tree(root: Path = IMPORT_ROOT) -> str:
    """The release that a tree of DAGs is part of; empty for a checkout, which is no release."""
    try:
        return (root / MARK).read_text().strip()
    except (FileNotFoundError, NotADirectoryError):  # the latter in a zip
        return ""

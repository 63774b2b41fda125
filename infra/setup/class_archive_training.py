"""Starts a throw-away S3 and runs `class_archive_job.py` in a JVM that writes the archive as it exits.

Run by the job environment's Python: `class_archive_training.py ARCHIVE`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import pyspark
from moto.server import ThreadedMotoServer

from infra.setup.spark_conf import HOST, LIGHT_JVM, REGION, local_conf, quoted


def main(archive: str) -> int:
    """Writes the archive; gives spark-submit's exit code."""
    server = ThreadedMotoServer(ip_address=HOST, port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    # Class data is shared only under the collector and compiler flags it was made with.
    java = f"{LIGHT_JVM} {quoted(f'-XX:ArchiveClassesAtExit={archive}')} -Xlog:cds=off -Xlog:cds+dynamic=off"
    conf = local_conf(endpoint) | {"spark.driver.extraJavaOptions": java}
    options = [word for key, value in conf.items() for word in ("--conf", f"{key}={value}")]
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ENDPOINT_URL_S3": endpoint,
        "AWS_ACCESS_KEY_ID": "training",
        "AWS_SECRET_ACCESS_KEY": "training",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": HOST,
        # Otherwise a script of Spark's looks for it, and stumbles over a blank in this Python's path.
        "SPARK_HOME": str(Path(pyspark.__file__).parent),
    }
    job = Path(__file__).with_name("class_archive_job.py")
    submit = Path(sys.executable).with_name("spark-submit")
    try:
        return subprocess.run([submit, *options, job], env=environment, timeout=540, check=False).returncode
    finally:
        server.stop()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))

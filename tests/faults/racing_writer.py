"""One of two drivers that append to one table: `racing_writer.py NAME COMMITS leased|bare`, in a job's environment.

Says `ready` when its Spark is up, starts at a line on its input, and ends with the number of commits that Delta
told it were made.
"""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

from jobs.lake import settings
from jobs.lake.run import Run
from jobs.lake.state import leases
from tests import spark as test_spark

TABLE = "bronze.race"


def main(name: str, commits: int, leased: bool) -> None:
    spark = test_spark.session(os.environ["AWS_ENDPOINT_URL_S3"])
    uri = settings.lake().uri(TABLE)
    row = "'{}' AS writer", "CAST({} AS INT) AS n"
    spark.range(1).selectExpr(row[0].format(name), row[1].format(-1)).write.format("delta").save(f"{uri}_{name}")
    print("ready", flush=True)
    sys.stdin.readline()
    made = 0
    for number in range(commits):
        frame = spark.range(1).selectExpr(row[0].format(name), row[1].format(number))
        with leases.hold(Run(f"{name}-{number}", TABLE), TABLE) if leased else nullcontext():
            try:
                frame.write.format("delta").mode("append").save(uri)
                made += 1
            except (PySparkException, Py4JJavaError) as error:
                print(f"commit {number} failed: {type(error).__name__}", file=sys.stderr)
    print(made, flush=True)
    spark.stop()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3] == "leased")

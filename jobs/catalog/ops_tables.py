"""The ledger and the gates' results, so that queries in Athena can show what happened.

Times are ISO 8601 text in UTC: `from_iso8601_timestamp(committed_at)`. `day` is the UTC day of the commit or
validation, as text: `WHERE day >= '2026-11-01'` reads these days alone.

Records of the last days are external tables of JSON, `<name>_recent`. Athena derives their partitions, which are the
days, from the table's own parameters (partition projection), so that nobody has to add one. Spark can't do that. Older
ones are folded into Delta tables, `<name>_history`. `<name>` is a view over both (`ops_views.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from deltalake import Schema

from jobs.catalog.record_types import arrow
from jobs.lake.state import history
from jobs.lake.state.day_folders import COLUMN

OPENX = "org.openx.data.jsonserde.JsonSerDe"
# The first release is of 2026. A driver's clock may be ahead of Athena's.
FIRST_DAY = "2026-01-01"
DAYS = f"{FIRST_DAY},NOW+1DAYS"
CANARY = "ops.canary"  # a Delta table, which its own step registers


@dataclass(frozen=True)
class JsonTable:
    """Records of one kind: lines of JSON, an object each until they are folded.

    Attributes:
        name: `ops.<table>`, the view over all of them.
        description: one sentence for the catalog.
        folder: in the lake's bucket; it has a folder for each day.
        columns: name, Hive type and comment; keys without a column are ignored.
    """

    name: str
    description: str
    folder: str
    columns: tuple[tuple[str, str, str], ...]
    day = "UTC, YYYY-MM-DD; of a record that came days late, the day on which it was written"

    @property
    def recent(self) -> str:
        """The table of the objects."""
        return f"{self.name}_recent"

    @property
    def history_description(self) -> str:
        """One sentence for the catalog."""
        return f"Records of {self.name} that housekeeping has folded: query {self.name}, which has all."

    def history_schema(self) -> Schema:
        """The columns of the Delta table. The day comes first, as Delta's statistics may end after some columns."""
        own = ((name, arrow(type_), text) for name, type_, text in self.columns)
        fields = [
            (COLUMN, pa.string(), self.day),
            *own,
            (history.KEY, pa.string(), "the object that the record was"),
            (history.CONTENT, pa.string(), "its content, with what has no column"),
            (history.MONTH, pa.string(), "YYYY-MM of the day; partition"),
        ]
        return Schema.from_arrow(
            pa.schema([pa.field(name, type_, metadata={"comment": text}) for name, type_, text in fields])
        )

    def table_input(self, bucket: str) -> dict[str, Any]:
        """The table of the objects, in the form that Glue expects."""
        return {
            "Name": self.recent.partition(".")[2],
            "Description": f"{self.description} The last days; query {self.name}, which has all.",
            "TableType": "EXTERNAL_TABLE",
            "PartitionKeys": [{"Name": COLUMN, "Type": "string", "Comment": self.day}],
            "Parameters": {
                "EXTERNAL": "TRUE",
                "classification": "json",
                "projection.enabled": "true",
                f"projection.{COLUMN}.type": "date",
                f"projection.{COLUMN}.format": "yyyy-MM-dd",
                f"projection.{COLUMN}.range": DAYS,
                f"projection.{COLUMN}.interval": "1",
                f"projection.{COLUMN}.interval.unit": "DAYS",
                "storage.location.template": f"s3://{bucket}/{self.folder}{COLUMN}=${{{COLUMN}}}/",
            },
            "StorageDescriptor": {
                "Columns": [{"Name": name, "Type": type_, "Comment": text} for name, type_, text in self.columns],
                "Location": f"s3://{bucket}/{self.folder}",
                "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
                "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
                "SerdeInfo": {"SerializationLibrary": OPENX, "Parameters": {"serialization.format": "1"}},
            },
        }


TABLES = (
    JsonTable(
        "ops.run_ledger",
        "One row per commit of a step: what went in, and what became of it.",
        "ops/run_ledger/",
        (
            ("table_name", "string", "table that was written"),
            ("output_version", "bigint", "version that the step made"),
            ("dag_id", "string", "DAG of the run; by_hand for steps that a person started"),
            ("run_id", "string", "Airflow's run id; with dag_id it names the run"),
            ("step", "string", "step of the run"),
            ("code", "string", "hash of the code release"),
            ("committed_at", "string", "when, ISO 8601, UTC"),
            ("window_start", "string", "bronze: start of the source window; null for the beginning"),
            ("window_end", "string", "bronze: end of the source window"),
            ("batch_id", "string", "bronze: batch that the window became"),
            ("source_rows", "bigint", "bronze: rows that the source counted for the window"),
            ("read", "bigint", "rows that the step read"),
            ("written", "bigint", "rows that changed the table"),
            ("unchanged", "bigint", "rows that the table already held"),
            ("superseded", "bigint", "rows that are older than what the table or the batch held"),
            ("quarantined", "bigint", "rows that a rule split off"),
            ("dead_lettered", "bigint", "messages that could not be read"),
            ("deleted", "bigint", "rows that the step removed from the table"),
            ("reinstated", "bigint", "rows of earlier batches that came back, as a later one lost its rows"),
            ("table_rows", "bigint", "rows of the table at this version"),
            ("inputs", "map<string,bigint>", "version of each input table"),
            ("read_by_source", "map<string,bigint>", "silver: rows read from each bronze table"),
            ("commits", "bigint", "stream: batches that the record is about; null for one"),
            ("first_version", "bigint", "stream: version of the first of these batches"),
            ("reasons", "map<string,bigint>", "stream: dead-lettered messages by reason"),
            ("batch_seconds", "double", "stream: of the slowest of these batches"),
            ("lag", "bigint", "stream: messages in Kafka that were not in a table yet"),
            ("events_per_second", "double", "stream: messages read a second, in the minute before"),
            (
                "lost_offsets",
                "bigint",
                "stream: messages of an accepted gap, which Kafka deleted before they were read",
            ),
            ("housekeeping", "map<string,double>", "figures of a table's housekeeping; empty for other commits"),
            ("seconds", "double", "from the start of the step to the commit"),
            ("bytes_written", "bigint", "bytes of new data files"),
            ("restored_to", "bigint", "a restore: the version that the table went back to"),
            ("who", "string", "a restore, or an acceptance of foreign changes: the person who decided it"),
            ("why", "string", "and why"),
        ),
    ),
    JsonTable(
        "ops.dq_results",
        "One row per table and validation, with the outcome of each expectation.",
        "gold/quality/",
        (
            ("table_name", "string", "table that was judged"),
            ("dag_id", "string", "DAG of the run; by_hand for steps that a person started"),
            ("run_id", "string", "Airflow's run id; with dag_id it names the run"),
            ("step", "string", "gate, or the gold step that audited itself"),
            ("version", "bigint", "version that was judged; null for rows that were not committed yet"),
            ("suite", "string", "hash of the rules"),
            ("validated_at", "string", "when, ISO 8601, UTC"),
            ("success", "boolean", "no critical failure"),
            ("evaluated", "bigint", "expectations that were judged"),
            ("failed", "bigint", "of these, failed ones"),
            (
                "results",
                "array<struct<rule:string,expectation:string,severity:string,success:boolean,observed:string,"
                "error:string,why:string>>",
                "one entry per expectation",
            ),
        ),
    ),
)

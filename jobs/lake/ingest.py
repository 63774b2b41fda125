"""Brings one window of a source into its bronze table: append-only, raw, one batch per window."""

from __future__ import annotations

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType, TimestampType

from jobs.lake import contract, settings, staging, table_module
from jobs.lake.delta import column_nulls, log, snapshot, writes
from jobs.lake.delta.commit_record import CommitRecord, Counts
from jobs.lake.errors import SchemaContractError
from jobs.lake.extract import Extract, Request
from jobs.lake.registry import Table
from jobs.lake.run import Run, Window
from jobs.lake.schema import column, text
from jobs.lake.state import leases, ledger, watermark

LINEAGE = StructType(
    [
        text("_batch_id", "window of source time that was read"),
        text("_source", "source and object"),
        column("_ingested_at", TimestampType(), "when it was read, UTC"),
    ]
)


def ingest(spark: SparkSession, run: Run, table: Table, schema: StructType, extract: Extract) -> Counts:
    """Reads the run's window and commits it as one batch; the watermark moves after the commit.

    A window that is read again replaces its own batch in one commit. Cost grows with the rows of the window.

    Args:
        spark: the session.
        run: names the window.
        table: the bronze table.
        schema: its columns, without the lineage columns.
        extract: reads the window's rows, with columns named as in `schema`.

    Raises:
        SchemaContractError: the rows don't fit the table; nothing was written.
    """
    with leases.hold(run, table.name) as held:
        uri = settings.lake().uri(table.name)
        window = watermark.window(run, table)
        begin = window.record()["start"] or "the beginning"
        print(f"{table.name}: reads {begin} to {window.record()['end']}", flush=True)
        request = Request(
            table,
            window,
            exact=run.exact,
            accept=run.accept,
            known=log.newest_facts(uri),
            bronze=lambda: log.dataset(uri),
        )
        staged = staging.write(table, window.batch_id, extract(request))
        whole = StructType([*schema, *LINEAGE])
        try:
            # The batch itself shows which columns are gone.
            writes.create(spark, uri, whole, table.partition_column, table.description, run=run, retired=None)
            _refuse_sudden_nulls(run, table, window, staged)
            batch, adds_columns = _batch(spark, table, window, staged)
        except SchemaContractError:
            staging.clear(table, window.batch_id)  # otherwise the next try could go on with refused rows
            raise
        record = CommitRecord.of(
            run,
            counts=Counts(read=staged.rows, written=staged.rows),
            batch_id=window.batch_id,
            window=window.record(),
            read_to=watermark.after(run, table, window),
            source=table.source,
            facts=staged.facts,
            fencing=held[table.name].fencing,
        )
        held[table.name].renew()
        writes.replace_batch(batch, uri, window.batch_id, record, add_columns=adds_columns)
        watermark.save(run, table, window)
        staging.clear(table, window.batch_id)
        ledger.record(table.name)
    return Counts(read=staged.rows, written=staged.rows)


def _batch(spark: SparkSession, table: Table, window: Window, staged: staging.Staged) -> tuple[DataFrame, bool]:
    """The staged rows with their lineage, and whether they bring new columns.

    Raises:
        SchemaContractError: they don't fit the table.
    """
    present = snapshot.read(spark, settings.lake().uri(table.name))
    if staged.rows:
        raw = spark.read.parquet(f"{settings.lake().root}/{staging.prefix(table, window.batch_id)}")
    else:
        raw = present.limit(0).drop(*LINEAGE.fieldNames())
    batch = raw.withColumns(
        {
            "_batch_id": F.lit(window.batch_id),
            "_source": F.lit(table.source),
            "_ingested_at": F.current_timestamp(),
        }
    )
    return batch, bool(contract.new_columns(table.name, present.schema, batch.schema, table_module.retired(table)))


def _refuse_sudden_nulls(run: Run, table: Table, window: Window, staged: staging.Staged) -> None:
    if "null_column" in run.accept:
        return
    before = column_nulls.newest(settings.lake().uri(table.name), without=window.batch_id)
    contract.sudden_nulls(table.name, staged.rows, staged.nulls, before)

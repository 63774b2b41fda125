"""The rows of the registry: tables and pipelines. Each row checks itself when it is created.

Standard library only, so that DAGs can import it. The rows themselves are in `tables.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

LAYERS = ("bronze", "silver", "gold")
# Every layer is built from the one before it.
READS = {"silver": "bronze", "gold": "silver"}
# What a person may choose for a pipeline's run; `sluice_airflow.parameters` has a form field for each.
PARAMETERS = ("window", "tables", "full_refresh", "accept")
LEAST_MINUTES = 5  # EMR Serverless takes no shorter time limit
REJECTED_DAYS = 365  # a year of raw rows is enough to find out why they were rejected
LEAST_REJECTED_DAYS = 30  # people need some weeks to mend a source and to replay


@dataclass(frozen=True)
class Table:
    """One Delta table.

    Attributes:
        name: `<layer>.<table>`.
        description: one sentence for the catalog and the UI.
        owner: the team that is responsible for its content.
        depends_on: tables that its step reads, all of the layer below.
        keys: columns that identify a row. Bronze batches have none; a stream's messages have.
        partition_by: silver and gold: a text column whose values give files of useful size. Bronze leaves it out:
            its batches are partitioned by `_batch_id`.
        zorder_by: silver and gold: columns by which housekeeping sorts the rows into files, so that who asks for one
            value reads few of them. Columns that queries ask by, the most asked for first; not `partition_by`.
        no_zorder: silver and gold without `zorder_by`: why no query would gain by it, as a sentence.
        order_by: silver: columns, most significant first, that decide which row of a key is the newest and wins.
        valid_days: silver: for how many days after its own day a row still says something about a later day; None for
            good. Who reads the table by day keeps to it.
        keys_from: gold: where its keys come from: the name of each input that has some, then its columns, in the order
            of `keys`. If it is left out, they are the columns of the same names in the first input. The table holds
            exactly these keys, without those that have a null; the step checks it.
        source: bronze: `<system>/<object>`. Names the secret `<project>/<system>/credentials` and the folder of the
            source's watermark, `_checkpoints/<system>/<object>/`.
        overlap_hours: bronze batches: how many hours before the watermark a scheduled run starts to read.
        continuous: bronze: written by a stream that never ends. No task of a pipeline's run builds it. Tables that
            read it do so as soon as it exists.
        written_with: bronze: the continuous table whose stream also writes this one.
        rejected_days: silver: for how many days its quarantine keeps the content of a row; a dead-letter queue: that
            of a message. The row stays, without its content (`jobs/maintenance/empty_rejected.py`).
        minutes: time limit of its step's job run, after which it is cancelled; enough for a full refresh. A stream has
            none.

    Raises:
        ValueError: the kernel can't handle such a table; the message says what to change.
    """

    name: str
    description: str
    owner: str
    depends_on: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    partition_by: str | None = None
    zorder_by: tuple[str, ...] = ()
    no_zorder: str = ""
    order_by: tuple[str, ...] = ()
    valid_days: int | None = None
    keys_from: tuple[tuple[str, ...], ...] = ()
    source: str | None = None
    overlap_hours: int = 0
    continuous: bool = False
    written_with: str | None = None
    rejected_days: int = REJECTED_DAYS
    minutes: int = 60

    def __post_init__(self) -> None:
        refused = next((sentence for holds, sentence in self._rules() if not holds), None)
        if refused:
            raise ValueError(f"{self.name}: {refused}")

    def _rules(self) -> Iterable[tuple[bool, str]]:
        bronze, batches = self.layer == "bronze", self.layer == "bronze" and not self.continuous
        yield (
            self.layer in LAYERS and self.short.isidentifier(),
            f"the name is <layer>.<table>, the layer one of {LAYERS}",
        )
        yield bool(self.description and self.owner), "a table has a description and an owner"
        yield bronze == (self.source is not None), "bronze tables have a source, and other tables have none"
        yield (
            not bronze or str(self.source).count("/") == 1,
            "a source is <system>/<object>, such as salesforce/accounts",
        )
        yield bronze == (not self.depends_on), "silver and gold depend on tables, bronze depends on none"
        yield batches != bool(self.keys), "silver, gold and streams have keys; bronze batches have none"
        yield (
            (self.layer == "silver") == bool(self.order_by),
            "silver, and no other layer, says in order_by which row of a key is the newest",
        )
        yield (
            self.valid_days is None or (self.layer == "silver" and self.valid_days >= 0),
            "only silver says in valid_days for how many days a row counts, and that is no negative number",
        )
        yield self.layer == "gold" or not self.keys_from, "only gold says in keys_from where its keys come from"
        yield (
            all(part[0] in self.depends_on and len(part) == 1 + len(self.keys) for part in self.keys_from),
            "keys_from names tables of depends_on, each with as many columns as there are keys",
        )
        yield not bronze or self.partition_by is None, "leave partition_by out: bronze is partitioned by the kernel"
        yield (
            bronze or bool(self.zorder_by) != bool(self.no_zorder),
            "silver and gold say in zorder_by how housekeeping sorts their rows, or in no_zorder why it does not",
        )
        yield not bronze or not (self.zorder_by or self.no_zorder), "leave zorder_by out: bronze is only compacted"
        yield self.partition_by not in self.zorder_by, "leave partition_by out of zorder_by: it is sorted by already"
        yield batches or not self.overlap_hours, "only bronze batches have an overlap"
        yield bronze or not self.continuous, "only a bronze table can be continuous"
        yield self.written_with is None or self.continuous, "only a continuous table is written with another"
        yield (
            self.rejected_days == REJECTED_DAYS or self.layer == "silver" or self.written_with is not None,
            "only silver, with its quarantine, and a table that is written with another have rejected_days",
        )
        yield (
            self.rejected_days >= LEAST_REJECTED_DAYS,
            f"rejected_days is {LEAST_REJECTED_DAYS} or more: people need time to replay what was rejected",
        )
        yield self.minutes >= LEAST_MINUTES, f"a step's time limit is {LEAST_MINUTES} minutes or more"

    @property
    def layer(self) -> str:
        return self.name.partition(".")[0]

    @property
    def short(self) -> str:
        return self.name.partition(".")[2]

    @property
    def system(self) -> str:
        """The source system of a bronze table: `salesforce` of `salesforce/accounts`."""
        return (self.source or "").partition("/")[0]

    @property
    def module(self) -> str:
        """The Python module that describes the table."""
        return f"jobs.{self.name}"

    @property
    def key_sources(self) -> tuple[tuple[str, ...], ...]:
        """Gold: each input that keys come from, with its columns."""
        return self.keys_from or ((self.depends_on[0], *self.keys),)

    @property
    def partition_column(self) -> str | None:
        """The column that the table is partitioned by, if any."""
        batches = self.layer == "bronze" and not self.continuous
        return "_batch_id" if batches else self.partition_by


@dataclass(frozen=True)
class Schedule:
    """One DAG of a pipeline.

    Attributes:
        dag_id: its id, and its file: `dags/<dag_id>.py`.
        cron: when it runs, UTC.
        description: one sentence for the UI.
    """

    dag_id: str
    cron: str
    description: str


@dataclass(frozen=True)
class Upkeep:
    """A DAG that belongs to no pipeline: it looks after the tables of all.

    Attributes:
        name: one word; also a tag of its DAG.
        owner: the team that is called when it fails.
        schedule: its DAG.
        minutes: time limit of its job run.
    """

    name: str
    owner: str
    schedule: Schedule
    minutes: int = 60


@dataclass(frozen=True)
class Pipeline:
    """Tables that are built together. Pipelines share no tables.

    Attributes:
        name: one word; also a tag of its DAGs.
        description: one sentence.
        owner: the team that is called when one of its DAGs fails.
        schedule: the DAG that builds all tables, from sources to gold.
        tables: its tables, each after those that it depends on.
        parameters: what a person may choose for a run, out of `PARAMETERS`.
        streams: the DAG that keeps its streams running; None without continuous tables.
        refresh: the DAG that takes rows of the streams to gold; None without continuous tables.
        gate_minutes: time limit of its gate's job run.
        register_minutes: time limit of its registration's job run.

    Raises:
        ValueError: the tables don't fit together; the message says what to change.
    """

    name: str
    description: str
    owner: str
    schedule: Schedule
    tables: tuple[Table, ...]
    parameters: tuple[str, ...] = PARAMETERS
    streams: Schedule | None = None
    refresh: Schedule | None = None
    gate_minutes: int = 60
    register_minutes: int = 30

    def __post_init__(self) -> None:
        if unknown := set(self.parameters) - set(PARAMETERS):
            raise ValueError(f"{self.name}: no parameter {', '.join(sorted(unknown))}; there are {PARAMETERS}")
        if min(self.gate_minutes, self.register_minutes) < LEAST_MINUTES:
            raise ValueError(f"{self.name}: a step's time limit is {LEAST_MINUTES} minutes or more")
        if not self.layer("gold"):
            raise ValueError(f"{self.name}: a pipeline has a gold table, because its gate judges what gold reads")
        if len({bool(self.continuous), bool(self.streams), bool(self.refresh)}) > 1:
            raise ValueError(f"{self.name}: a pipeline with continuous tables has the DAGs `streams` and `refresh`")
        known: dict[str, Table] = {}
        for table in self.tables:
            for name in table.depends_on:
                if name not in known or known[name].layer != READS[table.layer]:
                    raise ValueError(
                        f"{table.name} depends on {name}: a {table.layer} table depends on {READS[table.layer]} tables "
                        f"of its own pipeline, which come before it in the registry"
                    )
            if table.written_with and table.written_with not in known:
                raise ValueError(f"{table.name} is written with {table.written_with}: list that one before it")
            known[table.name] = table

    def layer(self, name: str) -> tuple[Table, ...]:
        """Its tables of a layer."""
        return tuple(table for table in self.tables if table.layer == name)

    @property
    def built(self) -> tuple[Table, ...]:
        """The tables that tasks of its runs build: all but those that streams write."""
        return tuple(table for table in self.tables if not table.continuous)

    @property
    def continuous(self) -> tuple[Table, ...]:
        """The tables that streams write."""
        return tuple(table for table in self.tables if table.continuous)

    @property
    def gated(self) -> tuple[Table, ...]:
        """The silver tables that its gold reads: what its gate judges."""
        read = {name for table in self.layer("gold") for name in table.depends_on}
        return tuple(table for table in self.layer("silver") if table.name in read)

    @property
    def refreshed(self) -> tuple[Table, ...]:
        """The tables that a stream's messages reach: those that read a continuous table, and those that read them."""
        reached = {table.name for table in self.continuous}
        for table in self.tables:
            if reached & set(table.depends_on):
                reached.add(table.name)
        return tuple(table for table in self.built if table.name in reached)


def check(pipelines: Iterable[Pipeline], upkeep: Iterable[Upkeep] = ()) -> None:
    """Refuses pipelines that share a name, a DAG, a table or a watermark.

    Raises:
        ValueError: says which, and what to change.
    """
    listed = tuple(pipelines)
    tables = [table for pipeline in listed for table in pipeline.tables]
    schedules = [s for p in listed for s in (p.schedule, p.streams, p.refresh) if s]
    schedules += [one.schedule for one in upkeep]
    batches = [table for table in tables if table.layer == "bronze" and not table.continuous]
    for what, values in (
        ("pipelines", [pipeline.name for pipeline in listed]),
        ("DAGs", [schedule.dag_id for schedule in schedules]),
        ("tables", [table.name for table in tables]),
        ("bronze tables with the source", [table.source for table in batches]),
    ):
        if doubled := [str(value) for value, number in Counter(values).items() if number > 1]:
            raise ValueError(f"the registry has two {what} {', '.join(doubled)}: give each its own")

"""What a month costs, line by line. All sums are US dollars."""

from __future__ import annotations

from dataclasses import dataclass

from infra.cost import measured, prices

HOURS = 730.0  # of a month
DAYS = HOURS / 24
REFRESHED = ("silver.orders", "gate.silver", "gold.dim_customers", "gold.fact_orders", "register.glue")


@dataclass(frozen=True)
class Worker:
    """The size of a Spark driver or executor."""

    vcpu: float
    gb: float


@dataclass(frozen=True)
class Plan:
    """Everything about a deployment that moves its bill.

    Attributes:
        driver: of each job run.
        executors: of each job run, all of them.
        start_seconds: from when a job run is billed until its JVM starts: a worker unpacks the Python archive.
        warm_hours: hours a month for which a pre-initialised driver and its executors are held.
        refresh_minutes: between two runs of `orders_refresh`; None without a stream.
        stream_batch_seconds: between two commits of the stream.
        reads: requests to S3 that read, of a job run and of a commit of the stream.
        writes: the same, that write or list.
        event_bytes: of a message in Kafka.
        housekeeping_hours: hours a month of its job runs.
        kept_days: of data in the lake.
        queries: to Athena, a day.
        arm: whether EMR Serverless runs on arm64.
    """

    driver: Worker = Worker(1, 4)
    executors: Worker = Worker(1, 4)
    start_seconds: float = 30.0
    warm_hours: float = 0.0
    refresh_minutes: float | None = 15.0
    stream_batch_seconds: float = 5.0
    reads: tuple[int, int] = (400, 20)
    writes: tuple[int, int] = (100, 10)
    event_bytes: int = 500
    partitions: int = 4
    housekeeping_hours: float = 2.0
    kept_days: float = 365.0
    queries: int = 200
    mwaa_database_gb: float = 10.0
    arm: bool = False


def lines(plan: Plan, scale: float) -> dict[str, float]:
    """Each line of the bill, for so many times the sample each day."""
    day, streams, refreshes = measured.sample(), plan.refresh_minutes is not None, _refreshes_a_day(plan)
    orders = day.orders * scale
    batches = HOURS * 3600 / plan.stream_batch_seconds if streams else 0.0
    job_runs = len(day.seconds) + refreshes * len(REFRESHED)  # a day
    reads, writes = (one[0] * DAYS * job_runs + one[1] * batches for one in (plan.reads, plan.writes))
    lake_gb = (
        day.lake_mb / 1e3 + plan.kept_days * (day.bytes_per_order * orders + day.bytes_per_job_run * job_runs) / 1e9
    )
    daily = _billed_hours(plan, tuple(day.seconds), orders)
    refresh = refreshes * _billed_hours(plan, REFRESHED, orders / refreshes) if streams else 0.0
    return {
        "EMR, the daily run": DAYS * daily * _hour(plan),
        "EMR, the refresh of streamed orders": DAYS * refresh * _hour(plan),
        "EMR, the stream": HOURS * _hour(plan) if streams else 0.0,
        "EMR, housekeeping and report": plan.housekeeping_hours * _hour(plan),
        "EMR, workers held ready": plan.warm_hours * _hour(plan),
        "MWAA": HOURS * prices.MWAA_SMALL.usd + plan.mwaa_database_gb * prices.MWAA_DATABASE.usd,
        "S3, storage": lake_gb * prices.S3_STORAGE.usd,
        "S3, requests": (reads * prices.S3_READ.usd + writes * prices.S3_WRITE.usd) / 1000,
        "Athena": _athena(plan, plan.kept_days * day.bytes_per_order * orders),
        "MSK Serverless": _msk(plan, orders) if streams else 0.0,
    }


def total(plan: Plan, scale: float) -> float:
    """The sum of the lines."""
    return sum(lines(plan, scale).values())


def _refreshes_a_day(plan: Plan) -> float:
    return 24 * 60 / plan.refresh_minutes if plan.refresh_minutes else 0.0


def _billed_hours(plan: Plan, steps: tuple[str, ...], orders: float) -> float:
    """Hours of job runs of these steps, once each. A job run is billed for at least a minute."""
    return sum(max(60.0, plan.start_seconds + measured.seconds(step, orders)) for step in steps) / 3600


def _hour(plan: Plan) -> float:
    """An hour of a job run: its driver and executors."""
    vcpu, gb = plan.driver.vcpu + plan.executors.vcpu, plan.driver.gb + plan.executors.gb
    return (vcpu * prices.EMR_VCPU.usd + gb * prices.EMR_GB.usd) * (prices.EMR_ARM_SHARE if plan.arm else 1.0)


def _athena(plan: Plan, held: float) -> float:
    """Each query reads a tenth of the bytes that bronze, silver and gold hold, or the least that is billed."""
    read_tb = max(held / 10 / 1e12, prices.ATHENA_LEAST_MB / 1e6)
    return DAYS * plan.queries * read_tb * prices.ATHENA_SCAN.usd


def _msk(plan: Plan, orders: float) -> float:
    gb = DAYS * orders * plan.event_bytes / 1e9
    return (
        HOURS * (prices.MSK_CLUSTER.usd + plan.partitions * prices.MSK_PARTITION.usd)
        + gb * (prices.MSK_IN.usd + prices.MSK_OUT.usd)
        + gb * prices.MSK_STORAGE.usd * 7 / DAYS  # a week is kept
    )

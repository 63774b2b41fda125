"""Which warm worker gets a job."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.local.aws.emr.warm import pool
from infra.local.aws.emr.warm.pool import Pool


class Idle:
    """A worker without a process."""

    def __init__(self, steps: set[tuple[str, ...]], ready: bool = True) -> None:
        self.steps = steps
        self._ready = ready

    def ready(self, seconds: float) -> bool:
        return self._ready or seconds > 0

    def end(self, grace: float) -> None:
        pass


NEW, ORDERS, RATES = Idle(set()), Idle({("silver.orders",)}), Idle({("silver.fx_rates",)})
STARTING = Idle({("silver.orders",)}, ready=False)


@pytest.mark.parametrize(
    ("idle", "step", "taken"),
    [
        ([RATES, ORDERS], ("silver.orders",), ORDERS),
        ([ORDERS, RATES], ("silver.orders",), ORDERS),
        ([NEW, RATES], ("silver.orders",), NEW),
        ([STARTING, RATES], ("silver.orders",), RATES),  # nobody waits for a start while another one is ready
        ([STARTING], ("gate",), STARTING),
        ([NEW, RATES], (), NEW),
        ([], ("gate",), None),
    ],
)
def test_worker_that_has_had_the_step_is_taken_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, idle: list[Idle], step: tuple[str, ...], taken: Idle | None
) -> None:
    workers = iter(idle)
    monkeypatch.setattr(pool, "Worker", lambda *_: next(workers))
    tried = Pool(tmp_path)
    tried.keep("a", len(idle), {}, {})

    assert tried.take("a", step) is taken

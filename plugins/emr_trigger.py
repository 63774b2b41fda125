"""The trigger of tasks that release 0.1 has deferred: their rows in the database name `emr_trigger.EmrJobTrigger`.

It stays for two releases, 0.2 and 0.3, so that a task that waits during an upgrade goes on. Then delete this file.
It imports the class only when the triggerer asks for it: the plugins manager loads this file in every process.
"""

from __future__ import annotations

from importlib import import_module


def __getattr__(name: str) -> object:
    if name == "EmrJobTrigger":
        return getattr(import_module("sluice_airflow.emr.trigger"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

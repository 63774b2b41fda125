"""One MWAA environment: what it was told, in which state it is, and what GetEnvironment says of it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from infra.local.addresses import HOST
from infra.setup.environments import AIRFLOW_VERSION

CREATING, CREATE_FAILED, AVAILABLE = "CREATING", "CREATE_FAILED", "AVAILABLE"
UPDATING, ROLLING_BACK, UPDATE_FAILED = "UPDATING", "ROLLING_BACK", "UPDATE_FAILED"
DELETING, MAINTENANCE, UNAVAILABLE = "DELETING", "MAINTENANCE", "UNAVAILABLE"
BUSY = (CREATING, UPDATING, ROLLING_BACK, DELETING, MAINTENANCE)
READY = (AVAILABLE, UPDATE_FAILED)  # after a failed update the earlier state is back, and ready to use
RECORD = "environment.json"

_SERVICE_ROLE = "aws-service-role/airflow.amazonaws.com/AWSServiceRoleForAmazonMWAA"
_LOGS = {
    "DagProcessingLogs": "DAGProcessing",
    "SchedulerLogs": "Scheduler",
    "WebserverLogs": "WebServer",
    "WorkerLogs": "Worker",
    "TaskLogs": "Task",
}
_DEFAULTS = {
    "AirflowVersion": AIRFLOW_VERSION,
    "EnvironmentClass": "mw1.small",
    "EndpointManagement": "SERVICE",
    "MaxWebservers": 2,
    "MaxWorkers": 10,
    "MinWebservers": 2,
    "MinWorkers": 1,
    "Schedulers": 2,
    "WebserverAccessMode": "PRIVATE_ONLY",
    "WeeklyMaintenanceWindowStart": "SUN:03:30",
}
# An object's version belongs to its path: another path begins with its newest version.
ARTEFACTS = {
    "PluginsS3Path": "PluginsS3ObjectVersion",
    "RequirementsS3Path": "RequirementsS3ObjectVersion",
    "StartupScriptS3Path": "StartupScriptS3ObjectVersion",
}


@dataclass
class Environment:
    """An environment, as its record in its folder has it.

    Attributes:
        settings: in CreateEnvironment's words; of a running one what runs, not what an update wants.
        generation: number of the folder with the files that run; 0 before the first.
        port: of Airflow's API server; 0 before the first start.
    """

    name: str
    region: str
    account: str
    settings: dict[str, Any]
    tags: dict[str, str] = field(default_factory=dict)
    status: str = CREATING
    created_at: float = field(default_factory=time.time)
    last_update: dict[str, Any] = field(default_factory=dict)
    generation: int = 0
    port: int = 0

    @property
    def arn(self) -> str:
        return f"arn:aws:airflow:{self.region}:{self.account}:environment/{self.name}"

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.port}"

    def begin(self, status: str, strategy: str | None = None) -> None:
        """Notes that a change has begun."""
        self.status = status
        self.last_update = {"Status": "PENDING", "CreatedAt": time.time()}
        if strategy:
            self.last_update["WorkerReplacementStrategy"] = strategy

    def succeed(self) -> None:
        """Notes that the change has ended well."""
        self.status = AVAILABLE
        self.last_update["Status"] = "SUCCESS"

    def fail(self, status: str, reason: str) -> None:
        """Notes why the change has failed. MWAA names one code for all that lies with its customer."""
        self.status = status
        self.last_update["Status"] = "FAILED"
        self.last_update["Error"] = {"ErrorCode": "INCORRECT_CONFIGURATION", "ErrorMessage": reason[:1024]}

    def document(self) -> dict[str, Any]:
        """GetEnvironment's."""
        group = f"arn:aws:logs:{self.region}:{self.account}:log-group:airflow-{self.name}"
        wanted = self.settings.get("LoggingConfiguration", {})
        logs = {
            module: {"CloudWatchLogGroupArn": f"{group}-{suffix}", **wanted[module]}
            if module in wanted
            else {"Enabled": False}
            for module, suffix in _LOGS.items()
        }
        return {
            **self.settings,
            "Name": self.name,
            "Arn": self.arn,
            "Status": self.status,
            "CreatedAt": self.created_at,
            "LastUpdate": self.last_update,
            "LoggingConfiguration": logs,
            "ServiceRoleArn": f"arn:aws:iam::{self.account}:role/{_SERVICE_ROLE}",
            "Tags": self.tags,
            **({"WebserverUrl": self.address} if self.port else {}),
        }

    def save(self, folder: Path) -> None:
        """Writes the record, from which the next server starts the environment again."""
        folder.mkdir(parents=True, exist_ok=True)
        written = folder / f"{RECORD}.new"
        written.write_text(json.dumps(asdict(self), indent=1))
        written.replace(folder / RECORD)

    @classmethod
    def load(cls, folder: Path) -> Environment:
        return cls(**json.loads((folder / RECORD).read_text()))


def created(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a new environment: what CreateEnvironment asks for, and MWAA's defaults."""
    return {**_DEFAULTS, **{name: value for name, value in asked.items() if name not in ("Name", "Tags")}}


def updated(settings: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    """The settings after an update. What it does not name stays as it is; an empty path takes an artefact away."""
    merged = {**settings, **{name: value for name, value in asked.items() if name != "Name"}}
    merged.pop("WorkerReplacementStrategy", None)
    for path, version in ARTEFACTS.items():
        if version not in asked and settings.get(path) != merged.get(path):
            merged.pop(version, None)
    for part in ("NetworkConfiguration", "LoggingConfiguration"):
        if part in settings or part in merged:
            merged[part] = {**settings.get(part, {}), **asked.get(part, {})}
    return merged

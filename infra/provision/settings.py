"""What an environment's file says about itself: `infra/terraform/environments/<name>.tfvars`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from infra.provision.errors import ProvisionError

TERRAFORM = Path(__file__).resolve().parents[1] / "terraform"
FOLDER = TERRAFORM / "environments"


@dataclass(frozen=True)
class Environment:
    """One environment.

    Attributes:
        name: dev, staging or prod.
        file: its variables.
        region: AWS region.
        state_bucket: where Terraform's state lies.
        company: begins the names of buckets.
    """

    name: str
    file: Path
    region: str
    state_bucket: str
    company: str

    @property
    def state_key(self) -> str:
        return f"{self.name}/terraform.tfstate"

    @property
    def lake_bucket(self) -> str:
        """As `infra/terraform/modules/storage` names it."""
        return f"{self.company}-data-lake-{self.name}"


def read(name: str) -> Environment:
    """An environment by its name.

    Raises:
        ProvisionError: there is no such file, or it lacks a value.
    """
    file = FOLDER / f"{name}.tfvars"
    if not re.fullmatch(r"[a-z]+", name) or not file.is_file():
        known = ", ".join(sorted(each.stem for each in FOLDER.glob("*.tfvars")))
        raise ProvisionError(f"there is no environment {name!r}; there are {known}. Give one: ENV=dev")
    text = file.read_text()
    values = (_value(file, text, variable) for variable in ("region", "state_bucket", "company"))
    return Environment(name, file, *values)


def _value(file: Path, text: str, variable: str) -> str:
    found = re.search(rf'^{variable}\s*=\s*"([^"]+)"', text, re.M)
    if found is None:
        raise ProvisionError(f'{file.name} does not say {variable} = "…" at the beginning of a line')
    return found[1]

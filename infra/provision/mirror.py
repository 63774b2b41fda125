"""Where Terraform's provider comes from on a machine that can't reach the provider registry.

A filesystem mirror is a folder that holds one folder for each registry's host. Its place comes from the environment, or
it is found two levels below the root of the file system. Without one, Terraform asks the registry itself.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from infra.provision.errors import ProvisionError

VARIABLE = "SLUICE_PROVIDER_MIRROR"
HOST = "registry.terraform.io"


def find(environment: Mapping[str, str] = os.environ, root: Path = Path("/")) -> Path | None:
    """The mirror's folder; None when there is none.

    Raises:
        ProvisionError: the variable names a folder that is no mirror.
    """
    if named := environment.get(VARIABLE):
        folder = Path(named)
        if not (folder / HOST).is_dir():
            raise ProvisionError(f"{VARIABLE} is {named}, which holds no {HOST}: name a filesystem mirror, or unset it")
        return folder
    return next((host.parent for host in sorted(root.glob(f"*/*/{HOST}")) if host.is_dir()), None)

"""What happens in the fork of a warm worker: it becomes the job's driver, as if Python had just started."""

from __future__ import annotations

import atexit
import ctypes
import gc
import os
import runpy
import signal
import sys
import time
import traceback
from collections.abc import Mapping
from io import TextIOWrapper
from pathlib import Path
from typing import Any, NoReturn, cast

from infra.local.aws.emr.warm import jvm
from infra.local.aws.emr.warm.jvm import Address

PR_SET_PDEATHSIG = 1  # <sys/prctl.h>


def become(job: Mapping[str, Any], address: Address, modules: frozenset[str]) -> NoReturn:
    """Runs a job's program in this process, and ends with its exit code.

    Args:
        job: a `WarmRequest`.
        address: the worker's JVM.
        modules: names of the modules that a driver may find loaded; all others are forgotten.
    """
    _die_with_the_worker()
    gc.freeze()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    code = 1
    try:
        _streams(job)
        _surroundings(job, address)
        with jvm.connected(address) as gateway:
            jvm.enter(gateway, job["conf"], job["stdout"], job["stderr"])
        for name in [name for name in sys.modules if name not in modules]:
            del sys.modules[name]
        runpy.run_path(job["entry_point"], run_name="__main__")
        code = 0
    except SystemExit as asked:
        code = _code(asked)
    except BaseException:
        traceback.print_exc()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _die_with_the_worker() -> None:
    """A worker that was killed can't tell how its job ended; the job shall not go on unseen."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _streams(job: Mapping[str, Any]) -> None:
    """Python's output in one file, as `spark-submit` has it; nothing to read."""
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    with open(job["stdout"], "ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    for stream, errors in ((sys.stdout, "strict"), (sys.stderr, "backslashreplace")):
        cast(TextIOWrapper, stream).reconfigure(encoding="utf-8", errors=errors, line_buffering=True)


def _surroundings(job: Mapping[str, Any], address: Address) -> None:
    """The job's environment, folder, arguments and import path."""
    os.environ.clear()
    os.environ.update({**job["environment"], **address.variables()})
    time.tzset()
    os.chdir(job["folder"])
    entry = Path(job["entry_point"])
    sys.argv = [str(entry), *job["arguments"]]
    libraries = [path for path in sys.path if "site-packages" in path or path.startswith(sys.base_prefix)]
    sys.path[:] = [str(entry.parent), *job["py_files"], *libraries]
    sys.path_importer_cache.clear()


def _code(asked: SystemExit) -> int:
    if asked.code is None or isinstance(asked.code, int):
        return asked.code or 0
    print(asked.code, file=sys.stderr)
    return 1

"""A worker's JVM: its start, a job's settings before its session begins, and all that a job may leave in it."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from py4j.clientserver import ClientServer, JavaParameters, PythonParameters
from py4j.java_gateway import JavaObject

CONNECTION_FILE = "connection"
KEPT_OBJECTS = ("GATEWAY_SERVER", "j", "t")  # Py4J's own


def start(conf: Mapping[str, str], folder: Path) -> subprocess.Popen[bytes]:
    """Starts a JVM without a session. It ends when its standard input is closed: with its worker.

    Args:
        conf: what it reads at its start.
        folder: it writes there how to reach it.
    """
    options = [word for key, value in conf.items() for word in ("--conf", f"{key}={value}")]
    submit = str(Path(sys.executable).with_name("spark-submit"))
    environment = {**os.environ, "_PYSPARK_DRIVER_CONN_INFO_PATH": str(folder / CONNECTION_FILE)}
    return subprocess.Popen([submit, *options, "pyspark-shell"], stdin=subprocess.PIPE, env=environment)


@dataclass(frozen=True)
class Address:
    """How to reach a JVM: its Py4J port on 127.0.0.1, and the secret that it asks for."""

    port: int
    secret: str

    @classmethod
    def read(cls, folder: Path) -> Address | None:
        """None as long as the JVM has not written it."""
        file = folder / CONNECTION_FILE
        if not file.exists():
            return None
        with file.open("rb") as written:
            port, length = struct.unpack("!ii", written.read(8))
            return cls(port, written.read(length).decode())

    def variables(self) -> dict[str, str]:
        """By these PySpark uses the JVM, and starts none."""
        return {"PYSPARK_GATEWAY_PORT": str(self.port), "PYSPARK_GATEWAY_SECRET": self.secret}


@contextmanager
def connected(address: Address) -> Iterator[ClientServer]:
    """A connection for one block. It opens no thread, so that a process may still fork."""
    java = JavaParameters(port=address.port, auth_token=address.secret, auto_convert=True)
    gateway = ClientServer(java_parameters=java, python_parameters=PythonParameters(port=0, eager_load=False))
    try:
        yield gateway
    finally:
        gateway.close()


def follow_streams(gateway: ClientServer, folder: Path) -> None:
    """Lets the log follow the JVM's standard error when that becomes another file; otherwise it stays as Spark has it.

    Args:
        gateway: to a new JVM.
        folder: for the log's configuration.
    """
    log = _log(gateway.jvm)
    own = bytes(log.getConfigLocation().toURL().openStream().readAllBytes())
    file = folder / "log4j2.properties"
    file.write_bytes(own + b"\nappender.console.follow = true\n")
    log.setConfigLocation(gateway.jvm.java.io.File(str(file)).toURI())


def properties(jvm: Any) -> dict[str, str]:
    """The JVM's system properties."""
    return {str(name): str(value) for name, value in dict(jvm.System.getProperties()).items()}


def enter(gateway: ClientServer, conf: Mapping[str, str], stdout: str, stderr: str) -> None:
    """Gives the JVM a job's settings and log files; the session that begins next has them."""
    jvm = gateway.jvm
    for name in [name for name in properties(jvm) if name.startswith("spark.")]:
        jvm.System.clearProperty(name)
    for name, value in conf.items():
        jvm.System.setProperty(name, value)
    jvm.System.setProperty("spark.app.submitTime", str(jvm.System.currentTimeMillis()))
    _print_to(jvm, *(jvm.java.io.FileOutputStream(file, True) for file in (stdout, stderr)))


def clear(gateway: ClientServer, kept: Mapping[str, str]) -> None:
    """Takes out of the JVM what a job has left.

    Args:
        kept: the system properties of a JVM that has had no job.

    Raises:
        RuntimeError: a session still runs.
    """
    jvm = gateway.jvm
    if _static(jvm.org.apache.spark, "SparkContext").getActive().isDefined():
        raise RuntimeError("the job's session still runs")
    sessions = jvm.org.apache.spark.sql.classic.SparkSession
    sessions.clearDefaultSession()
    sessions.clearActiveSession()
    jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()
    jvm.org.apache.hadoop.fs.FileSystem.closeAll()
    fresh = jvm.java.util.Properties()
    for name, value in kept.items():
        fresh.setProperty(name, value)
    jvm.System.setProperties(fresh)
    jvm.java.util.TimeZone.setDefault(None)
    descriptor = jvm.java.io.FileDescriptor
    old = (jvm.System.out, jvm.System.err)
    _print_to(jvm, *(jvm.java.io.FileOutputStream(own) for own in (descriptor.out, descriptor.err)))
    for stream in old:
        stream.close()
    bindings = JavaObject("GATEWAY_SERVER", gateway._gateway_client).getGateway().getBindings()
    bindings.keySet().retainAll(list(KEPT_OBJECTS))


def _print_to(jvm: Any, out: Any, err: Any) -> None:
    """Sends the JVM's output to these streams, and gives the log back its first levels."""
    jvm.System.setOut(jvm.java.io.PrintStream(out, True))
    jvm.System.setErr(jvm.java.io.PrintStream(err, True))
    _log(jvm).reconfigure()


def _log(jvm: Any) -> Any:
    return jvm.org.apache.logging.log4j.LogManager.getContext(False)


def _static(package: Any, name: str) -> Any:
    """A Scala object."""
    return getattr(getattr(package, f"{name}$"), "MODULE$")

"""Finds a Java for Spark 4.1: version 17 or 21, with the vector module."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

from infra.setup.steps import SetupError

SUPPORTED = (17, 21)
ADVICE = (
    "Install a JDK or JRE 17 (Debian and Ubuntu: apt-get install openjdk-17-jre-headless; macOS: a Temurin 17), "
    "or point JAVA_HOME at one"
)


def check() -> str:
    """The `java` that Spark will use.

    Raises:
        SetupError: there is none, its version is another, or it lacks the module that Spark needs.
    """
    home = os.environ.get("JAVA_HOME")
    java = os.path.join(home, "bin", "java") if home else shutil.which("java")
    if not java or not os.path.exists(java):
        raise SetupError(f"Java is missing ({'JAVA_HOME has no bin/java' if home else 'no java on PATH'}). {ADVICE}.")
    done = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=60)
    found = re.search(r'version "(\d+)', done.stderr + done.stdout)
    if done.returncode or not found:
        raise SetupError(f"`{java} -version` failed: {done.stderr.strip()[:300]}. {ADVICE}.")
    if int(found[1]) not in SUPPORTED:
        raise SetupError(f"Java {found[1]} at {java}: Spark 4.1 runs on Java 17 or 21. {ADVICE}.")
    modules = subprocess.run([java, "--list-modules"], capture_output=True, text=True, timeout=60)
    if "jdk.incubator.vector" not in modules.stdout:
        raise SetupError(f"Java {found[1]} at {java} lacks the module jdk.incubator.vector. {ADVICE}.")
    return java

"""Prints where the set-up puts what the Makefile exports: `jars` or `class-archive`."""

from __future__ import annotations

import sys

from infra.setup import class_archive, jars

if __name__ == "__main__":
    print({"jars": jars.folder, "class-archive": class_archive.path}[sys.argv[1]]())

"""Versions for pip's `-c`: of all that the package and its development need, as they are in this
environment, or the lowest that settings.ini allows.

python tools/constraints.py [--lowest] > constraints.txt
"""

import configparser
import platform
import shlex
import sys
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

GROUPS = (
    "requirements",
    *(f"{extra}_requirements" for extra in ("dev", "cells", "cluster", "docs", "sweep")),
)


def asked(root=Path(__file__).parent.parent):
    "The requirements in settings.ini, without those of Weights & Biases."
    parser = configparser.ConfigParser(delimiters=["="])
    parser.read(root / "settings.ini", encoding="utf-8")
    return [Requirement(r) for group in GROUPS for r in shlex.split(parser["DEFAULT"][group])]


def installed(requirements):
    "Versions of these and of all that they need in turn, by name."
    found, todo = {}, [(r, e) for r in requirements for e in ("", *r.extras)]
    seen = set()
    while todo:
        requirement, extra = todo.pop()
        name = canonicalize_name(requirement.name)
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        package = distribution(name)
        found[name] = package.version
        for r in map(Requirement, package.requires or []):
            if r.marker is None or r.marker.evaluate({"extra": extra}):
                todo += [(r, e) for e in ("", *r.extras)]
    return dict(sorted(found.items()))


def lowest(requirements):
    "The lowest version that each of these allows, by name."
    return {
        canonicalize_name(r.name): next(
            s.version for s in r.specifier if s.operator in (">=", "==")
        )
        for r in requirements
    }


if __name__ == "__main__":
    found = lowest(asked()) if sys.argv[1:] == ["--lowest"] else installed(asked())
    print(
        f"# Python {platform.python_version()}, {sys.platform}: "
        f"written by python tools/{' '.join(['constraints.py', *sys.argv[1:]])}"
    )
    for name, version in found.items():
        print(f"{name}=={version}")

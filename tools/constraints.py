"""The versions in this environment of all that the package and its development need: python tools/constraints.py > constraints.txt"""
import configparser
import platform
import shlex
import sys
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

GROUPS = ("requirements", *(f"{extra}_requirements" for extra in ("dev", "cells", "cluster", "docs", "sweep")))


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


if __name__ == "__main__":
    print(f"# tested together on Python {platform.python_version()}, {sys.platform}: written by python tools/constraints.py")
    for name, version in installed(asked()).items():
        print(f"{name}=={version}")

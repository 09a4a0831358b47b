"""Everything the package says of itself stands in settings.ini, which nbdev reads too."""

import configparser
import shlex
from pathlib import Path

from setuptools import find_packages, setup

here = Path(__file__).parent
parser = configparser.ConfigParser(delimiters=["="])
parser.read(here / "settings.ini", encoding="utf-8")
cfg = parser["DEFAULT"]
extras = ("cells", "cluster", "docs", "sweep")  # all of them are needed to develop

setup(
    name=cfg["lib_name"],
    version=cfg["version"],
    description=cfg["description"],
    long_description=(here / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author=cfg["author"],
    author_email=cfg["author_email"],
    url=cfg["git_url"],
    license="MIT",
    license_files=["LICENSE"],
    keywords=cfg["keywords"].split(),
    packages=find_packages(include=[cfg["lib_path"], cfg["lib_path"] + ".*"]),
    include_package_data=True,
    python_requires=">=" + cfg["min_python"],
    install_requires=shlex.split(cfg["requirements"]),
    extras_require={
        "dev": shlex.split(" ".join(cfg[f"{extra}_requirements"] for extra in ("dev", *extras))),
        **{
            extra: shlex.split(cfg[f"{extra}_requirements"])
            for extra in (*extras, "wandb", "interop")
        },
    },
    entry_points={
        "console_scripts": shlex.split(cfg["console_scripts"]),
        "nbdev": [f"{cfg['lib_name']} = {cfg['lib_path']}._modidx:d"],
    },
    classifiers=[
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Intended Audience :: Science/Research",
        "Topic :: Scientific/Engineering",
    ],
)

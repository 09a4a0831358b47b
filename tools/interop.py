"""Make an environment with the packages that cells go on to, and run the tests that need them.

python tools/interop.py [FOLDER]

The environment is made in FOLDER, or taken from there; without one it is made and removed again.
"""

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).parent.parent


def run(folder):
    "The exit status of the tests in an environment."
    python = Path(folder) / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    needed = ["-e", f"{ROOT}[cells,interop]", "pytest>=8", "pytest-xdist>=3.6.1"]
    subprocess.run([python, "-m", "pip", "install", "-q", *needed], check=True)
    test = ["-m", "pytest", "-n", "0", "-rs", "tests/test_interop.py"]
    return subprocess.run([python, *test], cwd=ROOT).returncode


if __name__ == "__main__":
    if sys.argv[1:]:
        sys.exit(run(sys.argv[1]))
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(run(folder))

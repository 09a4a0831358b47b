"""Learn why a population moves, from snapshots of it."""

__version__ = "0.1.0"

from ._face import OFFERED
from ._face import find as __getattr__

__all__ = ["__version__", *OFFERED]


def __dir__():
    return __all__

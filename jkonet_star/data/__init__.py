"""What is seen: a population at a few times."""

from . import reading  # so that `Snapshots.from_file` is there, whichever chapter comes first

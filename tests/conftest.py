"""Programs that JAX compiled are kept, for all workers, the commands that they start and the next
run, and compiled in haste: most run once. Linear algebra takes one thread."""

import os

# threads that wait for each other at small matrices burn more than they compute
os.environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def pytest_addoption(parser):
    parser.addoption(
        "--typed", action="store_true", help="check shapes and types of what the package is given"
    )


def write_whole():
    "What workers of one folder of compiled programs write is there whole or not at all."
    from jax._src.lru_cache import LRUCache

    def put(self, key, value):
        new = self.path / f".{key}.{os.getpid()}"
        new.write_bytes(value)
        os.replace(new, self.path / f"{key}-cache")

    LRUCache.put = put


def pytest_configure(config):
    if config.getoption("--typed"):
        from jaxtyping import install_import_hook

        install_import_hook("jkonet_star", "beartype.beartype")
    os.environ |= {
        "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
        "JAX_COMPILATION_CACHE_DIR": str(config.cache.mkdir("jax")),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }
    write_whole()


def pytest_sessionfinish():
    if "COVERAGE_RUN" in os.environ:  # a worker that takes long to end is killed
        import coverage

        coverage.Coverage.current().save()

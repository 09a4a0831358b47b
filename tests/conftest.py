"""Programs that JAX compiled are kept, for the other tests of a worker, the commands that they
start and the next run."""

import os


def pytest_addoption(parser):
    parser.addoption(
        "--typed", action="store_true", help="check shapes and types of what the package is given"
    )


def pytest_configure(config):
    if config.getoption("--typed"):
        from jaxtyping import install_import_hook

        install_import_hook("jkonet_star", "beartype.beartype")
    # a folder for each worker, because JAX does not write whole or not at all
    place = config.cache.mkdir(f"jax-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}")
    os.environ |= {
        "JAX_COMPILATION_CACHE_DIR": str(place),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }


def pytest_sessionfinish():
    if "COVERAGE_RUN" in os.environ:  # a worker that takes long to end is killed
        import coverage

        coverage.Coverage.current().save()

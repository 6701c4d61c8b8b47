"""Switches the state cache of Beam's in-process worker off.

Reason: the cache measures the size of every side input. For that it walks the globals of all
imported modules, which takes seconds a component. Our side inputs are small and read once.
Upstream: apache_beam/runners/portability/fn_api_runner/worker_handlers.py, read in Beam 2.74 and
2.77: each worker reads STATE_CACHE_SIZE_MB from the module when it is made; no option sets it.
Since: imgpipe 0.1.0.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from apache_beam.runners.portability.fn_api_runner import worker_handlers


@contextmanager
def without_state_cache() -> Iterator[None]:
    """Let Beam's workers cache no state while the block runs."""
    size_mb = worker_handlers.STATE_CACHE_SIZE_MB
    worker_handlers.STATE_CACHE_SIZE_MB = 0
    try:
        yield
    finally:
        worker_handlers.STATE_CACHE_SIZE_MB = size_mb

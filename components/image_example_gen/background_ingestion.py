"""Ingestion that begins before the component that asks for it, beside the imports of TensorFlow."""

import logging
import shutil
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from components.image_example_gen.earlier import Earlier
from components.image_example_gen.ingestion import (
    Target,
    ingest_dataset,
    ingest_shards,
    limits_of,
)
from components.image_example_gen.listing.layout import Layout
from contracts.artifacts.manifest.dataset import Dataset, read_dataset
from contracts.artifacts.manifest.rows import read_digests
from contracts.config.data import DataConfig
from contracts.images.isolation.pool import DecodePool

LOGGER = logging.getLogger(__name__)

# By the digest of the listing: what is finished, for the component that runs later in this process.
_finished: dict[str, "IngestionAhead"] = {}


class IngestionAhead:
    """An ingestion into a folder of its own, in decode processes and a thread."""

    def __init__(
        self,
        layout: Layout,
        data: DataConfig,
        processes: int,
        folder: Path,
        earlier: Earlier | None,
    ) -> None:
        self._target = Target(str(folder / "examples"), str(folder / "manifest"), "", earlier)
        self._pool = DecodePool(processes, limits_of(data))
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ingestion")
        run = partial(ingest_shards, self._pool)
        self._ingested: Future[Dataset] = self._thread.submit(
            ingest_dataset, layout, data, self._pool, self._target, run
        )

    def digests(self) -> Iterator[list[tuple[str, str]]]:
        """Wait for the end and give path and SHA-256 of the files that were read anew.

        Some at a time, so that memory does not grow with them.

        An ingestion that failed has read none: the component tries again and says why.
        """
        if self._ingested.exception() is not None:
            LOGGER.error("the ingestion ahead failed", exc_info=self._ingested.exception())
            return iter(())
        self._pool.close()
        earlier = self._target.earlier
        return read_digests(self._target.manifest_uri, apart_from=earlier and earlier.manifest_uri)

    def offer(self, listing_digest: str) -> None:
        """Let `hand_over` find what has been ingested."""
        if self._ingested.exception() is None:
            _finished[listing_digest] = self

    def move_to(self, target: Target) -> None:
        """Move examples and manifest to where they belong."""
        dataset = read_dataset(self._target.manifest_uri)
        for here, there in (
            (self._target.examples_uri, target.examples_uri),
            (self._target.manifest_uri, target.manifest_uri),
        ):
            for entry in Path(here).iterdir():
                entry.rename(Path(there, entry.name))
        replace(dataset, listing_digest=target.listing_digest).write(target.manifest_uri)

    def close(self) -> None:
        """End the ingestion, whatever it does."""
        self._pool.close()
        self._thread.shutdown()


def hand_over(target: Target) -> bool:
    """Move to `target` what was ingested ahead for its listing; return whether there is any."""
    ingestion = _finished.pop(target.listing_digest, None)
    if ingestion is None:
        return False
    ingestion.move_to(target)
    return True


@contextmanager
def ingesting_ahead(
    layout: Layout,
    data: DataConfig,
    processes: int,
    folder: Path,
    earlier: Earlier | None = None,
) -> Iterator[IngestionAhead]:
    """Give an ingestion that has begun; what nobody took of it is removed in the end.

    Args:
      layout: what to ingest.
      data: how.
      processes: how many decode images.
      folder: a place for examples and manifest, on the disk where they are wanted. What stands
        there is removed first.
      earlier: what may stand there already.
    """
    shutil.rmtree(folder, ignore_errors=True)
    ingestion = IngestionAhead(layout, data, processes, folder, earlier)
    try:
        yield ingestion
    finally:
        ingestion.close()
        _finished.clear()
        shutil.rmtree(folder, ignore_errors=True)

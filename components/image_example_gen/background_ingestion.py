"""Ingests in a thread and in decode processes while TensorFlow is imported."""

import logging
import shutil
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from components.image_example_gen.ingestion import (
    IngestionTarget,
    decode_limits,
    ingest_dataset,
    ingest_shards,
)
from components.image_example_gen.listing.layout import Layout
from components.image_example_gen.prepared_ingestion import PreparedIngestion
from components.image_example_gen.previous_ingestion import PreviousIngestion
from contracts.artifacts.manifest.dataset import Dataset
from contracts.artifacts.manifest.rows import read_digests
from contracts.config.data import DataConfig
from contracts.images.isolation.pool import DecodePool

LOGGER = logging.getLogger(__name__)


class BackgroundIngestion:
    """An ingestion that runs in a thread; the component takes its result from a folder."""

    def __init__(
        self,
        layout: Layout,
        data: DataConfig,
        processes: int,
        folder: Path,
        previous: PreviousIngestion | None,
    ) -> None:
        self._prepared = PreparedIngestion(folder)
        self._previous = previous
        target = IngestionTarget(
            self._prepared.examples_uri, self._prepared.manifest_uri, "", previous
        )
        self._pool = DecodePool(processes, decode_limits(data))
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ingestion")
        run = partial(ingest_shards, self._pool)
        self._ingested: Future[Dataset] = self._thread.submit(
            ingest_dataset, layout, data, self._pool, target, run
        )

    def digests(self) -> Iterator[list[tuple[str, str]]]:
        """Wait for the end and give path and SHA-256 of the files that were read, part by part.

        An ingestion that failed gives none: the component ingests again and reports the error.
        """
        if self._ingested.exception() is not None:
            LOGGER.error("the background ingestion failed", exc_info=self._ingested.exception())
            return iter(())
        self._pool.close()
        known = self._previous.manifest_uri if self._previous else None
        return read_digests(self._prepared.manifest_uri, apart_from=known)

    def mark_ready(self, listing_digest: str) -> None:
        """Let the component take what was ingested, unless the ingestion failed."""
        if self._ingested.exception() is None:
            self._prepared.mark_ready(listing_digest)

    def close(self) -> None:
        """End the ingestion, finished or not."""
        self._pool.close()
        self._thread.shutdown()


@contextmanager
def background_ingestion(
    layout: Layout,
    data: DataConfig,
    processes: int,
    folder: Path,
    previous: PreviousIngestion | None = None,
) -> Iterator[BackgroundIngestion]:
    """Start an ingestion; end it after the block, and remove what no component has taken.

    Args:
      layout: the files to ingest.
      data: the section with the settings.
      processes: the number of decode processes.
      folder: where `PreparedIngestion` finds examples and manifest; on the disk of the artifacts,
        so that a move copies nothing. What stands there is removed first.
      previous: an ingestion whose unchanged shards are linked.
    """
    shutil.rmtree(folder, ignore_errors=True)
    ingestion = BackgroundIngestion(layout, data, processes, folder, previous)
    try:
        yield ingestion
    finally:
        ingestion.close()
        shutil.rmtree(folder, ignore_errors=True)

"""The images of a run: what is known of them, and their ingestion beside the imports."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from components.image_example_gen.listing.digest import listing_digest
from components.image_example_gen.listing.file_index import FileIndex
from pipeline.component_ids import IMAGE_EXAMPLE_GEN
from pipeline.preflight import Preflight
from pipeline.workspace import Workspace

if TYPE_CHECKING:
    from components.image_example_gen.background_ingestion import IngestionAhead
    from contracts.artifacts.manifest.dataset import Dataset


class Images:
    """The images that a run is about; what reads and writes them is imported when it is needed."""

    def __init__(self, checked: Preflight, workspace: Workspace) -> None:
        """Take what is remembered of every file; none is opened."""
        self.root = checked.layout.root
        self._layout = checked.layout
        self._config = checked.config
        self._workspace = workspace
        self._index = FileIndex(self._layout, workspace.file_index)
        self._digest: str | None = None  # of the listing, once it is known

    @property
    def are_new(self) -> bool:
        """Whether nothing of them was ever ingested here, so that each has to be decoded anyway."""
        return bool(self._index.unknown) and not self._past

    def listing_digest(self) -> str:
        """Return the digest of their listing, after reading those that have changed."""
        self._index.read_unknown()
        self._index.write()
        self._digest = listing_digest(self._layout)
        return self._digest

    @contextmanager
    def ingested_meanwhile(self) -> Iterator["IngestionAhead | None"]:
        """Ingest while the block runs, unless that was done before."""
        if self._digest in {dataset.listing_digest for dataset, _, _ in self._past}:
            yield None
            return
        from components.image_example_gen.background_ingestion import ingesting_ahead
        from components.image_example_gen.earlier import Earlier

        earlier = None
        if self._all_past:
            past, examples, manifest = (self._past or self._all_past)[0]
            earlier = Earlier(str(examples), str(manifest), past.settings, past.moved, past.parts)
        processes = self._config.beam.decode_processes or len(os.sched_getaffinity(0))
        folder = self._workspace.ingested_ahead
        data = self._config.data
        with ingesting_ahead(self._layout, data, processes, folder, earlier) as ahead:
            yield ahead

    def listing_digest_after(self, ahead: "IngestionAhead | None") -> str:
        """Return the digest of the listing with the help of what an ingestion has read."""
        if ahead is None:
            return self._digest or self.listing_digest()
        has_news = [self._index.note(some) for some in ahead.digests()]
        if any(has_news) or self._digest is None:
            self.listing_digest()
        ahead.offer(self._digest)
        return self._digest

    def forget(self) -> None:
        """Free what is known of every single file: the run is long, and needs it no more."""
        del self._index
        self._layout.catalogue.close()

    @cached_property
    def _past(self) -> list[tuple["Dataset", Path, Path]]:
        """Those of `_all_past` by the same code with the same settings."""
        from components.image_example_gen.ingestion import settings_digest

        settings = settings_digest(self._config.data)
        return [past for past in self._all_past if past[0].settings == settings]

    @cached_property
    def _all_past(self) -> list[tuple["Dataset", Path, Path]]:
        """The ingestions that there are, the newest first: counts, examples, manifest.

        None that was refused: its splits hold for no later one.
        """
        from components.image_example_gen.refusal import reasons_to_refuse
        from contracts.artifacts.manifest.dataset import read_dataset

        found = []
        for manifest in self._workspace.artifacts(IMAGE_EXAMPLE_GEN, "manifest"):
            try:
                dataset = read_dataset(str(manifest))
            except (OSError, ValueError, TypeError):
                continue  # of a run that was killed, or of another version
            examples = (
                self._workspace.pipeline_root / IMAGE_EXAMPLE_GEN / "examples" / manifest.name
            )
            if examples.is_dir() and not reasons_to_refuse(dataset):
                found.append((dataset, examples, manifest))
        return found

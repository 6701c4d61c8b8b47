"""The images of a run: which of them are known, and their ingestion during the imports."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from components.image_example_gen.listing.digest import listing_digest
from components.image_example_gen.listing.file_index import FileIndex
from pipeline.component_ids import IMAGE_EXAMPLE_GEN
from pipeline.preflight.preflight import Preflight
from pipeline.workspace import Workspace

if TYPE_CHECKING:
    from components.image_example_gen.background_ingestion import BackgroundIngestion
    from contracts.artifacts.manifest.dataset import Dataset


class PastIngestion(NamedTuple):
    """An ingestion whose artifacts are in the workspace."""

    dataset: "Dataset"
    examples: Path
    manifest: Path


class RunImages:
    """The images of a run; the modules that read and write them are imported when needed."""

    def __init__(self, checked: Preflight, workspace: Workspace) -> None:
        """Read what earlier runs have noted about every file; no file is opened."""
        self._layout = checked.layout
        self._config = checked.config
        self._workspace = workspace
        self._index = FileIndex(self._layout, workspace.file_index)
        self._digest: str | None = None  # of the listing, once it is known

    @property
    def are_new(self) -> bool:
        """Whether every image has to be decoded: none was ingested with these settings."""
        return bool(self._index.unknown) and not self._past

    def listing_digest(self) -> str:
        """Return the digest of the listing, after reading the files that have changed."""
        self._index.read_unknown()
        self._index.write()
        self._digest = listing_digest(self._layout)
        return self._digest

    @contextmanager
    def ingested_during(self) -> Iterator["BackgroundIngestion | None"]:
        """Ingest in a thread while the block runs; give None where that was done before."""
        if self._digest in {past.dataset.listing_digest for past in self._past}:
            yield None
            return
        from components.image_example_gen.background_ingestion import background_ingestion
        from components.image_example_gen.previous_ingestion import PreviousIngestion

        previous = None
        if self._all_past:
            past, examples, manifest = (self._past or self._all_past)[0]
            previous = PreviousIngestion(
                str(examples), str(manifest), past.settings, past.moved, past.parts
            )
        processes = self._config.beam.decode_processes or len(os.sched_getaffinity(0))
        folder = self._workspace.early_ingestion
        data = self._config.data
        with background_ingestion(self._layout, data, processes, folder, previous) as ingestion:
            yield ingestion

    def listing_digest_after(self, ingestion: "BackgroundIngestion | None") -> str:
        """Return the digest of the listing; files that the ingestion has read are not read again.

        ImageExampleGen takes the ingestion if it is handed this digest.
        """
        if ingestion is None:
            return self._digest or self.listing_digest()
        has_news = [self._index.add_digests(some) for some in ingestion.digests()]
        if self._digest is None or any(has_news):
            self._digest = self.listing_digest()
        ingestion.mark_ready(self._digest)
        return self._digest

    def free(self) -> None:
        """Free the memory for single files, which the rest of the run does not need."""
        del self._index
        self._layout.catalogue.close()

    @cached_property
    def _past(self) -> list[PastIngestion]:
        """The past ingestions by the same code with the same settings, the newest first."""
        from components.image_example_gen.ingestion import settings_digest

        settings = settings_digest(self._config.data)
        return [past for past in self._all_past if past.dataset.settings == settings]

    @cached_property
    def _all_past(self) -> list[PastIngestion]:
        """The past ingestions, the newest first.

        Refused ones are left out: a later ingestion must not take over their splits.
        """
        from components.image_example_gen.refusal import reasons_to_refuse
        from contracts.artifacts.manifest.dataset import read_dataset

        found = []
        for manifest in self._workspace.artifacts(IMAGE_EXAMPLE_GEN, "manifest"):
            try:
                dataset = read_dataset(str(manifest))
            except (OSError, ValueError, TypeError):
                continue  # from a killed run, or from another version of imgpipe
            examples = manifest.parent.with_name("examples") / manifest.name
            if examples.is_dir() and not reasons_to_refuse(dataset):
                found.append(PastIngestion(dataset, examples, manifest))
        return found

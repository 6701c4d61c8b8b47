"""An ingestion that was made before its component runs, in a folder that the component is handed.

`examples/` and `manifest/` hold the content of the component's artifacts. The file `ready` is
written last and holds the digest of the listing that was ingested.
"""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from components.image_example_gen.ingestion import IngestionTarget
from contracts.artifacts.manifest.dataset import read_dataset
from contracts.system.atomic_files import write_whole

READY_FILE: Final = "ready"


@dataclass(frozen=True)
class PreparedIngestion:
    """The folder of an ingestion that is made before its component runs."""

    folder: Path

    @property
    def examples_uri(self) -> str:
        """Where the examples stand until the component takes them."""
        return str(self.folder / "examples")

    @property
    def manifest_uri(self) -> str:
        """Where the manifest stands until the component takes it."""
        return str(self.folder / "manifest")

    def mark_ready(self, listing_digest: str) -> None:
        """Let the component take the ingestion if it is handed the same digest of the listing."""
        dataset = read_dataset(self.manifest_uri)
        replace(dataset, listing_digest=listing_digest).write(self.manifest_uri)
        write_whole(self.folder / READY_FILE, listing_digest)

    def move_to(self, target: IngestionTarget) -> bool:
        """Move examples and manifest to `target`; return whether its listing was ingested here.

        An ingestion is taken once: a component that fails during the move ingests by itself when
        it runs again.
        """
        ready = self.folder / READY_FILE
        if not ready.is_file() or ready.read_text("utf-8") != target.listing_digest:
            return False
        ready.unlink()
        for source, destination in (
            (self.examples_uri, target.examples_uri),
            (self.manifest_uri, target.manifest_uri),
        ):
            for entry in Path(source).iterdir():
                shutil.move(entry, Path(destination, entry.name))
        return True

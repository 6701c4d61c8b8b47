"""What a run is going to do."""

from dataclasses import dataclass
from pathlib import Path

from contracts.config.pipeline_config import PipelineConfig
from contracts.system.storage.remote_path import Root
from pipeline.preflight.preflight import Preflight
from pipeline.workspace import Workspace


@dataclass(frozen=True)
class RunPlan:
    """What a run is going to do, and when it began."""

    checked: Preflight
    workspace: Workspace
    folder: Path  # of the run
    listing_digest: str
    champion: str  # its identity when the run begins; empty: there is none
    curated_schema: Path | None
    to: str | None  # the last component; None: all run
    key: str  # digest of all that the result depends on, except the champion
    began_s: float  # time.monotonic()

    @property
    def config(self) -> PipelineConfig:
        """The config of the run."""
        return self.checked.config

    @property
    def data_root(self) -> Root:
        """The folder of the images, or of the table that names them."""
        return self.checked.layout.root

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders that may be moved: nothing depends on their paths."""
        return self.workspace.root, self.checked.folder

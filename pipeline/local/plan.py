"""What a run is going to do."""

from dataclasses import dataclass
from pathlib import Path

from contracts.config.pipeline_config import PipelineConfig
from pipeline.workspace import Workspace


@dataclass(frozen=True)
class Plan:
    """What a run is going to do, and from when on it counts its seconds."""

    config: PipelineConfig
    config_folder: Path  # what its paths are relative to
    workspace: Workspace
    folder: Path  # of the run
    data_root: Path
    listing_digest: str
    champion: str  # its identity as the run begins; empty: none
    curated_schema: Path | None
    to: str | None
    key: str  # of everything that the result follows from, the champion aside
    began_s: float  # time.monotonic()

    @property
    def folders(self) -> tuple[Path, ...]:
        """Those whose place nothing depends on."""
        return self.workspace.root, self.config_folder

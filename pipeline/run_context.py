"""What a run found before its first component started."""

from dataclasses import dataclass

from contracts.config.tracking import TrackingPlan, TrackingStore


@dataclass(frozen=True)
class RunContext:
    """What the components need to know besides the config; paths are absolute."""

    pipeline_root: str
    metadata_db: str
    serving: str  # the folder with the model's versions
    tracking: TrackingPlan
    checkpoints: str  # the folder with the state of unfinished trainings
    data_listing: str  # digest of the listed images
    champion: str  # identity of the champion; empty: there is none
    accepted_statistics: str = ""  # of the last accepted data other than this; empty: none
    curated_schema: str | None = None
    searches: str = ""  # the folder with the trials of unfinished searches
    config_folder: str = ""  # relative paths in the config start here
    prepared_ingestion: str = ""  # the folder that may hold an ingestion of the images; empty: none

    @property
    def store(self) -> TrackingStore:
        """Where models are registered."""
        return self.tracking.store

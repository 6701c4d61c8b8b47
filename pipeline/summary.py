"""The summary of a run, summary.json: for scripts, for `imgpipe status` and for the report."""

from pathlib import Path
from typing import Literal

from pydantic import ConfigDict, ValidationError

from contracts.artifacts.features import SPLITS
from contracts.artifacts.manifest.value_range import ValueRange
from contracts.config.section import Section
from contracts.system.atomic_files import write_whole
from contracts.system.moved_paths import replace_folder
from pipeline.workspace import Workspace

SUMMARY_FILE = "summary.json"
LOG_FILE = "run.log"


class _SummaryPart(Section):
    """A part of the summary; unknown keys, of later versions, are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class DataSummary(_SummaryPart):
    """The data of the run."""

    layout: str = ""  # a sentence on the layout that was inferred
    found: int = 0
    ingested: int = 0
    quarantined: int = 0
    fingerprint: str = ""
    manifest: str = ""  # the folder with a row for every file
    examples: str = ""  # the folder with the images; empty where ImageExampleGen has refused them
    transformed: str = ""  # the folder with their pixels, for training
    example: str = ""  # path of an ingested image, relative to the data root
    splits: dict[str, int] = dict.fromkeys(SPLITS, 0)
    quarantine_reasons: dict[str, int] = {}
    value_ranges: dict[str, ValueRange] = {}  # of images of more than 8 bits, by kind
    report: str = ""  # the folder with the report of ImageValidator
    issues: dict[str, int] = {}  # findings, by the name of the check
    blessed: bool | None = None  # False: not to be trained on; None: the images were not checked
    page: str = ""  # about the data

    @property
    def is_refused(self) -> bool:
        """Whether ImageExampleGen has refused the files, so that the images were not checked."""
        return self.blessed is False and not self.report


class AugmentationSummary(_SummaryPart):
    """The augmentation of the training images."""

    report: str = ""  # the folder with policy, pictures and the result of the probe
    warnings: list[str] = []
    notes: list[str] = []
    mosaics: str = ""  # the folder with the pictures
    copies: dict[str, int] = {}  # changed copies that were made, by class
    examples: str = ""  # the folder with them


class MetricsSummary(_SummaryPart):
    """The candidate on the test split, and the champion."""

    accuracy: float | None = None
    accuracy_interval: tuple[float, float] | None = None  # 95 %
    baseline_accuracy: float | None = None
    baseline_version: int | None = None
    largest_class: str = ""
    largest_class_share: float | None = None


class GateSummary(_SummaryPart):
    """The decision of ModelGate."""

    blessed: bool = False
    reasons: list[str] = []
    warnings: list[str] = []  # on what the test images cannot show
    min_accuracy: float | None = None  # the floor that applied
    min_accuracy_source: str = ""  # evaluation.min_accuracy, or largest_class


class ComponentSummary(_SummaryPart):
    """How one component ended."""

    state: Literal["done", "cached", "failed"]
    seconds: float
    cached: bool
    why: str


class SecondsSummary(_SummaryPart):
    """Wall time: `start` is the time before the first component."""

    total: float
    start: float


class TrackedSummary(_SummaryPart):
    """A tracker of the training, the place of the run there, and what is missing there."""

    tracker: str
    place: str
    run_id: str = ""
    trouble: str = ""


class Summary(_SummaryPart):
    """summary.json; more keys may come, these stay."""

    run_id: str
    status: Literal["blessed", "not_blessed", "failed", "partial"]
    error: str | None = None
    data: DataSummary = DataSummary()
    augmentation: AugmentationSummary = AugmentationSummary()
    metrics: MetricsSummary = MetricsSummary()
    gate: GateSummary = GateSummary()
    trained_in: str = ""  # name of the run that trained the model; empty: this one, or none
    tracked: list[TrackedSummary] = []
    pushed_version: int | None = None
    pushed_path: str | None = None
    best_hyperparameters: str = ""  # the folder with the best values of a search
    tuner_results: str = ""  # the folder with its trials
    champion: str = ""  # identity as the run ended, empty: none
    champion_version: int | None = None  # that served as the run ended
    registry_stamp: str = ""  # as the run ended
    report: str | None = None
    components: dict[str, ComponentSummary] = {}
    seconds: SecondsSummary
    key: str = ""
    workspace: str = ""  # the folder as the run ended

    @property
    def workspace_then(self) -> Path | None:
        """The workspace's folder when the run ended; None where the summary does not name it."""
        if self.workspace or not self.report:
            return Path(self.workspace) if self.workspace else None
        return Path(self.report).parents[2]  # <workspace>/runs/<run>/<file>

    @property
    def challenges(self) -> bool:
        """Whether the run has pushed a model, and another version serves."""
        versions = {self.pushed_version, self.champion_version}
        return None not in versions and len(versions) > 1

    @property
    def what_serves(self) -> str:
        """Return the sentence on the version that serves after a push; empty where unknown."""
        if self.pushed_version is None or self.champion_version is None:
            return ""
        if self.challenges:
            return (
                f"Version {self.champion_version} still serves, until version "
                f"{self.pushed_version} is promoted."
            )
        return f"Version {self.pushed_version} serves."

    def write(self, folder: Path) -> None:
        """Put the summary into the run's folder, whole or not at all."""
        write_whole(folder / SUMMARY_FILE, self.model_dump_json(indent=1))


def read_summary(workspace: Workspace, run_id: str) -> Summary | None:
    """Return the summary of a run, or None where there is none that can be read.

    There is none while a run goes on and after it was killed. That of another version of imgpipe
    may be unreadable. Paths in a moved workspace are replaced by those of today.
    """
    path = workspace.run_folder(run_id) / SUMMARY_FILE
    try:
        summary = Summary.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
    before = summary.workspace_then
    if before in (None, workspace.root):
        return summary
    text = replace_folder(summary.model_dump_json(), before, workspace.root)
    return Summary.model_validate_json(text)

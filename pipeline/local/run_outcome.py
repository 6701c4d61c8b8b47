"""Turns the artifacts of a run into the parts of its summary."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from components.image_example_gen.refusal import reasons_to_refuse
from contracts.artifacts.augmentation_report import MOSAICS, read_augmentation
from contracts.artifacts.data_blessing import read_verdict
from contracts.artifacts.decision import Decision
from contracts.artifacts.evaluation import Metrics
from contracts.artifacts.image_issues import read_report
from contracts.artifacts.manifest.dataset import read_dataset
from contracts.artifacts.training_record import TrainingRecord
from contracts.system.moved_paths import replace_folder
from pipeline.component_ids import (
    AUGMENTER,
    IMAGE_EXAMPLE_GEN,
    IMAGE_TRANSFORM,
    IMAGE_VALIDATOR,
    MODEL_EVALUATOR,
    MODEL_GATE,
    MODEL_PUSHER,
    TRAINER,
    TUNER,
)
from pipeline.summary import (
    AugmentationSummary,
    DataSummary,
    GateSummary,
    MetricsSummary,
    TrackedSummary,
)
from pipeline.workspace import workspace_of

REPORTED = ("manifest", "model_run", "evaluation")


class RunOutcome:
    """Collects the content of the output artifacts, component by component."""

    def __init__(self) -> None:
        self.data = DataSummary()
        self.augmentation = AugmentationSummary()
        self.metrics = MetricsSummary()
        self.gate = GateSummary()
        self.uris: dict[str, str] = {}  # key -> URI of an artifact that the report shows
        self.trained_in = ""
        self.tracked: list[TrackedSummary] = []
        self.pushed_version: int | None = None
        self.pushed_path: str | None = None
        self.best_hyperparameters = ""
        self.tuner_results = ""

    def add(self, component: str, outputs: Mapping[str, Any]) -> None:
        """Read the outputs (MLMD artifacts by key) of a component that has ended."""
        self.uris |= {key: artifact.uri for key, artifact in outputs.items() if key in REPORTED}
        readers = {
            IMAGE_EXAMPLE_GEN: self._add_data,
            IMAGE_VALIDATOR: self._add_issues,
            AUGMENTER: self._add_augmentation,
            TRAINER: self._add_training,
            IMAGE_TRANSFORM: self._add_transformed,
            TUNER: self._add_search,
            MODEL_EVALUATOR: self._add_metrics,
            MODEL_GATE: self._add_gate,
            MODEL_PUSHER: self._add_pushed,
        }
        if component in readers:
            readers[component](outputs)

    def _add_data(self, outputs: Mapping[str, Any]) -> None:
        dataset = read_dataset(outputs["manifest"].uri)
        self.data = DataSummary(
            layout=dataset.layout,
            found=dataset.found,
            ingested=dataset.ingested,
            quarantined=dataset.quarantined,
            fingerprint=dataset.fingerprint,
            manifest=outputs["manifest"].uri,
            # A refused ingestion has no output except its manifest.
            examples=outputs["examples"].uri if "examples" in outputs else "",
            example=dataset.example,
            splits=dataset.splits,
            quarantine_reasons=dataset.quarantine_reasons,
            value_ranges=dataset.value_ranges,
            blessed=False if reasons_to_refuse(dataset) else None,
        )

    def _add_issues(self, outputs: Mapping[str, Any]) -> None:
        uri = outputs["report"].uri
        issues = {issue.name: issue.count for issue in read_report(uri).issues}
        blessing = read_verdict(outputs["blessing"].uri)
        self.data = self.data.model_copy(
            update={"report": uri, "issues": issues, "blessed": blessing.blessed}
        )

    def _add_augmentation(self, outputs: Mapping[str, Any]) -> None:
        uri = outputs["report"].uri
        seen = read_augmentation(uri)
        self.augmentation = AugmentationSummary(
            report=uri,
            warnings=seen.warnings,
            notes=seen.notes,
            mosaics=str(Path(uri, MOSAICS)) if seen.mosaics else "",
            copies=seen.copies,
            examples=outputs["augmented_examples"].uri,
        )

    def _add_training(self, outputs: Mapping[str, Any]) -> None:
        uri = outputs["model_run"].uri
        record = TrainingRecord.read(uri)
        before, now = (workspace_of(Path(place)) for place in (record.written_to or uri, uri))
        self.trained_in = record.trained_in
        self.tracked = [
            TrackedSummary(**asdict(one) | {"place": replace_folder(one.place, before, now)})
            for one in record.tracked
        ]

    def _add_transformed(self, outputs: Mapping[str, Any]) -> None:
        uri = outputs["transformed_examples"].uri
        self.data = self.data.model_copy(update={"transformed": uri})

    def _add_search(self, outputs: Mapping[str, Any]) -> None:
        self.best_hyperparameters = outputs["best_hyperparameters"].uri
        self.tuner_results = outputs["tuner_results"].uri

    def _add_metrics(self, outputs: Mapping[str, Any]) -> None:
        metrics = Metrics.read(Path(outputs["evaluation"].uri))
        self.metrics = MetricsSummary(
            accuracy=metrics.candidate.accuracy,
            accuracy_interval=metrics.accuracy_interval,
            baseline_accuracy=metrics.champion.accuracy if metrics.champion else None,
            baseline_version=metrics.champion_version,
            largest_class=metrics.largest_class,
            largest_class_share=metrics.largest_class_share,
        )

    def _add_gate(self, outputs: Mapping[str, Any]) -> None:
        decision = Decision.read(Path(outputs["blessing"].uri))
        floor = decision.floor
        self.gate = GateSummary(
            blessed=decision.blessed,
            reasons=decision.reasons,
            warnings=list(decision.warnings),
            min_accuracy=floor.accuracy if floor else None,
            min_accuracy_source=floor.source if floor else "",
        )

    def _add_pushed(self, outputs: Mapping[str, Any]) -> None:
        properties = outputs["pushed_model"].custom_properties
        if properties["pushed"].int_value == 1:
            self.pushed_version = int(properties["pushed_version"].string_value)
            self.pushed_path = properties["pushed_destination"].string_value

"""The counts of the files of a run, and the issues that were found in them."""

from dataclasses import asdict, dataclass
from typing import Any

from components.image_example_gen.refusal import reasons_to_refuse
from contracts.artifacts.image_issues import DataReport, read_report
from contracts.artifacts.manifest.dataset import Dataset, read_dataset
from contracts.artifacts.manifest.value_range import value_range_sentences
from pipeline.summary import DataSummary


@dataclass(frozen=True)
class DataRecord:
    """The counts of the files, and what was found in them.

    `refusal` is why ImageExampleGen has refused the files, a sentence each. `report` is empty where
    the images were not checked.
    """

    dataset: Dataset
    refusal: list[str]
    report: DataReport

    @property
    def reasons(self) -> list[str]:
        """Why the data must not be trained on, a sentence each."""
        return [*self.refusal, *self.report.reasons]

    @property
    def value_ranges(self) -> list[str]:
        """Sentences on the values of black and white in images of more than 8 bits, by kind."""
        return value_range_sentences(self.dataset.value_ranges)

    def as_json(self) -> dict[str, Any]:
        """Return what `imgpipe data report --json` prints."""
        keys = ("name", "severity", "count", "groups", "details")
        return {
            "reasons": self.reasons,
            "issues": [{key: getattr(issue, key) for key in keys} for issue in self.report.issues],
            "notes": self.report.notes,
            "value_ranges": {
                kind: asdict(values) for kind, values in self.dataset.value_ranges.items()
            },
        }


def read_data_record(data: DataSummary) -> DataRecord:
    """Return what lies in the manifest and in the report that a summary names.

    Raises:
      OSError: one of them is gone.
      ValueError: one of them is damaged.
    """
    dataset = read_dataset(data.manifest)
    refusal = reasons_to_refuse(dataset) if data.is_refused else []
    report = read_report(data.report) if data.report else DataReport([])
    return DataRecord(dataset, refusal, report)

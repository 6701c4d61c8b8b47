"""A training -> tables that any spreadsheet opens."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from contracts.system.errors import ComponentError
from trainer.tracking.tracker import LoggedPoints, Point, TrackedTraining

# One row an epoch, and one a step that is logged.
FILES = {"epoch": "history.csv", "step": "steps.csv"}


class CsvRun:
    """history.csv and steps.csv in the ModelRun artifact, whole rows after every epoch.

    Of a training that began in another process, history.csv has all epochs, and steps.csv the
    steps of this process.
    """

    name = "CSV"
    run_id = ""
    logged = LoggedPoints()

    def __init__(self) -> None:
        self._folder = Path()
        self._columns: dict[str, list[str]] = {}

    def begin(self, training: TrackedTraining) -> str:
        """Make the folder; see `Tracker`."""
        self._folder = training.folder
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for name in FILES.values():
                (self._folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise ComponentError(f"tracking.csv: {self._folder}: {error.strerror}.") from error
        return str(self._folder / FILES["epoch"])

    def used(self, parameters: Mapping[str, str]) -> None:
        """Write nothing: the record in the same folder has the values."""

    def log(self, points: Sequence[Point]) -> None:
        """Append a row a point; see `Tracker`.

        The first point of a scale gives the columns.
        """
        for scale, name in FILES.items():
            ours = [point for point in points if point.scale == scale]
            if not ours:
                continue
            is_new = scale not in self._columns
            columns = self._columns.setdefault(scale, list(ours[0].metrics))
            with (self._folder / name).open("a", encoding="utf-8", newline="") as file:
                writer = csv.writer(file)
                if is_new:
                    writer.writerow([scale, *columns])
                writer.writerows(
                    [point.number, *(point.metrics.get(column, "") for column in columns)]
                    for point in ours
                )

    def picture(self, name: str, path: Path) -> None:
        """Write nothing: the pictures are in the same folder already."""

    def artifact(self, path: Path) -> None:
        """Write nothing: the files are in the same folder already."""

    def end(self, *, is_finished: bool) -> None:
        """Every row is written already."""

"""Artifacts of a run that has checked its images, made without running it."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from components.image_example_gen.listing.catalogue import NO_STAMP, Catalogue
from components.image_example_gen.listing.entries import ImageFile
from components.image_example_gen.listing.layout import Layout
from components.image_example_gen.manifest_summary import summarise
from components.image_example_gen.splitting.splits import SplitPlan
from components.image_validator.measured_images import measures_path
from components.image_validator.shard_measures import measure_shard
from contracts.artifacts.image_issues import DataReport
from contracts.artifacts.manifest.file_row import INGESTED, QUARANTINED, FileRow
from contracts.artifacts.manifest.rows import part_writer
from pipeline.summary import DataSummary
from tests.components.image_validator.conftest import write_shard
from tests.conftest import encoded


class MadeData:
    """The artifacts of a data set of tiny pictures of two classes."""

    def __init__(self, folder: Path, images: int, quarantined: int) -> None:
        names = [f"{'ab'[n % 2]}/{n:06}.png" for n in range(images)]
        tiny = [encoded(Image.new("RGB", (4, 4), (n % 250, 90, 20))) for n in range(50)]
        rows = [(path, path[0], "train", tiny[n]) for n, path in enumerate(names[: len(tiny)])]
        examples, manifest, self.report = (
            str(folder / name) for name in ("examples", "manifest", "report")
        )
        shard = write_shard(Path(examples), "train", rows)
        target = measures_path(self.report, f"{shard.parent.name}/{shard.name}")
        target.parent.mkdir(parents=True)
        measure_shard(shard, target, lambda _: None)
        _multiply(target, names)
        with part_writer(manifest, "part-00000") as writer:
            for path in names:
                writer.add(FileRow(path, path[0], "train", None, INGESTED, sha256=path))
            for n in range(quarantined):
                path = f"a/broken <{n}>.jpg"
                writer.add(FileRow(path, "a", None, None, QUARANTINED, "truncated", "no end"))
        catalogue = Catalogue()
        catalogue.add((ImageFile(path, path[0]), NO_STAMP) for path in names)
        layout = Layout("classes", "The 2 top folders are classes.", folder, catalogue)
        cut = SplitPlan({"train": 0.8, "validation": 0.1, "test": 0.1})
        summarise(manifest, layout, cut, "listing", "settings").write(manifest)
        self.names = names
        self.summary = DataSummary(
            layout=layout.description,
            found=images + quarantined,
            ingested=images,
            quarantined=quarantined,
            fingerprint="f" * 64,
            manifest=manifest,
            examples=examples,
            report=self.report,
            blessed=True,
            splits={"train": images, "validation": 0, "test": 0},
        )

    def refused(self) -> DataSummary:
        """Let ImageExampleGen have refused the files: there is no image in validation and test."""
        return self.summary.model_copy(update={"blessed": False, "report": "", "examples": ""})

    def found(self, report: DataReport) -> DataSummary:
        """Let the validator have found this."""
        report.write(self.report)
        return self.summary.model_copy(update={"blessed": not report.reasons})


def _multiply(measures: Path, names: list[str]) -> None:
    """Let the measures be of so many images: the pictures repeat themselves."""
    table = pq.read_table(measures)
    repeated = table.take(np.arange(len(names)) % len(table))
    paths = pa.array(names)
    pq.write_table(
        repeated.set_column(repeated.column_names.index("path"), "path", paths), measures
    )


@pytest.fixture
def made_data(tmp_path: Path):
    """Return a function that makes the artifacts of so many images and quarantined files."""

    def make(images: int = 40, quarantined: int = 3) -> MadeData:
        return MadeData(tmp_path / "artifacts", images, quarantined)

    return make

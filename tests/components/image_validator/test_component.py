"""The component publishes report and blessing, and refuses data that must not be trained on."""

import json
from pathlib import Path

import pytest
from tfx.types import standard_artifacts

from components.artifact_types import (
    BLESSED_FILE,
    NOT_BLESSED_FILE,
    DataBlessing,
    ImageDataReport,
    ImageManifest,
)
from components.image_example_gen.listing.catalogue import NO_STAMP, Catalogue
from components.image_example_gen.listing.entries import ImageFile
from components.image_example_gen.listing.layout import Layout
from components.image_example_gen.manifest_summary import summarise
from components.image_example_gen.splitting.splits import SplitPlan
from components.image_validator.executor import Executor
from contracts.artifacts.data_blessing import DataVerdict, read_verdict
from contracts.artifacts.image_issues import read_report
from contracts.artifacts.manifest.file_row import INGESTED, FileRow
from contracts.artifacts.manifest.rows import part_writer
from contracts.config.beam import BeamConfig
from contracts.config.validation import ValidationConfig
from contracts.system.errors import Refusal
from tests.components.image_validator.conftest import photo, write_shard

BEAM_ARGS = [
    "--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner",
    "--sdk_container_image=none",
]
ROWS = [
    ("a/1.png", "a", "train", photo(1)),
    ("a/2.png", "a", "train", photo(2)),
    ("b/copy.png", "b", "test", photo(1)),
]


@pytest.fixture
def inputs(tmp_path: Path) -> dict:
    examples, manifest = standard_artifacts.Examples(), ImageManifest()
    others = {
        "statistics": standard_artifacts.ExampleStatistics(),
        "schema": standard_artifacts.Schema(),
        "anomalies": standard_artifacts.ExampleAnomalies(),
    }
    artifacts = {"examples": examples, "manifest": manifest, **others}
    for name, artifact in artifacts.items():
        artifact.uri = str(tmp_path / name)
        Path(artifact.uri).mkdir()
    for split in ("train", "test"):
        write_shard(Path(examples.uri), split, [row for row in ROWS if row[2] == split])
    with part_writer(manifest.uri, "part-00000") as rows:
        for path, label, split, _ in ROWS:
            rows.add(FileRow(path, label, split, None, INGESTED, sha256=path))
    catalogue = Catalogue()
    catalogue.add((ImageFile(path, label), NO_STAMP) for path, label, *_ in ROWS)
    layout = Layout("classes", "Two classes.", tmp_path, catalogue)
    summarise(manifest.uri, layout, SplitPlan({}), "listing 1", "settings").write(manifest.uri)
    return {name: [artifact] for name, artifact in artifacts.items()}


def validate(inputs: dict, folder: Path, **checks: dict) -> dict:
    outputs = {"report": ImageDataReport(), "blessing": DataBlessing()}
    for name, artifact in outputs.items():
        artifact.uri = str(folder / name / "1")
        Path(artifact.uri).mkdir(parents=True)
    properties = {
        "validation": ValidationConfig.model_validate(checks).model_dump_json(),
        "beam": BeamConfig(decode_processes=2).model_dump_json(),
        "accepted_statistics": "",
        "seed": 0,
    }
    context = Executor.Context(BEAM_ARGS, tmp_dir=str(folder), unique_id="1")
    artifacts = {name: [artifact] for name, artifact in outputs.items()}
    Executor(context).Do(inputs, artifacts, properties)
    return outputs


def test_data_with_warnings_is_blessed(inputs, tmp_path):
    outputs = validate(inputs, tmp_path / "out")
    found = {issue.name: issue for issue in read_report(outputs["report"].uri).issues}
    assert found["label_conflict"].groups == [["a/1.png", "b/copy.png"]]
    assert found["cross_split_leak"].count == 1
    assert {issue.severity for issue in found.values()} == {"warn"}
    blessing = read_verdict(outputs["blessing"].uri)
    assert (blessing.blessed, blessing.reasons) == (True, [])
    assert blessing.listing_digest == "listing 1"
    assert Path(outputs["blessing"].uri, BLESSED_FILE).is_file()
    assert outputs["blessing"].get_int_custom_property("blessed") == 1


def test_the_blessing_of_an_earlier_version_is_read(tmp_path):
    """It named the place of the statistics."""
    record = {"blessed": True, "reasons": [], "listing_digest": "1", "fingerprint": "2"}
    written = json.dumps({**record, "statistics": "/elsewhere/statistics/3"})
    (tmp_path / "data_blessing.json").write_text(written)
    assert read_verdict(str(tmp_path)) == DataVerdict(**record)


def test_a_failing_check_refuses_and_says_why_in_the_blessing(inputs, tmp_path):
    with pytest.raises(Refusal, match=r"label_conflict: expected none, found 1") as refusal:
        validate(inputs, tmp_path / "out", label_conflict={"severity": "fail"})
    (blessing,) = refusal.value.outputs["blessing"]
    said = read_verdict(blessing.uri)
    assert not said.blessed
    assert said.reasons == list(refusal.value.problems)
    assert Path(blessing.uri, NOT_BLESSED_FILE).is_file()
    assert blessing.get_int_custom_property("blessed") == 0
    (report,) = refusal.value.outputs["report"]
    assert read_report(report.uri).issues[0].name == "label_conflict"

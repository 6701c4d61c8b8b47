import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
import tensorflow_data_validation as tfdv
from tfx.components.statistics_gen.component import StatisticsGen
from tfx.orchestration import metadata, pipeline
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.types import standard_artifacts

from components.artifact_types import ImageManifest
from components.image_example_gen.component import ImageExampleGen
from components.image_example_gen.executor import Executor
from contracts.artifacts import features
from contracts.artifacts.manifest.dataset import Dataset, read_dataset
from contracts.artifacts.manifest.rows import read_rows
from contracts.config.beam import BeamConfig
from contracts.config.data import DataConfig
from contracts.images import canonical
from contracts.system.errors import Refusal
from contracts.system.progress import LOGGER

# Named dependencies keep TFX from packing itself up for remote workers.
BEAM_ARGS = [
    "--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner",
    "--sdk_container_image=none",
]


class Outputs:
    def __init__(self, folder: Path) -> None:
        self.examples = standard_artifacts.Examples()
        self.manifest = ImageManifest()
        self.examples.uri = str(folder / "examples")
        self.manifest.uri = str(folder / "manifest")
        for artifact in (self.examples, self.manifest):
            Path(artifact.uri).mkdir(parents=True)

    def files(self) -> list[str]:
        roots = (Path(self.examples.uri), Path(self.manifest.uri))
        return [path.name for root in roots for path in root.rglob("*")]


def ingest(data: DataConfig, folder: Path, prepare: Callable[[Outputs], object] = id) -> Outputs:
    outputs = Outputs(folder)
    prepare(outputs)
    context = Executor.Context(BEAM_ARGS, tmp_dir=str(folder), unique_id="1")
    properties = {
        "data": data.model_dump_json(),
        "beam": BeamConfig(decode_processes=2).model_dump_json(),
        "data_listing": "listing",
        "prepared_ingestion": "",
    }
    artifacts = {"examples": [outputs.examples], "manifest": [outputs.manifest]}
    Executor(context).Do({}, artifacts, properties)
    return outputs


def parsed(outputs: Outputs, split: str) -> list[dict[str, Any]]:
    kinds = {
        **dict.fromkeys((features.WIDTH, features.HEIGHT, features.FILE_BYTES), tf.int64),
        **dict.fromkeys((features.ASPECT, features.BRIGHTNESS, features.CONTRAST), tf.float32),
        **dict.fromkeys((features.ENCODED, features.LABEL, features.PATH), tf.string),
        **dict.fromkeys((features.SHA256, features.FORMAT), tf.string),
        features.CHANNELS: tf.int64,
    }
    spec = {name: tf.io.FixedLenFeature([], kind) for name, kind in kinds.items()}
    paths = [str(path) for path in Path(outputs.examples.uri, f"Split-{split}").iterdir()]
    records = tf.data.TFRecordDataset(sorted(paths))
    return list(records.map(lambda one: tf.io.parse_single_example(one, spec)).as_numpy_iterator())


def test_tensorflow_reads_every_example(
    image_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (image_folder / "cat" / "bad.jpg").write_bytes(b"bad")
    with caplog.at_level(logging.INFO, LOGGER.name):
        outputs = ingest(DataConfig(root=image_folder), tmp_path / "out")
    assert any("80 of 81 images" in text or "81 of 81 images" in text for text in caplog.messages)
    rows = {row["path"]: row for row in read_rows(outputs.manifest.uri).to_pylist()}
    dataset = read_dataset(outputs.manifest.uri)
    assert (dataset.found, dataset.ingested, dataset.quarantined) == (81, 80, 1)
    assert dataset.listing_digest == "listing"
    examples = {split: parsed(outputs, split) for split in features.SPLITS}
    assert {split: len(some) for split, some in examples.items()} == dataset.splits
    for split, some in examples.items():
        for example in some:
            row = rows[example[features.PATH].decode()]
            raw = (image_folder / row["path"]).read_bytes()
            assert row["split"] == split
            assert example[features.LABEL].decode() == row["label"]
            assert example[features.SHA256].decode() == row["sha256"]
            image = canonical.canonicalise(raw)
            assert example[features.ENCODED] == image.encoded
            assert example[features.BRIGHTNESS] == pytest.approx(image.brightness_mean)
            assert tf.io.decode_image(example[features.ENCODED], channels=3).shape == (24, 32, 3)
    assert Path(outputs.examples.uri, features.LABELS_FILE).read_text() == '["cat", "dog"]'
    assert outputs.examples.split_names == '["train", "validation", "test"]'
    assert outputs.examples.get_string_custom_property("payload_format") == "FORMAT_TF_EXAMPLE"


def test_small_classes_stand_in_every_split_without_their_damaged_images(
    tmp_path: Path, write_image: Callable[..., Path]
) -> None:
    for index in range(24):
        path = tmp_path / "images" / f"class {index % 4}" / f"{index}.png"
        write_image(path, seed=index)
        if index // 4 % 2:
            path.write_bytes(path.read_bytes()[:-30])
    dataset = read_dataset(
        ingest(DataConfig(root=tmp_path / "images"), tmp_path / "out").manifest.uri
    )
    assert (dataset.ingested, dataset.quarantine_reasons) == (12, {"truncated": 12})
    assert all(counts == dict.fromkeys(features.SPLITS, 1) for counts in dataset.classes.values())


def test_a_full_disk_fails_and_leaves_nothing(image_folder: Path, tmp_path: Path) -> None:
    def fill_disk(outputs: Outputs) -> None:
        folder = Path(outputs.examples.uri, "Split-train")
        folder.mkdir()
        (folder / ".data_tfrecord-00002.partial").symlink_to("/dev/full")
        left.append(outputs)

    left: list[Outputs] = []
    with pytest.raises(Exception, match="No space left on device"):
        ingest(DataConfig(root=image_folder), tmp_path / "out", fill_disk)
    assert left[0].files() == []


def refused(data: DataConfig, folder: Path) -> tuple[str, Dataset]:
    """Return why the images are refused, and the record that is handed over all the same."""
    with pytest.raises(Refusal) as refusal:
        ingest(data, folder)
    assert list(refusal.value.outputs) == ["manifest"]
    (manifest,) = refusal.value.outputs["manifest"]
    dataset = read_dataset(manifest.uri)
    assert dataset.found == len(read_rows(manifest.uri))
    assert manifest.get_string_custom_property("fingerprint") == dataset.fingerprint
    return str(refusal.value), dataset


def test_a_refusal_says_why_and_keeps_the_manifest(image_folder: Path, tmp_path: Path) -> None:
    for path in (image_folder / "dog").iterdir():
        path.write_bytes(b"no image")
    why, dataset = refused(DataConfig(root=image_folder), tmp_path / "out")
    assert "expected a readable training image of every class, found none of dog." in why
    assert "40 of 80 files were left out: 40 unrecognised_format, e.g. dog/" in why
    assert (dataset.ingested, dataset.quarantine_reasons) == (40, {"unrecognised_format": 40})
    for path in (image_folder / "cat").iterdir():
        path.write_bytes(b"")
    why, dataset = refused(DataConfig(root=image_folder), tmp_path / "again")
    first, left_out = why.splitlines()
    assert first == "data.root: expected readable images, found none. Add readable images."
    assert left_out.startswith("80 of 80 files were left out: ")
    assert "40 empty_file, e.g. cat/" in why
    assert (dataset.found, dataset.ingested, dataset.quarantined) == (80, 0, 80)


def test_duplicates_alone_fill_no_split(image_folder: Path, tmp_path: Path) -> None:
    for folder in image_folder.iterdir():
        first, *others = sorted(folder.iterdir())
        for other in others:
            other.write_bytes(first.read_bytes())
    why, dataset = refused(DataConfig(root=image_folder), tmp_path / "out")
    assert "found none for validation and test. Add different images: duplicates" in why
    assert dataset.splits == {"train": 80, "validation": 0, "test": 0}


def test_all_that_is_missing_is_said_at_once(image_folder: Path, tmp_path: Path) -> None:
    for path in (image_folder / "dog").iterdir():
        path.write_bytes(b"no image")
    first, *others = sorted((image_folder / "cat").iterdir())
    for other in others:
        other.write_bytes(first.read_bytes())
    why, _ = refused(DataConfig(root=image_folder), tmp_path / "out")
    assert [line.partition(",")[0] for line in why.splitlines()] == [
        "data.root: expected a readable training image of every class",
        "data.root: expected a readable image in every split",
        "40 of 80 files were left out: 40 unrecognised_format",
    ]


def test_the_component_feeds_tfx(image_folder: Path, tmp_path: Path) -> None:
    examples = ImageExampleGen(DataConfig(root=image_folder), BeamConfig(), "listing")
    options = tfdv.StatsOptions(feature_allowlist=list(features.DERIVED))
    statistics = StatisticsGen(examples=examples.outputs["examples"], stats_options=options)
    store = tmp_path / "metadata.sqlite"
    LocalDagRunner().run(
        pipeline.Pipeline(
            pipeline_name="images",
            pipeline_root=str(tmp_path / "root"),
            metadata_connection_config=metadata.sqlite_metadata_connection_config(str(store)),
            components=[examples, statistics],
            beam_pipeline_args=BEAM_ARGS,
        )
    )
    (manifest,) = (tmp_path / "root" / "ImageExampleGen" / "manifest").iterdir()
    counts = read_dataset(str(manifest)).splits
    (folder,) = (tmp_path / "root" / "StatisticsGen" / "statistics").iterdir()
    for split in features.SPLITS:
        found = tfdv.load_stats_binary(str(folder / f"Split-{split}" / "FeatureStats.pb"))
        assert found.datasets[0].num_examples == counts[split]
        names = {feature.path.step[0] for feature in found.datasets[0].features}
        assert names == set(features.DERIVED)


def test_the_cache_key_holds_what_the_examples_follow_from(image_folder: Path) -> None:
    data = DataConfig(root=image_folder)
    first = ImageExampleGen(data, BeamConfig(), "one").exec_properties
    assert first == ImageExampleGen(data, BeamConfig(), "one").exec_properties
    with_schema = data.model_copy(update={"schema_path": Path("schema.pbtxt")})
    assert first == ImageExampleGen(with_schema, BeamConfig(), "one").exec_properties
    assert first != ImageExampleGen(data, BeamConfig(), "two").exec_properties
    assert len(first["code_digest"]) == 64

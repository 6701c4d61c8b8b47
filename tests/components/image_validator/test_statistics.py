"""Drift is measured against the last accepted data, and only where there is enough of it."""

from pathlib import Path

import pandas as pd
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import anomalies_pb2

from components.image_validator import statistics
from contracts.artifacts import features


def frame(images: int, dogs: float, brightness: float) -> pd.DataFrame:
    return pd.DataFrame(
        {
            features.LABEL: ["dog" if n < dogs * images else "cat" for n in range(images)],
            features.BRIGHTNESS: [brightness + 0.2 * (n % 10) / 10 for n in range(images)],
        }
    )


def write(folder: Path, data: pd.DataFrame) -> str:
    (folder / "Split-train").mkdir(parents=True)
    found = tfdv.generate_statistics_from_dataframe(data)
    path = folder / "Split-train" / statistics.STATISTICS_FILE
    path.write_bytes(found.SerializeToString())
    return str(folder)


def test_moved_labels_and_brightness_are_drift_and_the_same_data_is_none(tmp_path):
    accepted = write(tmp_path / "accepted", frame(400, dogs=0.5, brightness=0.2))
    now = write(tmp_path / "now", frame(400, dogs=0.9, brightness=0.7))
    schema = tfdv.infer_schema(statistics.read_statistics(accepted, features.TRAIN))
    assert statistics.find_drift(accepted, accepted, schema, 0.1) == []
    found = statistics.find_drift(now, accepted, schema, 0.1)
    assert len(found) == 2
    label = next(text for text in found if features.LABEL in text)
    assert label.startswith("train: image/class/text differs from the last accepted data by 0.40")
    assert all("more than 0.1" in text for text in found)


def test_few_images_differ_by_chance_and_are_not_compared(tmp_path):
    accepted = write(tmp_path / "accepted", frame(50, dogs=0.5, brightness=0.2))
    now = write(tmp_path / "now", frame(400, dogs=0.9, brightness=0.7))
    schema = tfdv.infer_schema(statistics.read_statistics(accepted, features.TRAIN))
    assert statistics.find_drift(now, accepted, schema, 0.1) == []
    assert statistics.find_drift(now, str(tmp_path / "none"), schema, 0.1) == []


def test_anomalies_are_told_by_split_and_feature(tmp_path):
    found = anomalies_pb2.Anomalies()
    found.anomaly_info["image/width"].description = "Out of range."
    (tmp_path / "Split-test").mkdir()
    (tmp_path / "Split-test" / statistics.ANOMALIES_FILE).write_bytes(found.SerializeToString())
    assert statistics.read_anomalies(str(tmp_path)) == ["test: image/width: Out of range."]

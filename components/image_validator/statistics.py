"""Anomalies and drift from the last accepted data, by TensorFlow Data Validation."""

from collections.abc import Iterator

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

from contracts.artifacts import features
from contracts.artifacts.example_shards import split_folder

STATISTICS_FILE = "FeatureStats.pb"
ANOMALIES_FILE = "SchemaDiff.pb"

# The distributions of fewer images differ by chance.
_FEWEST_EXAMPLES = 200


def find_drift(
    statistics_uri: str, accepted_uri: str, schema: schema_pb2.Schema, threshold: float
) -> list[str]:
    """Return a sentence for every feature of a split whose distribution has changed too much.

    Args:
      statistics_uri: the statistics of the data, as TFX's StatisticsGen writes them.
      accepted_uri: those of the last accepted data.
      schema: of the data; its features are compared.
      threshold: Jensen-Shannon divergence for numbers, the largest difference of two shares
        (L-infinity) for labels and formats; both from 0 to 1.
    """
    return [
        sentence
        for split in features.SPLITS
        for sentence in _drift_of(split, statistics_uri, accepted_uri, schema, threshold)
    ]


def _drift_of(
    split: str, uri: str, accepted_uri: str, schema: schema_pb2.Schema, threshold: float
) -> Iterator[str]:
    now, accepted = read_statistics(uri, split), read_statistics(accepted_uri, split)
    if now is None or accepted is None:
        return
    if min(_examples(now), _examples(accepted)) < _FEWEST_EXAMPLES:
        return
    found = tfdv.validate_statistics(
        now, _with_comparators(schema, threshold), previous_statistics=accepted
    )
    for info in found.drift_skew_info:
        for measured in info.drift_measurements:
            if measured.value > threshold:
                kind = anomalies_pb2.DriftSkewInfo.Measurement.Type.Name(measured.type)
                yield (
                    f"{split}: {info.path.step[0]} differs from the last accepted data by "
                    f"{measured.value:.2f} ({kind.replace('_', ' ').lower()}), "
                    f"more than {threshold:g}"
                )


def read_anomalies(uri: str) -> list[str]:
    """Return a sentence for each anomaly that TFX's ExampleValidator has written."""
    found = []
    for split in features.SPLITS:
        path = split_folder(uri, split) / ANOMALIES_FILE
        if path.is_file():
            read = anomalies_pb2.Anomalies.FromString(path.read_bytes())
            found += [
                f"{split}: {name}: {anomaly.description}"
                for name, anomaly in sorted(read.anomaly_info.items())
            ]
    return found


def read_statistics(uri: str, split: str) -> statistics_pb2.DatasetFeatureStatisticsList | None:
    """Return the statistics of a split; None where there are none."""
    path = split_folder(uri, split) / STATISTICS_FILE
    return tfdv.load_stats_binary(str(path)) if path.is_file() else None


def _examples(statistics: statistics_pb2.DatasetFeatureStatisticsList) -> int:
    return int(statistics.datasets[0].num_examples)


def _with_comparators(schema: schema_pb2.Schema, threshold: float) -> schema_pb2.Schema:
    compared = schema_pb2.Schema()
    compared.CopyFrom(schema)
    for feature in compared.feature:
        comparator = feature.drift_comparator
        if feature.type == schema_pb2.BYTES:
            comparator.infinity_norm.threshold = threshold
        else:
            comparator.jensen_shannon_divergence.threshold = threshold
    return compared

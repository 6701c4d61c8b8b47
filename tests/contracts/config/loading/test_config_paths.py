"""Paths are absolute inside, and as they were written where values go back into a config."""

from pathlib import Path

import pytest

from contracts.config.loading.config_paths import absolute_at, relative_at


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("trainer.model", "nets/net.py:build"),
        ("trainer.model", ["cnn", "net.py:build", "package.module:build", "/elsewhere/net.py:b"]),
        ("trainer.metrics", [[], ["mine.py:Metric", "json:JSONDecoder"]]),
        ("trainer.weights", [None, "imagenet", "first.keras", "/elsewhere/first.keras"]),
        ("data.root", "s3://bucket/photos"),
        ("trainer.learning_rate", 0.1),
    ],
)
@pytest.mark.parametrize("folder", ["/home/ann/p", "p/../q"])
def test_a_path_comes_back_as_it_was(key, value, folder):
    absolute = absolute_at(key, value, Path(folder))
    assert relative_at(key, absolute, Path(folder)) == value


def test_a_path_outside_the_folder_stays_absolute():
    absolute = absolute_at("trainer.model", "../net.py:build", Path("/home/ann/p"))
    assert relative_at("trainer.model", absolute, Path("/home/ann/p")) == "/home/ann/net.py:build"

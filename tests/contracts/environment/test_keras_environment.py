"""Where Keras cannot be imported, the reason is a sentence; a valid keras.json does not matter."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from contracts.environment.keras_environment import (
    ALL_BACKENDS,
    backend_problems,
    keras_json_problems,
    require_keras,
)
from contracts.system.errors import ConfigError

DEFAULTS = {
    "floatx": "float32",
    "epsilon": 1e-7,
    "backend": "tensorflow",
    "image_data_format": "channels_last",
}


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """Return the folder in which Keras looks for keras.json."""
    monkeypatch.delenv("KERAS_HOME", raising=False)
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".keras").mkdir()
    return tmp_path / ".keras"


def import_of_keras() -> str:
    """Return what Python says where Keras reads its settings."""
    ran = subprocess.run(
        [sys.executable, "-c", "import keras"], capture_output=True, text=True, check=False
    )
    return ran.stderr


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({**DEFAULTS, "image_data_format": "channels_first"}),
        json.dumps({**DEFAULTS, "floatx": "float16", "epsilon": 1e-4}),
        json.dumps({**DEFAULTS, "backend": "theano"}),
        "{}",
        "{ no JSON",
    ],
)
def test_a_keras_json_of_another_project_is_no_problem(home, text):
    (home / "keras.json").write_text(text)
    require_keras()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ([], "expected a JSON object, received []."),
        ({"floatx": "bfloat16"}, "floatx: expected one of float32, float16, float64, received"),
        ({"epsilon": 1}, "epsilon: expected a number such as 1e-7, received 1."),
        ({"image_data_format": ["x"]}, "image_data_format: expected one of channels_last, "),
    ],
)
def test_what_keras_cannot_be_imported_with_is_refused(home, settings, said):
    (home / "keras.json").write_text(json.dumps(settings))
    (sentence,) = keras_json_problems()
    assert sentence.startswith(f"{home}/keras.json: {said}")
    assert sentence.endswith("Correct the file, or remove it.")
    assert re.search(
        r'/backend/config\.py", line [^/]*\n(Attribute|Assertion|Type|Value)Error',
        import_of_keras(),
    )


def test_every_problem_is_told(home, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    (home / "keras.json").write_text('{"floatx": "a", "epsilon": "b", "image_data_format": "c"}')
    with pytest.raises(ConfigError) as raised:
        require_keras()
    assert len(raised.value.problems) == 4


def test_a_file_that_cannot_be_read_is_refused(home):
    (home / "keras.json").mkdir()
    (sentence,) = keras_json_problems()
    assert "expected a file that can be read, received: Is a directory." in sentence


def test_another_home_of_keras_is_looked_at(home, tmp_path, monkeypatch):
    (home / "keras.json").write_text("[]")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setenv("KERAS_HOME", "~/elsewhere")
    assert keras_json_problems() == []
    (tmp_path / "elsewhere" / "keras.json").write_text("1")
    assert f"{tmp_path}/elsewhere/keras.json" in keras_json_problems()[0]


def test_training_by_hand_takes_every_backend_that_is_installed(home, monkeypatch):
    for backend in ("", "tensorflow", "jax"):
        monkeypatch.setenv("KERAS_BACKEND", backend)
        assert backend_problems(*ALL_BACKENDS) == []
    monkeypatch.setenv("KERAS_BACKEND", "theano")
    assert backend_problems(*ALL_BACKENDS) == [
        "KERAS_BACKEND: expected tensorflow or jax or torch, received 'theano'. Unset it."
    ]
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    monkeypatch.setattr("contracts.environment.keras_environment.find_spec", lambda _: None)
    (sentence,) = backend_problems(*ALL_BACKENDS)
    assert "received 'torch', which is not installed. Install it" in sentence


PROGRAM = """
import json
from contracts.environment.library_settings import set_library_variables
set_library_variables()
import keras
from trainer.keras_settings import prepare_keras
prepare_keras()
made = keras.layers.Conv2D(3, 1)
print(json.dumps([keras.backend.backend(), made.dtype_policy.name, made.data_format,
                  keras.config.epsilon()]))
"""


@pytest.mark.parametrize(
    ("settings", "variable", "backend"),
    [
        ({"backend": "jax", "floatx": "float16", "epsilon": 1e-3}, "", "tensorflow"),
        ({"backend": "theano", "image_data_format": "channels_first"}, None, "tensorflow"),
        ({"backend": "torch", "image_data_format": "channels_first"}, "jax", "jax"),
    ],
)
def test_the_settings_of_a_process_are_ours(home, settings, variable, backend):
    (home / "keras.json").write_text(json.dumps({**DEFAULTS, **settings}))
    environment = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
    if variable is not None:
        environment["KERAS_BACKEND"] = variable
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=Path(__file__).parents[3],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    settings = json.loads(ran.stdout.splitlines()[-1])
    assert settings == [backend, "float32", "channels_last", 1e-7]

"""What is no model of imgpipe is refused with a sentence that says what is wrong with it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import tensorflow as tf

from contracts.system.errors import ComponentError
from serving.predictor import Predictor
from serving.saved_model import load_signature

GRAPH = "saved_model.pb"


def refusal(folder: Path) -> str:
    with pytest.raises(ComponentError) as raised:
        load_signature(folder)
    (sentence,) = raised.value.problems
    return sentence


@pytest.mark.parametrize("content", [(), ("notes.txt",), (f"{GRAPH}/notes.txt",)])
def test_a_folder_without_a_model_is_named(tmp_path, content):
    for name in content:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("no model")
    assert refusal(tmp_path) == (
        f"{tmp_path}: expected a SavedModel, found no saved_model.pb there. "
        "Name the folder that holds this file."
    )


def test_a_folder_that_is_not_there_is_named(tmp_path):
    assert refusal(tmp_path / "gone").startswith(f"{tmp_path}/gone: expected a SavedModel, found")


def cut(file: Path, size: int) -> None:
    file.write_bytes(file.read_bytes()[:size])


DAMAGES: dict[str, Callable[[Path], object]] = {
    "empty graph": lambda folder: cut(folder / GRAPH, 0),
    "cut graph": lambda folder: cut(folder / GRAPH, 500),
    "no graph": lambda folder: (folder / GRAPH).write_text("hello world"),
    "no variables": lambda folder: shutil.rmtree(folder / "variables"),
    "no index": lambda folder: (folder / "variables" / "variables.index").unlink(),
    "cut variables": lambda folder: cut(next(folder.glob("variables/*.data-*")), 10),
}


@pytest.mark.filterwarnings("ignore:Unexpected end-group tag")
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_model_is_named_with_what_tensorflow_found(model, tmp_path, damage):
    folder = tmp_path / "damaged"
    shutil.copytree(model, folder)
    DAMAGES[damage](folder)
    sentence = refusal(folder)
    assert sentence.startswith(f"{folder}: expected a SavedModel that can be loaded, received ")
    assert sentence.endswith(". Restore the folder, or export the model again.")
    assert "\n" not in sentence


def saved(
    folder: Path, name: str, function: Callable[[tf.Tensor], object], input_name: str
) -> Path:
    """Save a function of strings as the signature `name`."""
    module = tf.Module()
    module.serve = tf.function(
        function, input_signature=[tf.TensorSpec([None], tf.string, name=input_name)]
    )
    tf.saved_model.save(module, str(folder), signatures={name: module.serve})
    return folder


def test_a_model_of_another_version_is_refused_with_what_it_lacks(tmp_path):
    folder = saved(tmp_path, "serving_default", lambda image: {"label": image}, "image_bytes")
    assert refusal(folder) == (
        f"{folder}: expected the signature serving_default with the input image_bytes and the "
        "outputs label, score, probabilities, all_classes, received one that lacks all_classes, "
        "probabilities, score. Export the model with this version of imgpipe."
    )


@pytest.mark.parametrize(
    ("name", "input_name"), [("predict", "image_bytes"), ("serving_default", "x")]
)
def test_a_model_of_another_program_lacks_signature_or_input(tmp_path, name, input_name):
    folder = saved(tmp_path, name, lambda image: {"label": image}, input_name)
    assert "probabilities, score" in refusal(folder)
    assert "lacks all_classes, image_bytes, " in refusal(folder)


def test_a_model_answers_after_its_folder_is_gone(model, tmp_path):
    folder = tmp_path / "served"
    shutil.copytree(model, folder)
    signature = load_signature(folder)
    shutil.rmtree(folder)  # a server may remove an old version while it answers
    black = tf.io.encode_png(tf.zeros((9, 9, 3), tf.uint8))
    assert signature(tf.stack([black]))["label"].numpy().tolist() == [b"dark"]


def test_a_predictor_refuses_the_same(tmp_path):
    with pytest.raises(ComponentError, match=r"found no saved_model\.pb"):
        Predictor(tmp_path)

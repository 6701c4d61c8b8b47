"""What a training runs on with PyTorch, whose part here is played by a small stand-in."""

import sys
from contextlib import contextmanager
from types import SimpleNamespace

import keras
import pytest

from contracts.system.errors import ComponentError
from tests.trainer.training.test_train import recipe
from trainer.hardware import devices
from trainer.hardware.devices import Devices, choose_devices, precision_policy
from trainer.hardware.gpus import Gpu, device_names, gpu_details
from trainer.training import construction
from trainer.training.construction import build_training_model, compile_training_model


@pytest.fixture
def torch(monkeypatch):
    """Return `torch(gpus, capability)`, a PyTorch with so many GPUs; `entered` are Keras's."""
    entered = []

    @contextmanager
    def device(name: str):
        entered.append(name)
        yield
        entered.remove(name)

    def stand_in(gpus: int, capability: tuple[int, int] = (9, 0)) -> list[str]:
        cuda = SimpleNamespace(
            device_count=lambda: gpus,
            get_device_name=lambda name: f"card {name}",
            get_device_capability=lambda name: capability,
        )
        monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
        return entered

    for other in ("jax", "tensorflow"):
        monkeypatch.setitem(sys.modules, other, None)
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    monkeypatch.setattr(keras, "device", device)
    monkeypatch.delenv("TF_CONFIG", raising=False)
    yield stand_in
    devices._entered.close()


@pytest.mark.parametrize(
    ("wanted", "gpus", "kind", "name"),
    [
        ("auto", 0, "cpu", "cpu"),
        ("cpu", 2, "cpu", "cpu"),
        ("auto", 1, "gpu", "cuda:0"),
        ("auto", 2, "gpu", "cuda:0"),
        ("gpu", 2, "gpu", "cuda:0"),
    ],
)
def test_one_device_is_taken(torch, wanted, gpus, kind, name):
    entered = torch(gpus)
    chosen = choose_devices(wanted)
    assert (chosen.kind, chosen.names, chosen.replicas) == (kind, (name,), 1)
    assert entered == [name]  # and stays so: pictures are drawn there too
    choose_devices("cpu")
    assert entered == ["cpu"]


@pytest.mark.parametrize(
    ("wanted", "gpus", "said"),
    [
        ("gpu", 0, "expected a GPU for trainer.devices: gpu, found none"),
        ("mirrored", 2, "expected trainer.devices: auto, gpu or cpu with KERAS_BACKEND=torch"),
    ],
)
def test_what_it_cannot_do_is_a_sentence(torch, wanted, gpus, said):
    torch(gpus)
    with pytest.raises(ComponentError, match=said):
        choose_devices(wanted)


@pytest.mark.parametrize(("backend", "steps"), [("torch", 1), ("tensorflow", 4)])
def test_steps_are_executed_one_by_one(dataset, monkeypatch, backend, steps):
    monkeypatch.setattr(construction, "STEPS_PER_EXECUTION", 4)
    one, cpu = recipe(), Devices("cpu", ("cpu",))
    model = build_training_model(one, dataset, cpu)
    cuda = SimpleNamespace(device_count=lambda: 0)
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)
    compile_training_model(model, one, 0.1, cpu)
    assert model.steps_per_execution == steps


def test_several_machines_are_refused(torch, monkeypatch):
    torch(1)
    cluster = '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 0}}'
    monkeypatch.setenv("TF_CONFIG", cluster)
    with pytest.raises(ComponentError, match="KERAS_BACKEND=tensorflow for several machines"):
        choose_devices("auto")


def test_the_number_format_suits_the_card(torch):
    torch(0)
    assert (precision_policy("auto"), device_names()) == ("float32", ["cpu"])
    torch(1)
    assert precision_policy("auto") == "mixed_bfloat16"
    assert precision_policy("auto", "cpu") == "float32"
    assert gpu_details() == [Gpu("card cuda:0", (9, 0))]
    torch(1, capability=(7, 5))
    assert (precision_policy("auto"), device_names()) == ("mixed_float16", ["cuda:0"])

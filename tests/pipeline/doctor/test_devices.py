"""Cards that TensorFlow does not see are told of, and what TF_CONFIG makes of the machine."""

import json

import pytest

from pipeline.doctor.devices import parse_cards, tensorflow_findings, training_finding
from pipeline.doctor.probe import Gpu, Probed, probe

H100 = "NVIDIA H100 80GB HBM3, 81559, 550.54.15, 9.0\n"
CLUSTER = {"worker": ["10.0.0.1:2222", "10.0.0.2:2222"]}


def findings(probed: Probed, cards=(), kernel_cards=()) -> dict:
    return {found.name: found for found in tensorflow_findings(probed, cards, kernel_cards)}


def test_a_card_that_tensorflow_sees():
    probed = Probed("tensorflow", "mixed_bfloat16", [Gpu("NVIDIA H100 80GB HBM3", "9.0")], True)
    found = findings(probed, parse_cards(H100))
    assert all(one.state == "ok" for one in found.values())
    assert found["gpu 0"].text == (
        "NVIDIA H100 80GB HBM3, 81559 MiB, compute capability 9.0, driver 550.54.15"
    )
    assert found["precision"].text.startswith("mixed_bfloat16")
    assert "compute capability 9.0" in findings(probed)["gpu 0"].text


@pytest.mark.parametrize(
    ("cards", "kernel_cards"), [(parse_cards(H100), []), ([], ["NVIDIA H100 80GB HBM3"])]
)
@pytest.mark.parametrize(("cuda", "said"), [(True, "sees none"), (False, "without CUDA")])
def test_a_card_that_tensorflow_does_not_see(cards, kernel_cards, cuda, said):
    found = findings(Probed("tensorflow", "float32", [], cuda), cards, kernel_cards)["gpu"]
    assert found.state == "warning"
    assert "NVIDIA H100" in found.text and said in found.text
    assert "imgpipe[gpu]" in found.next_step


def test_an_answer_of_the_driver_that_is_no_table():
    assert parse_cards("NVIDIA-SMI has failed\n") == []


def test_a_tensorflow_that_cannot_be_imported_is_a_problem():
    found = findings(Probed(failure="ImportError: libcudart"))
    assert found["tensorflow"].state == "problem"
    assert "ImportError: libcudart" in found["tensorflow"].text


def test_another_backend_of_keras_is_a_warning():
    assert findings(Probed("jax", "float32"))["keras backend"].state == "warning"


@pytest.mark.parametrize(
    ("devices", "gpus", "tf_config", "state", "said"),
    [
        ("auto", 0, None, "ok", "the CPU"),
        ("cpu", 2, None, "ok", "the CPU"),
        ("auto", 1, None, "ok", "one GPU"),
        ("gpu", 4, None, "ok", "one GPU"),
        ("auto", 4, None, "ok", "4 GPUs (MirroredStrategy)"),
        ("gpu", 0, None, "problem", "trainer.devices is gpu"),
        ("mirrored", 0, None, "problem", "trainer.devices is mirrored"),
        ("multi_worker", 1, None, "problem", "it is not set"),
        (
            "auto",
            1,
            {"cluster": CLUSTER, "task": {"type": "worker", "index": 1}},
            "ok",
            "worker 1 of 2 workers, here 10.0.0.2:2222",
        ),
        ("cpu", 0, {"cluster": CLUSTER, "task": {"type": "worker", "index": 1}}, "warning", "cpu"),
        (
            "auto",
            0,
            {"cluster": CLUSTER, "task": {"type": "worker", "index": 2}},
            "problem",
            "task",
        ),
        ("auto", 0, {"cluster": CLUSTER, "task": {"type": "worker", "index": -1}}, "problem", ""),
        ("auto", 0, {"cluster": CLUSTER, "task": {"type": "ps", "index": 0}}, "problem", "task"),
        ("auto", 0, {"cluster": CLUSTER}, "problem", "task"),
        ("auto", 0, {"cluster": {"worker": []}, "task": {}}, "problem", "workers"),
        ("auto", 0, [1], "problem", "expected a cluster"),
    ],
)
def test_what_training_runs_on(devices, gpus, tf_config, state, said):
    given = None if tf_config is None else json.dumps(tf_config)
    found = training_finding(devices, gpus, given)
    assert found.state == state
    assert said in found.text
    assert bool(found.next_step) == (state != "ok")


@pytest.mark.parametrize("devices", ["auto", "cpu", "multi_worker"])
def test_a_tf_config_that_is_no_json(devices):
    found = training_finding(devices, 0, "{cluster")
    assert (found.name, found.state) == ("TF_CONFIG", "problem")
    assert "received {cluster (Expecting property name" in found.text


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo noise; echo 'ImportError: no libcuda' >&2; exit 1", "ImportError: no libcuda"),
        ("kill -ILL $$", "killed by SIGILL"),
        ("exit 3", "ended with code 3"),
        ("sleep 30", "not there within 0.5 s"),
    ],
)
def test_a_probe_that_fails_says_how(script, said):
    assert said in probe("auto", ("sh", "-c", script), timeout_s=0.5).failure


def test_what_a_probe_prints_before_its_answer_does_not_matter():
    answer = '{"backend": "jax", "precision": "float32", "gpus": [{"name": "A"}]}'
    probed = probe("auto", ("sh", "-c", f"echo noise; echo '{answer}'"))
    assert probed == Probed("jax", "float32", [Gpu("A")])

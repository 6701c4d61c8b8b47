"""The findings on cards that TensorFlow does not see, and on TF_CONFIG."""

import json
import sys
from types import SimpleNamespace

import pytest

from contracts.environment.keras_environment import backend_problems
from contracts.environment.own_packages import python_command
from contracts.system.errors import ConfigError
from pipeline.doctor.devices import backend_findings, parse_cards, training_finding
from pipeline.doctor.keras_view import probe_backend
from pipeline.doctor.probe import VIEW, ProbedBackend, ProbedGpu, probe
from pipeline.preflight.preflight import preflight
from tests.trainer.processes import OTHER_BACKENDS

H100 = "NVIDIA H100 80GB HBM3, 81559, 550.54.15, 9.0\n"
CLUSTER = {"worker": ["10.0.0.1:2222", "10.0.0.2:2222"]}


def findings(probed: ProbedBackend, cards=(), kernel_cards=()) -> dict:
    return {found.name: found for found in backend_findings(probed, cards, kernel_cards)}


def test_a_run_refuses_several_machines_in_the_words_of_the_doctor(tmp_path, monkeypatch):
    for label in "ab":
        for number in range(5):
            path = tmp_path / "photos" / label / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    config = tmp_path / "pipeline.yaml"
    config.write_text("name: x\ndata: {root: photos}\n")
    task = json.dumps({"cluster": CLUSTER, "task": {"type": "worker", "index": 0}})
    monkeypatch.setenv("TF_CONFIG", task)
    with pytest.raises(ConfigError) as raised:
        preflight(config, [], tmp_path / "workspace")
    finding = training_finding("auto", 0, task)
    assert finding.state == "problem"
    for words in ("`imgpipe` trains on this machine alone", "Train with `imgpipe-train` on each"):
        assert words in str(raised.value)
        assert words in f"{finding.text} {finding.next_step}"
    assert preflight(config, ["trainer.devices=cpu"], tmp_path / "workspace")
    assert training_finding("cpu", 0, task).state == "warning"


def test_a_card_that_tensorflow_sees():
    probed = ProbedBackend(
        "tensorflow", "mixed_bfloat16", [ProbedGpu("NVIDIA H100 80GB HBM3", "9.0")], True
    )
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
    found = findings(ProbedBackend("tensorflow", "float32", [], cuda), cards, kernel_cards)["gpu"]
    assert found.state == "warning"
    assert "NVIDIA H100" in found.text and said in found.text
    assert "imgpipe[gpu]" in found.next_step


def test_an_answer_of_the_driver_that_is_no_table():
    assert parse_cards("NVIDIA-SMI has failed\n") == []


def test_a_tensorflow_that_cannot_be_imported_is_a_problem():
    found = findings(ProbedBackend(failure="ImportError: libcudart"))
    assert found["tensorflow"].state == "problem"
    assert "ImportError: libcudart" in found["tensorflow"].text


def test_another_backend_of_keras_is_a_problem_in_the_words_of_the_run(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    found = findings(ProbedBackend("jax", "float32", is_built_with_cuda=True), parse_cards(H100))
    assert found["keras"].state == "problem"
    assert backend_problems("tensorflow") == [f"{found['keras'].text}. {found['keras'].next_step}"]
    assert found["keras backend"].text == "jax"
    assert "but JAX sees none: training" in found["gpu"].text
    assert "jax[cuda12]" in found["gpu"].next_step


def test_a_keras_json_that_keras_cannot_be_imported_with_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "keras.json").write_text("[]")
    found = findings(ProbedBackend(failure="AttributeError: 'list' object has no attribute 'get'"))
    assert [found["keras"].state, *found] == ["problem", "keras"]
    assert found["keras"].text.startswith(f"{tmp_path}/keras.json: expected a JSON object")
    assert found["keras"].next_step == "Correct the file, or remove it."


@pytest.mark.parametrize(
    ("devices", "gpus", "backend", "state", "said"),
    [
        ("auto", 2, "jax", "ok", "2 GPUs (DataParallel)"),
        ("auto", 0, "jax", "ok", "the CPU"),
        ("gpu", 0, "jax", "problem", "and JAX sees no GPU"),
        ("auto", 2, "torch", "ok", "one GPU"),
        ("mirrored", 2, "torch", "problem", "Keras trains on one device with PyTorch"),
    ],
)
def test_what_training_by_hand_runs_on(devices, gpus, backend, state, said):
    found = training_finding(devices, gpus, None, backend)
    assert (found.state, said in found.text) == (state, True)


def test_several_machines_train_on_tensorflow_alone():
    task = {"cluster": CLUSTER, "task": {"type": "worker", "index": 1}}
    found = training_finding("auto", 1, json.dumps(task), "jax")
    assert (found.name, found.state) == ("TF_CONFIG", "problem")
    assert "train on TensorFlow alone" in found.text


@pytest.mark.parametrize(("code", "variables"), OTHER_BACKENDS)
def test_another_backend_is_looked_at_without_tensorflow(monkeypatch, code, variables):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    seen = probe("auto", python_command(code + VIEW))
    assert seen == ProbedBackend(variables["KERAS_BACKEND"], "float32", [], True)


def test_gpus_of_jax_are_named_by_jax(monkeypatch):
    gpu = SimpleNamespace(platform="gpu", device_kind="NVIDIA H100", compute_capability="9.0")
    monkeypatch.setitem(sys.modules, "jax", SimpleNamespace(devices=lambda: [gpu]))
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    monkeypatch.setattr("keras.backend.backend", lambda: "jax")
    assert probe_backend("auto") == ProbedBackend(
        "jax", "mixed_bfloat16", [ProbedGpu("NVIDIA H100", "9.0")], True
    )


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
        ("multi_worker", 1, None, "problem", "names no workers"),
        (
            "multi_worker",
            1,
            {"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 0}},
            "problem",
            "names 1 workers",
        ),
        (
            "auto",
            1,
            {"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 0}},
            "ok",
            "one GPU",
        ),
        (
            "auto",
            1,
            {"cluster": CLUSTER, "task": {"type": "worker", "index": 1}},
            "problem",
            "worker 1 of 2 workers, here 10.0.0.2:2222 (MultiWorkerMirroredStrategy), by "
            "`imgpipe-train` alone",
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
    assert probed == ProbedBackend("jax", "float32", [ProbedGpu("A")])

"""Runs tracked and models registered by an MLflow server instead of a file in the workspace."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

STARTS_WITHIN_S = 120


@pytest.fixture
def server(tmp_path) -> Iterator[tuple[str, subprocess.Popen]]:
    """Give the address of a running server of its own, and its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        *(Path(sys.executable).with_name("mlflow"), "server", "--workers", "1"),
        *("--backend-store-uri", f"sqlite:///{tmp_path / 'server.db'}"),
        *("--artifacts-destination", tmp_path / "artifacts"),
        *("--host", "127.0.0.1", "--port", port),
    ]
    with (tmp_path / "server.log").open("w") as log:
        process = subprocess.Popen(
            [str(word) for word in command],
            stdout=log,
            stderr=log,
            start_new_session=True,
            env=os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address)
        yield address, process
    finally:
        _stop(process)


def _wait_for(address: str) -> None:
    deadline_s = time.monotonic() + STARTS_WITHIN_S
    while True:
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=5):
                return
        except OSError:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.5)


def _stop(process: subprocess.Popen) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def test_a_server_keeps_runs_and_models_and_its_loss_is_a_sentence(digits, server, tmp_path):
    address, process = server
    ours = ("--workspace", tmp_path / "workspace", "--set", f"tracking.mlflow.uri={address}")
    quick = ("--set", "trainer.epochs=1", "--set", "evaluation.min_accuracy=0.1")
    result = digits.run(*ours, *quick)
    assert result.code == 0, result.err
    assert Path(result.summary["pushed_path"], "saved_model.pb").is_file()
    (model,) = json.loads(digits.command("models", "--json", *ours).out)
    assert model["aliases"] == ["champion"]
    assert model["path"] == result.summary["pushed_path"]
    assert not (tmp_path / "workspace" / "mlflow.db").exists()
    # What the server's page of the version shows.
    shown = f"{address}/model-versions/get-artifact?name=digits&version=1&path=MLmodel"
    with urllib.request.urlopen(shown, timeout=60) as answer:
        assert json.loads(yaml.safe_load(answer)["signature"]["inputs"])[0]["name"] == "image_bytes"

    _stop(process)
    lost = digits.command("models", *ours)
    assert lost.code == 1
    assert f"expected an MLflow store that answers at {address}" in lost.err
    assert "Traceback" not in lost.err

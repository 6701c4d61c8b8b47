"""`imgpipe doctor` works with and without a config, and ends with 2 where a run would stop."""

import json
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from contracts.config.pipeline_config import PipelineConfig
from pipeline.cli import main
from pipeline.commands import doctor
from pipeline.doctor.probe import ProbedBackend
from pipeline.doctor.software import software_findings
from pipeline.doctor.stores import mlflow_finding, without_password

CONFIG = PipelineConfig(name="x", data={"root": Path("/")})


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TF_CONFIG", raising=False)
    return tmp_path


@pytest.fixture
def quick(monkeypatch) -> None:
    """TensorFlow is not asked."""
    monkeypatch.setattr(doctor, "probe", lambda precision: ProbedBackend("tensorflow", precision))


def printed_findings(capsys) -> dict[str, dict]:
    return {found["name"]: found for found in json.loads(capsys.readouterr().out)}


def test_the_real_machine_without_a_config(capsys):
    code = main(["doctor", "--json"])
    found = printed_findings(capsys)
    assert code == (2 if any(one["state"] == "problem" for one in found.values()) else 0)
    for name in ("config", "python", "libraries", "keras backend", "trained on", "mlflow"):
        assert found[name]["state"] == "ok", found[name]
    assert found["config"]["text"] == "no pipeline.yaml here: the defaults are assumed"
    assert "TensorFlow 2." in found["libraries"]["text"]
    assert found["keras backend"]["text"] == "tensorflow"
    assert found["precision"]["text"].split()[0] in ("float32", "mixed_bfloat16", "mixed_float16")


def test_lines_for_people_have_the_next_step(quick, monkeypatch, capsys):
    monkeypatch.setenv("TF_CONFIG", "{")
    assert main(["doctor", "--set", "name=x", "--set", "data.root=/", "--config", "no.yaml"]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert "no.yaml: expected a config file, found none" in lines[0]
    at = next(i for i, line in enumerate(lines) if "TF_CONFIG" in line)
    assert lines[at].startswith("problem")
    assert "-> Correct it, or unset it." in lines[at + 1]


def test_a_wrong_config_is_a_problem_among_the_others(quick, folder, capsys):
    (folder / "pipeline.yaml").write_text("name: x\ndata: {root: gone}\ntrainer: {epochs: 0}\n")
    assert main(["doctor", "--json"]) == 2
    found = printed_findings(capsys)
    assert "trainer.epochs: expected an integer >= 1" in found["config"]["text"]
    assert found["beam runner"]["text"] == "direct"


def test_the_config_says_what_training_will_use(quick, folder, capsys):
    (folder / "pipeline.yaml").write_text(
        "name: x\ndata: {root: gone}\ntrainer: {precision: mixed_bfloat16}\n"
    )
    assert main(["doctor", "--json"]) == 0
    assert printed_findings(capsys)["precision"]["text"].startswith("mixed_bfloat16")


def test_a_missing_library_and_a_missing_extra_that_is_needed():
    versions = {"tfx": "1.16.0"}
    found = {one.name: one for one in software_findings(CONFIG, versions.get)}
    assert found["imgpipe[cleanlab]"].state == "ok"
    needs_it = CONFIG.model_validate(
        {"name": "x", "data": {"root": "/"}, "validation": {"likely_mislabelled": CHECK}}
    )
    first, *others = software_findings(needs_it, versions.get)
    assert (first.state, first.name) == ("problem", "libraries")
    assert "TensorFlow" in first.text and "TFX" not in first.text
    states = {one.name: one.state for one in others}
    assert (states["imgpipe[cleanlab]"], states["imgpipe[wandb]"]) == ("problem", "ok")


CHECK = {"severity": "warn", "threshold": 0.05}


class _Answer(BaseHTTPRequestHandler):
    """Answers /health as MLflow does, and everything else with a failure."""

    def do_GET(self) -> None:
        self.send_response({"/health": 200, "/login/health": 401}.get(self.path, 503))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    """The address of a server."""
    with HTTPServer(("127.0.0.1", 0), _Answer) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_mlflow_servers(server, tmp_path):
    db = tmp_path / "mlflow.db"
    assert mlflow_finding(server, db).state == "ok"
    assert mlflow_finding(f"{server}/login", db).state == "ok"
    assert "answers with 503" in mlflow_finding(f"{server}/broken", db).text
    nobody = mlflow_finding("http://127.0.0.1:9", db)
    assert nobody.state == "problem" and "does not answer" in nobody.text


def test_mlflow_files(tmp_path):
    db = tmp_path / "mlflow.db"
    assert "which the first run makes" in mlflow_finding(None, db).text
    db.touch()
    assert mlflow_finding(None, db).text == f"SQLite, {db}"
    assert mlflow_finding(f"sqlite:///{db}", db).state == "ok"
    assert mlflow_finding(f"sqlite:///{tmp_path}/gone/mlflow.db", db).state == "problem"


def test_a_password_is_not_shown():
    shown = without_password("http://me:secret@host:5000/path")
    assert shown == "http://***@host:5000/path"


def test_tensorflow_is_not_imported_here():
    script = (
        "import sys, pipeline.commands.doctor\n"
        "assert not {'tensorflow', 'keras', 'tfx', 'mlflow', 'rich'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)

"""What a user sees where there is no terminal, and that libraries' noise goes to the log."""

import io
import os
import subprocess
import sys

from contracts.system import progress
from pipeline.local import terminal as terminal_module
from pipeline.local.terminal import Terminal
from pipeline.summary import ComponentSummary

DONE = ComponentSummary(state="done", seconds=1.25, cached=False, why="first run")


def test_plain_lines_where_there_is_no_terminal(monkeypatch):
    monkeypatch.setattr(terminal_module, "SECONDS_BETWEEN_LINES", 0.0)
    stream = io.StringIO()
    with Terminal(stream).showing() as terminal:
        terminal.shows(["Trainer"])
        terminal.began("Trainer")
        progress.report_progress(3, 10, "steps", "(epoch 1/2) [x]")
        terminal.ended("Trainer", DONE)
        progress.report_progress(4, 10, "steps")
    assert stream.getvalue().splitlines() == [
        "Trainer: 3 of 10 steps (epoch 1/2) [x]",
        "Trainer: done in 1.2 s (first run)",
    ]


def test_progress_of_what_runs_beside_is_its_own(monkeypatch):
    monkeypatch.setattr(terminal_module, "SECONDS_BETWEEN_LINES", 0.0)
    stream = io.StringIO()
    with Terminal(stream).showing() as terminal:
        terminal.shows(["ImageTransform", "ImageValidator"])
        terminal.began("ImageTransform")
        progress.report_progress(1, 0, "images", component="ImageValidator")  # it has not begun
        terminal.began("ImageValidator", is_beside=True)
        progress.report_progress(2, 0, "images")
        progress.report_progress(3, 0, "images", component="ImageValidator")
    assert stream.getvalue().splitlines() == [
        "ImageTransform: 2 images",
        "ImageValidator: 3 images",
    ]


def test_libraries_noise_goes_to_the_log_from_python_and_from_c(tmp_path):
    code = (
        "import logging, os, sys; from pathlib import Path; "
        "from pipeline.local.output import output_in\n"
        "with output_in(Path('run.log')) as terminal:\n"
        "    print('printed'); logging.warning('logged'); os.write(2, b'from C\\n')\n"
        "    os.system('echo from a child')\n"
        "    terminal.write('for the user\\n')\n"
        "print('afterwards')\n"
        "class Late:\n"
        "    def __del__(self): os.write(2, b'at the end\\n')\n"
        "sys.late = Late()\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert run.stdout == "afterwards\n"
    assert run.stderr == "for the user\n"
    log = (tmp_path / "run.log").read_text()
    for words in ("printed", "logged", "from C", "from a child"):
        assert words in log


def test_the_log_has_progress_from_time_to_time_and_whatever_else_is_logged(tmp_path):
    code = (
        "import logging; from pathlib import Path\n"
        "from contracts.system.progress import report_progress\n"
        "from contracts.system import progress; "
        "from pipeline.local.output import output_in\n"
        "with output_in(Path('run.log')):\n"
        "    for done in range(1000):\n"
        "        report_progress(done, 0, 'images')\n"
        "    report_progress(1, 2, 'pictures'); report_progress(2, 2, 'pictures')\n"
        "    logging.info('logged'); logging.info('logged too')\n"
        "    progress.SECONDS_BETWEEN_LINES = 0.0\n"
        "    report_progress(1000, 0, 'images')\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    said = [line.partition(": ")[2] for line in (tmp_path / "run.log").read_text().splitlines()]
    assert said == ["0 images", "2 of 2 pictures", "logged", "logged too", "1,000 images"]


def test_a_log_that_cannot_be_written_any_more_leaves_the_terminal_clean(tmp_path):
    code = (
        "import logging; from pathlib import Path; "
        "from pipeline.local.output import output_in\n"
        "with output_in(Path('/dev/full')) as terminal:\n"
        "    print('lost'); logging.warning('lost too'); terminal.write('for the user\\n')\n"
        "print('afterwards')\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "afterwards\n", "for the user\n")

"""The page about the data shows the issues, samples long lists, and needs no network."""

import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from contracts.artifacts.image_issues import DataReport, Issue
from contracts.config.validation import CHECKS
from pipeline.report import data_page
from pipeline.report.data_page import write_data_page
from pipeline.report.data_record import read_data_record

NOBODY = "not an origin"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def browser() -> str:
    """A headless Chromium; the environment variable CHROMIUM names one that is not on PATH."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("no Chromium on PATH: install one, or name it in CHROMIUM")
    return found


def written(made, report: DataReport, tmp_path: Path) -> tuple[Path, str]:
    page = tmp_path / "data.html"
    write_data_page(page, "20260101-000000", made.found(report))
    return page, page.read_text(encoding="utf-8")


def opened(browser: str, page: Path) -> tuple[str, set[str]]:
    """Return the page as the browser has laid it out, and the addresses that it asked for."""
    log = page.with_suffix(".net.json")
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--log-net-log={log}"]
    command += ["--dump-dom", page.as_uri()]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    requests = (event.get("params", {}) for event in json.loads(log.read_text())["events"])
    # What the browser asks for by itself comes from no origin.
    asked = {one["url"] for one in requests if one.get("initiator", NOBODY) != NOBODY}
    return run.stdout, asked


def test_every_check_is_explained():
    assert set(data_page.MEANINGS) == set(CHECKS)


def test_verdict_counts_pictures_and_quarantine_are_on_the_page(made_data, tmp_path):
    made = made_data()
    report = DataReport(
        [
            Issue("label_conflict", "fail", 1, [made.names[:2]]),
            Issue("drift", "warn", 1, [], ["train: image/width differs by <0.40>"]),
        ],
        ["a note"],
    )
    _, text = written(made, report, tmp_path)
    assert "Not to be trained on." in text
    assert "validation.label_conflict: expected none, found 1" in text
    assert "43 files found = 40 ingested + 3 quarantined" in text
    assert "80.0 %" in text  # of the images, as configured, beside the 100.0 % that came out
    assert "100.0 %" in text
    assert text.count("data:image/jpeg;base64,") == 2
    assert "differs by &lt;0.40&gt;" in text
    assert "a/broken &lt;2&gt;.jpg" in text
    assert "a note" in text
    _, text = written(made, DataReport([]), tmp_path)
    assert "May be trained on." in text
    assert "Nothing was found." in text


def test_a_sample_is_said_to_be_one(made_data, tmp_path):
    made = made_data(images=400, quarantined=300)
    issues = [
        Issue("dark", "warn", 400, [[name] for name in made.names]),
        Issue("exact_duplicate", "warn", 1, [made.names]),
    ]
    _, text = written(made, DataReport(issues), tmp_path)
    pictures = data_page.GROUPS_SHOWN + data_page.PICTURES_SHOWN
    assert text.count("data:image/jpeg;base64,") == pictures
    assert f"a sample is shown, {400 - data_page.GROUPS_SHOWN} are not" in text
    assert f"and {400 - data_page.PICTURES_SHOWN} more" in text
    assert "the first 200 are shown" in text


def test_sampled_pictures_stand_under_their_own_sentences(made_data, tmp_path):
    made = made_data(images=30)
    groups = [[name] for name in made.names]
    details = [f"sentence of {name}." for name in made.names]
    issue = Issue("class_too_small", "warn", 30, groups, details)
    _, text = written(made, DataReport([issue]), tmp_path)
    shown = re.findall(r"sentence of (\S+)\.</p>.*?alt=\"([^\"]+)\"", text, re.DOTALL)
    assert len(shown) == data_page.GROUPS_SHOWN
    assert all(said == path for said, path in shown)


def test_the_page_opens_from_disk_and_asks_for_nothing(made_data, tmp_path, browser):
    made = made_data()
    report = DataReport([Issue("dark", "warn", 2, [[name] for name in made.names[:2]])])
    page, text = written(made, report, tmp_path)
    assert not re.search(r"""(src|href)=["'](?!data:|#)""", text)
    dom, asked = opened(browser, page)
    assert "Data of run 20260101-000000" in dom
    assert dom.count("<img") == 2
    assert {url for url in asked if not url.startswith("data:")} == set()
    other = tmp_path / "other.html"
    other.write_text('<!doctype html><img src="http://127.0.0.1:9/x.png">')
    assert opened(browser, other)[1] == {"http://127.0.0.1:9/x.png"}


def test_a_page_about_very_many_images_opens_as_one_about_few_does(made_data, tmp_path, browser):
    made = made_data(images=100_000, quarantined=5_000)
    groups = [[name] for name in made.names[:60_000]]
    issues = [Issue(name, "warn", len(groups), groups) for name in CHECKS]
    page, text = written(made, DataReport(issues), tmp_path)
    assert len(text) < 2_000_000
    blank = tmp_path / "blank.html"
    blank.write_text("<!doctype html><title>nothing</title>")
    began_s = time.monotonic()
    opened(browser, blank)
    starts_s = time.monotonic() - began_s
    began_s = time.monotonic()
    dom, _ = opened(browser, page)
    assert "60,000" in dom
    assert time.monotonic() - began_s < starts_s + 3


def test_the_page_of_a_refused_ingestion_is_made_of_the_manifest(made_data, tmp_path):
    page = tmp_path / "data.html"
    write_data_page(page, "20260101-000000", made_data().refused())
    text = page.read_text(encoding="utf-8")
    assert "Not to be trained on." in text
    assert "expected a readable image in every split, found none for validation and test" in text
    assert "Nothing was found." not in text
    assert "43 files found = 40 ingested + 3 quarantined" in text
    assert "a/broken &lt;2&gt;.jpg" in text


def test_the_json_is_what_scripts_read(made_data):
    made = made_data()
    issue = Issue("dark", "fail", 1, [["a/000000.png"]])
    found = read_data_record(made.found(DataReport([issue], ["a note"]))).as_json()
    assert found["reasons"] == [issue.sentence]
    assert found["issues"] == [
        {
            "name": "dark",
            "severity": "fail",
            "count": 1,
            "groups": [["a/000000.png"]],
            "details": [],
        }
    ]
    assert found["notes"] == ["a note"]

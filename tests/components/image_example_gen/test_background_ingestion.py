"""What a background ingestion prepares is what the component would have written itself."""

from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from components.image_example_gen import background_ingestion
from components.image_example_gen.background_ingestion import BackgroundIngestion
from components.image_example_gen.ingestion import IngestionTarget
from components.image_example_gen.listing.layout_reading import read_layout
from components.image_example_gen.prepared_ingestion import PreparedIngestion
from contracts.artifacts import features
from contracts.artifacts.manifest.dataset import read_dataset
from contracts.artifacts.manifest.rows import read_rows
from contracts.config.data import DataConfig
from contracts.images.reading import READING_FILE


def target_in(folder: Path, listing: str = "listing") -> IngestionTarget:
    target = IngestionTarget(str(folder / "examples"), str(folder / "manifest"), listing)
    for uri in (target.examples_uri, target.manifest_uri):
        Path(uri).mkdir(parents=True)
    return target


def ingesting(root: Path, folder: Path) -> AbstractContextManager[BackgroundIngestion]:
    data = DataConfig(root=root)
    return background_ingestion.background_ingestion(read_layout(data), data, 2, folder)


def test_it_is_taken_once_and_whole(image_folder: Path, tmp_path: Path) -> None:
    (image_folder / "cat" / "broken.jpg").write_bytes(b"broken")
    target, prepared = target_in(tmp_path / "out"), PreparedIngestion(tmp_path / "prepared")
    with ingesting(image_folder, prepared.folder) as ingestion:
        assert sum(len(some) for some in ingestion.digests()) == 81
        assert not prepared.move_to(target)
        ingestion.mark_ready("listing")
        assert not prepared.move_to(target_in(tmp_path / "other", "another"))
        assert prepared.move_to(target)
        assert not prepared.move_to(target)
    assert not prepared.folder.exists()
    assert not prepared.move_to(target)
    dataset = read_dataset(target.manifest_uri)
    assert (dataset.listing_digest, dataset.found, dataset.ingested) == ("listing", 81, 80)
    assert len(read_rows(target.manifest_uri)) == 81
    found = {path.name for path in Path(target.examples_uri).iterdir()}
    files = {features.LABELS_FILE, READING_FILE}
    assert found == files | {f"Split-{split}" for split in features.SPLITS}


def test_a_component_that_failed_while_it_took_it_does_not_find_it_again(
    image_folder: Path, tmp_path: Path
) -> None:
    target, prepared = target_in(tmp_path / "out"), PreparedIngestion(tmp_path / "prepared")
    with ingesting(image_folder, prepared.folder) as ingestion:
        list(ingestion.digests())
        ingestion.mark_ready("listing")
        Path(target.manifest_uri).rmdir()
        with pytest.raises(OSError):
            prepared.move_to(target)
        assert not prepared.move_to(target_in(tmp_path / "again"))


def test_what_fails_is_left_to_the_component(
    image_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(background_ingestion, "ingest_dataset", fail)
    target, prepared = target_in(tmp_path / "out"), PreparedIngestion(tmp_path / "prepared")
    with ingesting(image_folder, prepared.folder) as ingestion:
        assert list(ingestion.digests()) == []
        ingestion.mark_ready("listing")
        assert not prepared.move_to(target)
    assert "the background ingestion failed" in caplog.text
    assert list(Path(target.examples_uri).iterdir()) == []


def test_images_to_be_refused_are_read_once_and_taken(image_folder: Path, tmp_path: Path) -> None:
    for path in (image_folder / "dog").iterdir():
        path.write_bytes(b"no image")
    target, prepared = target_in(tmp_path / "out"), PreparedIngestion(tmp_path / "prepared")
    with ingesting(image_folder, prepared.folder) as ingestion:
        assert sum(len(some) for some in ingestion.digests()) == 80
        ingestion.mark_ready("listing")
        assert prepared.move_to(target)
    dataset = read_dataset(target.manifest_uri)
    assert (dataset.listing_digest, dataset.ingested, dataset.quarantined) == ("listing", 40, 40)


def test_an_interruption_ends_it_and_leaves_nothing(image_folder: Path, tmp_path: Path) -> None:
    with (
        pytest.raises(KeyboardInterrupt),
        ingesting(image_folder, tmp_path / "prepared"),
    ):
        raise KeyboardInterrupt
    assert not (tmp_path / "prepared").exists()

"""The past ingestions that a run takes over."""

from collections.abc import Callable
from pathlib import Path

from components.image_example_gen.ingestion import (
    IngestionTarget,
    decode_limits,
    ingest_dataset,
    ingest_shards,
)
from components.image_example_gen.listing.layout_reading import read_layout
from contracts.config.pipeline_config import PipelineConfig
from contracts.images.isolation.pool import open_pool
from pipeline.local.run_images import RunImages
from pipeline.preflight.preflight import Preflight
from pipeline.workspace import Workspace


def ingested(config: PipelineConfig, workspace: Workspace, number: int) -> None:
    """Put an ingestion of the images where that of a run lies."""
    places = (
        workspace.pipeline_root / "ImageExampleGen" / key / str(number)
        for key in ("examples", "manifest")
    )
    target = IngestionTarget(*map(str, places), "listing")
    with open_pool(2, decode_limits(config.data)) as pool:
        ingest_dataset(
            read_layout(config.data),
            config.data,
            pool,
            target,
            lambda *job: ingest_shards(pool, *job),
        )


def test_a_refused_ingestion_is_no_earlier_one(
    tmp_path: Path, write_image: Callable[..., Path]
) -> None:
    root = tmp_path / "photos"
    for seed in range(24):
        write_image(root / "ab"[seed % 2] / f"{seed:02}.png", seed=seed)
    config = PipelineConfig.model_validate({"name": "toys", "data": {"root": root}})
    workspace = Workspace(tmp_path / "workspace")
    workspace.root.mkdir()

    def images() -> RunImages:
        return RunImages(Preflight(config, read_layout(config.data), tmp_path), workspace)

    readable = {path: path.read_bytes() for path in (root / "b").iterdir()}
    for path in readable:
        path.write_bytes(b"no image")
    ingested(config, workspace, 1)
    assert images().are_new
    for path, raw in readable.items():
        path.write_bytes(raw)
    ingested(config, workspace, 2)
    assert not images().are_new

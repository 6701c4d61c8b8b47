"""Figures say what was measured, keep it, and say when a limit is missed."""

import io

import pytest

from bench import figures
from bench.figures import CostRatio
from bench.images import SMALL, add_images, image_folder


def test_the_ratio_is_the_median_of_the_pairs():
    drifting = CostRatio("overhead", ours=[1.0, 4.0, 9.0], other=[2.0, 2.0, 3.0], limit=2.0)
    assert drifting.ratio == 2.0
    assert drifting.holds
    assert not CostRatio("overhead", [2.1], [1.0], limit=2.0).holds
    with pytest.raises(ValueError, match="argument 2"):
        _ = CostRatio("overhead", [1.0], [1.0, 2.0]).ratio


def test_figures_survive_their_file_and_stand_beside_new_ones(tmp_path):
    kept = [CostRatio("a", [1.0], [2.0], "MiB", 0.4), CostRatio("b", [3.0], [1.0])]
    figures.write(kept, True, tmp_path / "bench.json")
    assert figures.read(tmp_path / "bench.json") == (kept, True)
    stream = io.StringIO()
    figures.print_table([CostRatio("a", [1.0], [4.0], "MiB", 0.4)], kept, stream)
    assert stream.getvalue().split() == [
        *("figure", "ours", "other", "ratio", "limit", "before"),
        *("a", "1.00", "4.00", "MiB", "0.25", "0.40", "0.50"),
    ]
    stream = io.StringIO()
    figures.print_table(kept, [], stream)
    assert "0.40 MISSED" in stream.getvalue()


def test_the_same_numbers_are_the_same_pictures(tmp_path):
    made = image_folder(SMALL, 20, tmp_path)
    assert image_folder(SMALL, 20, tmp_path) == made
    add_images(SMALL, range(15, 30), tmp_path / "more")
    both = {path.name for path in made.rglob("*.jpg")} & {
        path.name for path in (tmp_path / "more").rglob("*.jpg")
    }
    assert len(both) == 5
    for name in both:
        (one,), (other,) = made.rglob(name), (tmp_path / "more").rglob(name)
        assert one.read_bytes() == other.read_bytes()
    assert len({path.read_bytes() for path in made.rglob("*.jpg")}) == 20

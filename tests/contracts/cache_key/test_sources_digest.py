import sys
from pathlib import Path

import pytest

from contracts.cache_key.sources_digest import sources_digest


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package whose import would fail."""
    folder = tmp_path / "one" / "digested"
    (folder / "below").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError")
    (folder / "module.py").write_text("a = 1")
    (folder / "below" / "module.py").write_text("b = 1")
    monkeypatch.syspath_prepend(str(folder.parent))
    sources_digest.cache_clear()
    return folder


def digest(*modules: str) -> str:
    sources_digest.cache_clear()
    return sources_digest(*modules)


def test_every_source_below_a_package_counts(package: Path) -> None:
    before = digest("digested")
    assert digest("digested") == before
    assert len(before) == 64
    (package / "below" / "module.py").write_text("b = 2")
    changed = digest("digested")
    (package / "below" / "module.py").rename(package / "below" / "renamed.py")
    assert len({before, changed, digest("digested")}) == 3
    assert "digested" not in sys.modules


def test_a_module_stands_for_itself(package: Path) -> None:
    before = digest("digested.module")
    (package / "below" / "module.py").write_text("b = 2")
    assert digest("digested.module") == before
    assert digest("digested.module", "digested.below.module") != before


def test_the_place_of_installation_does_not_count(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = digest("digested")
    (tmp_path / "two").mkdir()
    package.rename(tmp_path / "two" / "digested")
    monkeypatch.syspath_prepend(str(tmp_path / "two"))
    assert digest("digested") == before


@pytest.mark.parametrize("module", ["no_such_package", "digested.no_such_module", "sys"])
def test_a_module_without_source_is_refused(package: Path, module: str) -> None:
    with pytest.raises(ModuleNotFoundError, match=module):
        digest(module)

import sys
from pathlib import Path

import pytest

from contracts.code_digest import code_digest, trainers_digest, users_digest
from contracts.module_sources import module_file
from contracts.training import TrainerConfig
from contracts.users_code import UsersCode


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package whose import would fail."""
    folder = tmp_path / "one" / "digested"
    (folder / "below").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError")
    (folder / "module.py").write_text("a = 1")
    (folder / "below" / "module.py").write_text("b = 1")
    monkeypatch.syspath_prepend(str(folder.parent))
    code_digest.cache_clear()
    return folder


def digest(*modules: str) -> str:
    code_digest.cache_clear()
    return code_digest(*modules)


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


def test_another_version_of_a_library_is_another_digest(monkeypatch) -> None:
    code_digest.cache_clear()
    before = code_digest("contracts", libraries=("pillow",))
    monkeypatch.setattr("importlib.metadata.version", lambda _: "0.1")
    code_digest.cache_clear()
    assert code_digest("contracts", libraries=("pillow",)) != before


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


def test_the_projects_own_packages_are_found() -> None:
    assert digest("contracts", "components.image_example_gen") != digest("contracts")


@pytest.fixture
def net(tmp_path: Path) -> Path:
    """A user's file with a module beside it, both of which would fail to be imported."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "blocks.py").write_text("raise RuntimeError")
    (folder / "unrelated.py").write_text("a = 1")
    (folder / "net.py").write_text("import blocks\nraise RuntimeError")
    return folder / "net.py"


def of_file(net: Path, *files: Path) -> str:
    return users_digest([UsersCode(str(net), "build")], files)


def test_a_users_file_counts_with_what_it_imports_beside_it(net: Path) -> None:
    digests = [of_file(net)]
    for name in ("blocks.py", "net.py"):
        with (net.parent / name).open("a") as file:
            file.write("\nb = 2")
        digests.append(of_file(net))
    assert len(set(digests)) == 3
    (net.parent / "unrelated.py").write_text("a = 2")
    assert of_file(net) == digests[-1]
    net.parent.rename(net.parent.with_name("moved"))
    assert of_file(net.parent.with_name("moved") / "net.py") == digests[-1]


def test_a_users_module_counts_with_what_it_imports_beside_it(net: Path, monkeypatch) -> None:
    monkeypatch.syspath_prepend(str(net.parent))
    code_digest.cache_clear()
    before = users_digest([UsersCode("net", "build")])
    (net.parent / "blocks.py").write_text("b = 2")
    assert users_digest([UsersCode("net", "build")]) != before
    assert module_file("net") == net


def test_files_that_are_no_code_count_by_their_content(net: Path, tmp_path: Path) -> None:
    weights = tmp_path / "first.keras"
    weights.write_bytes(b"1")
    before = of_file(net, weights)
    weights.write_bytes(b"2")
    assert len({before, of_file(net, weights), of_file(net)}) == 3


def test_all_that_several_trainings_name_counts_once(net: Path, tmp_path: Path) -> None:
    weights = tmp_path / "first.keras"
    weights.write_bytes(b"1")
    first = TrainerConfig(model=f"{net}:build", weights=str(weights))
    second = TrainerConfig(loss=f"{net}:Loss", weights=str(weights))
    assert trainers_digest(first) == of_file(net, weights) == trainers_digest(first, first)
    both = trainers_digest(first, second)
    assert both == users_digest(
        [UsersCode(str(net), "build"), UsersCode(str(net), "Loss")], [weights]
    )
    net.write_text("b = 3")
    assert trainers_digest(first, second) != both


def test_what_is_no_python_is_named(net: Path) -> None:
    (net.parent / "blocks.py").write_text("def")
    with pytest.raises(SyntaxError) as raised:
        of_file(net)
    assert raised.value.filename == str(net.parent / "blocks.py")

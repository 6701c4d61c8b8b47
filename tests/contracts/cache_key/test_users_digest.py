from pathlib import Path

import pytest

from contracts.cache_key.module_sources import module_file
from contracts.cache_key.sources_digest import sources_digest
from contracts.cache_key.users_digest import trainers_digest, users_digest
from contracts.config.trainer.config import TrainerConfig
from contracts.config.trainer.users_code import UsersCode


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
    sources_digest.cache_clear()
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

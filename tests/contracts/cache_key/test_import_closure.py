import sys
from pathlib import Path

import pytest

from contracts.cache_key.import_closure import _source, import_closure

START = "components.one.executor"

# Each would fail if it were imported.
SOURCES = {
    "components/__init__.py": "",
    "components/one/__init__.py": "raise RuntimeError",
    "components/one/executor.py": (
        '"""Work."""\n'
        "from typing import TYPE_CHECKING\n"
        "import contracts.words\n"
        "from components.one import core\n"
        "if TYPE_CHECKING:\n"
        "    from trainer.kinds import Kind\n"
        "else:\n"
        "    import trainer.others\n"
        "raise RuntimeError\n"
    ),
    "components/one/core.py": (
        "import os\n"
        "class Work:\n"
        '    """Work."""\n'
        "    def do(self):\n"
        '        """Do it."""\n'
        "        try:\n"
        "            import json\n"
        "        except ImportError:\n"
        "            from contracts.late import late  # rarely\n"
        "        return late\n"
    ),
    "components/one/unrelated.py": "a = 1",
    "contracts/__init__.py": "",
    "contracts/words.py": "from contracts import late",
    "contracts/late.py": "from contracts.words import word\nlate = 1",
    "contracts/unrelated.py": "",
    "trainer/__init__.py": "",
    "trainer/kinds.py": "",
    "trainer/others.py": "",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in SOURCES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def closure(root: Path) -> dict[str, str]:
    _source.cache_clear()
    found = import_closure(START, str(root))
    return {name: source.code for name, source in found.items()}


def test_what_a_module_imports_counts_also_late_and_through_others(root: Path) -> None:
    assert list(closure(root)) == [
        *("components", "components.one", "components.one.core", START),
        *("contracts", "contracts.late", "contracts.words"),
        *("trainer", "trainer.others"),
    ]
    assert START not in sys.modules


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("components/one/executor.py", '"""Work."""', '"""Other\n\nwords."""'),
        ("components/one/core.py", '"""Do it."""', '"""Do all of it."""'),
        ("components/one/core.py", '    """Work."""\n', ""),
        ("components/one/core.py", "  # rarely", ""),
        ("contracts/late.py", "late = 1", "\n\nlate   =   1\n# the end"),
        ("components/one/unrelated.py", "a = 1", "a = 2"),
        ("trainer/kinds.py", "", "a = 1"),
    ],
)
def test_comments_docstrings_and_other_modules_change_nothing(
    root: Path, file: str, old: str, new: str
) -> None:
    before = closure(root)
    text = (root / file).read_text()
    assert old in text
    (root / file).write_text(text.replace(old, new, 1))
    assert closure(root) == before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("components/one/core.py", "return late", "return late + 1"),
        ("components/one/__init__.py", "", "b = 1\n"),
        ("contracts/late.py", "late = 1", "late = 2"),
        ("contracts/late.py", "late = 1", "late = '1'"),
    ],
)
def test_other_code_is_another_closure(root: Path, file: str, old: str, new: str) -> None:
    before = closure(root)
    text = (root / file).read_text()
    (root / file).write_text(text.replace(old, new, 1))
    assert closure(root) != before


def test_a_module_that_is_not_there_is_named(root: Path) -> None:
    with pytest.raises(ModuleNotFoundError, match=r"^no\.such: expected a module in "):
        import_closure("no.such", str(root))

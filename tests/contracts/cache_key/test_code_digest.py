import pytest

from contracts.cache_key.code_digest import code_digest

MODULE = "components.model_gate.executor"


@pytest.fixture(autouse=True)
def anew():
    code_digest.cache_clear()
    yield
    code_digest.cache_clear()


def test_modules_that_run_other_code_have_other_digests() -> None:
    digests = [code_digest(MODULE), code_digest("components.model_pusher.executor")]
    assert len(set(digests)) == 2
    assert {len(digest) for digest in digests} == {64}


def test_another_version_of_a_library_is_another_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    before = code_digest(MODULE, libraries=("pillow",))
    monkeypatch.setattr("importlib.metadata.version", lambda _: "0.1")
    code_digest.cache_clear()
    assert code_digest(MODULE, libraries=("pillow",)) != before

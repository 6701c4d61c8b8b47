from tests.trainer.conftest import copies, dataset  # noqa: F401

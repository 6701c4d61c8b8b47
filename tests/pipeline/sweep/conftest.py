from tests.trainer.conftest import dataset  # noqa: F401

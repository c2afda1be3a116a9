from tests.training.conftest import dataset, make_trainer, run

__all__ = ["dataset", "make_trainer", "run"]

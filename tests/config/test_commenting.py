import yaml

from rnnlm.config import Config
from rnnlm.config.commenting import commented_yaml


def test_without_comments_it_is_the_plain_file() -> None:
    config = Config.model_validate({"model": {"softmax_cutoffs": [20, 300]}, "data": {"path": "data/a: b"}})
    assert commented_yaml(config.values(), {}) == config.to_yaml()


def test_comments_stand_above_what_they_are_about() -> None:
    values = {"data": {"path": "x"}, "model": {"cell": "lstm", "softmax_cutoffs": [1, 2]}}
    comments = {"": "One.\nTwo.", "model": "A network.", "model.cell": "word " * 40, "model.width": "Left out."}
    text = commented_yaml(values, comments)
    assert yaml.safe_load(text) == values
    assert text.startswith("# One.\n# Two.\n\ndata:\n  path: x\n\n# A network.\nmodel:\n  # word word")
    assert "Left out" not in text
    assert max(map(len, text.splitlines())) <= 100

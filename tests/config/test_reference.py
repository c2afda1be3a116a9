import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from rnnlm.config import SECTIONS, Config
from rnnlm.config.reference import example, schema
from rnnlm.errors import RnnlmError

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))


def test_the_example_has_every_key_and_loads_to_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "example.yaml"
    path.write_text(example(), encoding="utf-8")
    assert Config.load(path) == Config()
    assert yaml.safe_load(example()) == Config().model_dump()


def test_the_example_says_what_every_key_means() -> None:
    comments = " ".join(line.strip("# ") for line in example().splitlines() if line.strip().startswith("#"))
    for section in SECTIONS.values():
        for field in section.model_fields.values():
            assert str(field.description).replace("`", "") in comments


def test_the_schema_has_every_key_with_its_meaning_default_and_values() -> None:
    sections = schema()["properties"]
    assert list(sections) == list(SECTIONS)
    for name, section in SECTIONS.items():
        assert not sections[name]["additionalProperties"]
        keys = sections[name]["properties"]
        assert list(keys) == list(section.model_fields)
        for key, field in section.model_fields.items():
            assert keys[key]["description"] == field.description
            assert keys[key]["default"] == field.default
    assert sections["schedule"]["properties"]["factor"]["exclusiveMaximum"] == 1
    assert sections["model"]["properties"]["nonlinearity"]["enum"] == ["tanh", "relu", "linear"]
    assert "$ref" not in json.dumps(schema())


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_the_ready_made_configurations_fit_the_schema(path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.validate(yaml.safe_load(path.read_text(encoding="utf-8")), schema())


@pytest.mark.parametrize(
    ("values", "fits"),
    [
        (None, True),
        ({"model": None, "training": {"epochs": 3}}, True),
        ({"modle": {}}, False),
        ({"model": {"hiden_size": 3}}, False),
        ({"model": {"hidden_size": 0}}, False),
        ({"model": {"cell": "gur"}}, False),
        ({"model": {"hidden_size": None}}, False),
    ],
)
def test_the_schema_and_the_program_agree(tmp_path: Path, values: Any, fits: bool) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    assert jsonschema.Draft7Validator(schema()).is_valid(values) == fits
    path = tmp_path / "c.yaml"
    path.write_text(yaml.safe_dump(values))
    if fits:
        Config.load(path)
    else:
        with pytest.raises(RnnlmError):
            Config.load(path)

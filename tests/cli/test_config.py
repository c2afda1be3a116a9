import pytest

from rnnlm.config import Config
from rnnlm.config.reference import schema

from .conftest import Command


def test_the_example_goes_to_stdout_and_is_a_configuration(rnnlm: Command) -> None:
    outcome = rnnlm("config", "--example")
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    with open("example.yaml", "w", encoding="utf-8") as file:
        file.write(outcome.stdout)
    assert Config.load("example.yaml") == Config()


def test_the_schema_is_one_json_object(rnnlm: Command) -> None:
    outcome = rnnlm("config", "--schema")
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    assert outcome.json == schema()


@pytest.mark.parametrize("arguments", [[], ["--example", "--schema"]])
def test_one_of_the_two_is_asked_for(rnnlm: Command, arguments: list[str]) -> None:
    outcome = rnnlm("config", *arguments)
    assert outcome.exit_code == 2
    assert outcome.stdout == ""
    assert "Give one of --for, --example and --schema." in outcome.stderr

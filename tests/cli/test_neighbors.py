from pathlib import Path

import numpy as np
import pytest

import rnnlm as package
from rnnlm.evaluation.neighbors import nearest_words

from .conftest import Command


@pytest.mark.parametrize(("level", "word"), [("word", "cat"), ("char", "e")])
def test_neighbors_are_ordered_by_the_cosine_of_the_learned_vectors(
    rnnlm: Command, level: str, word: str, request: pytest.FixtureRequest
):
    run = request.getfixturevalue(f"{level}_run")
    lm = package.load(run)
    parameters = lm.network.parameters
    # The word model has one-hot input, the other has embeddings.
    vectors = parameters["rnn.weight_ih_l0"].T if level == "word" else parameters["embedding.weight"]
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    index = lm.vocabulary.tokens.index(word)
    others = [i for i in range(3, len(lm.vocabulary)) if i != index]
    expected = sorted(
        ((float(vectors[i] @ vectors[index]), lm.vocabulary.tokens[i]) for i in others), reverse=True
    )

    outcome = rnnlm("neighbors", word, "--model", run, "--num", 1000, "--json", "--quiet")
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    assert outcome.json["word"] == word
    found = [(pair["similarity"], pair["word"]) for pair in outcome.json["neighbors"]]
    assert [name for _, name in found] == [name for _, name in expected]
    assert [similarity for similarity, _ in found] == pytest.approx([s for s, _ in expected], abs=1e-5)

    ten = rnnlm("neighbors", word, "--model", run)
    assert ten.stdout.splitlines() == [
        f"{similarity:7.4f}  {repr(name) if name.isspace() else name}" for similarity, name in found[:10]
    ]
    assert len(rnnlm("neighbors", word, "--model", run, "--num", 2).stdout.splitlines()) == 2


@pytest.mark.parametrize("name", ["label_run", "tag_run"])
def test_words_of_classifiers_and_taggers_have_neighbors(
    rnnlm: Command, name: str, request: pytest.FixtureRequest
):
    run = request.getfixturevalue(name)
    vocabulary = package.load(run).vocabulary
    outcome = rnnlm("neighbors", "cat", "--model", run, "--num", 1000, "--json", "--quiet")
    found = {pair["word"] for pair in outcome.json["neighbors"]}
    assert found == set(vocabulary.tokens[3 : vocabulary.first_label_id]) - {"cat"}
    label = rnnlm("neighbors", vocabulary.tokens[-1], "--model", run, "--quiet")
    assert (label.exit_code == 1) is (name == "label_run")


def test_the_case_does_not_matter_where_the_vocabulary_has_none(rnnlm: Command, word_run: Path):
    lower = rnnlm("neighbors", "cat", "--model", word_run).stdout
    assert rnnlm("neighbors", "CAT", "--model", word_run).stdout == lower


def test_a_vector_of_zeros_is_near_to_nothing(word_run: Path):
    lm = package.load(word_run)
    lm.network.source.table.value[5] = 0
    assert dict(nearest_words(lm.network, lm.vocabulary, "cat", 100))[lm.vocabulary.tokens[5]] == 0


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("catt", "'catt' is not in the vocabulary; did you mean 'cat' or 'at'?"),
        ("zzz", "'zzz' is not in the vocabulary; give a word of the training text."),
        ("", "'' is not in the vocabulary; give a word of the training text."),
        ("two words", "'two words' is not in the vocabulary; "),
        ("SENTENCE_START", "'SENTENCE_START' is not in the vocabulary; "),
        ("UNKNOWN_TOKEN", "'UNKNOWN_TOKEN' is not in the vocabulary; "),
        ("\udcff", r"'\udcff' is not in the vocabulary; "),
    ],
)
def test_an_unknown_word_gets_near_spellings(rnnlm: Command, word_run: Path, word: str, message: str):
    outcome = rnnlm("neighbors", word, "--model", word_run, "--quiet")
    assert (outcome.exit_code, outcome.stdout) == (1, "")
    assert outcome.stderr.startswith(f"rnnlm: {message}")
    assert len(outcome.stderr.splitlines()) == 1


def test_a_special_token_of_a_model_with_case_has_no_neighbors(rnnlm: Command, char_run: Path):
    outcome = rnnlm("neighbors", "SENTENCE_END", "--model", char_run, "--quiet")
    assert outcome.exit_code == 1


def test_a_number_below_zero_is_refused(word_run: Path):
    lm = package.load(word_run)
    with pytest.raises(package.RnnlmError, match="number -1: give a whole number from 0"):
        nearest_words(lm.network, lm.vocabulary, "cat", -1)

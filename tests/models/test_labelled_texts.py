"""Language models of texts with labels."""

import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from rnnlm.config import Config
from rnnlm.dataset.building.build import build_dataset
from rnnlm.dataset.building.division import DivisionSettings
from rnnlm.dataset.store import Dataset
from rnnlm.errors import RnnlmError
from rnnlm.evaluation.interpolation import Interpolation
from rnnlm.evaluation.neighbors import nearest_words
from rnnlm.evaluation.ngram import NgramModel
from rnnlm.evaluation.rescoring import Hypothesis, rescore
from rnnlm.generation.interactive import Session
from rnnlm.generation.sampling import SamplingSettings
from rnnlm.generation.writing import WritingSettings
from rnnlm.models.language_model import LanguageModel
from rnnlm.text.readers import ReaderSettings
from rnnlm.training.begin import begin_run
from rnnlm.training.fine_tuning import copy_weights
from tests.conftest import train_run

WORDS = {"farm": ["cow", "hen", "pig"], "sea": ["cod", "eel", "crab"]}
SHARES = {"farm": 3, "sea": 1}

VALUES: dict[str, Any] = {
    "model": {"cell": "gru", "embedding_size": 8, "hidden_size": 12, "bias": True},
    "training": {"batch_size": 8, "epochs": 5, "log_every": 20, "sample_tokens": 4},
    "optimizer": {"name": "adam", "learning_rate": 0.02},
    "schedule": {"name": "constant"},
}
STREAM = {"batching": "stream", "bptt_steps": 12, "epochs": 15}


def build(directory: Path, number: int = 240, column: str | None = "place", seed: int = 0) -> Path:
    """Write texts, each of words of its label alone."""
    rng = random.Random(seed)
    lines = ["place,text"]
    for _ in range(number):
        [label] = rng.choices(list(SHARES), list(SHARES.values()))
        lines.append(f"{label},{' '.join(rng.choices(WORDS[label], k=rng.randint(2, 6)))}")
    (directory / "texts.csv").write_text("\n".join(lines))
    reader = ReaderSettings(label_column=column, text_column="text")
    division = DivisionSettings(valid_fraction=0.2, test_fraction=0.2)
    build_dataset(
        [str(directory / "texts.csv")], directory / "data", reader=reader, division=division, overwrite=True
    )
    return directory / "data"


def values(dataset: Path, **sections: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return a configuration with some changes."""
    every = {name: {**VALUES.get(name, {}), **sections.get(name, {})} for name in {*VALUES, *sections}}
    return {**every, "data": {"path": str(dataset)}}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("places"))


@pytest.fixture(scope="module", params=[{}, STREAM], ids=["sentences", "stream"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, dataset: Path) -> Path:
    directory = tmp_path_factory.mktemp("places-run")
    return train_run(directory, values(dataset, training=request.param))


@pytest.fixture(scope="module")
def model(run: Path) -> LanguageModel:
    return LanguageModel.load(run)


def test_a_label_says_which_words_come(model: LanguageModel, dataset: Path, tmp_path: Path):
    conditional = model.evaluate(Dataset.open(dataset).test)
    plain_data = build(tmp_path, column=None)
    (tmp_path / "run").mkdir()
    plain_values = values(plain_data, training=model.config.training.set_values())
    plain = LanguageModel.load(train_run(tmp_path / "run", plain_values))
    # All that a stream of texts knows about the next label is how often each comes.
    assert conditional.perplexity < 0.93 * plain.evaluate(Dataset.open(plain_data).test).perplexity
    assert conditional.tokens == sum(sums.tokens for sums in conditional.labels.values())
    assert conditional.nats == pytest.approx(sum(sums.nats for sums in conditional.labels.values()))
    assert set(conditional.to_dict()["labels"]) == set(WORDS)


def test_by_label_each_text_is_measured_with_its_own(dataset: Path, tmp_path_factory: pytest.TempPathFactory):
    model = LanguageModel.load(train_run(tmp_path_factory.mktemp("run"), values(dataset, training={"epochs": 1})))
    split, vocabulary = Dataset.open(dataset).test, model.vocabulary
    nats = dict.fromkeys(WORDS, 0.0)
    for k in range(split.num_sentences):
        start, *words = split.sentence(k).tolist()
        label = vocabulary.labels[start - vocabulary.first_label_id]
        log_probs = model.log_probs([start, *words[:-1]])
        nats[label] -= float(log_probs[np.arange(len(words)), words].sum())
    measured = model.evaluate(split)
    assert {label: sums.nats for label, sums in measured.labels.items()} == pytest.approx(nats, rel=1e-5)


def test_texts_have_the_words_of_their_label(model: LanguageModel):
    for label, words in WORDS.items():
        texts = [model.generate(label=label, temperature=0.5, seed=seed) for seed in range(10)]
        assert all(set(text.split()) <= set(words) for text in texts)
        assert any(texts)
    assert "SENTENCE_START:farm" not in dict(model.writer.next_tokens("", 100, label="farm"))


def test_a_label_is_drawn_as_often_as_it_was_seen(model: LanguageModel):
    samples = model.samples(number=200, seed=1)
    shares = model.vocabulary.label_counts
    expected = shares["sea"] / sum(shares.values())
    assert np.mean([sample.label == "sea" for sample in samples]) == pytest.approx(expected, abs=0.1)
    drawn = [(sample.label, sample.text) for sample in samples]
    assert drawn[:3] == [(sample.label, sample.text) for sample in model.samples(number=3, seed=1)]
    assert "".join(model.stream(seed=1)) == samples[0].text
    assert samples[0].to_dict()["label"] == samples[0].label == model.writer.first_label(WritingSettings(), 1)
    # The same text comes where its label is given.
    [given] = model.samples(writing=WritingSettings(label=samples[0].label), seed=1)
    assert (given.label, given.text) == drawn[0]


def test_every_sentence_of_a_seed_text_begins_with_the_label(model: LanguageModel):
    beginning = model.writer.seed_text("cow\nhen")
    start = model.vocabulary.label_start("sea")
    ids = beginning.ids("sea")
    assert ids[0] == start
    assert ids.count(start) == len(ids) - len(model.vocabulary.encode(["cow", "hen"]))


def test_what_is_not_drawn_needs_a_label(model: LanguageModel, word_model: LanguageModel):
    for use in (
        lambda: model.writer.beam_search(),
        lambda: model.writer.next_tokens(""),
        lambda: model.score("cow"),
        lambda: model.perplexity(["cow"]),
        lambda: list(Session(model.writer).reply("cow")),
    ):
        with pytest.raises(RnnlmError, match=r"`label` is missing, .*; give one, such as 'farm' or 'sea'"):
            use()
    with pytest.raises(RnnlmError, match="`label` 'see': the model has no such label; give one, such as 'sea'"):
        model.stream(writing=WritingSettings(label="see"))
    for use in (lambda: word_model.generate(label="a"), lambda: word_model.score("a", label="a")):
        with pytest.raises(RnnlmError, match="`label` 'a': the model has no labels; leave it out"):
            use()


def test_the_most_likely_texts_of_a_label(model: LanguageModel):
    for label, words in WORDS.items():
        writing = WritingSettings(min_tokens=2, max_tokens=6, label=label)
        found = model.writer.beam_search(width=3, writing=writing)
        assert all(set(sample.tokens) <= set(words) and sample.label == label for sample in found)
        assert found[0].log_prob == pytest.approx(model.score(found[0].text, label=label).log_prob, rel=1e-4)
    session = Session(model.writer, writing=WritingSettings(SamplingSettings(greedy=True), label="sea"), seed=0)
    shown = "".join(session.reply("eel"))
    assert any(word in shown for word in ["cod", "crab"])
    assert not any(word in shown for word in WORDS["farm"])


def test_a_score_is_that_among_the_texts_of_a_label(model: LanguageModel):
    assert model.score("cow hen", label="farm").log_prob > model.score("cow hen", label="sea").log_prob + 5
    assert [token for token, _ in model.score("cow hen", label="sea").tokens] == ["cow", "hen", "SENTENCE_END"]
    texts = ["cow hen", "pig", "hen pig pig"]
    total = sum(model.score(text, label="farm").log_prob for text in texts)
    assert model.perplexity(texts, label="farm") == pytest.approx(math.exp(-total / 9), rel=1e-4)
    [rescored] = rescore(model.scorer, [Hypothesis("1", "cow hen", 0.0)], label="farm")
    assert rescored.total == pytest.approx(model.score("cow hen", label="farm").log_prob / math.log(10), rel=1e-5)


def test_neighbors_are_words(model: LanguageModel):
    found = {word for word, _ in nearest_words(model.network, model.vocabulary, "cow", 100)}
    assert found == {"hen", "pig", *WORDS["sea"]}


def test_another_model_reads_every_label_as_the_start(model: LanguageModel, dataset: Path, tmp_path: Path):
    words = [*WORDS["farm"], *WORDS["sea"], "</s>"]
    bigrams = [f"-0.{k + 1} <s> {word}" for k, word in enumerate(words[:-1])]
    lines = ["\\data\\", f"ngram 1={len(words) + 1}", f"ngram 2={len(bigrams)}", "", "\\1-grams:", "-99 <s> 0"]
    lines += [f"-0.845098 {word} 0" for word in words]
    lines += ["", "\\2-grams:", *bigrams, "", "\\end\\", ""]
    (tmp_path / "model.arpa").write_text("\n".join(lines))
    other = NgramModel.load(tmp_path / "model.arpa", model.vocabulary)
    split = Dataset.open(dataset).test
    ids = np.asarray(split.ids)
    firsts = split.offsets[:-1].astype(int) + 1
    found = other.of_text(ids)(firsts)
    names = [model.vocabulary.tokens[ids[k]] for k in firsts]
    assert found == pytest.approx([-(words.index(name) + 1) / 10 * math.log(10) for name in names])
    mixed = model.evaluate(split, interpolation=Interpolation(other, 0.5))
    assert mixed.tokens == split.num_tokens == sum(sums.tokens for sums in mixed.labels.values())


def test_dynamic_evaluation(model: LanguageModel, dataset: Path):
    split = Dataset.open(dataset).valid
    dynamic = model.evaluate(split, dynamic=0.01)
    assert dynamic.tokens == split.num_tokens == sum(sums.tokens for sums in dynamic.labels.values())
    assert dynamic.cross_entropy == pytest.approx(model.evaluate(split).cross_entropy, abs=0.2)


@pytest.mark.parametrize(
    "sections",
    [
        {"model": {"embedding_size": None}},
        {"model": {"tie_weights": True, "embedding_size": 12}},
        {"model": {"softmax_samples": 6}, "training": STREAM},
        {"model": {"softmax_cutoffs": [5]}},
        {"model": {"cell": "lstm", "num_layers": 2}, "training": STREAM},
    ],
)
def test_any_network_learns_labels(dataset: Path, tmp_path: Path, sections: dict[str, dict[str, Any]]):
    model = LanguageModel.load(train_run(tmp_path, values(dataset, **sections)))
    assert all(len(sums.to_dict()) == 3 for sums in model.evaluate(Dataset.open(dataset).test).labels.values())
    assert model.score("cow hen", label="farm").log_prob > model.score("cow hen", label="sea").log_prob + 2


@pytest.mark.parametrize("training", [{}, STREAM], ids=["sentences", "stream"])
def test_a_run_goes_on_as_if_it_had_not_stopped(dataset: Path, tmp_path: Path, training: dict[str, Any]):
    for name in ("whole", "parts"):
        (tmp_path / name).mkdir()
    short = values(dataset, training={**training, "epochs": 2, "evaluate_every": 5})
    whole = LanguageModel.load(train_run(tmp_path / "whole", short))
    first = {**short, "training": {**short["training"], "max_steps": 7}}
    parts = train_run(tmp_path / "parts", first, "training.max_steps=null")
    resumed = LanguageModel.load(parts)
    for name, weights in whole.network.parameters.items():
        np.testing.assert_array_equal(weights, resumed.network.parameters[name])
    samples = (tmp_path / "whole" / "run" / "samples.jsonl").read_text().splitlines()
    assert set(samples) <= set((parts / "samples.jsonl").read_text().splitlines())


def test_weights_of_labels_are_found_by_their_names(model: LanguageModel, tmp_path: Path):
    lines = ["place,text", "sky,lark cow", "sky,lark", "sea,cod eel", "sea,crab"]
    (tmp_path / "texts.csv").write_text("\n".join(lines))
    reader = ReaderSettings(label_column="place")
    build_dataset([str(tmp_path / "texts.csv")], tmp_path / "data", reader=reader,
                  division=DivisionSettings(valid_fraction=0, test_fraction=0))  # fmt: skip
    new = LanguageModel.create(model.config, Dataset.open(tmp_path / "data"))
    before = {name: value.copy() for name, value in new.network.parameters.items()}
    copy_weights(model, new)
    old_vectors, vectors = (each.network.parameters["embedding.weight"] for each in (model, new))
    for word in ("sea", "sky"):
        start = new.vocabulary.label_start(word)
        expected = before["embedding.weight"][start]
        if word == "sea":
            expected = old_vectors[model.vocabulary.label_start(word)]
        np.testing.assert_array_equal(vectors[start], expected)


def test_a_run_begins_with_the_weights_of_another(dataset: Path, run: Path, tmp_path: Path):
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(values(dataset, training={"epochs": 1})))
    config = Config.load(tmp_path / "config.yaml")
    begin_run(config, tmp_path / "run", resume=False, quiet=True, init_from=run).run()
    assert LanguageModel.load(tmp_path / "run").vocabulary.labels == ["farm", "sea"]

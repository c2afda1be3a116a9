import importlib.util
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import rnnlm
from rnnlm.config import Config
from rnnlm.dataset.store import Dataset
from rnnlm.errors import RnnlmError
from rnnlm.models import translator
from rnnlm.models.translator import LARGEST_BEAM, Translator
from rnnlm.nn.batch import Batch, Pairs
from rnnlm.storage.checkpoint import MANIFEST
from rnnlm.storage.finding import resolve_checkpoint
from rnnlm.text.vocabulary import SOURCE_VOCABULARY_FILE, Vocabulary

TEXTS = ["eins zwei", "drei", "vier vier sechs eins", "eins unknown zwei"]


@pytest.fixture(scope="session")
def data(pair_dataset: Path) -> Dataset:
    return Dataset.open(pair_dataset)


@pytest.fixture(scope="session")
def model(translator_run: Path) -> Translator:
    return Translator.load(translator_run)


def untrained(data: Dataset, **task: object) -> Translator:
    config = {
        "task": {"name": "translate", **task},
        "model": {"embedding_size": 4, "hidden_size": 5},
        "training": {"seed": 3},
    }
    return Translator.create(Config.model_validate(config), data)


def test_answers_do_not_depend_on_the_texts_beside(model: Translator) -> None:
    together = list(model.predict(["", *TEXTS, " "]))
    assert (together[0].text, together[0].tokens, together[0].log_prob) == ("", [], None)
    assert together[-1] == together[0]
    for text, answer in zip(TEXTS, together[1:-1], strict=True):
        [alone] = model.predict([text])
        assert alone.tokens == answer.tokens
        assert alone.log_prob == pytest.approx(answer.log_prob, rel=1e-5)
        assert str(answer) == " ".join(answer.tokens)
    assert list(model.predict([])) == []


def test_a_translation_is_as_likely_as_it_says(model: Translator) -> None:
    for text, answer in zip(TEXTS, model.predict(TEXTS), strict=True):
        source = model.source_vocabulary.encode(text.split(), end=True)
        target = [Vocabulary.start_id, *model.vocabulary.encode(answer.tokens, end=True)]
        read, written = np.array(target[:-1])[:, None], np.array(target[1:])[:, None]
        pairs = Pairs(read, np.array(source)[:, None], np.array([len(source)]))
        losses, _ = model.network.losses(
            Batch(pairs, written, np.ones(written.shape, bool)), model.network.initial_state(1)
        )
        assert answer.log_prob == pytest.approx(-losses.sum(), rel=1e-5)


def test_texts_are_split_up_for_a_wide_beam(model: Translator, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    right = translator.translate

    def counting(network: object, sources: list[list[int]], *arguments: object, **options: object) -> object:
        sizes.append(len(sources))
        return right(network, sources, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(translator, "translate", counting)
    assert len(list(model.predict(["eins"] * 70))) == 70
    assert len(list(model.predict(["eins"] * 3, beam_width=200))) == 3
    assert sizes == [64, 6, 1, 1, 1]


def test_a_long_text_is_read_for_its_beginning(model: Translator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(translator, "LONGEST_WINDOW", 3)
    long, cut = model.predict(["eins zwei drei vier vier", "eins zwei drei"])
    assert long.tokens == cut.tokens


@pytest.mark.parametrize("width", [0, -1, LARGEST_BEAM + 1, 10**12])
def test_a_beam_has_a_width_of_use(model: Translator, data: Dataset, width: int) -> None:
    for search in (
        lambda: list(model.predict(["eins"], beam_width=width)),
        lambda: model.align("eins", beam_width=width),
    ):
        with pytest.raises(RnnlmError, match=rf"^`beam_width` {width}: give a whole number from 1 to 1,000\.$"):
            search()


def test_the_measures_do_not_depend_on_what_is_side_by_side(
    model: Translator, data: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = model.evaluate(data.test)
    monkeypatch.setattr(translator, "TEXTS_TOGETHER", 1)
    alone = model.evaluate(data.test)
    assert alone.nats == pytest.approx(together.nats, rel=1e-5)
    assert (alone.tokens, alone.examples) == (data.test.num_tokens, data.test.num_sentences)
    assert together.bleu is None


@pytest.mark.skipif(importlib.util.find_spec("sacrebleu") is None, reason="sacrebleu is not installed")
def test_bleu_is_that_of_the_translations(model: Translator, data: Dataset) -> None:
    measured = model.evaluate_translations(data.test)
    assert data.test.source is not None
    texts = [
        " ".join(model.source_vocabulary.decode(ids[1:-1])) for ids in map(data.test.source.sentence, range(40))
    ]
    targets = [" ".join(model.vocabulary.decode(ids[1:-1])) for ids in map(data.test.sentence, range(40))]
    bleu = translator.corpus_bleu([each.text for each in model.predict(texts)], targets, lowercase=True)
    assert measured.bleu == pytest.approx(bleu.score)
    assert replace(measured, bleu=None).nats == pytest.approx(model.evaluate(data.test).nats)


def test_an_alignment_says_where_the_model_looked(model: Translator) -> None:
    alignment = model.align("vier unknown eins")
    assert alignment.source == ["vier", model.source_vocabulary.unknown_token, "eins", "SENTENCE_END"]
    [answer] = model.predict(["vier unknown eins"])
    assert alignment.translated.tokens == answer.tokens
    assert alignment.target == [*answer.tokens, "SENTENCE_END"]
    assert alignment.weights.shape == (len(alignment.target), 4)
    np.testing.assert_allclose(alignment.weights.sum(axis=1), 1, rtol=1e-5)
    empty = model.align("")
    assert (empty.translated.text, empty.source, empty.target, empty.weights.size) == ("", [], [], 0)


def test_weights_stand_at_the_words_that_were_read_in_reverse(data: Dataset) -> None:
    ahead = untrained(data, attention="additive")
    reverse = untrained(data, attention="additive", reverse_source=True)
    alignment = reverse.align("eins zwei drei")
    source = reverse.source_vocabulary.encode(["eins", "zwei", "drei"], end=True)
    read = [Vocabulary.start_id, *reverse.vocabulary.encode(alignment.translated.tokens)]
    # With the same weights, one that reads ahead looks at the turned source alike.
    pairs = Pairs(np.array(read)[:, None], np.array(source[::-1])[:, None], np.array([4]))
    ahead.network.forward(pairs, ahead.network.initial_state(1))
    assert ahead.network.attention is not None
    np.testing.assert_allclose(alignment.weights[:, ::-1], ahead.network.attention.weights[0], rtol=1e-5)


def test_without_attention_there_is_no_alignment(data: Dataset) -> None:
    with pytest.raises(
        RnnlmError, match=r"^The model has no attention; train one with task\.attention=additive\.$"
    ):
        untrained(data).align("eins")


def test_a_preview_translates_a_source(model: Translator, data: Dataset) -> None:
    shown = {model.preview(data.valid, np.random.default_rng(seed), 2) for seed in range(20)}
    assert len(shown) > 3
    for text in shown:
        source, arrow, _ = text.partition(" -> ")
        assert arrow
        assert len(source.removesuffix(" …").split()) <= 2


def test_what_does_not_fit_is_refused(word_data: Dataset, data: Dataset, model: Translator) -> None:
    config = Config.model_validate({"task": {"name": "translate"}})
    with pytest.raises(
        RnnlmError, match="its texts have no sources to translate; preprocess pairs with `format=pairs`"
    ):
        Translator.create(config, word_data)
    with pytest.raises(RnnlmError, match=r"^model\.vocabulary_size: 7, but "):
        Translator.create(config.with_model(vocabulary_size=7), data)
    with pytest.raises(RnnlmError, match="must be a list"):
        next(model.predict("eins"))
    with pytest.raises(RnnlmError, match="must be a string"):
        next(model.predict([3]))  # type: ignore[list-item]


def test_it_is_loaded_by_its_task(translator_run: Path, model: Translator, data: Dataset) -> None:
    assert isinstance(rnnlm.load(translator_run), Translator)
    assert set(model.files()) == {"vocabulary.json", SOURCE_VOCABULARY_FILE}
    assert model.source_vocabulary == data.source_vocabulary
    assert model.data_description() == "8 tokens of the source, 8 of the target"


def test_a_checkpoint_without_its_sources_is_refused(translator_run: Path, tmp_path: Path) -> None:
    checkpoint = shutil.copytree(resolve_checkpoint(translator_run), tmp_path / "checkpoint")
    (checkpoint / SOURCE_VOCABULARY_FILE).unlink()
    with pytest.raises(RnnlmError, match=f"{SOURCE_VOCABULARY_FILE}: cannot be read"):
        Translator.load(checkpoint)
    manifest = json.loads((checkpoint / MANIFEST).read_text())
    del manifest["files"][SOURCE_VOCABULARY_FILE]
    (checkpoint / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(RnnlmError, match=f"{SOURCE_VOCABULARY_FILE}: missing"):
        Translator.load(checkpoint)


def test_weights_of_another_vocabulary_are_refused(model: Translator, data: Dataset, tmp_path: Path) -> None:
    checkpoint = model.checkpoint({}, {})
    names = (
        "encoder.embedding.weight",
        "decoder.embedding.weight",
        "decoder.output.weight",
        "encoder.rnn.weight_hh_l0",
    )
    for name in names:
        tensors = {**checkpoint.tensors, name: checkpoint.tensors[name][:-1]}
        with pytest.raises(RnnlmError, match=rf"the tensor {name} has shape \(\d+, \d+\), but its configuration"):
            Translator.restore(replace(checkpoint, tensors=tensors))
    without = {name: value for name, value in checkpoint.tensors.items() if name != "decoder.attention.key.weight"}
    with pytest.raises(RnnlmError, match=r"decoder\.attention\.key\.weight \(\d+, \d+\) is missing"):
        Translator.restore(replace(checkpoint, tensors=without))

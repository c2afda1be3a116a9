"""Text whose true entropy is known: the trained network comes close to it, and not below."""

import math
import random
from pathlib import Path

import pytest
from nltk import PCFG, Nonterminal

from rnnlm.config import Config
from rnnlm.dataset.building.build import build_dataset
from rnnlm.dataset.building.division import DivisionSettings
from rnnlm.dataset.store import Dataset
from rnnlm.models.language_model import LanguageModel
from rnnlm.storage.run_directory import RunDirectory
from rnnlm.text.processor import TextSettings
from rnnlm.training.begin import begin_run

# No sentence has two derivations, so the entropy of a sentence is that of its derivation.
GRAMMAR = PCFG.fromstring("""
    S -> NP VP [1.0]
    NP -> Det N [0.6] | Det Adj N [0.3] | Det N 'that' VP [0.1]
    VP -> V NP [0.6] | W [0.4]
    Det -> 'the' [0.6] | 'a' [0.4]
    Adj -> 'old' [0.5] | 'red' [0.3] | 'small' [0.2]
    N -> 'cat' [0.4] | 'dog' [0.3] | 'tree' [0.2] | 'king' [0.1]
    V -> 'sees' [0.5] | 'likes' [0.3] | 'finds' [0.2]
    W -> 'sleeps' [0.7] | 'grows' [0.3]
""")


def expected(grammar: PCFG, of_choice: bool) -> dict[Nonterminal, float]:
    """Solve for each symbol its expected nats of choices, or its expected number of words, by iteration."""
    values = {production.lhs(): 0.0 for production in grammar.productions()}
    for _ in range(200):
        values = {
            symbol: sum(
                p.prob()
                * (
                    (-math.log(p.prob()) if of_choice else 0.0)
                    + sum(values[s] if isinstance(s, Nonterminal) else float(not of_choice) for s in p.rhs())
                )
                for p in grammar.productions(lhs=symbol)
            )
            for symbol in values
        }
    return values


def sentence(grammar: PCFG, symbol: Nonterminal, rng: random.Random) -> list[str]:
    productions = grammar.productions(lhs=symbol)
    [chosen] = rng.choices(productions, [production.prob() for production in productions])
    words: list[str] = []
    for part in chosen.rhs():
        words += sentence(grammar, part, rng) if isinstance(part, Nonterminal) else [part]
    return words


def write_sentences(path: Path, number: int, rng: random.Random) -> Path:
    lines = (" ".join(sentence(GRAMMAR, GRAMMAR.start(), rng)) for _ in range(number))
    path.write_text("\n".join(lines))
    return path


@pytest.mark.parametrize("batching", ["sentences", "stream"])
def test_test_perplexity_comes_within_five_percent_of_the_true_one(tmp_path: Path, batching: str) -> None:
    rng = random.Random(0)
    train = write_sentences(tmp_path / "train.txt", 3000, rng)
    test = write_sentences(tmp_path / "test.txt", 3000, rng)
    build_dataset(
        [str(train)],
        tmp_path / "data",
        text=TextSettings(tokenizer="whitespace"),
        division=DivisionSettings(valid_fraction=0.1, test_file=str(test)),
    )
    config = Config.model_validate(
        {
            "data": {"path": str(tmp_path / "data")},
            "model": {"hidden_size": 24, "bias": True},
            "training": {"batching": batching, "batch_size": 16, "bptt_steps": 16, "epochs": 6},
            "optimizer": {"name": "adam", "learning_rate": 0.01, "clip_norm": 5},
            "schedule": {"name": "linear"},
        }
    )
    begin_run(config, tmp_path / "run", resume=False, quiet=True).run()

    model = LanguageModel.load(RunDirectory(tmp_path / "run").path)
    found = model.evaluate(Dataset.open(tmp_path / "data").test)
    start = GRAMMAR.start()
    entropy = expected(GRAMMAR, of_choice=True)[start]
    tokens = expected(GRAMMAR, of_choice=False)[start] + 1  # and the end of the sentence
    true_perplexity = math.exp(entropy / tokens)
    assert found.tokens / 3000 == pytest.approx(tokens, rel=0.02)
    assert 0.98 * true_perplexity < found.perplexity < 1.05 * true_perplexity

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

import rnnlm as package
from rnnlm.dataset.store import Dataset
from rnnlm.generation.writer import Writer
from rnnlm.generation.writing import Sample
from rnnlm.storage.run_directory import RunDirectory
from rnnlm.text.processor import TextProcessor

from .conftest import Command


def samples(rnnlm: Command, run: Path, *arguments: object) -> list[dict[str, Any]]:
    outcome = rnnlm("generate", "--model", run, "--json", "--quiet", *arguments)
    assert outcome.exit_code == 0
    assert outcome.stderr == ""
    assert set(outcome.json) == {"samples"}
    drawn = outcome.json["samples"]
    assert isinstance(drawn, list)
    return drawn


def test_json_has_text_tokens_and_log_probability_of_each_sample(rnnlm: Command, word_run: Path):
    lm = package.load(word_run)
    drawn = samples(rnnlm, word_run, "--seed-text", "The cat", "--num-samples", 4, "--seed", 1, "--max-tokens", 5)
    assert len(drawn) == 4
    for sample in drawn:
        assert set(sample) == {"text", "tokens", "log_prob"}
        assert sample["text"].startswith("The cat")
        continued = lm.vocabulary.encode(sample["tokens"])
        ids = [1, *lm.vocabulary.encode(["the", "cat"]), *continued, 2]
        if len(continued) == 5:  # cut before the sentence ended
            ids.pop()
        steps = range(2, len(ids) - 1)
        log_probs = lm.log_probs(ids[:-1])
        assert sample["log_prob"] == pytest.approx(sum(float(log_probs[t, ids[t + 1]]) for t in steps), abs=1e-4)
    assert len({tuple(sample["tokens"]) for sample in drawn}) > 1


def test_text_is_printed_a_sample_a_line_and_messages_go_to_stderr(rnnlm: Command, word_run: Path):
    arguments = ["generate", "--model", word_run, "--seed-text", "The CAT", "--seed", 3]
    outcome = rnnlm(*arguments)
    assert outcome.exit_code == 0
    lines = outcome.stdout.splitlines()
    assert len(lines) == 5
    assert all(line.startswith("The CAT") for line in lines)
    assert lines == [sample["text"] for sample in samples(rnnlm, word_run, "--seed-text", "The CAT", "--seed", 3)]
    assert rnnlm(*arguments, "--quiet") == (0, outcome.stdout, "")


def test_characters_come_with_an_empty_line_between_samples(rnnlm: Command, char_run: Path):
    outcome = rnnlm("generate", "--model", char_run, "--seed-text", "The ", "--num-samples", 3, "--max-tokens", 20)
    assert outcome.stdout.count("The ") >= 3
    assert len(outcome.stdout.split("\n\nThe ")) == 3


def test_the_seed_decides_the_text(rnnlm: Command, word_run: Path):
    arguments = ["generate", "--model", word_run]
    first = rnnlm(*arguments, "--seed", 1).stdout
    assert rnnlm(*arguments, "--seed", 1).stdout == first
    assert rnnlm(*arguments, "--seed", 2).stdout != first
    assert rnnlm(*arguments, "--seed", 1, "--num-samples", 2).stdout.splitlines() == first.splitlines()[:2]


def test_greedy_is_top_k_of_one_and_needs_no_seed(rnnlm: Command, word_run: Path):
    [greedy] = samples(rnnlm, word_run, "--greedy", "--num-samples", 1)
    for arguments in (["--greedy"], ["--top-k", 1], ["--top-p", 1e-9], ["--temperature", 1e-9]):
        for sample in samples(rnnlm, word_run, "--num-samples", 2, "--seed", 5, *arguments):
            assert sample["tokens"] == greedy["tokens"]


def test_top_k_and_top_p_narrow_the_choice(rnnlm: Command, word_run: Path):
    def first_words(*arguments: object) -> set[str]:
        drawn = samples(rnnlm, word_run, "--num-samples", 60, "--max-tokens", 1, "--seed", 0, *arguments)
        return {token for sample in drawn for token in sample["tokens"]}

    hot = ["--temperature", 5]
    lm = package.load(word_run)
    row = lm.log_probs([1])[0].astype(float)
    by_probability = [lm.vocabulary.tokens[i] for i in (-row).argsort() if i not in (0, 1)]
    assert len(first_words(*hot)) > 3
    # The end of the sentence may be among the three; a sample that ends at once has no words.
    assert first_words("--top-k", 3, *hot) <= set(by_probability[:3])
    assert len(first_words("--top-p", 0.2, *hot)) < len(first_words(*hot))


def test_words_outside_the_vocabulary_are_noted_once_each(rnnlm: Command, word_run: Path):
    arguments = ["generate", "--model", word_run, "--seed-text", "The Zebra and the zebra see ALICE", "--seed", 1]
    outcome = rnnlm(*arguments)
    assert "Not in the vocabulary, read as UNKNOWN_TOKEN: zebra, and, see, alice\n" in outcome.stderr
    assert outcome.stdout.startswith("The Zebra and the zebra see ALICE")
    assert "UNKNOWN" not in outcome.stdout
    assert rnnlm(*arguments, "--quiet").stderr == ""
    assert "vocabulary" not in rnnlm("generate", "--model", word_run, "--seed-text", "the cat").stderr


def test_the_unknown_token_is_written_only_when_asked_for(rnnlm: Command, word_run: Path):
    arguments = ["--num-samples", 30, "--temperature", 3, "--seed", 0]
    for allowed in ([], ["--allow-unknown"]):
        drawn = samples(rnnlm, word_run, *arguments, *allowed)
        assert any("UNKNOWN_TOKEN" in sample["tokens"] for sample in drawn) == bool(allowed)
        assert any("UNKNOWN_TOKEN" in sample["text"] for sample in drawn) == bool(allowed)


def test_max_tokens_cuts(rnnlm: Command, char_run: Path):
    drawn = samples(rnnlm, char_run, "--max-tokens", 7, "--temperature", 1e6, "--seed", 0)
    assert max(len(sample["tokens"]) for sample in drawn) == 7


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--temperature", "-1"),
        ("--top-p", "1.5"),
        ("--top-k", "0"),
        ("--max-tokens", "0"),
        ("--seed", "-1"),
        ("--seed-text", "the \udcff"),  # a byte that is not UTF-8
    ],
)
def test_values_out_of_range_are_wrong_usage(rnnlm: Command, word_run: Path, option: str, value: str):
    outcome = rnnlm("generate", "--model", word_run, option, value)
    assert outcome.exit_code == 2
    assert f"Invalid value for '{option}'" in outcome.stderr


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (["--seed-text", "i", "think"], "Give the text to go on from as --seed-text 'i think'."),
        (["i", "think"], "Give the text to go on from as --seed-text 'i think'."),
    ],
)
def test_what_was_meant_is_named(rnnlm: Command, word_run: Path, arguments: list[object], advice: str):
    outcome = rnnlm("generate", "--model", word_run, *arguments)
    assert outcome.exit_code == 2
    assert outcome.stderr.endswith(f"{advice}\n")


def test_a_text_without_a_seed_can_be_had_again(rnnlm: Command, word_run: Path):
    first = rnnlm("generate", "--model", word_run, "--temperature", 5)
    assert "\nThe same again: --seed " in f"\n{first.stderr}"
    seed = first.stderr.split("--seed ")[1].strip()
    again = rnnlm("generate", "--model", word_run, "--temperature", 5, "--seed", seed)
    assert again == (0, first.stdout, "")


def test_lines_of_the_same_text_go_on_differently(rnnlm: Command, word_run: Path):
    Path("prompts.txt").write_text("the cat\n" * 6)
    outcome = rnnlm("generate", "--model", word_run, "--prompts", "prompts.txt", "--temperature", 5)
    assert len(set(outcome.stdout.splitlines())) > 1
    assert outcome.stderr == ""


def test_the_newest_run_is_taken(rnnlm: Command, word_run: Path, char_run: Path):
    for name, run, age in (("a", char_run, 20), ("b", word_run, 10), ("c", char_run, 30)):
        index = shutil.copytree(run, Path("runs", name)) / "checkpoints/index.json"
        os.utime(index, (1e9 - age, 1e9 - age))
    Path("runs/d").mkdir()
    outcome = rnnlm("generate", "--seed", 1)
    assert outcome.stderr == "Model: runs/b (the newest run)\n"
    assert outcome.stdout == rnnlm("generate", "--model", word_run, "--seed", 1).stdout


def test_without_a_run_the_installed_model_writes(rnnlm: Command):
    outcome = rnnlm("generate", "--seed-text", "I think", "--seed", 1)
    assert outcome.stderr == "Model: the installed one, as there is no run under runs/\n"
    assert len(outcome.stdout.splitlines()) == 5
    assert all(line.startswith("I think") for line in outcome.stdout.splitlines())


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("none", "none: no such directory; name a run or a checkpoint."),
        (".", ".: neither a run nor a checkpoint directory."),
    ],
)
def test_what_is_no_model_is_named(rnnlm: Command, model: str, message: str):
    outcome = rnnlm("generate", "--model", model)
    assert outcome == (1, "", f"rnnlm: {message}\n")


@pytest.mark.parametrize("name", ["model.safetensors", "vocabulary.json", "config.yaml", "training_state.json"])
def test_a_damaged_checkpoint_is_refused_by_the_name_of_the_file(
    rnnlm: Command, word_run: Path, tmp_path: Path, name: str
):
    checkpoint = shutil.copytree(RunDirectory(word_run).checkpoints.find("best"), tmp_path / "checkpoint")
    content = (checkpoint / name).read_bytes()
    for damaged in (content[:-1], content[:-1] + bytes([content[-1] ^ 1])):
        (checkpoint / name).write_bytes(damaged)
        outcome = rnnlm("generate", "--model", checkpoint)
        assert outcome.exit_code == 1
        assert outcome.stderr.startswith(f"rnnlm: {checkpoint / name}: damaged")
    (checkpoint / name).unlink()
    assert f"{checkpoint / name}: cannot be read" in rnnlm("generate", "--model", checkpoint).stderr


def test_a_single_text_is_streamed_and_reads_the_same(rnnlm: Command, word_run: Path):
    for seed in range(4):
        arguments = ["--seed-text", "The cat", "--num-samples", 1, "--seed", seed]
        [sample] = samples(rnnlm, word_run, *arguments)
        assert rnnlm("generate", "--model", word_run, *arguments).stdout == sample["text"] + "\n"


def test_each_line_of_a_file_is_continued_as_if_alone(rnnlm: Command, word_run: Path):
    Path("prompts.txt").write_bytes(b"\xef\xbb\xbfThe cat\r\n\r\nthe \xff dog")
    arguments = ["--num-samples", 2, "--seed", 1]
    outcome = rnnlm("generate", "--model", word_run, "--prompts", "prompts.txt", "--jsonl", *arguments)
    assert outcome.exit_code == 0
    lines = [json.loads(line) for line in outcome.stdout.splitlines()]
    assert lines == [
        {"prompt": prompt, **sample}
        for prompt in ("The cat", "", "the \ufffd dog")
        for sample in samples(rnnlm, word_run, "--seed-text", prompt, *arguments)
    ]
    assert "Not in the vocabulary, read as UNKNOWN_TOKEN: \ufffd" in outcome.stderr
    assert "prompts.txt: 1 byte that is not UTF-8 replaced by U+FFFD, the first in line 3." in outcome.stderr
    assert rnnlm("generate", "--model", word_run, "--prompts", "prompts.txt", "--jsonl", "--quiet").stderr == ""


def test_prompts_from_standard_input(rnnlm: Command, word_run: Path, char_run: Path):
    arguments, prompts = ["--prompts", "-", "--seed", 1], "the cat\nthe dog\n"
    lines = rnnlm("generate", "--model", word_run, *arguments, stdin=prompts).stdout.splitlines()
    assert [line[:7] for line in lines] == ["the cat", "the dog"]
    text = rnnlm("generate", "--model", char_run, *arguments, "--max-tokens", 4, stdin=prompts).stdout
    assert [len(text) for text in text.removesuffix("\n").split("\n\n")] == [11, 11]


def test_a_beam_gives_the_best_first(rnnlm: Command, word_run: Path):
    beam = ["--seed-text", "the cat", "--beam-width", 4]
    found = samples(rnnlm, word_run, *beam)
    assert [sample["log_prob"] for sample in found] == sorted((s["log_prob"] for s in found), reverse=True)
    assert len(found) == 4
    assert samples(rnnlm, word_run, *beam, "--num-samples", 2) == found[:2]
    assert rnnlm("generate", "--model", word_run, *beam).stdout.splitlines() == [s["text"] for s in found]


def test_stop_min_tokens_and_penalty(rnnlm: Command, word_run: Path):
    arguments = ["--num-samples", 10, "--seed", 0]
    for sample in samples(rnnlm, word_run, *arguments, "--stop", "the", "--stop", "."):
        assert not {"the", "."} & set(sample["tokens"])
    assert min(len(s["tokens"]) for s in samples(rnnlm, word_run, *arguments, "--min-tokens", 15)) >= 15
    for sample in samples(rnnlm, word_run, *arguments, "--repetition-penalty", 1e6, "--max-tokens", 8):
        assert len(set(sample["tokens"])) == len(sample["tokens"])


def test_the_temperature_0_is_greedy(rnnlm: Command, word_run: Path):
    greedy = rnnlm("generate", "--model", word_run, "--greedy")
    assert len(greedy.stdout.splitlines()) == 1
    for arguments in (["--temperature", 0], ["--temperature", "-0.0"], ["--greedy", "--temperature", 0]):
        assert rnnlm("generate", "--model", word_run, *arguments) == (0, greedy.stdout, "")


def test_a_stop_text_is_kept_where_asked_for(rnnlm: Command, word_run: Path):
    arguments = ["--num-samples", 10, "--seed", 0, "--max-tokens", 30, "--stop", "the", "--stop", "."]
    kept = samples(rnnlm, word_run, *arguments, "--keep-stop")
    assert any(sample["text"].endswith((" the", ".")) for sample in kept)
    for sample, without in zip(kept, samples(rnnlm, word_run, *arguments), strict=True):
        assert not {"the", "."} & set(sample["tokens"][:-1])
        assert without["tokens"] in (sample["tokens"], sample["tokens"][:-1])
    for seed in range(4):
        stop = ["--num-samples", 1, "--seed", seed, "--stop", ".", "--keep-stop"]
        [sample] = samples(rnnlm, word_run, *stop)
        assert rnnlm("generate", "--model", word_run, *stop).stdout == sample["text"] + "\n"


def test_what_is_banned_is_not_written(
    rnnlm: Command, word_run: Path, char_run: Path, monkeypatch: pytest.MonkeyPatch
):
    ban = ["--ban", "The", "--ban", "cat sees", "--ban", "zebra"]
    arguments = ["generate", "--model", word_run, *ban]
    for more in (["--seed", 1, "--num-samples", 30], ["--greedy"], ["--beam-width", 4], ["--temperature", 0]):
        outcome = rnnlm(*arguments, *more)
        assert outcome.exit_code == 0
        assert not {"the", "The"} & set(outcome.stdout.split())
        assert "cat sees" not in outcome.stdout
        assert outcome.stderr == "Not in the vocabulary, so never written: zebra\n"
    assert " the " not in rnnlm(*arguments, "--interactive", "--seed", 1, stdin="\n" * 5).stdout
    text = rnnlm(
        "generate", "--model", char_run, "--ban", "e", "--ban", "\n", "--seed", 1, "--num-samples", 1
    ).stdout
    assert len(text) > 10
    assert "e" not in text
    assert text.count("\n") == 1


def test_a_ban_of_everything_is_refused(rnnlm: Command, word_run: Path):
    ban = [part for token in package.load(word_run).vocabulary.tokens[3:] for part in ("--ban", token)]
    message = "rnnlm: All that could be written is banned; ban less, or lower --min-tokens.\n"
    for more in ([], ["--beam-width", 3], ["--num-samples", 1]):
        assert rnnlm("generate", "--model", word_run, *ban, *more, "--quiet") == (1, "", message)


def test_what_is_copied_from_the_training_text_is_shown(rnnlm: Command, word_run: Path, char_run: Path):
    lm = package.load(word_run)
    assert lm.config.data.path is not None
    train = Dataset.open(lm.config.data.path).train
    sentences = [train.sentence(k)[1:-1].tolist() for k in range(train.num_sentences)]
    copied = max(sentences, key=len)
    assert len(copied) >= 8
    # What the model would write is put in its mouth.
    there = copied[:8]
    written = [lm.vocabulary.decode(ids) for ids in (there, [*there, *reversed(there)], there[:7], [])]

    def samples_of(writer: Writer, *arguments: Any, **options: Any) -> list[Sample]:
        return [Sample(" ".join(tokens), tokens, -1.0) for tokens in written]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Writer, "samples", samples_of)
        found = samples(rnnlm, word_run, "--novelty")
        text = rnnlm("generate", "--model", word_run, "--novelty", "--num-samples", 1, "--seed", 1)
    assert [sample["copied_share"] for sample in found] == [1.0, 0.5, 0.0, 0.0]
    longest = TextProcessor(lm.vocabulary.settings).detokenize(written[0])
    assert [sample["longest_copy"] for sample in found] == [longest, longest, None, None]
    assert text.stdout.splitlines()[:2] == [
        " ".join(written[0]),
        f"  copied 100.0%, the longest piece: {json.dumps(longest)}",
    ]
    assert text.stdout.splitlines()[4:] == [" ".join(written[2]), "  copied 0.0%", "", "  copied 0.0%"]
    assert text.stderr == f"Dataset: {lm.config.data.path}, train split\n"


def test_novelty_of_characters_beams_and_prompts(rnnlm: Command, word_run: Path, char_run: Path):
    for sample in samples(rnnlm, char_run, "--novelty", "--seed", 1):
        assert sample["copied_share"] == 0
    [sample, *_] = samples(rnnlm, word_run, "--novelty", "--beam-width", 3, "--min-tokens", 10)
    assert 0 <= sample["copied_share"] <= 1
    Path("prompts.txt").write_text("the cat\n" * 70)
    outcome = rnnlm(
        "generate", "--model", word_run, "--prompts", "prompts.txt", "--novelty", "--jsonl", "--seed", 1
    )
    assert len(outcome.stdout.splitlines()) == 70


def test_novelty_needs_the_training_text(
    rnnlm: Command, word_run: Path, word_dataset: Path, char_dataset: Path, tmp_path: Path
):
    advice = "name the dataset that the model was trained on with --data DIR.\n"
    generate = ["generate", "--model", word_run, "--novelty", "--quiet"]
    assert rnnlm(*generate, "--data", "none") == (1, "", f"rnnlm: none: no such directory; {advice}")
    outcome = rnnlm(*generate, "--data", char_dataset)
    assert outcome == (1, "", f"rnnlm: {char_dataset}: its vocabulary is not the model's; {advice}")
    moved = shutil.copytree(word_dataset, tmp_path / "moved")
    assert rnnlm(*generate, "--data", moved, "--seed", 1).exit_code == 0
    assert "data/sample-comments: no such directory" in rnnlm("generate", "--novelty", "--quiet").stderr


def test_an_interactive_session(rnnlm: Command, word_run: Path):
    typed = b"\n/undo\nThe \xff cat\n/t 0.5\n/q\nnever read\n"
    arguments = ["--interactive", "--seed", 1, "--seed-text", "the dog"]
    outcome = rnnlm("generate", "--model", word_run, *arguments, stdin=typed)
    assert outcome.exit_code == 0
    assert outcome.stdout.startswith("the dog\n  1 ")
    assert "the dog The \ufffd cat\n  1 " in outcome.stdout
    assert "> temperature 0.5\n  1 " in outcome.stdout
    assert "/undo" in outcome.stderr


def test_an_error_in_an_interactive_session_names_the_option(rnnlm: Command, word_run: Path):
    arguments = ["--interactive", "--seed-text", "the", "--min-tokens", 200]
    outcome = rnnlm("generate", "--model", word_run, *arguments, stdin=b"\n")
    assert "> --min-tokens 200: it is above --max-tokens, 100; raise that too.\n" in outcome.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--beam-width", 3, "--temperature", 1], "--beam-width and --temperature do not go together"),
        (["--beam-width", 3, "--stop", "x"], "--beam-width and --stop do not go together"),
        (["--beam-width", 3, "--seed", 1], "--beam-width and --seed do not go together"),
        (["--greedy", "--temperature", 0.5], "--greedy and --temperature do not go together"),
        (["--temperature", 0, "--top-k", 3], "--temperature 0 and --top-k do not go together"),
        (["--temperature", 0, "--top-p", 0.5], "--temperature 0 and --top-p do not go together"),
        (["--keep-stop"], "--keep-stop is for --stop; give that too."),
        (["--data", "x"], "--data is for --novelty; give that too."),
        (["--interactive", "--novelty"], "--interactive and --novelty do not go together"),
        (["--greedy", "--top-k", 3], "--greedy and --top-k do not go together"),
        (["--greedy", "--top-p", 0.5], "--greedy and --top-p do not go together"),
        (["--beam-width", 3, "--num-samples", 4], "--num-samples 4: --beam-width 3 finds no more than that"),
        (["--min-tokens", 5, "--max-tokens", 4], "--min-tokens 5: it is above --max-tokens 4"),
        (["--prompts", "x", "--seed-text", "y"], "--prompts and --seed-text do not go together"),
        (["--prompts", "x", "--json"], "--prompts and --json do not go together"),
        (["--json", "--jsonl"], "--json and --jsonl do not go together"),
        (["--interactive", "--json"], "--interactive and --json do not go together"),
        (["--interactive", "--prompts", "x"], "--interactive and --prompts do not go together"),
    ],
)
def test_options_that_contradict_one_another_are_refused(rnnlm: Command, arguments: list[object], message: str):
    outcome = rnnlm("generate", *arguments)
    assert outcome.exit_code == 2
    assert message in outcome.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--prompts", "none"], "none: the file cannot be opened (No such file or directory)."),
        (["--stop", ""], "--stop '': give at least one character."),
        (["--ban", ""], "--ban '': give at least one character."),
        (["--ban", " "], "--ban ' ': there is no word in it; give one."),
        (["--min-tokens", "200"], "--min-tokens 200: it is above --max-tokens, 100; raise that too."),
    ],
)
def test_new_settings_that_make_no_sense_are_refused(
    rnnlm: Command, word_run: Path, arguments: list[str], message: str
):
    assert rnnlm("generate", "--model", word_run, *arguments) == (1, "", f"rnnlm: {message}\n")


def test_samples_as_lines_of_json(rnnlm: Command, word_run: Path):
    arguments = ["--seed-text", "the cat", "--seed", 1]
    lines = rnnlm("generate", "--model", word_run, "--jsonl", *arguments).stdout.splitlines()
    expected = [{"prompt": "the cat", **sample} for sample in samples(rnnlm, word_run, *arguments)]
    assert [json.loads(line) for line in lines] == expected


def test_prompts_from_records(rnnlm: Command, word_run: Path):
    Path("a.csv").write_text("id;start\n1;The cat\n2;The dog\n")
    arguments = ["generate", "--model", word_run, "--jsonl", "--seed", 1, "--prompts", "a.csv"]
    outcome = rnnlm(*arguments, "--text-column", "start")
    assert [json.loads(line)["prompt"] for line in outcome.stdout.splitlines()] == ["The cat", "The dog"]
    assert "Reading rows separated by ';', text from 'start': \"The cat\" \"The dog\" (a.csv)" in outcome.stderr
    without = rnnlm("generate", "--model", word_run, "--text-column", "start")
    assert without.exit_code == 2
    assert "--text-column says how the text of --prompts FILE is read; give that too." in without.stderr

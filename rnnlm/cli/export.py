"""``rnnlm export``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rnnlm.cli.common import PATH, load_any_model, model_option, output_options, print_json, say
from rnnlm.cli.measuring import open_split
from rnnlm.errors import RnnlmError

if TYPE_CHECKING:
    from rnnlm.exchange.export import Format
    from rnnlm.exchange.precision import Precision
    from rnnlm.models.kinds import AnyModel

FORMATS: "dict[str, Format]" = {".onnx": "onnx", ".pt": "torch", ".pth": "torch", ".html": "html"}


@click.command()
@model_option
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["onnx", "torch", "html"]),
    help="onnx needs the package onnx; torch, a state dict, needs PyTorch; html, a page that writes, needs "
    "nothing.  [default: by the ending of the file: .onnx, .pt, .pth or .html]",
)
@click.option(
    "-o",
    "--out",
    required=True,
    type=PATH,
    help="File to write, or to replace, and, but for html, beside it NAME.vocabulary.json, of a tagger also "
    "NAME.tags.json.",
)
@click.option(
    "--precision",
    type=click.Choice(["float32", "float16", "int8"]),
    help="Of the weights in a page; float16 makes it half as large, int8 a quarter.  [default: float32]",
)
@output_options
def export(
    model_path: Path | None,
    file_format: "Format | None",
    out: Path,
    precision: "Precision | None",
    as_json: bool,
    quiet: bool,
) -> None:
    """Write a model as a file for other programs, or as a web page.

    An ONNX file runs in browsers, on phones and wherever else onnxruntime does; a state dict is for PyTorch. The
    vocabulary, with a classifier's labels, and a tagger's tags and characters are written beside it. PyTorch also
    reads a checkpoint's model.safetensors as it is.

    A page holds a language model and writes with it in the browser, without a network: send it to a friend. The
    perplexity on the model's validation text is measured for each precision, where the text is there.

    \b
    Examples:
      rnnlm export --model runs/book -o book.onnx
      rnnlm export --model runs/comments -o comments.pt
      rnnlm export --model runs/book -o book.html --precision int8
    """
    from rnnlm.exchange.export import export as write

    by_ending = FORMATS.get(out.suffix.lower())
    file_format = file_format or by_ending
    if file_format is None:
        raise click.UsageError(f"-o {out}: give --format, or a name that ends with {', '.join(FORMATS)}.")
    if by_ending not in (None, file_format):
        raise click.UsageError(f"-o {out}: this ending is for --format {by_ending}; choose another.")
    if precision is not None and file_format != "html":
        raise click.UsageError("--precision is for --format html; leave it out.")
    model = load_any_model(model_path, quiet)
    beside = write(model, file_format, out, precision=precision or "float32")
    files: dict[str, Any] = {name: str(path) for name, path in {"model": out, **beside}.items()}
    text = ", ".join(f"{name}: {path}" for name, path in files.items())
    say(f"{text[0].upper()}{text[1:]}", quiet or as_json)
    if file_format == "html" and (as_json or not quiet):
        files["perplexity"] = _perplexities(model, quiet)
    if as_json:
        print_json(files)


def _perplexities(model: "AnyModel", quiet: bool) -> "dict[Precision, float] | None":
    """Measure a model with its weights in each precision, and say what each costs; None where there is no text."""
    from rnnlm.evaluation.perplexity import rounded
    from rnnlm.exchange.precision import perplexities
    from rnnlm.models.language_model import LanguageModel

    assert isinstance(model, LanguageModel)
    path = model.config.data.path
    try:
        if path is None:
            raise RnnlmError("The model does not say which that is.")
        measured = perplexities(model, open_split(path, "valid", model))
    except RnnlmError as error:
        say(f"The loss by precision was not measured, for want of the model's dataset. {error}", quiet)
        return None
    exact = measured["float32"]
    each = (f"{name} {rounded(value)} ({value / exact - 1:+.2%})" for name, value in measured.items())
    say(f"Perplexity on {path}, valid split: {', '.join(each)}", quiet)
    return measured

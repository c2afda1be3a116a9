"""``rnnlm export``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rnnlm.cli.common import PATH, load_any_model, model_option, output_options, print_json, say

if TYPE_CHECKING:
    from rnnlm.exchange.export import Format

FORMATS: "dict[str, Format]" = {".onnx": "onnx", ".pt": "torch", ".pth": "torch"}


@click.command()
@model_option
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["onnx", "torch"]),
    help="onnx needs the package onnx; torch, a state dict, needs PyTorch.  [default: by the ending of the file: "
    ".onnx, .pt or .pth]",
)
@click.option(
    "-o",
    "--out",
    required=True,
    type=PATH,
    help="File to write, or to replace, and beside it NAME.vocabulary.json, of a tagger also NAME.tags.json.",
)
@output_options
def export(model_path: Path | None, file_format: "Format | None", out: Path, as_json: bool, quiet: bool) -> None:
    """Write a model as a file for other programs.

    An ONNX file runs in browsers, on phones and wherever else onnxruntime does; a state dict is for PyTorch. The
    vocabulary, with a classifier's labels, and a tagger's tags and characters are written beside it. PyTorch also
    reads a checkpoint's model.safetensors as it is.

    \b
    Examples:
      rnnlm export --model runs/book -o book.onnx
      rnnlm export --model runs/comments -o comments.pt
    """
    from rnnlm.exchange.export import export as write

    by_ending = FORMATS.get(out.suffix.lower())
    file_format = file_format or by_ending
    if file_format is None:
        raise click.UsageError(f"-o {out}: give --format, or a name that ends with {', '.join(FORMATS)}.")
    if by_ending not in (None, file_format):
        raise click.UsageError(f"-o {out}: this ending is for --format {by_ending}; choose another.")
    beside = write(load_any_model(model_path, quiet), file_format, out)
    files = {name: str(path) for name, path in {"model": out, **beside}.items()}
    if as_json:
        print_json(files)
    else:
        text = ", ".join(f"{name}: {path}" for name, path in files.items())
        say(f"{text[0].upper()}{text[1:]}", quiet)

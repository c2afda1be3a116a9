"""``rnnlm export``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rnnlm.cli.common import find_model, json_option, model_option, print_json, quiet_option, say

if TYPE_CHECKING:
    from rnnlm.exchange.export import Format


@click.command()
@model_option
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["onnx", "torch"]),
    default="onnx",
    show_default=True,
    help="onnx needs pip install 'rnnlm[onnx]'; torch, a state dict, needs PyTorch.",
)
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="File to write.")
@json_option
@quiet_option
def export(model_path: Path | None, file_format: "Format", out: Path, as_json: bool, quiet: bool) -> None:
    """Write a model as a file for other programs.

    An ONNX file runs in browsers, on phones and wherever else onnxruntime does; a state dict is for PyTorch. The
    vocabulary is written beside it. A checkpoint's model.safetensors is read by PyTorch as it is, too.

    \b
    Examples:
      rnnlm export --model runs/book -o book.onnx
      rnnlm export --model runs/comments --format torch -o comments.pt
    """
    from rnnlm.exchange.export import export as write
    from rnnlm.model import LanguageModel

    vocabulary = write(LanguageModel.load(find_model(model_path, quiet)), file_format, out)
    if as_json:
        print_json({"model": str(out), "vocabulary": str(vocabulary)})
    else:
        say(f"Model: {out}, vocabulary: {vocabulary}", quiet)

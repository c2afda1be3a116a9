"""A model as a file for other programs."""

import io
from pathlib import Path
from typing import Any, Literal

import numpy as np

from rnnlm.errors import RnnlmError
from rnnlm.exchange.html_page import render
from rnnlm.exchange.precision import Precision
from rnnlm.files import explaining, write_together
from rnnlm.models.classifier import Classifier
from rnnlm.models.language_model import LanguageModel
from rnnlm.models.model import Model
from rnnlm.models.tagger import Tagger

Format = Literal["onnx", "torch", "html"]

LARGEST_ONNX = 2_000_000_000
"""Bytes of weights in an ONNX file, at most: its format, protobuf, ends at 2 GiB."""


def export(
    model: Model[Any, Any], file_format: Format, out: Path, *, precision: Precision = "float32"
) -> dict[str, Path]:
    """Write a model's weights, and beside them its vocabulary and what else it has: all of it or nothing.

    A web page holds all of it, so nothing is written beside it.

    Parameters
    ----------
    model
        The model.
    file_format
        ``onnx``: a graph as `step_model` or `sequence_model` makes it. ``torch``: a state dict with PyTorch's
        names and shapes. ``html``: a page as `html_page.render` makes it, with the name of the file as its title.
    out
        The file; one that is there is replaced.
    precision
        That of the weights in a page.

    Returns
    -------
    dict
        The other files, in the format of a checkpoint's: ``vocabulary``, a tagger's ``tags`` and ``characters``,
        and a translator's ``source-vocabulary``.

    Raises
    ------
    RnnlmError
        If the package that the format needs is missing, the format is not for such a model, the model is too
        large for it, or a file cannot be written.
    """
    content: str | bytes
    if file_format == "html":
        content = render(model, out.stem, precision)
    else:
        content = _onnx(model) if file_format == "onnx" else _torch(model)
    contents = {} if file_format == "html" else model.files()
    beside = {name: out.parent / f"{out.stem}.{name}" for name in contents}
    with explaining(None, "cannot be written", "; choose another `out`"):
        write_together({out: content} | {beside[name]: contents[name] for name in contents})
    return {Path(name).stem: path for name, path in beside.items()}


def _onnx(model: Model[Any, Any]) -> bytes:
    if not isinstance(model, LanguageModel | Classifier | Tagger):
        raise RnnlmError(f"A {model.called} has no ONNX file yet; export it with `file_format=torch`.")
    try:
        from rnnlm.exchange.onnx_models import sequence_model, step_model
    except ImportError as error:
        raise RnnlmError("ONNX files need the package onnx; run: pip install onnx.") from error

    if sum(value.size * 4 for value in model.network.parameters.values()) > LARGEST_ONNX:
        raise RnnlmError(
            "An ONNX file holds at most 2 GB, but the weights are more; export with `file_format=torch`."
        )
    make = step_model if isinstance(model, LanguageModel) else sequence_model
    content: bytes = make(model.network).SerializeToString()
    return content


def _torch(model: Model[Any, Any]) -> bytes:
    try:
        import torch
    except ImportError as error:
        raise RnnlmError(
            "A .pt file needs PyTorch; install it, or read a checkpoint's model.safetensors with "
            "safetensors.torch.load_file."
        ) from error

    tensors = model.network.tensors()
    # One tensor for each array: one that has two names is stored once.
    as_torch = {id(value): torch.from_numpy(np.ascontiguousarray(value)) for value in tensors.values()}
    file = io.BytesIO()
    torch.save({name: as_torch[id(value)] for name, value in tensors.items()}, file)
    return file.getvalue()

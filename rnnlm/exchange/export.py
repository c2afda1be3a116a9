"""A model as a file for other programs."""

import io
from pathlib import Path
from typing import Literal

import numpy as np

from rnnlm.errors import RnnlmError
from rnnlm.files import explaining, write_together
from rnnlm.models.language_model import LanguageModel

Format = Literal["onnx", "torch"]

LARGEST_ONNX = 2_000_000_000
"""Bytes of weights in an ONNX file, at most: its format, protobuf, ends at 2 GiB."""


def export(model: LanguageModel, file_format: Format, out: Path) -> Path:
    """Write a model's weights, and beside them its vocabulary: both or neither.

    Parameters
    ----------
    model
        The model.
    file_format
        ``onnx``: a graph as `onnx_model` makes it. ``torch``: a state dict with PyTorch's names and shapes.
    out
        The file; one that is there is replaced.

    Returns
    -------
    Path
        The vocabulary's file, in the format of a checkpoint's ``vocabulary.json``.

    Raises
    ------
    RnnlmError
        If the package that the format needs is missing, the model is too large for the format, or a file cannot
        be written.
    """
    content = _onnx(model) if file_format == "onnx" else _torch(model)
    vocabulary = out.parent / f"{out.stem}.vocabulary.json"
    with explaining(None, "cannot be written", "; choose another `out`"):
        write_together({out: content, vocabulary: model.vocabulary.content(vocabulary)})
    return vocabulary


def _onnx(model: LanguageModel) -> bytes:
    try:
        from rnnlm.exchange.onnx_graph import onnx_model
    except ImportError as error:
        raise RnnlmError("ONNX files need the package onnx; run: pip install onnx.") from error

    if sum(value.size * 4 for value in model.network.parameters.values()) > LARGEST_ONNX:
        raise RnnlmError(
            "An ONNX file holds at most 2 GB, but the weights are more; export with `file_format=torch`."
        )
    content: bytes = onnx_model(model.network).SerializeToString()
    return content


def _torch(model: LanguageModel) -> bytes:
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

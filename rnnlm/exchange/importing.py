"""Weights from elsewhere as a run."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError

from rnnlm.config import Config
from rnnlm.dataset.store import Dataset
from rnnlm.errors import RnnlmError
from rnnlm.nn.arrays import Floats
from rnnlm.nn.network import Network
from rnnlm.text.vocabulary import Vocabulary
from rnnlm.training.checkpoint import Checkpoint
from rnnlm.training.loop import Trainer
from rnnlm.training.progress import Progress
from rnnlm.training.run_directory import RunDirectory
from rnnlm.training.step import make_network


def import_run(path: Path, config: Config, out: Path, vocabulary: Vocabulary | None = None) -> None:
    """Begin a run whose network has the weights of a file.

    Parameters
    ----------
    path
        The weights, as `read_weights` takes them.
    config
        What network they are for, and how the run would train it.
    out
        The run directory to make.
    vocabulary
        The tokens, where there is no dataset: the run can then be used, but not trained. None takes the dataset of
        the configuration.

    Raises
    ------
    RnnlmError
        If a file cannot be read, the weights are not those of the configuration's network, or `out` exists.
    """
    if out.exists():
        raise RnnlmError(f"{out}: exists already; choose another --out.")
    weights = read_weights(path)
    run = RunDirectory(out)
    if vocabulary is not None:
        network = make_network(config, len(vocabulary))
        fill(network, weights, path, config.model.tie_weights)
        run.begin(config)
        state = {"progress": Progress().to_dict()}
        run.save(0, Checkpoint(config, vocabulary, network.parameters, state, {}), is_best=True)
    elif config.data.path is None:
        raise RnnlmError("data.path: no dataset is named; give --data DIR or --vocab PATH.")
    else:
        trainer = Trainer(config, Dataset.open(config.data.path), run, quiet=True)
        fill(trainer.network, weights, path, config.model.tie_weights)
        trainer.begin()


def read_weights(path: Path) -> dict[str, Floats]:
    """Read arrays by name from a ``.safetensors`` file, or a state dict from a file that PyTorch saved.

    Nothing in a file is ever run.

    Raises
    ------
    RnnlmError
        If the file cannot be read, or is neither of the two.
    """
    if path.suffix == ".safetensors":
        try:
            return safetensors.numpy.load(path.read_bytes())
        except OSError as error:
            raise RnnlmError(f"{path}: cannot be read ({error.strerror}).") from error
        except SafetensorError as error:
            raise RnnlmError(f"{path}: not a safetensors file ({error}); save the weights again.") from error
        except (KeyError, TypeError) as error:
            raise RnnlmError(f"{path}: NumPy has no numbers of the kind {error}; save them as float32.") from error
    return _read_state_dict(path)


def _read_state_dict(path: Path) -> dict[str, Floats]:
    try:
        import torch
    except ImportError as error:
        raise RnnlmError(
            f"{path}: only PyTorch reads such a file; install it, or save the weights with "
            "safetensors.torch.save_file and name the file .safetensors."
        ) from error

    advice = "save model.state_dict() with torch.save"
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise RnnlmError(f"{path}: cannot be read ({error.strerror}).") from error
    except Exception as error:  # an unpickler may raise anything at bytes that are no pickle
        raise RnnlmError(f"{path}: not a file of weights alone; {advice}.") from error
    if not isinstance(state, Mapping):
        raise RnnlmError(f"{path}: holds no state dict; {advice}.")
    for name, value in state.items():
        if not isinstance(value, torch.Tensor):
            raise RnnlmError(f"{path}: {name!r} in it is not a tensor; {advice}.")
        if value.is_complex() or value.is_meta or value.layout is not torch.strided:
            raise RnnlmError(f"{path}: {name!r} in it is not a dense tensor of real numbers; {advice}.")
    # Double precision holds every value of the others, those that NumPy does not know included.
    return {str(name): value.detach().double().numpy() for name, value in state.items()}


def fill(network: Network, weights: Mapping[str, Floats], source: Path, tied: bool) -> None:
    """Give a network the weights of a file.

    Parameters
    ----------
    network
        The network.
    weights
        Arrays by name.
    source
        The file that they come from, for messages.
    tied
        Whether ``output.weight`` may stand beside the ``embedding.weight`` that it is tied to.

    Raises
    ------
    RnnlmError
        If a name, a shape or a value is not right; the message names all that are not.
    """
    found, problems = dict(weights), []
    if tied and "output.weight" in found:
        output = found.pop("output.weight")
        if not np.array_equal(output, found.get("embedding.weight", output)):
            problems.append("output.weight differs from embedding.weight, though model.tie_weights is on")
    for name, expected in network.parameters.items():
        value = found.pop(name, None)
        if value is None:
            problems.append(f"{name} {expected.shape} is missing")
        elif value.shape != expected.shape:
            problems.append(f"{name} is {value.shape} instead of {expected.shape}")
        elif np.iscomplexobj(value):
            problems.append(f"{name} has complex numbers")
        else:
            with np.errstate(over="ignore"):
                expected[...] = value
            if not np.isfinite(expected).all():
                problems.append(f"{name} has values that are not finite numbers in {expected.dtype}")
    problems += [f"{name} {value.shape} has no place" for name, value in found.items()]
    if problems:
        raise RnnlmError(
            f"{source}: does not fit the configuration's network: {'; '.join(problems)}; "
            "change the configuration, or rename the tensors."
        )

"""The autoregressive model, fitted exactly."""

import numpy as np

from rnnlm.nn.arrays import Floats
from rnnlm.nn.network import Network


def fit_least_squares(network: Network, inputs: Floats, targets: Floats) -> None:
    """Give an AR model, ``y_t = Σ_k w_k · x_{t-k} + c``, the weights with the least squared error.

    The model is one linear unit of the cell time_delay. Rows without all of their lags take no part.

    Parameters
    ----------
    network
        Its network, whose output passes the unit on.
    inputs : (N, D)
        x_0 of each row.
    targets : (N,)
        y of each row.
    """
    parameters = network.parameters
    weight = parameters["rnn.weight_l0"]  # (1, D, width), the present input last
    width = weight.shape[2]
    windows = np.lib.stride_tricks.sliding_window_view(inputs, width, axis=0)  # (N - width + 1, D, width)
    rows = windows.reshape(len(windows), -1)
    design = np.hstack([rows, np.ones((len(rows), 1))])
    solution = np.linalg.lstsq(design, targets[width - 1 :], rcond=None)[0]
    weight[...] = solution[:-1].reshape(weight.shape)
    parameters["rnn.bias_l0"][...] = solution[-1]
    parameters["output.weight"][...] = 1
    parameters["output.bias"][...] = 0

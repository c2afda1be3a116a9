"""The recurrent layers by the names of their cells."""

from rnnlm.nn.gru import GRULayer
from rnnlm.nn.lstm import CoupledLSTMLayer, LSTMLayer, NoForgetLSTMLayer, PeepholeLSTMLayer
from rnnlm.nn.recurrent import RecurrentLayer
from rnnlm.nn.vanilla import VanillaLayer

CELLS: dict[str, type[RecurrentLayer]] = {
    "rnn": VanillaLayer,
    "gru": GRULayer,
    "lstm": LSTMLayer,
    "lstm_peephole": PeepholeLSTMLayer,
    "lstm_coupled": CoupledLSTMLayer,
    "lstm_no_forget": NoForgetLSTMLayer,
}

import gc
from dataclasses import replace

from rnnlm.dataset.building import encode
from rnnlm.text.documents import Piece
from rnnlm.text.processor import TextProcessor, TextSettings
from rnnlm.text.sentences import train_punkt


def test_a_chunk_is_forgotten_without_the_garbage_collector():
    # Which may come as late as after hundreds of chunks, as strings and arrays do not call for it.
    processor = TextProcessor(replace(TextSettings(sentences=True), punkt=train_punkt(["A b. C d."])))
    gc.collect()
    encode.encode_pieces(processor, [Piece("One. Two!", True)])
    assert gc.collect() == 0

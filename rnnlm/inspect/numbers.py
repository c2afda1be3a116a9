"""The numbers of a reading as plain data."""

from typing import Any

import numpy as np

from rnnlm.inspect.reading import Reading
from rnnlm.inspect.scores import Found, Scores, best


def to_dict(reading: Reading, scores: Scores) -> dict[str, Any]:
    """Return what was predicted at each token, and the units that say each property best, for JSON."""
    predictions = reading.predictions
    tokens = []
    for k, (token, bits) in enumerate(zip(reading.tokens, predictions.surprises.tolist(), strict=True)):
        rank = int(predictions.ranks[k])
        likeliest = zip(predictions.likeliest[k].tolist(), predictions.probabilities[k].tolist(), strict=True)
        expected = (
            [[predictions.answers[answer], probability] for answer, probability in likeliest] if rank else []
        )
        of_token = {"token": token.text, "role": token.role, "label": token.label}
        tokens.append({**of_token, "surprise": bits if rank else None, "rank": rank or None, "expected": expected})
    properties = [
        {
            "property": each.name,
            "tokens": int(np.count_nonzero(each.values)),
            "chance": float(scores.chance[number]),
            "units": [_unit(reading, found) for found in best(scores, number)],
        }
        for number, each in enumerate(scores.properties)
    ]
    return {"model": reading.model, "bits": reading.bits, "tokens": tokens, "properties": properties}


def _unit(reading: Reading, found: Found) -> dict[str, Any]:
    """Return a unit with its values; null where a token was not read."""
    layer = reading.layers[found.layer]
    values = layer.parts[found.part][:, found.unit].tolist()
    return {
        "layer": layer.name,
        "part": found.part,
        "unit": found.unit,
        "score": found.score,
        "values": [
            round(value, 6) if read else None for value, read in zip(values, layer.read.tolist(), strict=True)
        ],
    }

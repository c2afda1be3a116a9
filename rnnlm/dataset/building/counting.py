"""Counting what is in each part of a dataset: types, labels, and so where the ids of each section will stand."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnnlm.dataset.building.crew import Crew, Progress
from rnnlm.dataset.building.division import TRAIN, Assignment
from rnnlm.dataset.building.encode import BEGINS_SENTENCE
from rnnlm.dataset.building.spool import Spool, save
from rnnlm.dataset.store import SPLITS


class Counted(NamedTuple):
    """What is in the parts of a dataset.

    Attributes
    ----------
    types
        How often each type stands in the training part, by its provisional id.
    sentences
        How many sentences of each part have each label, none the first, (parts, labels + 1).
    before
        How many sentences and tokens of each part stand before those of each section, (sections + 1, parts, 2).
    """

    types: NDArray[np.int64]
    sentences: NDArray[np.int64]
    before: NDArray[np.int64]


def count_parts(spool: Spool, assignments: Sequence[Assignment], crew: Crew) -> Counted:
    """Count what is in the parts of a dataset, which the assignments give the sections to."""
    sizes = crew.map(_count, assignments, [assignment.section.tokens for assignment in assignments])
    types = np.zeros(len(spool.types) + 1, np.int64)
    sentences = np.zeros((len(SPLITS), len(spool.labels) + 1), np.int64)
    for section, _ in assignments:
        np.add.at(types, section.provisional_ids(), np.load(section.file("training.npy"), allow_pickle=False))
        of_section = np.load(section.file("sentences.npy"), allow_pickle=False)
        sentences[:, : of_section.shape[1]] += of_section
    before = np.cumsum([np.zeros((len(SPLITS), 2), np.int64), *sizes], axis=0)
    return Counted(types, sentences, before)


def _count(assignment: Assignment, workers: int, progress: Progress) -> NDArray[np.int64]:
    """Count a section on the disk; return how many sentences and tokens of it each part has, (parts, 2)."""
    section = assignment.section
    types = np.zeros(len(section.provisional_ids()), np.int64)
    sentences = np.zeros(
        (len(SPLITS), int(np.load(section.file("labels.npy"), allow_pickle=False).max()) + 1), np.int64
    )
    tokens = np.zeros(len(SPLITS), np.int64)
    for parts, (segments, ids) in assignment():
        types += np.bincount(ids[np.repeat(parts == TRAIN, segments["tokens"])], minlength=len(types))
        begins = (segments["begins"] & BEGINS_SENTENCE) != 0
        np.add.at(sentences, (parts[begins], segments["label"][begins]), 1)
        np.add.at(tokens, parts, segments["tokens"])
    save(section.file("training.npy"), types)
    save(section.file("sentences.npy"), sentences)
    return np.stack([sentences.sum(1), tokens], axis=1)

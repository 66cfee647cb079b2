"""What the marks say, in the words of those who defined them; standard library only."""

from __future__ import annotations

PROGRAM = "S²Edit"
NEWSCODES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
"""IPTC's vocabulary of how a picture came about; C2PA uses the same terms."""
SOURCE_TYPE = NEWSCODES + "compositeWithTrainedAlgorithmicMedia"
"""A picture of which a part was made by a trained model: what an edit makes."""
WHOLLY = NEWSCODES + "trainedAlgorithmicMedia"
"""A picture that is a model's altogether; an edit does not make it less so."""
BY_MODELS = frozenset({SOURCE_TYPE, WHOLLY, NEWSCODES + "compositeSynthetic"})
"""Terms that say that a model had a hand in a picture. The third is what programs wrote before there was the first."""


def says_model(source_type: str) -> bool:
    """Whether a digital source type says so; some programs write the bare term, or https."""
    term = source_type.strip().rstrip("/").rpartition("/")[2]
    return NEWSCODES + term in BY_MODELS


def after_edit(source_type: str) -> str:
    """The digital source type of a picture after an edit, from the one that it had ("" for none)."""
    return (
        source_type
        if says_model(source_type) and source_type.rstrip("/").endswith("/trainedAlgorithmicMedia")
        else SOURCE_TYPE
    )

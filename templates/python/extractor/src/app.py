"""An extractor: of each record, a row of features.

This one counts the words of a text and takes the first. Put your own features in their
place; vendor/sandbar.py says what else there is."""

import sandbar
from sandbar import Failure


class Words:
    """Words of a text."""

    features = {"words": "number", "first": "text"}

    def __init__(self, setup, longest=65_536):
        """The stage's `config` table in the pipeline's manifest: `longest`, the bytes of the
        longest value that is read."""
        if longest == 0:
            raise ValueError("'longest': must be greater than zero")
        self.longest = longest

    def extract(self, record):
        if record.value is None:
            raise Failure.missing("the value is null")
        if len(record.value) > self.longest:
            raise Failure.too_large(f"{len(record.value)} bytes exceed 'longest' ({self.longest})")
        words = record.text().split()
        return {"words": len(words), "first": words[0] if words else None}


Extraction = sandbar.extractor(Words)

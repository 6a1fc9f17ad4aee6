"""A transformer: of each record, none, one or several.

This one tidies up texts: it drops empty ones, cuts off the white space around the others and
says in a header how many words they have. What is too long goes to the first of the stage's
`topics`. Put your own work in its place; vendor/sandbar.py says what else there is."""

import sandbar
from sandbar import Failure


class Tidy:
    """Tidies up texts."""

    def __init__(self, setup, longest=65_536):
        """The stage's `config` table in the pipeline's manifest: `longest`, the bytes of the
        longest text that goes on."""
        if longest == 0:
            raise ValueError("'longest': must be greater than zero")
        self.longest = longest
        self.aside = setup.topics[0] if setup.topics else None

    def transform(self, record):
        if record.value is None:
            return None  # A tombstone, as a record without a value is called.
        text = record.text().strip()
        if not text:
            return None
        length = len(text.encode())
        if length > self.longest:
            if self.aside is None:
                raise Failure.too_large(f"{length} bytes exceed 'longest' ({self.longest})")
            return record.derive(to=self.aside)
        return record.derive(value=text).add_header("words", str(len(text.split())))


Transformation = sandbar.transformer(Tidy)

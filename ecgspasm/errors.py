"""The one exception that a user of the package has to catch."""


class EcgError(ValueError):
    """The input cannot be used; the message is one line that says what is wrong and how to mend it."""

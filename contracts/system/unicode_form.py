"""One Unicode form (NFC) for names: what looks the same is equal."""

import unicodedata


def composed(text: str) -> str:
    """Return `text` in NFC (Unicode Standard Annex 15), the form that keyboards write.

    Other systems hand out other forms: "é" is one character from a keyboard, two in the file
    names of macOS.
    """
    return text if text.isascii() else unicodedata.normalize("NFC", text)

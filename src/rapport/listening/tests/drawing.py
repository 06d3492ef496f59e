"""Pictures as people upload them."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

from rapport.listening.contract import Media


def drawn(
    width: int = 400, height: int = 300, kind: str = "JPEG", *, image: Image.Image | None = None, **more: Any
) -> bytes:
    """A file with a picture that runs from one colour to another."""
    file = io.BytesIO()
    run = Image.linear_gradient("L").resize((width, height))
    found = image or Image.merge("RGB", (run, run.rotate(180), run))
    found.save(file, kind, **more)
    return file.getvalue()


# Two pictures as a connector gets them.
LAMPS = (
    Media(drawn(40, 30), "image/jpeg", "A lamp with a grün shade.", 40, 30),
    Media(drawn(30, 60, "PNG"), "image/png", "The same lamp, lit.", 30, 60),
)

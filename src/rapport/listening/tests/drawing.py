"""Pictures as people upload them."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image


def drawn(
    width: int = 400, height: int = 300, kind: str = "JPEG", *, image: Image.Image | None = None, **more: Any
) -> bytes:
    """A file with a picture that runs from one colour to another."""
    file = io.BytesIO()
    run = Image.linear_gradient("L").resize((width, height))
    found = image or Image.merge("RGB", (run, run.rotate(180), run))
    found.save(file, kind, **more)
    return file.getvalue()

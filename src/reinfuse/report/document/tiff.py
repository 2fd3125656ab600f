"""Pixels as TIFF, as journals take figures: RGB, without loss, its resolution told. The one door to Pillow."""

from __future__ import annotations

import io

from PIL import Image


def tiff(png: bytes, dpi: int) -> bytes:
    """Return the pixels of a PNG as TIFF (LZW).

    Parameters
    ----------
    dpi
        Pixels an inch, as the file tells it.
    """
    with Image.open(io.BytesIO(png)) as image:
        pixels = image.convert("RGBA")
    paper = Image.new("RGB", pixels.size, "white")
    paper.paste(pixels, mask=pixels.getchannel("A"))
    file = io.BytesIO()
    paper.save(file, format="TIFF", compression="tiff_lzw", dpi=(dpi, dpi))
    return file.getvalue()

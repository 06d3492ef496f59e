"""Pictures that staff upload: taken apart and written anew, so that nothing but the picture itself is left.

A photograph carries where and by whom it was taken (EXIF, GPS, comments), a file may be something else than its
name says, and a few bytes may unpack to more than the memory holds. So only a decoder of four formats looks at
it, its size is looked at before it is unpacked, and what is kept are its dots alone, as JPEG or PNG, upright and
in sRGB.
"""

from __future__ import annotations

import io
import struct
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from rapport.kit.errors import Invalid

if TYPE_CHECKING:
    from PIL import Image

JPEG, PNG = "image/jpeg", "image/png"
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")  # that are read
BYTES_MAX = 20 << 20  # of an upload
# Of an upload, before it is unpacked: a JPEG can be unpacked smaller than it is, all others whole alone.
PIXELS_MAX, PIXELS_MAX_WHOLE = 50_000_000, 25_000_000
SIDE_MAX = 4_096  # of what is kept: more is shown nowhere
SMALL_SIDE = 480  # of what lists show
QUALITIES = (90, 82, 74, 66)  # of JPEG, tried one after the other before dots are given up
SHRINK_RATIO = 0.8
TRIES = 12
SIDE_MIN = 16  # a smaller one is a speck, and shows nobody anything
# Unpacked, the largest takes half a gigabyte for a moment: that is there once, not once for every request.
_unpacking = threading.Lock()


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as it was written here."""

    content: bytes
    content_type: str
    width: int
    height: int


def read(content: bytes, name: str = "") -> Picture:
    """What an upload shows, written anew; Invalid where it is no picture, too large, or moves."""
    shown = f"“{name}”" if name else _("the file")
    if len(content) > BYTES_MAX:
        raise Invalid(
            _("%(name)s is larger than %(n)d MB") % {"name": shown, "n": BYTES_MAX >> 20},
            _("Save it smaller, then choose it again."),
        )
    with _unpacking, _opened(content, shown) as image:
        # A photograph with a preview, or a map of how bright it is, behind it (MPO) is one picture, the first.
        most = PIXELS_MAX if image.format in {"JPEG", "MPO"} else PIXELS_MAX_WHOLE
        if image.width * image.height > most:
            raise _too_many_pixels(shown, most)
        if image.format != "MPO" and getattr(image, "is_animated", False):
            raise Invalid(
                _("%(name)s is a moving picture") % {"name": shown},
                _("Save one picture of it, and choose that."),
            )
        if min(image.size) < SIDE_MIN:
            raise Invalid(
                _("%(name)s is too small to show anything") % {"name": shown},
                _("Choose a picture of at least %(n)d pixels each way.") % {"n": SIDE_MIN},
            )
        plain = _at_most(_plain(image), SIDE_MAX)
        return _written(plain, as_png=image.format in {"PNG", "GIF"} or _is_clear(plain))


def fitted(picture: Picture, *, bytes_max: int = 0, side_max: int = 0, kinds: Sequence[str] = ()) -> Picture:
    """The picture, made smaller or of another kind where these limits ask for it; the same input gives the same bytes.

    Where nothing stands against it, it is given back as it is. 0 and an empty list are no limit.
    """
    is_kind = not kinds or picture.content_type in kinds
    is_small = not side_max or max(picture.width, picture.height) <= side_max
    if is_kind and is_small and (not bytes_max or len(picture.content) <= bytes_max):
        return picture
    with _unpacking:
        return _fitted(picture, bytes_max, side_max or SIDE_MAX, kinds)


def _fitted(picture: Picture, bytes_max: int, side_max: int, kinds: Sequence[str]) -> Picture:
    with _opened(picture.content, _("the picture")) as opened:
        image = _at_most(_plain(opened), side_max)
    if picture.content_type == PNG and (not kinds or PNG in kinds):
        made = _written(image, as_png=True)
        if not bytes_max or len(made.content) <= bytes_max:
            return made
    for _try in range(TRIES):
        for quality in QUALITIES:
            made = _written(image, quality=quality)
            if not bytes_max or len(made.content) <= bytes_max:
                return made
        image = _at_most(image, int(max(image.size) * SHRINK_RATIO))
    raise Invalid(
        _("the picture cannot be made small enough"), _("Save it smaller, then choose it again.")
    )  # pragma: no cover  a network that takes a few hundred bytes


def small(picture: Picture) -> Picture:
    """The picture as lists show it."""
    return fitted(picture, side_max=SMALL_SIDE, kinds=(JPEG,))


def described(content: bytes) -> Picture:
    """Size and kind of a picture that was written here."""
    with _opened(content, _("the picture")) as image:
        return Picture(content, JPEG if image.format == "JPEG" else PNG, image.width, image.height)


@contextmanager
def _opened(content: bytes, name: str) -> Iterator[Image.Image]:
    """Whatever goes wrong inside a decoder means that this is not a picture that can be shown."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            # Its size is held against our own limit, which is lower.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=FORMATS) as image:
                yield image
    except Invalid:
        raise
    except Image.DecompressionBombError:
        raise _too_many_pixels(name, PIXELS_MAX) from None
    except (
        OSError,
        ValueError,
        SyntaxError,
        EOFError,
        IndexError,
        KeyError,
        struct.error,
        ArithmeticError,
        TypeError,
    ) as error:
        raise Invalid(
            _("%(name)s is no picture that can be read") % {"name": name},
            _("Choose a JPEG, PNG, WebP or GIF file."),
        ) from error


def _too_many_pixels(name: str, most: int) -> Invalid:
    return Invalid(
        _("%(name)s has more than %(n)d million pixels") % {"name": name, "n": most // 1_000_000},
        _("Save it smaller, then choose it again."),
    )


def _plain(image: Image.Image) -> Image.Image:
    """Upright, in sRGB, of 8 bits, with its transparency where it has some."""
    from PIL import ImageOps

    profile = image.info.get("icc_profile")
    # A JPEG is unpacked at a half or a quarter where that is enough; all others take no notice.
    image.draft(None, _within(image.size, SIDE_MAX))  # in the mode that it has
    image.load()
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith("I"):  # greys of 16 bits, of which all but the darkest would turn white
        upright = upright.convert("I").point(lambda dot: dot * (1 / 256)).convert("L")
        upright.info.pop("transparency", None)
    has_alpha = "A" in upright.getbands() or "transparency" in upright.info
    if profile:
        upright = _in_srgb(upright, profile)
    return upright.convert("RGBA" if has_alpha else "RGB")


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """The colours as they were meant, since the profile that says so does not travel along."""
    from PIL import ImageCms

    try:
        meant = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        found = ImageCms.profileToProfile(
            image, meant, ImageCms.createProfile("sRGB"), outputMode="RGBA" if image.mode == "RGBA" else "RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image  # a profile that is broken, or for other colours than these
    return found if found is not None else image


def _at_most(image: Image.Image, side: int) -> Image.Image:
    from PIL import Image

    if max(image.size) <= side:
        return image
    return image.resize(_within(image.size, side), Image.Resampling.LANCZOS)


def _within(size: tuple[int, int], side: int) -> tuple[int, int]:
    """A size of the same shape whose longer side is so long."""
    width, height = (max(1, round(part * side / max(size))) for part in size)
    return width, height


def _written(image: Image.Image, *, as_png: bool = False, quality: int = QUALITIES[0]) -> Picture:
    """The dots and nothing else; what is transparent stands on white where JPEG has to hold it."""
    from PIL import Image

    file = io.BytesIO()
    if as_png:
        bare = image if _is_clear(image) else image.convert("RGB")
        bare.info.clear()
        bare.save(file, "PNG")
        return Picture(file.getvalue(), PNG, image.width, image.height)
    flat = Image.new("RGB", image.size, "white")
    flat.paste(image, mask=image.getchannel("A") if image.mode == "RGBA" else None)
    flat.save(file, "JPEG", quality=quality, optimize=True, progressive=True)
    return Picture(file.getvalue(), JPEG, image.width, image.height)


def _is_clear(image: Image.Image) -> bool:
    """Whether anything shines through."""
    return image.mode == "RGBA" and image.getchannel("A").getextrema() != (255, 255)

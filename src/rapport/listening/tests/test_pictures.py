"""Pictures: what an upload becomes, what networks take, and that nothing but the picture is kept."""

from __future__ import annotations

import io
import struct
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from rapport.kit import process
from rapport.kit.errors import Invalid, NotFound
from rapport.listening import selectors, services
from rapport.listening.contract import Draft, Manners, Media, Pictures
from rapport.listening.rules.pictures import Shape, is_reachable, remarks
from rapport.listening.services import album, pictures
from rapport.listening.tests.drawing import drawn
from rapport.listening.tests.networks import Square, source, square  # noqa: F401  fixtures


def test_a_photograph_loses_where_and_by_whom_it_was_taken() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # held upright by turning it
    exif[0x9286] = "by Ana"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (40.0, 25.0, 0.0)
    raw = drawn(60, 40, exif=exif.tobytes(), comment=b"secret words")
    assert b"Ana" in raw
    made = pictures.read(raw)
    assert (made.content_type, made.width, made.height) == ("image/jpeg", 40, 60)
    with Image.open(io.BytesIO(made.content)) as found:
        assert not found.getexif()
        assert set(found.info) <= {
            "jfif",
            "jfif_version",
            "jfif_unit",
            "jfif_density",
            "progressive",
            "progression",
        }
    assert b"Ana" not in made.content
    assert b"secret" not in made.content


def test_what_is_drawn_or_clear_stays_so_and_other_kinds_become_one_of_two() -> None:
    clear = Image.new("RGBA", (40, 30), (200, 10, 10, 90))
    made = pictures.read(drawn(image=clear, kind="WEBP"))
    assert made.content_type == "image/png"
    with Image.open(io.BytesIO(made.content)) as found:
        assert found.mode == "RGBA"
    assert pictures.read(drawn(40, 30, "WEBP")).content_type == "image/jpeg"
    assert pictures.read(drawn(40, 30, "GIF")).content_type == "image/png"
    on_white = pictures.fitted(made, kinds=["image/jpeg"])
    with Image.open(io.BytesIO(on_white.content)) as found:
        red, green, _blue = found.getpixel((20, 15))
    assert on_white.content_type == "image/jpeg"
    assert 225 < red <= 255
    assert 150 < green < 185  # a third of a red over white


def test_colours_of_another_profile_are_made_ours() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    plain, same = Image.new("RGB", (20, 20), (180, 60, 20)), drawn(20, 20)
    assert pictures.read(drawn(image=plain, kind="PNG", icc_profile=srgb)).content_type == "image/png"
    # One that is not of these colours is left out rather than guessed at.
    made = pictures.read(drawn(image=plain, kind="PNG", icc_profile=lab.tobytes()))
    with Image.open(io.BytesIO(made.content)) as found:
        assert found.getpixel((3, 3)) == (180, 60, 20)
        assert "icc_profile" not in found.info
    assert pictures.read(same).width == 20


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose head promises as many dots as one likes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no picture that can be read"),
        (b"<svg onload=alert(1)>", "no picture that can be read"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "no picture that can be read"),
        (bomb(60_000, 60_000), "million pixels"),
        (bomb(5_100, 5_100), "25 million pixels"),
        (bomb(400, 400), "no picture that can be read"),  # its head promises more than it holds
        (b"\xff\xd8\xff" + bytes(500), "no picture that can be read"),
        (bytes(pictures.BYTES_MAX + 1), "larger than 20 MB"),
    ],
    ids=["empty", "script", "postscript", "bomb", "much", "short", "broken", "large"],
)
def test_what_is_no_picture_or_too_much_is_refused_in_words(content: bytes, says: str) -> None:
    with pytest.raises(Invalid, match=says) as refused:
        pictures.read(content, "lamp.png")
    assert "lamp.png" in refused.value.message
    assert refused.value.hint


def test_a_moving_picture_and_a_speck_are_refused() -> None:
    frames = [Image.new("RGB", (30, 30), (n * 80, 0, 0)) for n in range(3)]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    with pytest.raises(Invalid, match="moving picture"):
        pictures.read(file.getvalue())
    with pytest.raises(Invalid, match="too small"):
        pictures.read(drawn(400, 2))


def test_a_photograph_with_others_behind_it_is_the_first() -> None:
    """Cameras and telephones keep a preview, or a map of how bright it is, in the same file."""
    file = io.BytesIO()
    behind = Image.new("RGB", (30, 20), "blue")
    Image.new("RGB", (60, 40), "red").save(file, "MPO", save_all=True, append_images=[behind])
    made = pictures.read(file.getvalue())
    assert (made.content_type, made.width, made.height) == ("image/jpeg", 60, 40)
    with Image.open(io.BytesIO(made.content)) as found:
        assert found.getpixel((30, 20)) == pytest.approx((255, 0, 0), abs=8)
        assert getattr(found, "n_frames", 1) == 1


def test_greys_of_sixteen_bits_stay_greys() -> None:
    deep = Image.new("I;16", (40, 30), 0x8080)
    made = pictures.read(drawn(image=deep, kind="PNG"))
    with Image.open(io.BytesIO(made.content)) as found:
        assert found.getpixel((3, 3)) == (128, 128, 128)


def test_a_picture_that_says_nonsense_of_itself_is_refused_in_words() -> None:
    turned = struct.pack(">HHIHH", 0x0112, 3, 1, 6, 0)
    white_in_letters = struct.pack(">HHI4s", 0x013E, 2, 3, b"hi")
    exif = b"Exif\0\0MM\0*" + struct.pack(">IH", 8, 2) + turned + white_in_letters + bytes(4)
    with pytest.raises(Invalid, match="no picture that can be read"):
        pictures.read(drawn(40, 30, exif=exif))


@given(
    content=st.binary(max_size=400),
    head=st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\x20\0\0\0WEBPVP8 "]),
)
def test_whatever_comes_is_a_picture_or_a_sentence(content: bytes, head: bytes) -> None:
    try:
        made = pictures.read(head + content)
    except Invalid:
        return
    assert made.content_type in {"image/jpeg", "image/png"}


def test_a_picture_is_made_as_small_as_a_network_wants_and_the_same_each_time() -> None:
    noise = Image.effect_noise((900, 700), 90).convert("RGB")
    made = pictures.read(drawn(image=noise))
    fits = pictures.fitted(made, bytes_max=60_000, side_max=800)
    assert len(fits.content) <= 60_000
    assert max(fits.width, fits.height) <= 800
    assert abs(fits.width / fits.height - 900 / 700) < 0.02
    assert pictures.fitted(made, bytes_max=60_000, side_max=800) == fits
    assert pictures.fitted(made, bytes_max=10_000_000, side_max=4_096) is made


def test_what_is_larger_than_anybody_shows_is_kept_smaller_in_its_shape() -> None:
    for kind in ("JPEG", "PNG"):
        made = pictures.read(drawn(8_300, 64, kind))
        assert (made.width, made.height) == (pictures.SIDE_MAX, 32)


def test_pictures_are_unpacked_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of fifty million dots takes half a gigabyte for a moment, and several may come at once."""
    both, inside, most, plain = threading.Barrier(2), [0], [0], pictures._plain

    def meets(image: Any) -> Any:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        with suppress(threading.BrokenBarrierError):
            both.wait(0.3)
        inside[0] -= 1
        return plain(image)

    monkeypatch.setattr(pictures, "_plain", meets)
    made = pictures.Picture(drawn(60, 40), "image/jpeg", 60, 40)
    with ThreadPoolExecutor(2) as pool:
        found = [pool.submit(pictures.read, made.content), pool.submit(pictures.fitted, made, side_max=30)]
        assert [one.result().width for one in found] == [60, 30]
    assert most == [1]


def test_it_is_kept_once_and_goes_whole(home: Path) -> None:
    raw = drawn(700, 500)
    one = album.keep(raw, "lamp.jpg")
    assert album.keep(raw) == one
    assert (album.find(one.digest), one.path.stat().st_size) == (one, one.n_bytes)
    with Image.open(album.small_path(one.digest)) as small:
        assert max(small.size) == pictures.SMALL_SIDE
    assert len([p for p in (home / "pictures").rglob("*") if p.is_file()]) == 2
    (home / "pictures" / "aa").mkdir()
    (home / "pictures" / "aa" / ".half-written").write_bytes(b"\xff\xd8")
    assert list(album.older_than(3_600)) == []
    assert list(album.older_than(-3_600)) == [one.digest]
    album.take_away(one.digest)
    assert [p for p in (home / "pictures").rglob("*") if p.is_file()] == []
    for wrong in (one.digest, "../../secret.key", "", "f" * 63 + "/"):
        with pytest.raises(NotFound):
            album.find(wrong)
        with pytest.raises(NotFound):
            album.small_path(wrong)


def test_nobody_takes_a_picture_away_while_it_is_written_or_marked_as_wanted(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the file that was there is gone when it is marked, and half of what is written is in the way."""
    is_held: list[bool] = []
    for name in ("fsync_file", "fsync_folder"):
        put = getattr(album.home, name)

        def looks(path: Path, put: Any = put) -> None:
            is_held.append(process.held(album.FOLDER))
            put(path)

        monkeypatch.setattr(album.home, name, looks)
    kept = album.keep(drawn())
    assert is_held
    assert all(is_held)
    assert not process.held(album.FOLDER)
    assert album.find(kept.digest) == kept


def shape(alt: str = "A lamp", width: int = 800, height: int = 600, n_bytes: int = 9_000) -> Shape:
    return Shape("image/jpeg", width, height, n_bytes, alt)


def codes(
    shapes: list[Shape], takes: Pictures, address: str = "https://otter.example"
) -> list[tuple[str, int]]:
    return [(one.code, one.n) for one in remarks(shapes, takes, address)]


def test_what_a_network_does_not_take_is_named() -> None:
    four = Pictures(most=4, bytes_max=10_000, side_max=1_000, alt_max=20, narrowest=0.8, widest=1.91)
    assert codes([], four) == []
    assert codes([], Pictures(most=1, is_needed=True)) == [("needed", 0)]
    assert codes([shape()], Pictures()) == [("none_taken", 0)]
    assert codes([shape()] * 5, four) == [("too_many", 0)]
    assert codes([shape(), shape("  ")], four) == [("no_alt", 2)]
    assert codes([shape("A lamp that shines in the dark")], four) == [("long_alt", 1)]
    assert codes([shape(width=400)], four) == [("too_narrow", 1)]
    assert codes([shape(width=1_600, height=600, n_bytes=1)], four) == [("too_wide", 1), ("made_smaller", 1)]
    assert codes([shape(n_bytes=20_000)], four) == [("made_smaller", 1)]
    assert not remarks([shape(n_bytes=20_000)], four)[0].is_forbidden
    spoken = Pictures(most=1, text_max=10, takes_alt=False)
    assert [(r.code, r.is_forbidden) for r in remarks([shape()], spoken, "", 11)] == [
        ("long_text", True),
        ("alt_left_out", False),
    ]
    assert remarks([], spoken, "", 11) == []
    assert codes([shape(width=1_080, height=1_351)], Pictures(most=1, narrowest=0.8)) == []  # a dot more
    assert codes([shape()], Pictures(most=1, is_fetched=True), "http://localhost:8000") == [
        ("not_reachable", 0)
    ]


@pytest.mark.parametrize(
    ("address", "is_there"),
    [
        ("https://rapport.otter.example", True),
        ("https://8.8.8.8:8443", True),
        ("http://rapport.otter.example", False),
        ("https://localhost", False),
        ("https://127.0.0.1", False),
        ("https://192.168.1.2", False),
        ("https://box.local", False),
        ("", False),
    ],
)
def test_an_address_that_others_cannot_reach_is_known_by_its_looks(address: str, is_there: bool) -> None:
    assert is_reachable(address) is is_there


def test_what_cannot_go_along_is_refused_before_anything_leaves(
    square: Square,  # noqa: F811
    source: str,  # noqa: F811
) -> None:
    one = Media(drawn(400, 300), "image/jpeg", "A lamp.", 400, 300)
    own = Draft("d1", "The lamp is back.", media=(one, replace(one, alt="Lit.")))
    with pytest.raises(Invalid, match="cannot be posted to Square"):
        services.publish(source, own)
    square.manners = Manners(pictures=Pictures(most=1, is_needed=True, side_max=200))
    for draft, says in (
        (own, "1 pictures at most"),
        (replace(own, media=()), "no post without a picture"),
        (replace(own, media=(replace(one, alt=""),)), "no alternative text"),
        (replace(own, media=(replace(one, content=Path("/nowhere/lamp.jpg")),)), "no longer kept"),
    ):
        with pytest.raises(Invalid, match=says):
            services.publish(source, draft)
        assert selectors.posted("d1") is None
    assert square.posted == []
    services.publish(source, replace(own, media=(one,)))
    (left,) = square.posted
    assert (left.media[0].width, left.media[0].height, left.media[0].alt) == (200, 150, "A lamp.")
    assert isinstance(left.media[0].content, bytes)
    services.publish(source, Draft("d2", "We can help.", in_reply_to="1"))  # an answer is words
    assert selectors.pictures_of(source).most == 1

"""Pictures of a post of our own: handed to a Page unseen and then shown, or fetched by Instagram into a container.

Neither is a post until the last request: what ended before it left nothing behind that anybody sees. Instagram
takes no bytes, and fetches each picture from our address (https://developers.facebook.com/docs/instagram-platform/
content-publishing); a container that is not published within a day is dropped there.
"""

from __future__ import annotations

from collections.abc import Iterator

from rapport.kit import clock, wire
from rapport.listening.contract import Context, Draft, Failed, Media, Pictures, nothing_posted
from rapport.plugins.connectors.meta_pages.graph import Graph, Parameters

PAGE = Pictures(most=10, bytes_max=4_000_000, side_max=2_048)
GRAM = Pictures(
    most=10,
    is_needed=True,
    bytes_max=8_000_000,
    side_max=1_440,
    kinds=("image/jpeg",),
    alt_max=1_000,
    narrowest=0.8,
    widest=1.91,
    is_fetched=True,
)
READY_TRIES, READY_S = 20, 3.0  # how often and after which time a container is asked whether it is ready


def attached(graph: Graph, draft: Draft) -> Iterator[tuple[str, str | int]]:
    """What joins pictures to a post of a Page: each was handed over without being shown."""
    for n, one in enumerate(draft.media):
        said = [("published", "false"), ("alt_text_custom", one.alt)]
        ending = one.content_type.partition("/")[2]
        file = ("source", f"picture.{ending}", one.content_type, one.read())
        with nothing_posted():
            number = wire.text_at(graph.post(f"{graph.config.number}/photos", said, [file]), "id")
            if not number:
                raise Failed("Meta does not say what became of a picture", retry_after_s=30.0)
        yield f"attached_media[{n}]", f'{{"media_fbid":"{number}"}}'


def published(graph: Graph, draft: Draft, context: Context) -> str:
    """Post pictures on Instagram; gives the post's number."""
    with nothing_posted():
        if len(draft.media) == 1:
            container = _container(graph, draft.media[0], [("caption", draft.text)])
        else:
            parts = [_container(graph, one, [("is_carousel_item", "true")]) for one in draft.media]
            for part in parts:
                _wait(graph, part, context)
            said = [("media_type", "CAROUSEL"), ("children", ",".join(parts)), ("caption", draft.text)]
            container = _named(graph, said)
        _wait(graph, container, context)
    path = f"{graph.config.number}/media_publish"
    return wire.text_at(graph.post(path, [("creation_id", container)]), "id")


def address_of(graph: Graph, number: str) -> str:
    """Where a post on Instagram is to be seen; that it is there is known without it."""
    try:
        return wire.text_at(graph.get(number, [("fields", "permalink")]), "permalink")
    except Failed:
        return ""


def _container(graph: Graph, one: Media, said: Parameters) -> str:
    if not one.url:
        raise Failed("Instagram has nowhere to fetch a picture from", is_permanent=True)
    return _named(graph, [("image_url", one.url), ("alt_text", one.alt), *said])


def _named(graph: Graph, said: Parameters) -> str:
    number = wire.text_at(graph.post(f"{graph.config.number}/media", said), "id")
    if not number:
        raise Failed("Instagram does not say what became of a picture", retry_after_s=30.0)
    return number


def _wait(graph: Graph, container: str, context: Context) -> None:
    for _try in range(READY_TRIES):
        told = graph.get(container, [("fields", "status_code,status")])
        state = wire.text_at(told, "status_code")
        if state in {"FINISHED", "PUBLISHED"}:
            return
        if state in {"ERROR", "EXPIRED"}:
            words = wire.text_at(told, "status") or state
            hint = "See that RAPPORT_PUBLIC_URL can be reached from the internet, then try again."
            raise Failed(f"Instagram could not use a picture: {words}", is_permanent=True, hint=hint)
        if context.is_stopping():
            break
        clock.sleep(READY_S)
    raise Failed("Instagram is not done with a picture yet", retry_after_s=60.0)

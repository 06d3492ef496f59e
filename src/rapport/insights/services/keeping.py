"""What was learnt, kept with its version; the registry's models by name."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from django.db import transaction

from rapport.insights import rules
from rapport.insights.contract import KIND, Context, Insight, is_of_texts
from rapport.insights.models import StoredModel
from rapport.kit import clock, registry
from rapport.kit.errors import NotFound

SEED = 1
KEPT = 5  # of each model, beside the active one
ADAPTED = "+"  # between the plug-in's version and the number of the adaptation

# By model: the firm's own figures for its parameters, as a domain above keeps them.
_FIRMS: dict[str, Callable[[], Mapping[str, Any]]] = {}

LABELLED = pa.schema([("text", pa.string()), ("label", pa.string()), ("name", pa.string())])


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a model learnt, under the version it writes."""

    version: str
    content: bytes


def insights(names: Sequence[str] | None = None) -> list[Insight]:
    """Models by name, or all of them; each after those whose scores it reads. Raises NotFound naming those there are."""
    if names is None:
        return rules.in_order([found.offers for found in registry.plugins(KIND).values()])
    return rules.in_order([insight(name) for name in names])


def insight(name: str) -> Insight:
    """One model, or NotFound naming those there are."""
    offered: Insight = registry.plugin(KIND, name).offers
    return offered


def texts_insights() -> list[Insight]:
    """The models that annotate texts."""
    return [model for model in insights() if is_of_texts(model)]


def context(
    model: Insight, horizon_days: int = 90, parameters: Mapping[str, Any] | None = None, now: Any = None
) -> Context:
    """What a model may know: the clock's time unless another is given; its defaults, the firm's figures over them,
    and those given over both."""
    return Context(
        now=now or clock.now(),
        seed=SEED,
        horizon_days=horizon_days,
        parameters={**model.parameters, **firms_parameters(model), **(parameters or {})},
    )


def parameters_from(name: str, given: Callable[[], Mapping[str, Any]]) -> None:
    """Let a domain above say what the firm has set for a model's parameters; called when its app is ready."""
    _FIRMS[name] = given


def firms_parameters(model: Insight) -> dict[str, Any]:
    """What the firm has set for parameters that the model has."""
    given = _FIRMS[model.name]() if model.name in _FIRMS else {}
    return {name: value for name, value in given.items() if name in model.parameters}


def active_version(model: Insight) -> str:
    """The version under which a model writes: the newest adaptation of the plug-in's own, or that."""
    kept = StoredModel.objects.filter(name=model.name, is_active=True).only("version").first()
    return kept.version if kept is not None and is_of(kept.version, model) else model.version


def is_of(version: str, model: Insight) -> bool:
    """Whether a version is the plug-in's present one or an adaptation of it; what older ones learnt is not read."""
    return version.partition(ADAPTED)[0] == model.version


def active(model: Insight) -> Fitted:
    """What a model of texts learnt last; what comes with the plug-in where its version is new."""
    kept = StoredModel.objects.filter(name=model.name, is_active=True).first()
    if kept is not None and is_of(kept.version, model):
        return Fitted(kept.version, bytes(kept.content))
    content = shipped(model)
    keep(model.name, model.version, content)
    return Fitted(model.version, content)


def peek(model: Insight) -> Fitted:
    """The same as `active`, and nothing is written."""
    kept = StoredModel.objects.filter(name=model.name, is_active=True).first()
    if kept is not None and is_of(kept.version, model):
        return Fitted(kept.version, bytes(kept.content))
    return Fitted(model.version, shipped(model))


def shipped(model: Insight) -> bytes:
    """What a model of texts knows before anybody taught it."""
    return model.fit(LABELLED.empty_table(), context(model))


def keep(
    name: str,
    version: str,
    content: bytes,
    run: uuid.UUID | None = None,
    lesson: Mapping[str, Any] | None = None,
) -> None:
    """Store what was learnt and let it score from now on; old ones beyond a few are dropped."""
    with transaction.atomic():
        StoredModel.objects.filter(name=name, is_active=True).update(is_active=False)
        StoredModel.objects.create(
            name=name,
            version=version,
            run=run,
            content=content,
            created_at=clock.now(),
            is_active=True,
            lesson=dict(lesson or {}),
        )
        old = StoredModel.objects.filter(name=name, is_active=False).order_by("-created_at", "-id")
        StoredModel.objects.filter(id__in=list(old.values_list("id", flat=True)[KEPT:])).delete()


def activate(model: Insight, version: str) -> None:
    """Let a version that is kept, or the plug-in's own, score from now on. Raises NotFound for any other."""
    with transaction.atomic():
        kept = StoredModel.objects.filter(name=model.name, version=version).order_by("-id").first()
        if kept is None and version != model.version:
            raise NotFound(
                f"{model.name} keeps no version {version!r}",
                f"`rapport text versions {model.name}` lists them.",
            )
        StoredModel.objects.filter(name=model.name, is_active=True).update(is_active=False)
        if kept is not None:
            StoredModel.objects.filter(pk=kept.pk).update(is_active=True)
    if kept is None:
        keep(model.name, version, shipped(model))


def version_before(model: Insight) -> str:
    """The version that served before the one that serves; the plug-in's own where no other is kept; else empty."""
    mine = [v for v in StoredModel.objects.filter(name=model.name).order_by("created_at", "id")
            if is_of(v.version, model)]  # fmt: skip
    place = next((k for k, kept in enumerate(mine) if kept.is_active), None)
    if place:
        return mine[place - 1].version
    present = active_version(model)
    return model.version if present != model.version else ""


def lesson_of(model: Insight, version: str) -> dict[str, Any]:
    """What the firm taught a version; empty where nothing, or where it is no longer kept."""
    kept = StoredModel.objects.filter(name=model.name, version=version).order_by("-id").only("lesson").first()
    return dict(kept.lesson) if kept else {}


def next_adaptation(model: Insight) -> str:
    """The version of the next adaptation to the firm's own labels."""
    versions = StoredModel.objects.filter(name=model.name, version__startswith=model.version + ADAPTED)
    numbers = [int(v.partition(ADAPTED)[2]) for v in versions.values_list("version", flat=True)]
    return f"{model.version}{ADAPTED}{max(numbers, default=0) + 1}"

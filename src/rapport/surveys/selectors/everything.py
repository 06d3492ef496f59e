"""Everything that surveys know of somebody, for them to see."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _

from rapport.consent.exporters import Exporting, Section
from rapport.surveys import rules
from rapport.surveys.models import Answer, Invitation, Response, Version


def sections(exporting: Exporting) -> Iterable[Section]:
    """Answers with the questions as they stood, and invitations."""
    responses = Response.objects.filter(identifier__in=exporting.identifiers).select_related("survey")
    rows = []
    for response in responses.order_by("started_at"):
        kept = Version.objects.get(survey=response.survey, number=response.version)
        definition = rules.from_json(kept.definition)
        for answer in Answer.objects.filter(response=response.id).order_by("at"):
            if answer.value is not None:
                rows.append(_row(definition, response, answer))
    if rows:
        yield Section(_("Answers to our questions"), rows, _("you told us"))
    asked = Invitation.objects.filter(identifier__in=exporting.identifiers).select_related("survey")
    invitations = [
        {"survey": one.survey.slug, "sent_to": one.identifier, "state": one.state, "at": one.at}
        for one in asked.order_by("at")
    ]
    if invitations:
        yield Section(_("Invitations to answer"), invitations, _("recorded by us"))


def _row(definition: rules.Definition, response: Response, answer: Answer) -> dict[str, object]:
    question = definition.question(answer.question)
    value = answer.value
    shown = [value] if not isinstance(value, list) else value
    choices = {c.key: c for c in getattr(question, "choices", ())}
    words = [
        rules.text_in(choices[v].text, response.language, definition.main_language) if v in choices else v
        for v in shown
    ]
    return {
        "survey": rules.text_in(definition.title, response.language, definition.main_language),
        "question": rules.text_in(question.text, response.language, definition.main_language)
        if question
        else answer.question,
        "answer": ", ".join(map(str, words)),
        "at": answer.at,
        "identifier": response.identifier,
        "traits_known": response.traits,
    }

"""Who may log in, and with which role."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from rapport.kit.errors import Conflict, Invalid
from rapport.staff import selectors, services
from rapport.staff.rules import Right, Role
from rapport.web.access import needs
from rapport.web.components.formats import ROLE_LABELS
from rapport.web.errors import sentence
from rapport.web.layout import Action, Entry

entries = [Entry("staff", gettext_lazy("Staff"), "staff", "setup", 60, Right.MANAGE_STAFF)]
actions = [Action("staff", gettext_lazy("Invite somebody"), Right.MANAGE_STAFF, "#invite")]


class InvitationForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    email = forms.EmailField(label=gettext_lazy("E-mail"))
    role = forms.ChoiceField(
        label=gettext_lazy("Role"), choices=[(r.value, ROLE_LABELS[r]) for r in Role], initial=Role.ANSWERS
    )


@needs(Right.MANAGE_STAFF)
def staff(request: HttpRequest) -> HttpResponseBase:
    assert request.user.is_authenticated
    form = InvitationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            invited, token = services.invite(request.user, **form.cleaned_data)
        except (Invalid, Conflict) as error:
            form.add_error(None, f"{sentence(error.message)} {error.hint}")
        else:
            return _with_link(request, invited.email, token)
    return _list(request, form)


@needs(Right.MANAGE_STAFF)
@require_POST
def change(request: HttpRequest, staff_id: int) -> HttpResponseBase:
    assert request.user.is_authenticated
    member = selectors.staff_by_id(staff_id)
    done = request.POST.get("do")
    if done == "link":
        return _with_link(request, member.email, services.new_link_for(request.user, member))
    if done == "role":
        services.change_role(request.user, member, request.POST.get("role", ""))
    elif done in {"close", "open"}:
        services.let_in(request.user, member, active=done == "open")
    else:
        raise Invalid(_("nothing was chosen to do"), _("Press one of the buttons."))
    messages.success(request, _("Saved."))
    return redirect("staff")


def _with_link(request: HttpRequest, email: str, token: str) -> HttpResponseBase:
    link = request.build_absolute_uri(reverse("enter", args=[token]))
    return _list(request, InvitationForm(), link=link, link_for=email)


def _list(request: HttpRequest, form: InvitationForm, **shown: str) -> HttpResponseBase:
    context = {
        "form": form,
        "members": selectors.all_staff(),
        "roles": [(r.value, ROLE_LABELS[r]) for r in Role],
        **shown,
    }
    return render(request, "pages/staff/page.html", context, status=400 if form.errors else 200)


urlpatterns = [
    path("staff/", staff, name="staff"),
    path("staff/<int:staff_id>/", change, name="staff_change"),
]

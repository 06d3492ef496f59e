"""Take a chart away: as SVG, as PNG, or its figures as CSV."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import path, register_converter
from django.utils.http import content_disposition_header
from django.utils.text import slugify

from rapport.staff.rules import Right
from rapport.web.access import demand, for_all_staff
from rapport.web.charts import render


class KeyConverter:
    regex = "[0-9a-f]{32}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class FormatConverter(KeyConverter):
    regex = "svg|png|csv"


register_converter(KeyConverter, "chart_key")
register_converter(FormatConverter, "chart_format")

MAKERS = {
    "svg": (render.to_svg, "image/svg+xml"),
    "png": (render.to_png, "image/png"),
    "csv": (render.to_csv, "text/csv; charset=utf-8"),
}


@for_all_staff
def chart(request: HttpRequest, key: str, form: str) -> HttpResponseBase:
    drawing = render.kept(key)
    demand(request, Right(drawing.right))  # the right of the page that drew it
    make, content_type = MAKERS[form]
    name = slugify(drawing.title, allow_unicode=True)[:60] or "chart"
    response = HttpResponse(make(drawing), content_type=content_type)
    named = content_disposition_header(True, f"{name}.{form}")
    if named:
        response.headers["Content-Disposition"] = named
    return response


urlpatterns = [path("charts/<chart_key:key>.<chart_format:form>", chart, name="chart")]

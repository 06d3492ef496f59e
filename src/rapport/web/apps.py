from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "rapport.web"
    label = "web"

    def ready(self) -> None:
        from rapport.consent import erasers
        from rapport.web import (
            fresh_links,  # noqa: F401  it makes its template known to whoever sends
            growing,
            noticing,
            uploads,
        )

        growing.register()
        noticing.register()
        erasers.register("uploads not yet imported", uploads.erase)

from django.apps import AppConfig


class OnsiteConfig(AppConfig):
    name = "rapport.onsite"
    label = "onsite"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from rapport.consent import shown
        from rapport.onsite import handlers, selectors

        handlers.register()
        shown.register(selectors.shown_text)

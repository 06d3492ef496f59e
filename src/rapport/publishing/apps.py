from django.apps import AppConfig


class PublishingConfig(AppConfig):
    name = "rapport.publishing"
    label = "publishing"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from rapport.publishing import handlers

        handlers.register()

from django.apps import AppConfig


class AioConfig(AppConfig):
    name = "rapport.aio"
    label = "aio"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from rapport.aio import handlers

        handlers.register()

from django.apps import AppConfig


class KnowledgeConfig(AppConfig):
    name = "rapport.knowledge"
    label = "knowledge"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from rapport.knowledge import handlers

        handlers.register()

from django.apps import AppConfig


class MessagingConfig(AppConfig):
    name = "rapport.messaging"
    label = "messaging"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from rapport.consent import erasers, exporters
        from rapport.messaging.services import erasing

        erasers.register("messages", erasing.erase)
        exporters.register("messages", erasing.sections)

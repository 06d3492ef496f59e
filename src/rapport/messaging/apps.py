from django.apps import AppConfig


class MessagingConfig(AppConfig):
    name = "rapport.messaging"
    label = "messaging"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from rapport.consent import erasers, exporters
        from rapport.listening import services as listening
        from rapport.messaging.services import bouncing, erasing
        from rapport.pacing import selectors as pacing

        erasers.register("messages", erasing.erase)
        exporters.register("messages", erasing.sections)
        bouncing.register()
        listening.hold_while(lambda: pacing.pause_all() is not None)

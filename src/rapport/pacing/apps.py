from django.apps import AppConfig


class PacingConfig(AppConfig):
    name = "rapport.pacing"
    label = "pacing"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from rapport.consent import erasers
        from rapport.pacing import services

        erasers.register("holdouts", services.erase)

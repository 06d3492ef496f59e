from django.apps import AppConfig


class PacingConfig(AppConfig):
    name = "rapport.pacing"
    label = "pacing"
    default_auto_field = "django.db.models.BigAutoField"

from django.apps import AppConfig


class PersonasConfig(AppConfig):
    name = "rapport.personas"
    label = "personas"
    default_auto_field = "django.db.models.BigAutoField"

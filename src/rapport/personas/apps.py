from django.apps import AppConfig


class PersonasConfig(AppConfig):
    name = "rapport.personas"
    label = "personas"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from rapport.insights import services as insights
        from rapport.insights.services import following
        from rapport.personas import selectors, services

        insights.parameters_from(selectors.MODEL, selectors.parameters)
        following.after_run(selectors.MODEL, services.paint)

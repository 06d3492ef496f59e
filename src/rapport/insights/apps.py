from django.apps import AppConfig


class InsightsConfig(AppConfig):
    name = "rapport.insights"
    label = "insights"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from rapport.insights import handlers, selectors, services

        handlers.register()
        services.parameters_from("aspect", selectors.catalogue)

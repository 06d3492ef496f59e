from django.apps import AppConfig


class PortfolioConfig(AppConfig):
    name = "rapport.portfolio"
    label = "portfolio"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from rapport.insights import services as insights
        from rapport.portfolio import selectors

        insights.parameters_from("portfolio", selectors.parameters)

from django.apps import AppConfig


class ExploreConfig(AppConfig):
    name = "rapport.explore"
    label = "explore"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from rapport.consent import erasers
        from rapport.explore import services

        erasers.register("explore", services.erase)

from django.apps import AppConfig


class ConsentConfig(AppConfig):
    name = "rapport.consent"
    label = "consent"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from rapport.consent import handlers
        from rapport.consent.selectors import analyst
        from rapport.consent.services import erasing, forgetting, telling
        from rapport.people import services as people

        handlers.register()
        analyst.register()
        telling.register()  # first: what lies below is shown before what lies above
        forgetting.register()
        people.register_forgetting(erasing.author_words, erasing.author_rows)

from django.apps import AppConfig


class SegmentsConfig(AppConfig):
    name = "rapport.segments"
    label = "segments"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from rapport.consent import erasers
        from rapport.segments import handlers
        from rapport.segments.selectors import columns
        from rapport.segments.services import columns as making

        handlers.register()
        columns.made_by(making.first, making.start_again)
        erasers.register("columns", making.forget)

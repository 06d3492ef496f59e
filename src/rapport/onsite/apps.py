from django.apps import AppConfig


class OnsiteConfig(AppConfig):
    name = "rapport.onsite"
    label = "onsite"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from rapport.consent import erasers, exporters, shown
        from rapport.messaging import services as messaging
        from rapport.onsite import handlers, selectors
        from rapport.onsite.chat import channel
        from rapport.onsite.chat import selectors as chats
        from rapport.onsite.chat import services as chatting

        handlers.register()
        shown.register(selectors.shown_text)
        erasers.register("chat", chatting.erase)
        exporters.register("chat", chats.everything)
        messaging.register_template(chatting.MAIL)
        messaging.register_channel(channel.plugin, takes_once=True)

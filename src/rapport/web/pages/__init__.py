"""One folder a page. Each `page.py` offers `urlpatterns`, and may offer `entries` and `actions`."""

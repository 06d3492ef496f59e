"""The pieces that pages are put together from: templates, and the filters that write figures."""

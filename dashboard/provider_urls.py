"""The addresses of what payment providers say, and of giving money back."""

from django.urls import URLPattern, path

from .desk import staff_page
from .views import provider_events as events

urlpatterns: list[URLPattern] = [
    path("payments/events/", staff_page(events.provider_events), name="provider_events"),
    path("payments/events/<int:pk>/settle/", staff_page(events.event_settle), name="event_settle"),
    path("payments/events/<int:pk>/take/", staff_page(events.event_take), name="event_take"),
    path("payments/events/<int:pk>/again/", staff_page(events.event_again), name="event_again"),
    path("payments/<int:pk>/refund/", staff_page(events.payment_refund), name="payment_refund"),
]

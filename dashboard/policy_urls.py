"""The addresses of trying a policy on today's book, and of bringing its draft into force."""

from django.urls import URLPattern, path

from .desk import staff_page
from .views import policy_trials as trials

urlpatterns: list[URLPattern] = [
    path("policies/", staff_page(trials.policies), name="policies"),
    path("policies/trials/<int:pk>/", staff_page(trials.trial_run), name="policy_trial"),
    path("policies/trials/<int:pk>/progress/", staff_page(trials.trial_progress), name="policy_trial_progress"),
    path("policies/trials/<int:pk>/steps.csv", staff_page(trials.trial_csv), name="policy_trial_csv"),
    path("policies/<slug:name>/", staff_page(trials.policy_try), name="policy_try"),
    path("policies/<slug:name>/draft/", staff_page(trials.draft_begin), name="policy_draft_begin"),
    path("policies/<slug:name>/activate/", staff_page(trials.activate), name="policy_activate"),
]

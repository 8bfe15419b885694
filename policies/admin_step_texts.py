"""The words of reminders: our own for a step, tried out on made-up and real facts, sent to oneself, and kept."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import Any

from csp.decorators import csp_replace, csp_update
from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.clickjacking import xframe_options_sameorigin

from audit.admin import ReadOnlyAdmin
from core.errors import Refused
from core.models import LANGUAGES, Company
from core.services import latest_today

from .models import CompanyPolicy, Policy, Step, StepText
from .services.step_texts import check_step_text, policy_for_words, save_step_text, step_text_of
from .step_previews import previews
from .step_texts import LONGEST_SUBJECT, NAMES, example_of

DRAFT = "step_text_draft"
_NOTHING = ["'none'"]
MAIL_ALONE: dict[str, Any] = {
    **dict.fromkeys(["script-src", "font-src", "connect-src", "form-action"], _NOTHING), "sandbox": True,
    "style-src": ["'unsafe-inline'"], "img-src": ["data:"], "frame-ancestors": ["'self'"],
}  # fmt: skip  # a mail carries its own styles
WHICH = ("policy", "words", "language")


class WhichForm(forms.Form):
    """Whose words: of which policy, for which step or every step of a tone, in which language."""

    policy = forms.ChoiceField(label=gettext_lazy("Policy"))
    words = forms.ChoiceField(label=gettext_lazy("For"))
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=LANGUAGES)

    def __init__(self, data: Any, policy: Policy, names: list[str]) -> None:
        super().__init__(data)
        fields: dict[str, Any] = self.fields
        fields["policy"].choices = [(name, name) for name in names]
        fields["words"].choices = words_of(policy)


class WordsForm(forms.Form):
    """The words, and on whom they are tried."""

    subject = forms.CharField(
        label=gettext_lazy("Subject"), required=False, max_length=LONGEST_SUBJECT,
        help_text=gettext_lazy("Empty: the subject as shipped."), widget=forms.TextInput(attrs={"size": 80}),
    )
    text = forms.CharField(
        label=gettext_lazy("Text"), required=False, strip=False, widget=forms.Textarea(attrs={"rows": 14, "cols": 90}),
        help_text=gettext_lazy(
            "Between the greeting and the table of invoices. An empty line begins a paragraph; a paragraph with a name "
            "that has nothing to say is left out. Empty: the text as shipped."
        ),
    )
    client = forms.ChoiceField(label=gettext_lazy("Try it on"), required=False)

    def __init__(self, data: Any, *, readers: list[Any], **given: Any) -> None:
        super().__init__(data, **given)
        shown = [(one.pk, f"{one.name} · {_('today')}" if one.goes_today else one.name) for one in readers]
        fields: dict[str, Any] = self.fields
        fields["client"].choices = [("", _("made-up data")), *shown]


def words_of(policy: Policy) -> list[tuple[str, Any]]:
    """For which steps words can be written: each that is sent, and every step of a tone."""
    mailed = [step for step in policy.steps.all() if step.sends_mail]
    tones = dict.fromkeys(step.tone for step in mailed)
    said = dict(Step.TONES)
    return [
        (_("a step"), [
            (f"{step.code}|{step.tone}", f"{step.offset_days:+d} {step.title} ({said[step.tone]})") for step in mailed
        ]),
        (_("every step of a tone"), [(f"|{tone}", said[tone]) for tone in tones]),
    ]  # fmt: skip


@admin.register(StepText)
class StepTextAdmin(ReadOnlyAdmin):
    list_display = ["policy_name", "step", "tone", "language", "subject", "says", "made_by", "made_at"]
    list_filter = ["policy_name", "tone", "language"]
    change_list_template = "admin/policies/steptext/list.html"

    @admin.display(description=gettext_lazy("text"))
    def says(self, row: StepText) -> str:
        if not row.subject and not row.text:
            return _("the words shipped")
        return row.text[:120] + ("…" if len(row.text) > 120 else "")

    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site.admin_view
        mine = [
            path("write/", site(self.write_view), name="policies_steptext_write"),
            path("mail/", site(self.mail_view), name="policies_steptext_mail"),
            path("letter/", site(self.letter_view), name="policies_steptext_letter"),
        ]
        return [*mine, *super().get_urls()]

    @method_decorator(csp_update({"frame-src": ["'self'"]}))
    def write_view(self, request: HttpRequest) -> HttpResponse:
        """Words for a step: as they are, tried out, sent to oneself, kept, or given back for those shipped."""
        _may_write(request)
        policy, words, on = _chosen(request)
        which = WhichForm({"policy": policy.name, "words": f"{words.step}|{words.tone}", "language": words.language},
                          policy, _policy_names())  # fmt: skip
        readers = previews().readers(policy, words, on)
        draft = _draft(request, words)
        shipped = previews().shipped(policy, words)
        holds = step_text_of(policy.name, words.step, words.tone, words.language)
        begins = (holds.subject or shipped[0], holds.text or shipped[1]) if holds else shipped
        shown = draft or {"subject": begins[0], "text": begins[1]}
        form = WordsForm(request.POST or None, readers=readers, initial=shown)
        if request.method == "POST" and "reset" in request.POST:
            return self._reset(request, words, on)
        if request.method == "POST" and form.is_valid():
            answer = self._act(request, policy, words, form, on)
            if answer is not None:
                return answer
        return TemplateResponse(request, "admin/policies/steptext/write.html", {
            **self.admin_site.each_context(request), "opts": self.opts, "title": _("Words of reminders"),
            "which": which, "form": form, "holds": holds, "policy": policy, "words": words, "draft": draft,
            "names": [(f"{{{{ {name} }}}}", says, example_of(name, words.language)) for name, says in NAMES.items()],
            "subject_as_sent": draft and draft.get("said"), "address": _address(words),
            "query": _address(words).partition("?")[2],
        })  # fmt: skip

    @method_decorator([xframe_options_sameorigin, csp_replace(MAIL_ALONE)])
    def mail_view(self, request: HttpRequest) -> HttpResponse:
        """The mail in the words tried out, alone on a page on which nothing runs and nothing is loaded."""
        policy, words, client = _tried(request)
        try:
            html = previews().written(policy, words, _company_of(policy), client, timezone.now()).html
        except Refused as refused:  # said in the frame where the mail would be
            return _said(request, refused)
        return HttpResponse(html, headers={"Cache-Control": "private, no-store"})

    def letter_view(self, request: HttpRequest) -> HttpResponse:
        """The same words as a letter."""
        policy, words, client = _tried(request)
        try:
            content = previews().letter(policy, words, _company_of(policy), client, timezone.now())
        except Refused as refused:
            return _said(request, refused)
        return HttpResponse(content, content_type="application/pdf", headers={
            "Cache-Control": "private, no-store", "Content-Disposition": 'attachment; filename="letter.pdf"',
        })  # fmt: skip

    def _act(
        self, request: HttpRequest, policy: Policy, words: StepText, form: WordsForm, on: dt.date
    ) -> HttpResponse | None:
        given = form.cleaned_data
        words.subject, words.text = given["subject"].strip(), given["text"].strip()
        client = int(given["client"]) if given["client"] else None
        try:
            if "save" in request.POST:
                shipped = previews().shipped(policy, words)  # what is as shipped stays so when those get better
                subject, text = (
                    "" if mine.replace("\r\n", "\n") == theirs else mine
                    for mine, theirs in zip((words.subject, words.text), shipped, strict=True)
                )
                return self._keep(request, words, subject, text, on)
            check_step_text(policy.name, words.step, words.tone, words.language, words.subject, words.text, on=on)
            now = timezone.now()
            mail = previews().written(policy, words, _company_of(policy), client, now)
            if "test" in request.POST:
                to = str(getattr(request.user, "email", ""))
                previews().send_test(
                    policy, words, _company_of(policy), client, to=to, key=secrets.token_hex(8), now=now,
                    by=request.user,
                )
                messages.success(request, _("The test is on its way to %(to)s.") % {"to": to})
        except Refused as refused:
            form.add_error(refused.where if refused.where in form.fields else None, refused.message)
            return None
        request.session[DRAFT] = {
            "which": _which(words), "subject": given["subject"], "text": given["text"], "client": given["client"],
            "said": mail.subject,
        }
        return redirect(f"{_address(words)}#tried")

    def _reset(self, request: HttpRequest, words: StepText, on: dt.date) -> HttpResponse:
        """The words shipped again, where they may stand."""
        try:
            return self._keep(request, words, "", "", on)
        except Refused as refused:
            messages.error(request, refused.message)
            return redirect(_address(words))

    def _keep(self, request: HttpRequest, words: StepText, subject: str, text: str, on: dt.date) -> HttpResponse:
        save_step_text(
            words.policy_name, words.step, words.tone, words.language, subject, text, on=on, by=request.user
        )
        request.session.pop(DRAFT, None)
        said = _("Kept: they hold from the next message on.") if subject or text else _("The words shipped hold again.")
        messages.success(request, said)
        return redirect(_address(words))


def _may_write(request: HttpRequest) -> None:
    if not request.user.has_perm("policies.add_steptext"):
        raise PermissionDenied


def _policy_names() -> list[str]:
    return list(Policy.objects.order_by("name").values_list("name", flat=True).distinct())


def _chosen(request: HttpRequest) -> tuple[Policy, StepText, dt.date]:
    """The policy, the step or tone and the language asked for; the first of each where nothing that exists is named."""
    on = latest_today()
    names = _policy_names()
    if not names:
        raise PermissionDenied(_("There is no policy yet; set the installation up first."))
    asked, used = request.GET.get("policy", ""), CompanyPolicy.objects.values_list("name", flat=True).first()
    for name in sorted(names, key=lambda name: (name != asked, name != used)):
        policy = policy_for_words(name, on)
        wanted = [value for _group, values in words_of(policy) for value, _label in values]
        if wanted:
            break
    else:
        raise PermissionDenied(_("No policy sends a message, so there are no words to write; give one a step by mail."))
    value = request.GET.get("words", "")
    step, _bar, tone = (value if value in wanted else wanted[0]).partition("|")
    language = request.GET.get("language", "")
    if language not in dict(LANGUAGES):
        language = LANGUAGES[0][0]
    return policy, StepText(policy_name=name, step=step, tone=tone, language=language), on


def _which(words: StepText) -> list[str]:
    return [words.policy_name, words.step, words.tone, words.language]


def _draft(request: HttpRequest, words: StepText) -> dict[str, Any] | None:
    """The words tried out last, where they are for the same step."""
    kept = request.session.get(DRAFT)
    return kept if kept and kept["which"] == _which(words) else None


def _tried(request: HttpRequest) -> tuple[Policy, StepText, int | None]:
    _may_write(request)
    policy, words, _on = _chosen(request)
    draft = _draft(request, words) or {"subject": "", "text": "", "client": ""}
    words.subject, words.text = draft["subject"].strip(), draft["text"].strip()
    return policy, words, int(draft["client"]) if draft["client"] else None


def _said(request: HttpRequest, refused: Refused) -> HttpResponse:
    """Why there is nothing to show, in place of it."""
    return TemplateResponse(request, "admin/policies/steptext/nothing.html", {"sentence": refused.message}, status=422)


def _company_of(policy: Policy) -> Company:
    """Whose reminder is shown with made-up data: the first company that uses the policy, else the first there is."""
    choice = CompanyPolicy.objects.filter(name=policy.name).select_related("company").first()
    company = choice.company if choice else Company.objects.first()
    if company is None:
        raise Refused(_("There is no company yet; set the installation up first."))
    return company


def _address(words: StepText, name: str = "policies_steptext_write") -> str:
    asked = {"policy": words.policy_name, "words": f"{words.step}|{words.tone}", "language": words.language}
    return f"{reverse(f'admin:{name}')}?{urlencode(asked)}"

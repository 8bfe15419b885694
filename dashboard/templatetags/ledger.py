"""The words and figures every staff page shares: money, days, states, icons, and the components around them.

Each tag is described with an example in docs/screens.md; the markup lies in templates/components/.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache, wraps
from typing import Any, NamedTuple

from babel.numbers import format_decimal
from django import template
from django.conf import settings
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.core.paginator import Page
from django.template import Context
from django.template.loader import get_template
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from core.dates import DayStyle, show_day
from core.money import show, show_whole

register = template.Library()
Facts = Callable[..., dict[str, Any]]


@lru_cache
def icon_names() -> frozenset[str]:
    """Every icon of the sprite."""
    sprite = (settings.BASE_DIR / "static" / "vendor" / "icons.svg").read_text()
    return frozenset(re.findall(r'<symbol id="([a-z0-9-]+)"', sprite))


@register.simple_tag
def icon(name: str, label: str = "", cls: str = "") -> SafeString:
    """An icon of the sprite; read out with a label, decoration without one. ValueError for an unknown one."""
    return _drawn(name, str(label), cls)


@lru_cache(maxsize=1024)
def _drawn(name: str, label: str, cls: str) -> SafeString:
    if name not in icon_names():
        raise ValueError(f"There is no icon «{name}» in static/vendor/icons.svg.")
    href = f"{static('vendor/icons.svg')}#{name}"
    classes = f"i {cls}".strip()
    if label:
        return format_html('<svg class="{}" role="img" aria-label="{}"><use href="{}"/></svg>', classes, label, href)
    return format_html('<svg class="{}" aria-hidden="true"><use href="{}"/></svg>', classes, href)


# ── Parts ───────────────────────────────────────────────────────────────


def part(library: template.Library, name: str, *, takes_context: bool = False) -> Callable[[Facts], Any]:
    """A tag whose markup is a template of templates/components/ and alike whenever its facts are alike.

    So it is drawn once, and a list of fifty rows pays for one. The facts are words, numbers and yes or no, and follow
    from what the tag is given, or from the context where it ``takes_context``.
    """

    def registered(facts_of: Facts) -> Any:
        @lru_cache(maxsize=1024, typed=True)  # typed: <b> as markup and as a word are two
        def drawn(_language: str, /, *given: Any, **named: Any) -> SafeString:
            return get_template(name).render(facts_of(*given, **named))

        @wraps(facts_of)
        def tag(*given: Any, **named: Any) -> SafeString:
            if takes_context:
                return _part(name, _language(), **facts_of(*given, **named))
            return drawn(_language(), *given, **named)

        return library.simple_tag(tag, takes_context=takes_context)

    return registered


@lru_cache(maxsize=1024, typed=True)
def _part(name: str, _language: str, /, **facts: Any) -> SafeString:
    return get_template(name).render(facts)


# ── Money, days, people ─────────────────────────────────────────────────


@register.filter
def money(amount: Decimal | None, currency: str) -> str:
    """The amount in the reader's language and the currency's own places; nothing for no amount."""
    return "" if amount is None else show(Decimal(amount), currency, _language())


@register.filter
def about(amount: Decimal | None, currency: str) -> str:
    """The amount without its decimals, for a key figure: its exact value stands one click away."""
    return "" if amount is None else show_whole(Decimal(amount), currency, _language())


@register.filter
def day(value: date | None, style: DayStyle = "short") -> str:
    """A date in the reader's language: short (5 Dec 2026), long (5 December 2026), full (with weekday) or yearless."""
    return "" if value is None else show_day(value, _language(), style)


@register.filter
def ago(at: datetime | None) -> SafeString | str:
    """How long ago an instant was, with the exact time to point at."""
    if at is None:
        return ""
    exact = timezone.localtime(at)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        exact.isoformat(),
        exact.strftime("%Y-%m-%d %H:%M %Z"),
        naturaltime(at),
    )


@register.filter
def for_row(address: str, pk: int) -> str:
    """The address of a row, by that of row 0: a list asks the map of the site once and not for every row.

    >>> for_row("/clients/0/credit/", 7)
    '/clients/7/credit/'
    """
    return address.replace("/0/", f"/{pk}/")


@register.filter
def initials(person: Any) -> str:
    """One or two letters that stand for a person."""
    words = re.findall(r"\w+", person.get_full_name() or person.get_username())
    return "".join(word[0] for word in (words[0], *words[1:][-1:])).upper() if words else "?"


def _language() -> str:
    return get_language() or settings.LANGUAGE_CODE


# ── States and pills ────────────────────────────────────────────────────


class Look(NamedTuple):
    tone: str
    icon: str
    label: Any


STATES = {
    "draft": Look("", "pencil", _("Draft")),
    "open": Look("info", "file-invoice", _("Open")),
    "part_paid": Look("info", "percentage", _("Part paid")),
    "overdue": Look("bad", "alert-triangle", _("Overdue")),
    "paid": Look("good", "check", _("Paid")),
    "settled": Look("good", "check", _("Settled")),
    "credited": Look("", "arrow-back-up", _("Credited")),
    "written_off": Look("", "ban", _("Written off")),
    "void": Look("", "ban", _("Void")),
    "disputed": Look("warn", "message-exclamation", _("Disputed")),
    "promised": Look("info", "calendar-check", _("Promised")),
    "kept": Look("good", "check", _("Kept")),
    "partly": Look("warn", "percentage", _("Partly kept")),
    "broken": Look("bad", "calendar-event", _("Broken")),
    "withdrawn": Look("", "x", _("Withdrawn")),
    "resolved": Look("good", "check", _("Resolved")),
    "answered": Look("info", "message", _("Answered")),
    "paused": Look("warn", "player-pause", _("Paused")),
    "held": Look("warn", "lock", _("Held")),
    "waiting": Look("", "clock", _("Waiting")),
    "queued": Look("", "clock", _("Queued")),
    "claimed": Look("info", "refresh", _("Being sent")),
    "handing": Look("info", "refresh", _("Being sent")),
    "sent": Look("good", "send", _("Sent")),
    "delivered": Look("good", "mail-opened", _("Delivered")),
    "dropped": Look("", "ban", _("Not sent")),
    "cancelled": Look("", "x", _("Cancelled")),
    "failed": Look("bad", "alert-circle", _("Failed")),
    "bounced": Look("bad", "alert-circle", _("Came back")),
    "deferred": Look("warn", "clock", _("Delayed")),
    "complained": Look("warn", "ban", _("Unwanted")),
    "unknown": Look("warn", "help-circle", _("Unknown")),
    "unapplied": Look("warn", "wallet", _("Unapplied")),
    "taken_back": Look("", "arrow-back-up", _("Taken back")),
    "part_applied": Look("info", "percentage", _("Partly applied")),
    "applied": Look("good", "check", _("Applied")),
    "reversed": Look("", "arrow-back-up", _("Reversed")),
    "pending": Look("", "clock", _("Waiting")),
    "current": Look("", "circle-check", _("Nothing to chase")),
    "reminded": Look("info", "bell", _("Reminded")),
    "called": Look("info", "phone", _("Called")),
    "compromise": Look("warn", "scale", _("Compromise offered")),
    "final_notice": Look("bad", "flag", _("Final notice")),
    "handed_over": Look("bad", "building-bank", _("Handed over")),
    "closed": Look("", "lock", _("Closed")),
    "running": Look("info", "refresh", _("Running")),
    "done": Look("good", "check", _("Done")),
}


@part(register, "components/pill.html")
def state(key: str, label: str = "") -> dict[str, Any]:
    """The pill of a state: its colour, its icon and its word. KeyError for a state nobody described."""
    look = STATES[str(getattr(key, "value", key))]
    return {"tone": look.tone, "icon": look.icon, "label": label or look.label}


@part(register, "components/pill.html")
def pill(label: str, tone: str = "", icon: str = "") -> dict[str, Any]:
    """A word in a pill; tones are good, bad, warn and info."""
    return {"tone": tone, "icon": icon, "label": label}


@part(register, "components/reason.html")
def reason(label: str, tone: str = "", icon: str = "phone") -> dict[str, Any]:
    """Why a client stands on the call list, in its colour."""
    return {"tone": tone, "icon": icon, "label": label}


# ── Key figures and aging ───────────────────────────────────────────────


@register.inclusion_tag("components/kpi.html")
def kpi(
    label: str,
    value: object,
    note: str = "",
    tone: str = "",
    note_icon: str = "",
    foot: str = "",
    url: str = "",
    points: Sequence[float | Decimal] | None = None,
    part: Decimal | None = None,
    whole: Decimal | None = None,
    part_label: str = "",
) -> dict[str, Any]:
    """One key figure. A list of values stands one under the other, one per currency; `part` of `whole` draws a bar."""
    values = list(value) if isinstance(value, (list, tuple)) else [value]
    return {
        "label": label, "values": values, "note": note, "tone": tone, "note_icon": note_icon, "foot": foot, "url": url,
        "spark": spark_path(points) if points and len(points) > 1 else "",
        "part": part, "whole": whole, "part_label": part_label,
    }  # fmt: skip


def spark_path(points: Sequence[float | Decimal]) -> str:
    """The path of a sparkline in a box of 100 by 28, the highest value at the top.

    >>> spark_path([1, 3, 2])
    'M0.0 24.0 L50.0 4.0 L100.0 14.0'
    """
    heights = [float(point) for point in points]
    low = min(heights)
    span = max(heights) - low or 1.0
    step = 100 / (len(heights) - 1)
    return "M" + " L".join(f"{i * step:.1f} {24 - 20 * (y - low) / span:.1f}" for i, y in enumerate(heights))


@register.inclusion_tag("components/aging.html")
def aging_table(
    rows: Iterable[Any],
    currency: str,
    extras: Iterable[Any] = (),
    total: Decimal | None = None,
    caption: str = "",
) -> dict[str, Any]:
    """Open receivables by age: one bar for all and a table with a bar per bucket.

    `rows` go from «not due» to the oldest; each has label, count, amount and, where it opens to a list, url.
    `extras` (label, amount, url) stand below and in no bucket: unapplied cash as a negative amount, charges.
    """
    buckets = list(rows)
    amounts = [max(Decimal(_of(row, "amount")), Decimal(0)) for row in buckets]
    whole, highest = sum(amounts, Decimal(0)), max(amounts, default=Decimal(0))
    drawn, left = [], 0.0
    for index, (row, amount) in enumerate(zip(buckets, amounts, strict=True)):
        width = float(1000 * amount / whole) if whole else 0.0
        drawn.append({
            "row": row, "shade": f"a{min(index, 4)}",
            "left": f"{left + 1:.1f}", "width": f"{max(width - 2, 0):.1f}",
            "bar": f"{100 * amount / highest if highest else 0:.1f}",
            "percent": round(100 * amount / whole) if whole else 0,
        })  # fmt: skip
        left += width
    return {"rows": drawn, "currency": currency, "extras": list(extras), "total": total, "caption": caption}


def _of(row: Any, name: str) -> Any:
    return row[name] if isinstance(row, Mapping) else getattr(row, name)


# ── Pages, lists, progress ──────────────────────────────────────────────


@part(register, "components/nav_item.html", takes_context=True)
def nav_item(
    context: Context, url_name: str, icon: str, label: str, count: int | None = None, go: str = ""
) -> dict[str, Any]:
    """A line of the rail: current on its pages, `go` is its letter after g. Absent where it has no page."""
    try:
        url = reverse(url_name)
    except NoReverseMatch:
        return {}
    path = context["request"].path
    current = path == url or (url != "/" and path.startswith(url))
    return {"url": url, "icon": icon, "label": label, "count": count, "go": go, "current": current}


@part(register, "components/sort_header.html", takes_context=True)
def sort_header(context: Context, key: str, label: str, cls: str = "") -> dict[str, Any]:
    """A column's heading that sorts by it, then the other way round; the view reads `?sort=key` or `?sort=-key`.

    The order in force is the context's `sort`, else the address.
    """
    request = context["request"]
    now = context.get("sort") or request.GET.get("sort", "")
    direction = {key: "ascending", f"-{key}": "descending"}.get(now, "")
    query = request.GET.copy()
    query["sort"] = f"-{key}" if direction == "ascending" else key
    query.pop("page", None)
    arrow = {"ascending": "chevron-up", "descending": "chevron-down"}.get(direction, "arrows-sort")
    return {"label": label, "cls": cls, "direction": direction, "url": f"?{query.urlencode()}", "arrow": arrow}


@register.inclusion_tag("components/pagination.html", takes_context=True)
def pagination(context: Context, page: Page[Any]) -> dict[str, Any]:
    """Where one is in a long list, and the way on; it keeps the filters and the order."""

    def link(number: int) -> str:
        query = context["request"].GET.copy()
        query["page"] = str(number)
        return f"?{query.urlencode()}"

    return {
        "page": page,
        "before": link(page.previous_page_number()) if page.has_previous() else "",
        "after": link(page.next_page_number()) if page.has_next() else "",
    }


@register.inclusion_tag("components/progress.html")
def progress(url: str, message: str, done: int = 0, total: int = 0) -> dict[str, Any]:
    """A running job, followed at a JSON address: {"done", "total", "message", "state": running|done|failed, "next"}."""
    return {"url": url, "message": message, "done": done, "total": total}


@part(register, "components/keys.html")
def keys_sheet() -> dict[str, Any]:
    """The sheet of keys that every page carries."""
    return {}


@register.filter
def undo_url(message: Any) -> str:
    """The address that undoes what a message reports: `messages.success(…, extra_tags="undo:/outbox/7/undo/")`."""
    tags = getattr(message, "extra_tags", "") or ""
    return str(tags.removeprefix("undo:")) if tags.startswith("undo:") else ""


AGES = {
    "current": _("Not due"), "1-30": _("1–30 days"), "31-60": _("31–60 days"), "61-90": _("61–90 days"),
    "90+": _("Over 90 days"),
}  # fmt: skip


@register.inclusion_tag("components/age_bar.html")
def age_bar(buckets: Mapping[str, Decimal], currency: str) -> dict[str, Any]:
    """One client's debt by age: a bar, and the ages that hold something in words; `buckets` as in invoices.aging."""
    whole = sum(buckets.values(), Decimal(0))
    drawn, left = [], 0.0
    for index, (name, label) in enumerate(AGES.items()):
        width = float(1000 * buckets.get(name, Decimal(0)) / whole) if whole else 0.0
        drawn.append({
            "shade": f"a{index}", "label": label, "amount": buckets.get(name), "left": f"{left + 1:.1f}",
            "width": f"{max(width - 2, 0):.1f}",
        })  # fmt: skip
        left += width
    return {"rows": drawn, "currency": currency}


@register.filter
def plain_number(value: Decimal | None, least: int = 0) -> str:
    """A quantity, a price or a percentage in the reader's language, with `least` places and no needless zeros."""
    pattern = f"#,##0.{'0' * least}{'#' * (6 - least)}"
    return "" if value is None else format_decimal(value, format=pattern, locale=_language().replace("-", "_"))


@register.filter
def reversal(entry: Any) -> Any:
    """The entry that took this one back, or nothing."""
    return getattr(entry, "reversed_by", None)

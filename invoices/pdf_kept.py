"""What WeasyPrint works out anew for every document although it comes out the same: kept by the printing process.

Our documents come from a handful of templates under one stylesheet per company. How a cell of the lines looks, and how
wide its margins are, is the same in each of them; the lines that were set for measuring are the lines that are drawn;
the bytes of an object are the bytes of which the file's identifier is made; and the rule under a cell is a rectangle,
not a frame of four sides cut to one. Together that is a third of the time of printing. The look stays to the dot,
which the tests compare with WeasyPrint as it comes. Pure.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

STYLES_AT_MOST = 5_000
COMPRESSION = 6  # of 9, which takes three times as long for one byte in a hundred
# How a box is laid out where the layout never writes into its style; a page, say, is none of them.
UNCHANGED_BY_LAYOUT = {
    ("block", "flow"), ("inline", "flow"), ("block", "table"), ("table-row",), ("table-cell",), ("table-row-group",),
    ("table-header-group",), ("none",),
}  # fmt: skip
LINES_AT_MOST = 1_000
SEEN_AT_MOST = 20_000
LENGTHS = (
    "margin_left", "margin_right", "margin_top", "margin_bottom", "padding_left", "padding_right", "padding_top",
    "padding_bottom", "width", "min_width", "max_width", "height", "min_height", "max_height",
)  # fmt: skip


class Kept:
    """What is kept from one document to the next; only ever with one set of fonts."""

    def __init__(self) -> None:
        self._styles: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        self._lines: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        self._seen: set[int] = set()

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Within it WeasyPrint does once what it would do again; outside it is as it came."""
        import pydyf  # type: ignore[import-untyped]
        from weasyprint import draw
        from weasyprint.css import StyleFor
        from weasyprint.layout import inline, percent
        from weasyprint.text.line_break import Layout

        lengths = _lengths_of(percent.resolve_percentages)
        ours: list[tuple[Any, str, Any]] = [
            (StyleFor, "set_computed_styles", self._style_of(StyleFor.set_computed_styles)),
            (inline, "split_first_line", self._line_of(inline.split_first_line)),
            (Layout, "deactivate", lambda layout: None),
            (Layout, "reactivate", _set_again(Layout.reactivate)),
            (pydyf, "_to_bytes", _quickly(pydyf._to_bytes)),
            (pydyf.Stream, "data", property(_once(_stream))),
            (pydyf.Dictionary, "data", property(_once(pydyf.Dictionary.data.fget))),
            (draw, "draw_border", _rule_or(draw.draw_border)),
            *((module, "resolve_percentages", lengths) for module in _who_has(percent.resolve_percentages)),
        ]
        theirs = [(where, name, getattr(where, name)) for where, name, _way in ours]
        try:
            for where, name, way in ours:
                setattr(where, name, way)
            yield
        finally:
            for where, name, way in theirs:
                setattr(where, name, way)
            for kept, most in (
                (self._styles, STYLES_AT_MOST), (self._lines, LINES_AT_MOST), (self._seen, SEEN_AT_MOST)
            ):  # fmt: skip
                if len(kept) > most:
                    kept.clear()

    def _style_of(self, anew: Any) -> Any:
        """The style of an element: that of the last one with the same parent and the same declarations."""

        def set_computed_styles(
            styles: Any,
            element: Any,
            parent: Any,
            root: Any = None,
            pseudo_type: str | None = None,
            base_url: str | None = None,
            target_collector: Any = None,
        ) -> None:
            everyone, place = styles.get_computed_styles(), (element, pseudo_type)

            def make() -> Any:
                anew(styles, element, parent, root, pseudo_type, base_url, target_collector)
                return everyone[place]

            if isinstance(element, tuple):  # a page, whose style the layout writes into
                make()
                return
            declared = styles.get_cascaded_styles().get(place, {})
            above = everyone.get((parent, None))
            above = getattr(above, "stands_for", above)
            key = (id(above), pseudo_type, frozenset([
                (name, value if name == "lang" else id(value)) for name, (value, _weight) in declared.items()
            ]))  # fmt: skip
            if key not in self._styles:
                # What the key names by its id is held for as long as the key is.
                self._styles[key] = (make(), above, dict(declared))
            elif (style := self._styles[key][0])["display"] in UNCHANGED_BY_LAYOUT:
                everyone[place] = style
                if target_collector and style["anchor"]:
                    target_collector.collect_anchor(style["anchor"])
            else:
                make().stands_for = style

        return set_computed_styles

    def _line_of(self, anew: Any) -> Any:
        """A line as it was set for an earlier document: labels and the company's own words come again and again.

        What comes a second time is kept; a sum or a name that stands in one document only is not.
        """

        def split_first_line(
            text: str,
            style: Any,
            context: Any,
            max_width: Any,
            justification_spacing: float,
            is_line_start: bool = True,
            minimum: bool = False,
        ) -> Any:
            key = (text, id(style), max_width, justification_spacing, is_line_start, minimum)
            if key in self._lines and self._lines[key][0] is style:
                return self._lines[key][1]
            line = anew(text, style, context, max_width, justification_spacing, is_line_start, minimum)
            if (seen := hash(key)) in self._seen:
                self._lines[key] = (style, line)
            self._seen.add(seen)
            return line

        return split_first_line


def _who_has(work: Any) -> list[Any]:
    """The modules of the layout that know a function by its name."""
    modules = [module for name, module in sys.modules.items() if name.startswith("weasyprint.layout")]
    return [module for module in modules if getattr(module, work.__name__, None) is work]


def _lengths_of(resolve: Any) -> Any:
    """Margins and the like of a box: those of the last one of its style, where none depends on what is around it."""

    def resolve_percentages(box: Any, containing_block: Any) -> None:
        kept = box.style.__dict__
        if "lengths" not in kept:
            resolve(box, containing_block)
            kept["lengths"] = _own_lengths(box)
        elif kept["lengths"] is None:
            resolve(box, containing_block)
        else:
            box.__dict__.update(kept["lengths"])

    return resolve_percentages


def _own_lengths(box: Any) -> dict[str, Any] | None:
    """What was just resolved, if the style says all of it in points; None where a share of something is in it."""
    style = box.style
    said = [style[name] for name in LENGTHS]
    if style["border_collapse"] == "collapse" or not all(
        value == "auto" or getattr(value, "unit", None) == "px" for value in said
    ):
        return None
    borders = [f"border_{side}_width" for side in ("top", "right", "bottom", "left")]
    return {name: getattr(box, name) for name in (*LENGTHS, *borders)}


def _set_again(anew: Any) -> Any:
    """A line that was set is drawn as it is, but for one whose words are spread over the whole width."""

    def reactivate(layout: Any, style: Any) -> None:
        if layout.justification_spacing:
            anew(layout, style)

    return reactivate


def _stream(stream: Any) -> bytes:
    import pydyf

    content = b"\n".join([item if type(item) is bytes else pydyf._to_bytes(item) for item in stream.stream])
    extra = pydyf.Dictionary(stream.extra.copy())
    if stream.compress:
        extra["Filter"] = "/FlateDecode"
        content = zlib.compress(content, COMPRESSION)
    extra["Length"] = len(content)
    return b"\n".join((extra.data, b"stream", content, b"endstream"))


def _quickly(anew: Any) -> Any:
    """A word of the file as bytes, those that come most first."""

    def to_bytes(item: Any) -> bytes:
        kind = type(item)
        if kind is bytes:
            return item  # type: ignore[no-any-return]
        written: bytes = item.encode("ascii") if kind is str else anew(item)
        return written

    return to_bytes


def _once(work: Any) -> Any:
    """Worked out the first time, and that is when the file is written: nothing changes any more."""

    def kept(self: Any) -> Any:
        if "written" not in self.__dict__:
            self.written = work(self)
        return self.written

    return kept


def _rule_or(draw: Any) -> Any:
    """A plain border on one side alone is drawn as the rectangle that it is."""

    def draw_border(stream: Any, box: Any) -> None:
        found = _rule_of(box)
        if found is None:
            draw(stream, box)
            return
        colour, rectangle = found
        with stream.artifact():
            stream.set_color(colour)
            stream.rectangle(*rectangle)
            stream.fill()

    return draw_border


def _rule_of(box: Any) -> tuple[Any, tuple[float, float, float, float]] | None:
    """Colour and place of the one rule of a box; None where it has none, or is to be drawn with more care."""
    top, right, bottom, left = (
        box.border_top_width, box.border_right_width, box.border_bottom_width, box.border_left_width
    )  # fmt: skip
    if (top, right, bottom, left).count(0) != 3:
        return None
    side = "top" if top else "right" if right else "bottom" if bottom else "left"
    style, radii = box.style, (box.border_top_left_radius, box.border_bottom_right_radius)
    colour = style[f"border_{side}_color"]
    colour = style["color"] if colour == "currentcolor" else colour
    as_usual = style["visibility"] == "visible" and style["border_image_source"][0] == "none"
    square = radii == ((0, 0), (0, 0)) and box.border_top_right_radius == box.border_bottom_left_radius == (0, 0)
    columns = style["column_width"] != "auto" or style["column_count"] != "auto"
    if not as_usual or columns or not square or style[f"border_{side}_style"] != "solid" or not colour.alpha:
        return None
    x, y, width, height = box.border_box_x(), box.border_box_y(), box.border_width(), box.border_height()
    place = {
        "top": (x, y, width, top), "bottom": (x, y + height - bottom, width, bottom), "left": (x, y, left, height),
        "right": (x + width - right, y, right, height),
    }  # fmt: skip
    return colour, place[side]

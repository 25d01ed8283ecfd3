"""HTML of strangers: cleaned for a screen without remote content, or turned into plain text."""

from __future__ import annotations

import html
import re

import nh3

HTML_CHARACTERS_MAX = 500_000

_KEPT = {
    "a", "abbr", "b", "blockquote", "br", "caption", "cite", "code", "dd", "del", "div", "dl", "dt", "em",
    "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "ins", "kbd", "li", "ol", "p", "pre", "q", "s", "samp",
    "small", "span", "strike", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr",
    "tt", "u", "ul", "var",
}  # fmt: skip
_ATTRIBUTES = {
    "a": {"href", "title"},
    "ol": {"start", "type"},
    "td": {"colspan", "rowspan", "align"},
    "th": {"colspan", "rowspan", "align"},
}
_REMOVED_WITH_CONTENT = {"script", "style", "title", "noscript", "template", "iframe", "object", "svg", "math"}

# No images at all: a remote one tells its sender that (and where) the mail was opened. No style, class or id:
# a style sheet can fetch too, and can lay text over the desk's own buttons.
_CLEANER = nh3.Cleaner(
    tags=_KEPT,
    attributes=_ATTRIBUTES,
    clean_content_tags=_REMOVED_WITH_CONTENT,
    url_schemes={"http", "https", "mailto", "tel"},
    url_relative="deny",
    link_rel="noopener noreferrer nofollow",
    set_tag_attribute_values={"a": {"target": "_blank"}},
)
_SKELETON = nh3.Cleaner(
    tags={"br", "p", "div", "li", "tr", "td", "th", "blockquote", "pre", "hr", "h1", "h2", "h3", "h4", "h5", "h6"},
    attributes={},
    clean_content_tags=_REMOVED_WITH_CONTENT,
    link_rel=None,
)
_LINE = re.compile(r"<br>|<hr>|</(?:p|div|li|tr|blockquote|pre|h[1-6])>")
_CELL = re.compile(r"</t[dh]>")
_TAG = re.compile(r"<[^<>]*>")
_BLANKS = re.compile(r"[ \t\xa0]+")
_EMPTY_LINES = re.compile(r"\n(?: ?\n){2,}")


def cleaned(source: str) -> str:
    """HTML that is safe to show: no script, no style, no images, links that open elsewhere."""
    return _CLEANER.clean(source[:HTML_CHARACTERS_MAX]).strip()


def text_of(source: str) -> str:
    """The text of an HTML document, one line per paragraph, list item and table row."""
    # nh3 gives well-formed HTML in which every `<` of the text is an entity, so that what is left may be taken out
    # with simple expressions.
    skeleton = _SKELETON.clean(source[:HTML_CHARACTERS_MAX].replace("\r", ""))
    flowing = skeleton.replace("\n", " ")
    lines = _TAG.sub("", _CELL.sub(" ", _LINE.sub("\n", flowing)))
    plain = _BLANKS.sub(" ", html.unescape(lines))
    return _EMPTY_LINES.sub("\n\n", "\n".join(line.strip() for line in plain.split("\n"))).strip()

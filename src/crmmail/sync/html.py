"""HTML mail -> readable text: blocks as lines, true link targets, quotes as "> ".

lexbor builds the tree, but some inputs take it quadratic time (100,000 nested <div>: 11 s). So it
sees pieces of bounded size; what is left, or too dense in tags to be mail, only loses its tags.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

from selectolax.lexbor import LexborHTMLParser, LexborNode

from crmmail.sync.html_lines import Lines
from crmmail.sync.html_links import alt_text, suffix

LIMIT = 1_000_000
"""How much HTML is read, in characters."""
_PIECE = 64_000
_PIECES = 5
_MOST_TAGS = 6_000  # that open, in a piece
_LONGEST_TAG = 20_000

_SKIPPED = frozenset(
    "head style script title noscript template object applet iframe svg math select textarea "
    "audio video canvas map datalist -comment".split()
)
_LINES = frozenset(
    "div section article header footer main aside nav address center form fieldset legend figure "
    "figcaption dt dd dir menu tbody thead tfoot caption body html details summary tr li".split()
)
_SPACED = frozenset("p h1 h2 h3 h4 h5 h6 ul ol dl table pre blockquote".split())
# Nodes that stand right above the header lines of an answered message: Outlook, Zimbra.
_HEADER_IDS = frozenset({"divRplyFwdMsg", "divrplyfwdmsg", "zwchr"})
_OUTLOOK_RULE = re.compile(r"border:\s*none;\s*border-top:\s*solid\s+#?\w+\s+1\.0pt", re.IGNORECASE)

_STYLED = (
    "display visibility mso-hide max-height opacity rplyfwdmsg zwchr border-top yahoo_quoted hidden"
).split()
_NO_SIZE = re.compile(r"font-size\s{0,9}:\s{0,9}0")
_HIDDEN = re.compile(
    r"(?:\A|[;\s])(?:display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all"
    r"|(?:max-height|opacity)\s*:\s*0(?![.\d]))",
    re.IGNORECASE,
)
_FONT_SIZE = re.compile(r"font-size\s*:\s*(\d*\.?\d*)", re.IGNORECASE)
_BALLAST = re.compile(r"<!--|<(style|script)\b", re.IGNORECASE)
_ENDS = {
    "": re.compile("-->"),
    "style": re.compile("</style[^<>]*>", re.IGNORECASE),
    "script": re.compile("</script[^<>]*>", re.IGNORECASE),
}
_DATA_URI = re.compile(r"data:[\w/+.;=-]{0,100},[A-Za-z0-9+/=%\s]{200,}+")
_BLOCK_END = re.compile(r"</(?:p|div|tr|table|td|li|blockquote)\s*>", re.IGNORECASE)
_REOPENING = re.compile(r"<(/?)(blockquote|table)\b", re.IGNORECASE)
_REOPENED = {"blockquote": "<blockquote>", "table": "<table><tr><td>"}
_MOST_REOPENED = 20
_FLAT_BLOCK = re.compile(
    r"<(?:/?(?:p|div|tr|table|ul|ol|h[1-6]|blockquote|pre|center|dl)|br|li|hr|dt|dd)\b[^<>]*>",
    re.IGNORECASE,
)
_FLAT_CELL = re.compile(r"</t[dh]\s*>", re.IGNORECASE)
_FLAT_TAG = re.compile(r"</?[a-zA-Z!?][^<>]*>")
_HUGE_REFERENCE = re.compile(r"&#[xX]?[0-9a-fA-F]{8,}+;?")
_SPACES = re.compile(r"[ \t\r\f\v\u00a0]+")


def to_text(html: str) -> str:
    """The text of an HTML part; lines inside quotes begin with "> "."""
    html = html[:LIMIT].replace("\0", "")
    if len(html) > _PIECE:
        html = _without_ballast(html)
    lines = Lines()
    for number, piece in enumerate(_pieces(html)):
        if lines.full:
            break
        if number >= _PIECES or _is_dense(piece):
            lines.add_plain(_flat(piece))
        else:
            _Walk(lines, piece).run()
    return lines.text()


class _Walk:
    """One piece of HTML, node by node, without recursion."""

    def __init__(self, lines: Lines, html: str) -> None:
        self._lines = lines
        self._tree = LexborHTMLParser(html)
        lowered = html.lower()
        self._styled = any(word in lowered for word in _STYLED) or bool(_NO_SIZE.search(lowered))
        self._tight = "MsoNormal" in html  # Outlook's paragraphs have no margin
        self._closers: dict[int, list[str]] = {}  # by node: what its end has to undo

    def run(self) -> None:
        """Write every visible node to the lines."""
        lines = self._lines
        node = self._tree.root
        open_nodes: list[LexborNode] = []
        while node is not None and not lines.full:
            tag = node.tag or ""
            if tag == "-text":
                lines.add(node.text_content or "")
            elif tag not in _SKIPPED and self._enter(node, tag):
                if (child := node.first_child) is not None:
                    open_nodes.append(node)
                    node = child
                    continue
                self._leave(node, tag)
            while (following := node.next) is None and open_nodes:
                node = open_nodes.pop()
                self._leave(node, node.tag or "")
            node = following

    def _enter(self, node: LexborNode, tag: str) -> bool:
        """Begin an element; False if it is hidden."""
        lines = self._lines
        if tag in _LINES:
            lines.block(1)
        elif tag in _SPACED:
            lines.block(1 if self._tight and tag == "p" else 2)
        if self._styled and not self._style(node):
            return False
        match tag:
            case "a":
                lines.open_link()
            case "br":
                lines.line_break()
            case "img":
                lines.add(f" {alt_text(node.attributes.get('alt') or '')} ")
            case "td" | "th":
                lines.open_cell()
            case "li":
                lines.item()
            case "ul" | "ol":
                lines.open_list(numbered=tag == "ol")
            case "blockquote":
                lines.quote(1)
            case "pre":
                lines.preformatted(1)
            case "hr" if node.attributes.get("id") not in _HEADER_IDS:
                lines.rule(header=False)
        return True

    def _leave(self, node: LexborNode, tag: str) -> None:
        lines = self._lines
        match tag:
            case "a":
                label = lines.close_label()
                lines.append(suffix(label, node.attributes.get("href") or ""))
            case "td" | "th":
                lines.close_cell()
            case "ul" | "ol":
                lines.close_list()
            case "blockquote":
                lines.quote(-1)
            case "pre":
                lines.preformatted(-1)
        if self._closers:
            for undo in self._closers.get(node.mem_id, ()):
                lines.quote(-1) if undo == "quote" else lines.unmute()
        if tag in _LINES:
            lines.block(1)
        elif tag in _SPACED:
            lines.block(1 if self._tight and tag == "p" else 2)

    def _style(self, node: LexborNode) -> bool:
        """Obey what the attributes say of an element; False if they hide it."""
        attributes = node.attributes
        if not attributes:
            return True
        style = (attributes.get("style") or "")[:2_000]
        if "hidden" in attributes or (style and _HIDDEN.search(style)):
            return False
        if attributes.get("id") in _HEADER_IDS or (style and _OUTLOOK_RULE.search(style)):
            self._lines.rule(header=True)
        undo: list[str] = []
        if "yahoo_quoted" in (attributes.get("class") or ""):
            self._lines.quote(1)
            undo.append("quote")
        if style and (size := _FONT_SIZE.search(style)) and size[1]:
            self._lines.mute(not float(size[1].rstrip(".") or 1))
            undo.append("mute")
        if undo:
            self._closers[node.mem_id] = undo
        return True


def _pieces(html: str) -> Iterator[str]:
    """HTML in pieces that end with a block; quotes and tables that are open go on in the next."""
    start = 0
    within: list[str] = []
    while start < len(html):
        end = start + _PIECE
        if end < len(html):
            ends = [found.end() for found in _BLOCK_END.finditer(html, end - _PIECE // 4, end)]
            end = ends[-1] if ends else end
        piece = html[start:end]
        yield "".join(_REOPENED[name] for name in within) + piece
        for found in _REOPENING.finditer(piece) if end < len(html) else ():
            _step(within, found[2].lower(), closes=bool(found[1]))
        start = end


def _step(within: list[str], name: str, *, closes: bool) -> None:
    if not closes:
        within.append(name)
        del within[:-_MOST_REOPENED]
    elif name in within:
        while within.pop() != name:
            pass


def _without_ballast(html: str) -> str:
    """HTML without comments, styles, scripts and embedded data."""
    out: list[str] = []
    at = 0
    while found := _BALLAST.search(html, at):
        out.append(html[at : found.start()])
        end = _ENDS[(found[1] or "").lower()].search(html, found.end())
        if end is None:
            at = len(html)
            break
        at = end.end()
    out.append(html[at:])
    return _DATA_URI.sub("", "".join(out))


def _is_dense(piece: str) -> bool:
    """Whether there are more, or longer, tags than in anything that is to be read."""
    if piece.count("<") - piece.count("</") > _MOST_TAGS:
        return True
    return len(piece) > _LONGEST_TAG and max(map(len, piece.split(">"))) > _LONGEST_TAG


def _flat(html: str) -> str:
    """Text with tags taken out, in linear time whatever they are."""
    html = _FLAT_BLOCK.sub("\n", _without_ballast(html).replace("\n", " "))
    text = _FLAT_TAG.sub("", _FLAT_CELL.sub("\0", html))
    text = _SPACES.sub(" ", unescape(_HUGE_REFERENCE.sub("\ufffd", text)))
    lines = (line.strip(" \0").replace("\0", "  ") for line in text.split("\n"))
    return "\n".join(line for line in lines if line)

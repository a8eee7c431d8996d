"""Paragraphs of format=flowed text (RFC 3676)."""

from __future__ import annotations


def unflow(text: str, *, delsp: bool = False) -> str:
    """Text with flowed lines joined; with `delsp` the space that marked them goes."""
    out: list[str] = []
    open_depth = -1  # of the paragraph that goes on; -1 for none
    paragraph: list[str] = []
    for line in text.split("\n"):
        body = line.lstrip(">")
        depth = len(line) - len(body)
        body = body.removeprefix(" ")
        signature = body == "-- "
        if paragraph and (depth != open_depth or signature):
            _close(out, open_depth, paragraph)
        flows = body.endswith(" ") and not signature
        paragraph.append(body[:-1] if flows and delsp else body)
        open_depth = depth
        if not flows:
            _close(out, depth, paragraph)
    if paragraph:
        _close(out, open_depth, paragraph)
    return "\n".join(out)


def _close(out: list[str], depth: int, paragraph: list[str]) -> None:
    body = "".join(paragraph)
    quote = ">" * depth + " " if depth and body else ">" * depth
    out.append(quote + (body if body == "-- " else body.rstrip()))
    paragraph.clear()

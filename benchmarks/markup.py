"""HTML as it comes by mail: what office programs make of text, and newsletters."""

from __future__ import annotations

import functools
import html
import random

from benchmarks.words import prose

# Names of nothing in particular, for extra headers and class names.
MARKUP = ("Relay", "Filter", "Tenant", "Route", "Policy", "Gateway", "Cluster", "Exchange")
_OFFICE_HEAD = (
    '<html xmlns:o="urn:office"><head><meta http-equiv="Content-Type" content="text/html">'
    "<style><!-- @font-face {font-family:Calibri; panose-1:2 15 5 2 2 2 4 3 2 4;} p.Normal, "
    'li.Normal {margin:0cm; font-size:11.0pt; font-family:"Calibri",sans-serif;} a:link '
    "{color:#0563C1; text-decoration:underline;} @page Section1 {size:612.0pt 792.0pt; "
    'margin:70.85pt 70.85pt 2.0cm 70.85pt;} --></style></head><body lang="EN-GB">\n'
)
_BLOCKS = 160
_CELL = (
    '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" '
    'style="border-collapse:collapse;mso-table-lspace:0pt;mso-table-rspace:0pt;width:100%">\n'
    '<tbody><tr><td align="left" valign="top" class="c4" style="padding:12px 24px 0 24px;'
    "font-family:Helvetica,Arial,sans-serif;font-size:16px;line-height:24px;color:#3f4a59;"
    'word-break:break-word;-webkit-text-size-adjust:100%;-ms-text-size-adjust:100%">\n'
)
_CELL_END = "\n</td></tr></tbody></table>\n"


def office(text: str) -> str:
    """Plain text with quotes as an office program writes it."""
    paragraphs = []
    for part in text.split("\n\n"):
        body = html.escape(part).replace("\n", "<br>\n")
        paragraphs.append(f'<p class="Normal"><span style="font-size:11.0pt">{body}</span></p>\n')
    return _OFFICE_HEAD + "".join(paragraphs) + "</body></html>\n"


@functools.lru_cache(maxsize=1)
def _blocks() -> tuple[str, ...]:
    """Rows of a newsletter: nested tables, styles at every cell, a tracked link and a picture."""
    rng = random.Random("newsletter")
    words = prose("en")
    made = []
    for number in range(_BLOCKS):
        link = f"https://links.example/c/{rng.getrandbits(320):080x}"
        title, text = words.write(rng, 30)[:50], words.write(rng, 60)[: rng.randint(60, 300)]
        picture = f"https://img.example/{rng.getrandbits(128):032x}.png"
        made.append(
            f'{_CELL}{_CELL}<a href="{link}" target="_blank" style="color:#1266cc;text-decoration:'
            f'none"><img src="{picture}" width="560" height="{200 + number}" alt="" style='
            f'"display:block;border:0;outline:none;max-width:100%;height:auto"></a>{_CELL_END}'
            f'{_CELL}<h2 style="margin:0 0 12px;font-size:22px">{html.escape(title)}</h2>\n'
            f'<p style="margin:0 0 16px 0">{html.escape(text)}</p>\n<a href="{link}" style='
            f'"background:#1266cc;border-radius:4px;color:#fff;display:inline-block">Read on</a>'
            f"{_CELL_END}{_CELL_END}"
        )
    return tuple(made)


def newsletter(rng: random.Random, size: int, title: str) -> str:
    """A page of about `size` characters."""
    parts = [
        f"<!DOCTYPE html><html><head><title>{html.escape(title)}</title><style>"
        + "".join(f".c{i}{{padding:{i}px;margin:0 auto;max-width:600px}}\n" for i in range(25))
        + '</style></head><body style="margin:0;background:#f4f5f7">\n'
    ]
    length, blocks = len(parts[0]), _blocks()
    while length < size:
        parts.append(rng.choice(blocks))
        length += len(parts[-1])
    token = f"{rng.getrandbits(256):064x}"
    parts.append(f'<a href="https://links.example/off/{token}">Unsubscribe</a></body></html>\n')
    return "".join(parts)

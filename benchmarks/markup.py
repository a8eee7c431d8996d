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
        made.append(
            f'<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" '
            f'style="border-collapse:collapse;mso-table-lspace:0pt;mso-table-rspace:0pt">\n<tr>'
            f'<td align="left" style="padding:12px 24px;font-family:Helvetica,Arial,sans-serif;'
            f'font-size:16px;line-height:24px;color:#3f4a59"><a href="{link}" target="_blank" '
            f'style="color:#1266cc;text-decoration:none"><img src="https://img.example/'
            f'{rng.getrandbits(128):032x}.png" width="560" height="{200 + number}" alt="" '
            f'style="display:block;border:0;outline:none"></a>\n<h2 style="margin:0 0 12px;'
            f'font-size:22px">{html.escape(words.write(rng, 30)[:60])}</h2>\n<p style="margin:0">'
            f"{html.escape(words.write(rng, rng.randint(150, 700)))}</p>\n"
            f'<a href="{link}" style="background:#1266cc;border-radius:4px;color:#fff">Read on</a>'
            f"</td></tr></table>\n"
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

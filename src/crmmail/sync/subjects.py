"""Subjects without what mail programs and lists put before them (rules.md T2)."""

from __future__ import annotations

import re

_PREFIX = re.compile(
    r"""\s*(?:
        (?: re | r | aw | antw | antwort | sv | vs | odp | ynt | rép | res | rif | vá | απ | σχετ
          | תגובה | رد | 回复 | 回覆 | 答复 | 答覆 | 返信 | 回信 | 답장 | 회신
          | fw | fwd | wg | tr | rv | enc | i | vl | vb | doorst | pd | továbbítás | ilt | πρθ
          | пересл | הועבר | 转发 | 轉寄 | 轉發 | 转寄 | 転送 | 전달 )
        (?: \s?[\[(*^]\s?\d{1,4}\s?[\])]? | \d{1,3} )?
      )\s?[:：]""",
    re.IGNORECASE | re.VERBOSE,
)
_TAG = re.compile(r"\s*\[[^\[\]]{1,60}\]")
_FORWARDED = re.compile(r"\s*[(\[]\s?fwd?\s?[)\]]\s*$", re.IGNORECASE)


def base_subject(subject: str) -> tuple[str, bool]:
    """What a subject and its replies share, casefolded, and whether it has such a prefix.

    Prefixes (Re:, AW:, Re[2]:, Fwd: …) and [tags] go from the front, "(fwd)" from the end.
    """
    at, is_reply, tag = 0, False, ""
    while True:
        if found := _PREFIX.match(subject, at):
            is_reply = True
        elif found := _TAG.match(subject, at):
            tag = found[0]
        else:
            break
        at = found.end()
    base = subject[at:]
    if found := _FORWARDED.search(base[-20:]):
        base, is_reply = base[: len(base) - len(found[0])], True
    return " ".join((base if base.strip() else tag).split()).casefold(), is_reply

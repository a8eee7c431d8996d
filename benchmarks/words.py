"""What the generated mail says: word pools in five languages, sentences, subjects.

The pools are the same for every seed; a seed decides only what is picked from them.
"""

from __future__ import annotations

import functools
import random
from dataclasses import dataclass

PARAGRAPHS = 900
VOCABULARY = 7_000

_ENGLISH = """
the of and to in a is that for it as was with be by on not he his but at are this have from or had
an they which one you were all her she there would their we him been has when who will more no if
out so said what up its about into than them can only other new some could time these two may then
do first any my now such like our over me even most made after also did many before must through
back years where much your way well down should because each just those people how too little
state good very make world still own see men work long get here between both life being under
never day same another know while last might us great old year off come since against go came
right used take three offer price order delivery invoice contract meeting call agenda budget
quarter report draft review feedback question answer proposal plan team project customer supplier
schedule deadline shipment sample drawing quote discount payment account service support release
version test result training workshop visit travel hotel train flight office warehouse machine
part unit batch quality issue ticket change request approval signature department manager
colleague partner terms legal privacy data
""".split()
_GERMAN = """
der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden
aus er hat dass sie nach wird bei einer um am sind noch wie einem über einen so zum war haben nur
oder aber vor zur bis mehr durch man sein wurde sei Angebot Preis Bestellung Lieferung Rechnung
Vertrag Besprechung Rückmeldung Änderung Größe Prüfung Gespräch Grüße möglich können müssen würde
später früher nächste Woche Jahr Stück Gebühr Übersicht Entwürfe ähnlich Lösung
""".split()
_FRENCH = """
le la les de des et à en un une que pour dans sur avec ce qui par plus pas au nous vous est sont
être avoir fait commande livraison facture réunion délai réponse projet équipe société qualité
référence après très déjà été première semaine
""".split()
_RUSSIAN = """
и в не на я быть он с что а по это она этот к но они мы весь который из у то за свой вы от так о
же для год все договор счёт поставка заказ встреча вопрос ответ проект срок цена качество письмо
неделя компания отдел спасибо пожалуйста
""".split()
_JAPANESE = """
お世話になっております ご確認ください 見積書 納期 注文 会議 資料 添付 契約 価格
質問 回答 よろしくお願いいたします 来週 今月 担当者 製品 品質 出荷 請求書 予定
変更 お知らせ 打ち合わせ ありがとうございます
""".split()
_SYLLABLES = """
ba bel bor cal car cen cor dal den dor el fal fer gan gor hal har il jan kal ker kor lan lem lor
mal mar men mir nal nor or pal per por quin ral ren ril sal sen sil sor tal tan tel tor ul val ven
vil vor wen yar zan zel
""".split()

_TOPICS = """
annual quarterly revised final urgent spring autumn regional internal technical commercial
preliminary missing delayed updated joint yearly external second upcoming combined digital
seasonal monthly northern southern central custom
""".split()
_OBJECTS = (
    "offer|price list|delivery plan|invoice|framework contract|"
    "workshop|site visit|budget|progress report|release notes|"
    "sample batch|spare parts|maintenance window|support case|training dates|"
    "product drawing|shipping papers|quality audit|data export|trade fair stand|"
    "service level|purchase order|project kick-off|payment terms|rollout schedule|"
    "test results"
).split("|")
_FOREIGN_SUBJECTS = {
    "de": "Angebot für Größe|Rückfrage zur Lieferung|Änderung der Bestellung|Grüße zum Fest",
    "fr": "Réponse à votre commande|Délai de livraison|Réunion d'équipe à Genève|Facture réglée",
    "ru": "Договор поставки|Вопрос по счёту|Встреча на следующей неделе|Новые цены",
    "ja": "見積書のご確認|納期について|会議の資料|契約の更新",
}
# The charsets in which people of a language really write.
CHARSETS = {
    "en": ("us-ascii", "utf-8"),
    "de": ("iso-8859-1", "windows-1252", "utf-8"),
    "fr": ("windows-1252", "utf-8", "iso-8859-1"),
    "ru": ("koi8-r", "utf-8"),
    "ja": ("iso-2022-jp", "utf-8"),
}


def invented(rng: random.Random, syllables: int) -> str:
    """A word that means nothing."""
    return "".join(rng.choice(_SYLLABLES) for _ in range(syllables))


@dataclass(frozen=True, slots=True)
class Prose:
    """Ready paragraphs of one language."""

    paragraphs: tuple[str, ...]

    def write(self, rng: random.Random, size: int) -> str:
        """At least `size` characters of paragraphs, with empty lines between them."""
        parts, length = list[str](), 0
        while length < size:
            part = rng.choice(self.paragraphs)
            parts.append(part)
            length += len(part) + 2
        return "\n\n".join(parts)


@functools.lru_cache(maxsize=8)
def prose(language: str) -> Prose:
    """The paragraphs of a language, about as common and as rare in their words as real text."""
    rng = random.Random(f"prose {language}")
    words = {"de": _GERMAN, "fr": _FRENCH, "ru": _RUSSIAN, "ja": _JAPANESE}.get(language, _ENGLISH)
    if language == "en":
        rare = {invented(rng, rng.randint(2, 4)) for _ in range(VOCABULARY)}
        words = words + sorted(rare)
    weights = [1 / (rank + 3) for rank in range(len(words))]
    gap = "" if language == "ja" else " "

    def sentence() -> str:
        chosen = rng.choices(words, weights, k=rng.randint(5, 16))
        text = gap.join(chosen)
        return text[0].upper() + text[1:] + ("。" if language == "ja" else ".")

    def paragraph() -> str:
        lines, line = list[str](), ""
        for _ in range(rng.randint(2, 6)):
            for word in sentence().split(" "):
                if len(line) + len(word) > 72:
                    lines.append(line)
                    line = word
                else:
                    line = f"{line} {word}" if line else word
        return "\n".join([*lines, line])

    count = PARAGRAPHS if language == "en" else PARAGRAPHS // 6
    return Prose(tuple(paragraph() for _ in range(count)))


def subject(rng: random.Random, language: str) -> str:
    """A subject of more than three letters that is no reply."""
    if language in _FOREIGN_SUBJECTS and rng.random() < 0.7:
        stem = rng.choice(_FOREIGN_SUBJECTS[language].split("|"))
        return f"{stem} {rng.randint(2, 9_999)}"
    words = f"{rng.choice(_TOPICS)} {rng.choice(_OBJECTS).strip()}"
    tail = f" {rng.randint(2, 999)}" if rng.random() < 0.7 else ""
    return words[0].upper() + words[1:] + tail

"""How mail programs of nine languages write dates, and introduce what they quote."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Language:
    """What differs from language to language in the frame of a mail."""

    months: str
    weekdays: str
    date: str  # of a day, in a sentence
    attribution: str  # before a quotation
    header: str  # before a quotation, in Outlook's manner: four words
    reply: str = "Re:"  # Outlook's
    first: str = "1"  # of a month


_LANGUAGES = {
    "en": Language(
        "January February March April May June July August September October November December",
        "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
        "{day} {month}",
        "On {weekday}, {day} {month} {year} at {time}, {who} wrote:",
        "From Sent To Subject",
        "RE:",
    ),
    "de": Language(
        "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
        "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
        "{day}. {month}",
        "Am {day}. {month} {year} um {time} schrieb {who}:",
        "Von Gesendet An Betreff",
        "AW:",
    ),
    "fr": Language(
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "lundi mardi mercredi jeudi vendredi samedi dimanche",
        "{day} {month}",
        "Le {weekday} {day} {month} {year} à {time}, {who} a écrit :",
        "De Envoyé À Objet",
        "RE:",
        "1er",
    ),
    "es": Language(
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "lunes martes miércoles jueves viernes sábado domingo",
        "{day} de {month}",
        "El {day} de {month} de {year} a las {time}, {who} escribió:",
        "De Enviado Para Asunto",
        "RE:",
    ),
    "pt": Language(
        "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
        "segunda-feira terça-feira quarta-feira quinta-feira sexta-feira sábado domingo",
        "{day} de {month}",
        "Em {weekday}, {day} de {month} de {year} às {time}, {who} escreveu:",
        "De Enviado Para Assunto",
        "RE:",
    ),
    "it": Language(
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre "
        "dicembre",
        "lunedì martedì mercoledì giovedì venerdì sabato domenica",
        "{day} {month}",
        "Il giorno {day} {month} {year} alle ore {time} {who} ha scritto:",
        "Da Inviato A Oggetto",
        "R:",
    ),
    "pl": Language(
        "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października "
        "listopada grudnia",
        "poniedziałek wtorek środa czwartek piątek sobota niedziela",
        "{day} {month}",
        "W dniu {day} {month} {year} o {time} {who} pisze:",
        "Od Wysłano Do Temat",
        "Odp:",
    ),
    "ja": Language(
        "1月 2月 3月 4月 5月 6月 7月 8月 9月 10月 11月 12月",
        "月曜日 火曜日 水曜日 木曜日 金曜日 土曜日 日曜日",
        "{month}{day}日",
        "{year}年{month}{day}日({weekday}) {time} {who}:",
        "差出人 送信日時 宛先 件名",
        "RE:",
    ),
}


def spoken_date(lang: str, day: datetime, form: str = "") -> str:
    """A day as a person writes it in a sentence; form "day" is the weekday alone."""
    language = _LANGUAGES[lang]
    return _fill("{weekday}" if form == "day" else language.date, language, day, "")


def attribution(lang: str, when: datetime, who: str) -> str:
    """The line above a quotation."""
    language = _LANGUAGES[lang]
    return _fill(language.attribution, language, when, who)


def original_header(lang: str, when: datetime, who: str, to: str, subject: str) -> list[str]:
    """The four lines above what Outlook leaves under an answer."""
    language = _LANGUAGES[lang]
    day = _fill(f"{language.date} {{year}} {{time}}", language, when, "")
    words = language.header.split()
    return [f"{word}: {said}" for word, said in zip(words, (who, day, to, subject), strict=True)]


def reply_prefix(lang: str, client: str) -> str:
    """What stands before the subject of an answer."""
    return _LANGUAGES[lang].reply if client == "outlook" else "Re:"


def _fill(pattern: str, language: Language, when: datetime, who: str) -> str:
    return pattern.format(
        day=when.day if when.day > 1 else language.first,
        month=language.months.split()[when.month - 1],
        year=when.year,
        weekday=language.weekdays.split()[when.weekday()],
        time=f"{when:%H:%M}",
        who=who,
    )

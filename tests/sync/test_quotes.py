"""Quoted lines: found in the languages of mail programs, bounded, never everything."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.bounded import bounded

from crmmail.sync.quotes import preview, scan


def own(text: str) -> str:
    """What is left when the quoted lines are taken out."""
    lines = text.split("\n")
    quoted = {at for start, end in scan(text) for at in range(start, end)}
    return "|".join(line for at, line in enumerate(lines) if at not in quoted and line.strip())


class TestRuns:
    def test_spans(self) -> None:
        assert scan("a\n> b\n>c\n\n> d\ne\n>f") == ((1, 5), (6, 7))

    def test_answers_in_between_stay(self) -> None:
        assert own("> q1\nanswer 1\n\n> q2\nanswer 2\n") == "answer 1|answer 2"

    def test_an_arrow_is_no_quote(self) -> None:
        assert scan("a\n -> b\n=> c") == ()

    def test_not_everything(self) -> None:
        assert scan("> all\n>\n> of it\n\n") == ()
        assert scan("On Mon, 1 Jan 2024, Ann wrote:\n> all\n") == ()


class TestAttributions:
    @pytest.mark.parametrize(
        "line",
        [
            "On Mon, 1 Jan 2024 at 10:00, Ann Lee <ann@x.example> wrote:",
            "On Mon, 1 Jan 2024 at 10:00, Ann Lee\n<ann@x.example> wrote:",
            "On Mon, 1 Jan 2024 at 10:00, Ann Lee and\nsomebody else with a long name <ann@\n"
            "x.example> wrote:",
            "Am 01.01.2024 um 10:00 schrieb Ann Lee <ann@x.example>:",
            "Am Montag, dem 01.01.2024 um 10:00 +0100 schrieb Ann:",
            "Le lun. 1 janv. 2024 à 10:00, Ann <ann@x.example> a écrit :",
            "El lun, 1 ene 2024 a las 10:00, Ann (<ann@x.example>) escribió:",
            "Il giorno lun 1 gen 2024 alle ore 10:00 Ann <ann@x.example> ha scritto:",
            "Op ma 1 jan 2024 om 10:00 schreef Ann <ann@x.example>:",
            "Em seg., 1 de jan. de 2024 às 10:00, Ann <ann@x.example> escreveu:",
            "Den mån 1 jan. 2024 kl 10:00 skrev Ann <ann@x.example>:",
            "ma 1.1.2024 klo 10.00 Ann (ann@x.example) kirjoitti:",
            "pon., 1 sty 2024 o 10:00 Ann <ann@x.example> napisał(a):",
            "po 1. 1. 2024 v 10:00 odesílatel Ann <ann@x.example> napsal:",
            "пн, 1 янв. 2024 г. в 10:00, Ann <ann@x.example>:",
            "1 января 2024 г., 10:00, Ann пишет:",
            "2024年1月1日(月) 10:00 Ann <ann@x.example>:",
            "2024年1月1日(月) 10:00 Ann さんは書きました:",
            '在 2024-01-01 10:00:00，"Ann" <ann@x.example> 写道：',
            "2024년 1월 1일 (월) 오전 10:00, Ann <ann@x.example>님이 작성:",
            "Ann Lee wrote:",
        ],
    )
    def test_above_a_quote(self, line: str) -> None:
        assert own(f"Fine.\n\n{line}\n\n> old\n> text\n") == "Fine."

    def test_without_marks_below_the_rest_belongs_to_it(self) -> None:
        text = "Fine.\n\nOn Mon, 1 Jan 2024 at 10:00, Ann <a@x.example> wrote:\n\nold\ntext\n"
        assert own(text) == "Fine."

    @pytest.mark.parametrize(
        "line",
        [
            "On the other hand he wrote:",
            "In short, she said:",
            "My comments:",
            "Meeting on 2024-01-01 10:00:",
            "We wrote 3 tests:",
        ],
    )
    def test_sentences_are_not(self, line: str) -> None:
        text = f"Hi,\n{line}\nmore text\n"
        assert scan(text) == ()

    def test_below_ones_own_words_only(self) -> None:
        """A message that begins so and goes on without marks is not hidden."""
        text = "On Mon, 1 Jan 2024 at 10:00, Ann <a@x.example> wrote:\nold?\n\nnew?"
        assert scan(text) == ((0, 1),)


class TestHeaders:
    @pytest.mark.parametrize(
        "line",
        [
            "-----Original Message-----",
            "----- Original Message -----",
            "-----Ursprüngliche Nachricht-----",
            "-----Message d'origine-----",
            "-----Mensaje original-----",
            "-----Messaggio originale-----",
            "-----Oorspronkelijk bericht-----",
            "-----Ursprungligt meddelande-----",
            "-----Исходное сообщение-----",
            "------------------ 原始邮件 ------------------",
            "-----元のメッセージ-----",
        ],
    )
    def test_dashed_line(self, line: str) -> None:
        assert own(f"Fine.\n\n{line}\nold\n\nolder\n") == "Fine."

    @pytest.mark.parametrize(
        "labels",
        [
            "From Sent To Subject",
            "Von Gesendet An Cc Betreff",
            "De Envoyé À Objet",
            "De Enviado Para Asunto",
            "Da Inviato A Oggetto",
            "Van Verzonden Aan Onderwerp",
            "Från Skickat Till Ämne",
            "Fra Sendt Til Emne",
            "Lähettäjä Lähetetty Vastaanottaja Aihe",
            "Od Wysłano Do Temat",
            "От Отправлено Кому Тема",
            "差出人 送信日時 宛先 件名",
            "发件人 发送时间 收件人 主题",
            "*From *Sent *To *Subject",
        ],
    )
    @pytest.mark.parametrize("rule", ["", "_" * 32 + "\n"])
    def test_outlook_block(self, labels: str, rule: str) -> None:
        block = "\n".join(f"{label}: value" for label in labels.split())
        assert own(f"Fine.\n\n{rule}{block}\n\nold\n") == "Fine."

    def test_one_such_line_is_none(self) -> None:
        assert scan("Hi\nFrom: Berlin\nwe go to\nTo: Paris\n") == ()

    @pytest.mark.parametrize(
        "line",
        [
            "---------- Forwarded message ---------",
            "Begin forwarded message:",
            "-------- Weitergeleitete Nachricht --------",
            "---------- Message transféré ---------",
        ],
    )
    def test_what_is_forwarded_is_news(self, line: str) -> None:
        text = f"FYI\n\n{line}\nFrom: A\nDate: today\nSubject: s\nTo: B\n\nthe news\n"
        assert scan(text) == ()


class TestPreview:
    def test_own_words_first(self) -> None:
        text = "> old\n\nNew,\n  indeed.\n\n-- \nAnn\n"
        assert preview(text, scan(text)) == "New, indeed."

    def test_without_link_targets(self) -> None:
        text = "See our site <https://x.example/long?track=1> or https://y.example/path?q ok"
        assert preview(text, ()) == "See our site or y.example ok"

    def test_falls_back_on_what_there_is(self) -> None:
        assert preview("> only quoted", ()) == "only quoted"
        assert preview("-- \nAnn", ()) == "Ann"
        assert preview("", ()) == ""

    def test_length(self) -> None:
        assert len(preview("word " * 500, ())) <= 200


@pytest.mark.parametrize(
    "text",
    [
        "On On On " * 7_000,
        "On\n" * 85_000,
        "On:\n" * 64_000,
        "from:\n" * 43_000,
        "from:\nx\n" * 32_000,
        ">\n\n\nx\n" * 40_000,
        "x" * 400_000,
        ("On " * 99 + ":\n") * 860,
        ("-" * 299 + "\n") * 860,
        ("_" * 299 + "\n") * 860,
        ("= " * 149 + "\n") * 860,
        "On 2020 wrote:\n" * 17_000,
        " " * 260_000,
    ],
    ids=lambda text: text[:10],
)
def test_hostile_text_takes_bounded_time(text: str) -> None:
    with bounded():
        preview(text, scan(text))


@given(
    st.lists(
        st.sampled_from(
            [
                *("> a", "", "b", "On 1 Jan 2024, A <a@x> wrote:", "From: x", "Sent: y", "To: z"),
                *("-----Original Message-----", "_" * 20, "Begin forwarded message:", "-- "),
            ]
        )
    )
)
def test_spans_are_in_order_and_leave_something(lines: list[str]) -> None:
    text = "\n".join(lines)
    spans = scan(text)
    flat = [at for span in spans for at in span]
    assert flat == sorted(set(flat))
    assert not flat or (flat[0] >= 0 and flat[-1] <= len(lines))
    assert not spans or own(text)

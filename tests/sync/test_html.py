"""HTML -> text: layout, links, quotes, hidden text, and bounded time."""

from __future__ import annotations

import pytest
from tests.bounded import bounded

from crmmail.sync import quotes
from crmmail.sync.html import to_text


class TestBlocks:
    @pytest.mark.parametrize(
        ("html", "text"),
        [
            ("Hello <b>wor</b>ld,\n  you", "Hello world, you"),
            ("<p>one</p><p>two</p>", "one\n\ntwo"),
            ("<div>one</div><div>two</div>", "one\ntwo"),
            ("a<br>b<br><br>c<br></div><div>d", "a\nb\n\nc\nd"),
            ("<div>a</div><div><br></div><div>b</div>", "a\n\nb"),
            ("<div>a</div><div>&nbsp;</div><br><br><div>b</div>", "a\n\nb"),
            ("<p class=MsoNormal>a</p><p class=MsoNormal>b<o:p></o:p></p>", "a\nb"),
            ("<p class=MsoNormal>a</p><p class=MsoNormal><o:p>&nbsp;</o:p></p><p>b", "a\n\nb"),
            ("<h1>T</h1>text", "T\n\ntext"),
            ("a<hr>b", "a\n---\nb"),
            ("<pre>a  b\n\n  c</pre>d", "a  b\n\n  c\n\nd"),
            ("<ul><li>a<li><p>b</p><ul><li>c</ul></ul>d", "- a\n- b\n  - c\n\nd"),
            ("<ol><li>a</li><li>b</li></ol>", "1. a\n2. b"),
            ("a &lt;b&gt; &amp; &euro; &#8364;", "a <b> & € €"),
            ("<title>t</title><style>x{}</style><script>y</script><!-- c -->z", "z"),
            ("<![if !mso]>a<![endif]>", "a"),
            ("", ""),
        ],
    )
    def test_layout(self, html: str, text: str) -> None:
        assert to_text(html) == text


class TestTables:
    def test_cells_share_a_line(self) -> None:
        row = "<tr><td>{}</td><td><p class=MsoNormal>{}</p></td><td> {} </td></tr>"
        html = f"<table>{row.format('a', 'b', 'c')}{row.format(1, '', 3)}</table>after"
        assert to_text(html) == "a  b  c\n1  3\n\nafter"

    def test_cells_of_several_lines_do_not(self) -> None:
        html = "<table><tr><td>a<br>b</td><td>c</td></tr></table>"
        assert to_text(html) == "a\nb\nc"

    def test_long_cells_do_not(self) -> None:
        html = f"<table><tr><td>{'long ' * 20}</td><td>c</td></tr></table>"
        assert to_text(html).split("\n")[1] == "c"

    def test_tables_that_are_only_layout(self) -> None:
        html = "<table><tr><td><table><tr><td><p>a</p><p>b</p></td></tr></table></td></tr></table>"
        assert to_text(html) == "a\n\nb"


class TestLinks:
    @pytest.mark.parametrize(
        ("html", "text"),
        [
            ("<a href='https://x.example/a'>the <b>site</b></a>.", "the site <https://x.example/a>."),
            ("<a href='https://www.x.example/'>x.example</a>", "x.example"),
            ("<a href='https://X.example/a'>https://x.example/a</a>", "https://x.example/a"),
            ("<a href='http://evil.example/'>https://bank.example</a>",
             "https://bank.example <http://evil.example/>"),
            ("<a href='mailto:a@x.example'>a@x.example</a>", "a@x.example"),
            ("<a href='mailto:a@x.example?attach=/etc/passwd'>Ann</a>", "Ann <mailto:a@x.example>"),
            ("<a href='javascript:x()'>a</a><a href='#b'>b</a><a href='file:///c'>c</a>", "abc"),
            ("<a href='https://x.example'><img src=p.png></a>text", "text"),
            ("<a href='https://x.example'><img alt='Shop now'></a>", "Shop now <https://x.example>"),
            ("<a href='//x.example/p'>p</a>", "p <https://x.example/p>"),
            ("<a href='https://x.example/a b\n>c'>p</a>", "p <https://x.example/ab%3Ec>"),
            ("<a href='https://xn--80ak6aa92e.com/'>a</a>", "a <https://xn--80ak6aa92e.com/>"),
            ("<a href='https://аррӏе.com/'>a</a>", "a <https://xn--80ak6aa92e.com/>"),
            ("<a href='https://x.example'><div>block</div></a>next", "block <https://x.example>\nnext"),
        ],
    )  # fmt: skip
    def test_true_target_where_the_label_hides_it(self, html: str, text: str) -> None:
        assert to_text(html) == text

    def test_huge_target(self) -> None:
        text = to_text(f"<a href='https://x.example/{'y' * 5_000}'>go</a>")
        assert text == "go <https://x.example/…>"

    @pytest.mark.parametrize("alt", ["", "image001.png", "logo", "spacer", "---"])
    def test_pictures_that_say_nothing(self, alt: str) -> None:
        assert to_text(f"a<img src='x' alt='{alt}'>b") == "a b"


class TestHidden:
    @pytest.mark.parametrize(
        "style",
        [
            "display:none",
            "color:red; DISPLAY : none",
            "visibility:hidden",
            "mso-hide:all",
            "max-height:0;overflow:hidden",
            "max-height:0px",
            "opacity:0",
            "font-size:0",
            "font-size:0px",
            "font-size: 0.0em",
        ],
    )
    def test_is_left_out(self, style: str) -> None:
        assert to_text(f"<div style='{style}'>secret <b>bait</b></div>shown") == "shown"

    def test_attribute(self) -> None:
        assert to_text("<p hidden>secret</p>shown") == "shown"

    @pytest.mark.parametrize("style", ["opacity:0.9", "max-height:0.5em", "font-size:0.8em"])
    def test_is_shown(self, style: str) -> None:
        assert to_text(f"<div style='{style}'>shown</div>") == "shown"

    def test_a_size_inside_no_size(self) -> None:
        html = "<div style='font-size:0'>gap<div style='font-size:13px'>shown</div>gap</div>"
        assert to_text(html) == "shown"

    def test_fillers(self) -> None:
        assert (
            to_text("&zwnj;&nbsp;&#847;&zwnj;&nbsp;&#8203;<p>می\u200cخواهم</p>") == "می\u200cخواهم"
        )


class TestQuotes:
    """Quoted history is marked so that quotes.scan finds it, whoever wrote the HTML."""

    def spans(self, html: str) -> tuple[str, list[str]]:
        """What is not quoted, and the quoted lines."""
        text = to_text(html)
        lines = text.split("\n")
        quoted = {at for start, end in quotes.scan(text) for at in range(start, end)}
        own = [line for at, line in enumerate(lines) if at not in quoted and line]
        return "|".join(own), [lines[at] for at in sorted(quoted)]

    def test_gmail(self) -> None:
        own, quoted = self.spans(
            "<div dir=ltr>Yes.</div><br><div class='gmail_quote'><div class='gmail_attr'>On Mon, 1 "
            "Jan 2024 at 10:00, Ann &lt;<a href='mailto:a@x.example'>a@x.example</a>&gt; wrote:<br>"
            "</div><blockquote class='gmail_quote'><div>old</div><blockquote>older</blockquote>"
            "</blockquote></div>"
        )
        assert own == "Yes."
        assert "> old" in quoted
        assert "> > older" in quoted
        assert quoted[0].startswith("On Mon")

    def test_apple(self) -> None:
        own, quoted = self.spans(
            "<div>Ja.</div><div><blockquote type='cite'><div>Am 01.01.2024 um 10:00 schrieb Ann "
            "&lt;a@x.example&gt;:</div><div>alt</div></blockquote></div>"
        )
        assert own == "Ja."
        assert quoted[-1] == "> alt"

    @pytest.mark.parametrize(
        "head",
        [
            "<hr tabindex=-1><div id='divRplyFwdMsg'>{}</div>",
            "<div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3pt 0 0 0'>{}</div>",
            "<hr id='zwchr'><div>{}</div>",
        ],
    )
    @pytest.mark.parametrize("labels", ["From Sent To Subject", "Von Gesendet An Betreff"])
    def test_outlook_and_zimbra(self, head: str, labels: str) -> None:
        lines = "".join(f"<b>{label}:</b> x<br>" for label in labels.split())
        own, quoted = self.spans(f"<p>Fine.</p>{head.format(lines)}<p>old</p><p>older</p>")
        assert own == "Fine."
        assert quoted[-1] == "older"

    def test_yahoo(self) -> None:
        own, quoted = self.spans("<div>Ok.</div><div class='yahoo_quoted'><p>old</p></div>")
        assert (own, quoted) == ("Ok.", ["> old"])

    def test_across_the_pieces_of_a_long_mail(self) -> None:
        html = "<p>new</p><blockquote>" + "<p>old words</p>" * 9_000 + "</blockquote><p>end</p>"
        own, quoted = self.spans(html)
        assert own == "new|end"
        assert len(quoted) == 17_999


@pytest.mark.parametrize(
    "html",
    [
        "<!--" * 100_000,
        "<b>" * 100_000,
        "<div>" * 10_000,
        "<div>" * 200_000,
        "<div>a" * 150_000,
        "<a><b>" * 80_000,
        "<b><p><i><div>" * 40_000,
        "<table>" * 100_000,
        "<blockquote>x" * 80_000,
        "<ul><li>x" * 100_000,
        "<a " + " ".join(f"a{n}=1" for n in range(100_000)) + ">",
        "<a " + " ".join(f"a{n}='>'" for n in range(90_000)) + ">",
        "".join(f"<font color={n}>" for n in range(60_000)),
        "<style>" * 140_000,
        "&#99999999999;" * 60_000,
        "&#" + "9" * 900_000,
        "<" * 1_000_000,
        "&" * 1_000_000,
        "<img src='data:image/png;base64," + "A" * 900_000 + "'>",
        "data:," * 160_000,
        "\u200c " * 500_000,
        "word " * 400_000,
    ],
    ids=lambda html: html[:14],
)
def test_hostile_input_takes_bounded_time_and_space(html: str) -> None:
    with bounded():
        text = to_text(html)
    assert len(text) < 400_000  # one piece more than the limit


def test_a_mail_of_a_megabyte_keeps_its_text() -> None:
    rows = "".join(f"<tr><td>row {n}</td><td>cell</td></tr>" for n in range(25_000))
    text = to_text(f"<style>{'x{} ' * 9_000}</style><table>{rows}</table>")
    lines = [line for line in text.split("\n") if line]
    assert lines[:18_900] == [f"row {n}  cell" for n in range(18_900)]

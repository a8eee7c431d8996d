"""What the links of a text say and where they go."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmmail.screens.links import url_pieces
from crmmail.widgets.targets import Target, targets


def only(text: str) -> Target:
    (found,) = targets(text)
    return found


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("See https://acme.com/a?b=1#c.", "https://acme.com/a?b=1#c"),
        ("(https://acme.com/a)", "https://acme.com/a"),
        ("(see https://en.wiki.org/Set_(maths))", "https://en.wiki.org/Set_(maths)"),
        ("<https://acme.com>", "https://acme.com"),
        ("www.acme.com, or not", "https://www.acme.com"),
        ("HTTPS://Acme.COM/Path", "https://acme.com/Path"),
        ("mailto:Bob@Acme.com?attach=/etc/passwd", "mailto:bob@acme.com"),
        ("https://bücher.example/x", "https://xn--bcher-kva.example/x"),
        ("> https://acme.com", "https://acme.com"),
    ],
)
def test_a_link_is_found_whole_and_without_its_sentence(text: str, url: str) -> None:
    assert only(text).url == url


def test_a_link_of_another_kind_is_listed_with_the_reason_why_it_is_not_opened() -> None:
    found = targets("javascript:alert(1) file:///etc/passwd ftp://x.y data:text/html,x")
    assert [one.url.partition(":")[0] for one in found] == ["javascript", "file", "ftp", "data"]
    assert all(one.refused for one in found)


def test_what_lacks_a_host_or_a_domain_is_not_a_link() -> None:
    assert targets("http:// https:///x mailto:nobody") == []


def test_the_label_of_html_mail_is_before_its_target() -> None:
    found = only("Dear Ann. Track your parcel <https://parcel.example/t/1>")
    assert found.label == "Track your parcel"
    assert found.warnings == ()


def test_one_link_that_shows_another_is_told() -> None:
    found = only("https://bank.com/login <https://evil.example/x>")
    assert (found.label, found.domain) == ("https://bank.com/login", "evil.example")
    assert found.warnings == ("says bank.com, goes elsewhere",)
    assert only("Visit bank.com now <https://www.bank.com/now>").warnings == ()
    assert only("Visit bank.com now <https://bank.com.evil.example>").warnings == (
        "says bank.com, goes elsewhere",
    )


@pytest.mark.parametrize(
    ("url", "warning"),
    [
        ("https://xn--pypal-4ve.com/", "Cyrillic and Latin letters mixed"),
        ("https://pаypal.com/", "Cyrillic and Latin letters mixed"),
        ("https://xn--bcher-kva.example/", "reads bücher.example"),
        ("https://bank.com@evil.example/", "“bank.com” before the @"),
        ("http://192.0.2.7/x", "bare number"),
        ("http://[2001:db8::1]/x", "bare number"),
        ("http://3221225985/", "bare number"),
    ],
)
def test_odd_names_are_told(url: str, warning: str) -> None:
    assert warning in "; ".join(only(url).warnings)


def test_a_target_that_was_too_long_to_keep_is_not_whole() -> None:
    assert not only("Click <https://acme.com/…>").whole
    assert only("Click <https://acme.com/a>").whole


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("https://www.acme.co.uk/co.uk", "acme.co.uk"),
        ("https://acme.com.evil.example/acme.com", "evil.example"),
        ("https://acme.com@evil.example/", "evil.example"),
        ("http://192.0.2.7/x", "192.0.2.7"),
    ],
)
def test_what_was_registered_is_highlighted(url: str, domain: str) -> None:
    pieces = url_pieces(only(url))
    assert [text for text, role in pieces if role == "title"] == [domain]
    assert "".join(text for text, _ in pieces) == url


def test_a_link_is_listed_once() -> None:
    assert len(targets("https://acme.com\nhttps://acme.com\n" * 3)) == 1
    assert len(targets("\n".join(f"https://acme.com/{n}" for n in range(2_000)))) == 500


@given(st.text(alphabet=st.sampled_from("https:/.w@<>()[]xn-1а \n"), max_size=200))
def test_any_text_has_links_or_none(text: str) -> None:
    for target in targets(text):
        assert target.url.startswith(("http://", "https://", "mailto:"))
        assert "\n" not in target.url
        assert "".join(part for part, _ in url_pieces(target)) == target.url

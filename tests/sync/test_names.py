"""Names of people (C4), and subjects without their prefixes (T2)."""

from __future__ import annotations

import pytest
from tests.bounded import bounded

from crmmail.sync.message import base_subject, person_name, usable_name


class TestPersonName:
    @pytest.mark.parametrize(
        ("display", "address", "name"),
        [
            ("Ann Lee", "x@x", "Ann Lee"),
            ("'Ann Lee'", "x@x", "Ann Lee"),
            ("Lee, Ann", "x@x", "Ann Lee"),
            ("Lee, Ann, PhD", "x@x", "Ann Lee PhD"),
            ("Martin King, Jr.", "x@x", "Martin King Jr."),
            ("Acme, Inc.", "x@x", "Acme, Inc."),
            ("Müller, GmbH & Co. KG", "x@x", "Müller, GmbH & Co. KG"),
            ("Kim, Se Jin", "x@x", "Se Jin Kim"),
            ("Müller, Hans (Firma)", "x@x", "Hans Müller"),
            ("Ann Lee (via Docs)", "x@x", "Ann Lee"),
            ("Ann Lee via Forms", "x@x", "Ann Lee"),
            ("[EXT] Ann Lee [x]", "x@x", "[EXT] Ann Lee"),
            ("ann.lee", "x@x", "Ann Lee"),
            ("J. R. Lee", "x@x", "J. R. Lee"),
            ("Lee,", "x@x", "Lee"),
            ("", "ann.lee@x.example", "Ann Lee"),
            ("ann@other.example", "ann.lee@x.example", "Ann Lee"),
            ("...", "ann+list@x.example", "Ann"),
            ("", "ANN.McLee@x.example", "ANN McLee"),
            ("", "+@x.example", "+@x.example"),
        ],
    )
    def test_reading(self, display: str, address: str, name: str) -> None:
        assert person_name(display, address) == name

    @pytest.mark.parametrize("display", ["", " ' ", "a@b", "--", "“”"])
    def test_unusable(self, display: str) -> None:
        assert not usable_name(display)

    @pytest.mark.parametrize("display", ["A", "王", "Ann (a)"])
    def test_usable(self, display: str) -> None:
        assert usable_name(display)


class TestBaseSubject:
    @pytest.mark.parametrize(
        "prefix",
        [
            *(
                "Re:",
                "RE:",
                "re :",
                "Re[2]:",
                "Re(3):",
                "Re^2:",
                "Re2:",
                "Aw:",
                "AW:",
                "Antw:",
                "SV:",
            ),
            *(
                "VS:",
                "RV:",
                "TR:",
                "RES:",
                "ENC:",
                "R:",
                "I:",
                "Odp:",
                "Ynt:",
                "Fw:",
                "Fwd:",
                "WG:",
            ),
            *(
                "回复：",
                "回复:",
                "转发:",
                "答复:",
                "返信:",
                "転送:",
                "답장:",
                "תגובה:",
                "Továbbítás:",
            ),
            *("[list] Re:", "Re: [list]", "AW: WG: Re:", "Re: Re[4]: Fwd: [a] [b]", "Re:Re:"),
        ],
    )
    def test_prefixes(self, prefix: str) -> None:
        assert base_subject(f"{prefix} Quarterly  Numbers") == ("quarterly numbers", True)

    @pytest.mark.parametrize(
        ("subject", "base"),
        [
            ("Quarterly Numbers", "quarterly numbers"),
            ("[list] Numbers", "numbers"),
            ("[list]", "[list]"),
            ("Research: x", "research: x"),
            ("Reply: x", "reply: x"),
            ("Antwerp: x", "antwerp: x"),
            ("Straße", "strasse"),
            ("", ""),
        ],
    )
    def test_no_reply(self, subject: str, base: str) -> None:
        assert base_subject(subject) == (base, False)

    def test_forward_mark_at_the_end(self) -> None:
        assert base_subject("Numbers (fwd)") == ("numbers", True)

    @pytest.mark.parametrize("piece", ["Re: ", "[a]", " ", "[", "Re[1"])
    def test_linear_time(self, piece: str) -> None:
        with bounded():
            base_subject(piece * 50_000)

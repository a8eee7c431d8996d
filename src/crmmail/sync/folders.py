"""What a folder is for: SPECIAL-USE first, then its whole name in the usual languages (M1)."""

from __future__ import annotations

UNREAD_ROLES = frozenset({"junk", "trash", "drafts"})
"""Roles whose folders are never read (M1)."""

# RFC 6154, and what Gmail and Exchange add. The first that a folder has, counts.
_SPECIAL_USE = {
    "\\junk": "junk",
    "\\spam": "junk",
    "\\trash": "trash",
    "\\drafts": "drafts",
    "\\sent": "sent",
    "\\archive": "archive",
    "\\all": "all",
    "\\allmail": "all",
    "\\flagged": "flagged",
    "\\starred": "flagged",
    "\\important": "important",
    "\\inbox": "inbox",
}

_NAMES = {
    "sent": """sent|sent items|sent mail|sent messages|sent objects|gesendet|gesendete objekte
        |gesendete elemente|envoyés|envoyes|éléments envoyés|messages envoyés|enviados
        |elementos enviados|mensajes enviados|itens enviados|posta inviata|inviati
        |inviata|verzonden|verzonden items|verzonden berichten|skickat|skickade objekt
        |sendte elementer|sendt|sendt post|lähetetyt|wysłane|elementy wysłane|отправленные
        |odeslané|odeslaná pošta|送信済み|送信済みメール|已发送|已发送邮件|寄件備份
        |보낸 편지함|보낸편지함""",
    "drafts": """drafts|draft|entwürfe|brouillons|borradores|rascunhos|bozze|concepten|utkast
        |kladder|luonnokset|kopie robocze|wersje robocze|szkice|черновики|koncepty|下書き|草稿
        |草稿箱|임시 보관함|임시보관함""",
    "junk": """junk|spam|junk mail|junk e-mail|junk email|bulk mail|bulk|unerwünscht|spamverdacht
        |junk-e-mail|courrier indésirable|indésirables|pourriel|correo no deseado|lixo eletrônico
        |posta indesiderata|ongewenste e-mail|skräppost|søppelpost|uønsket e-post|roskaposti
        |wiadomości-śmieci|спам|nevyžádaná pošta|迷惑メール|垃圾邮件|垃圾郵件|스팸|스팸편지함
        |정크 메일""",
    "trash": """trash|bin|deleted|deleted items|deleted messages|papierkorb|gelöscht
        |gelöschte objekte|gelöschte elemente|corbeille|éléments supprimés|supprimés|papelera
        |elementos eliminados|lixeira|itens excluídos|cestino|posta eliminata|prullenbak
        |verwijderde items|papperskorg|papperskorgen|borttaget|slettede elementer|slettet post
        |roskakori|kosz|elementy usunięte|корзина|удаленные|koš|odstraněná pošta|ゴミ箱|ごみ箱
        |已删除|已删除邮件|废件箱|刪除的郵件|휴지통|지운 편지함""",
    "archive": """archive|archives|archiv|archivo|archivio|arquivo|archief|arkiv|arkisto|archiwum
        |архив|アーカイブ|归档|存档|封存|보관함""",
    "all": "all mail|alle nachrichten|tous les messages|todos",
}
_ROLE_OF = {name.strip(): role for role, names in _NAMES.items() for name in names.split("|")}


def role(name: str, flags: tuple[str, ...], delimiter: str = "/") -> str:
    """The role of a folder, or "" for an ordinary one.

    Names are compared whole, so that "Cabinet" is no "bin"; a prefix that servers put before
    every folder ("INBOX.", "[Gmail]/") does not count.
    """
    if name.upper() == "INBOX":
        return "inbox"
    for flag in flags:
        if found := _SPECIAL_USE.get(flag.lower()):
            return found
    path = name.split(delimiter) if delimiter else [name]
    if len(path) > 1 and (path[0].upper() == "INBOX" or path[0].startswith("[")):
        path = path[1:]
    return _ROLE_OF.get(path[0].strip().lower(), "") if len(path) == 1 else ""

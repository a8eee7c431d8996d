"""The words that mail programs write above a quote, by language; data for quotes.py."""

from __future__ import annotations

# Who wrote: "On Monday Ann wrote:", "Am 3.4. schrieb Ann:", "… さんは書きました:"
VERBS = (
    *("wrote", "writes", "said"),  # en
    *("schrieb", "geschrieben"),  # de
    *("a écrit", "a ecrit", "écrivait"),  # fr
    *("escribió", "escribio", "escreveu"),  # es, pt
    *("ha scritto", "scrisse"),  # it
    *("schreef", "geschreven"),  # nl
    *("skrev", "skrifaði", "kirjoitti"),  # sv, da, no, is, fi
    *("napisał", "napsal", "napísal", "je napisao", "pisze"),  # pl, cs, sk, hr
    *("пишет", "писал", "написал", "пише"),  # ru, uk
    *("yazdı", "írta", "a scris", "έγραψε"),  # tr, hu, ro, el
    *("כתב", "كتب"),  # he, ar
    *("書きました", "書いた", "のメール"),  # ja
    *("写道", "寫道", "写到", "작성"),  # zh, ko
    *("rašė", "kirjutas", "rakstīja", "viết", "เขียน", "menulis"),  # lt, et, lv, vi, th, id
)
# How such a line begins.
OPENINGS = (
    *("on", "am", "le", "el", "il", "op", "em", "den", "den.", "dne", "dňa", "w dniu", "dnia"),
    *("pe", "på", "kl", "в", "у", "vào", "pada", "ngày", "mon", "tue", "wed", "thu", "fri", "sat"),
    *("sun", "a", "at", "d.", "στις", "בתאריך", "في", "于", "在"),
)
# ----- Original Message -----
ORIGINAL = (
    *("original message", "reply message", "original"),  # en, zh
    *("ursprüngliche nachricht", "original-nachricht", "originalnachricht"),  # de
    *("message d'origine", "message original"),  # fr
    *("mensaje original", "mensagem original", "messaggio originale"),  # es, pt, it
    *("oorspronkelijk bericht", "origineel bericht"),  # nl
    *("ursprungligt meddelande", "original meddelelse"),  # sv, da
    *("oprindelig meddelelse", "opprinnelig melding"),  # da, no
    *("alkuperäinen viesti", "oryginalna wiadomość", "wiadomość oryginalna"),  # fi, pl
    *("původní zpráva", "pôvodná správa"),  # cs, sk
    *("исходное сообщение", "оригинальное сообщение"),  # ru
    *("eredeti üzenet", "özgün ileti", "orijinal mesaj", "mesaj original"),  # hu, tr, ro
    *("原始邮件", "原始郵件", "原邮件", "元のメッセージ", "원본 메시지"),  # zh, ja, ko
)
# ---------- Forwarded message ----------; Begin forwarded message:
FORWARDED = (
    *("forward", "weitergeleitet", "transféré", "réexpédié"),  # en, de, fr
    *("reenviad", "encaminhad", "inoltrat", "doorgestuurd"),  # es, pt, it, nl
    *("vidarebefordra", "videresend", "välitetty"),  # sv, da, no, fi
    *("przekazan", "přeposlan", "пересыла", "пересла"),  # pl, cs, ru
    *("转发", "轉寄", "転送", "전달"),  # zh, ja, ko
)
# The header lines that Outlook and others put above a quote.
LABELS = {
    "from": (
        *("from", "von", "de", "da", "van", "från", "fra", "lähettäjä", "od"),
        *("от кого", "от", "від", "差出人", "发件人", "發件人", "寄件者", "寄件人"),
        *("보낸 사람", "보낸사람", "kimden", "gönderen", "feladó", "de la", "από", "מאת", "من"),
        *("remitente", "expéditeur", "mittente", "afzender"),
    ),
    "sent": (
        *("sent", "date", "gesendet", "datum", "envoyé", "enviado el", "enviado", "enviada em"),
        *("inviato", "verzonden", "skickat", "sendt", "lähetetty", "päivä", "wysłano", "data"),
        *("odesláno", "odoslané", "отправлено", "дата", "надіслано", "送信日時", "日時", "日付"),
        *("时间", "发送时间", "日期", "寄件日期", "傳送時間", "보낸 날짜", "보낸날짜", "날짜"),
        *("fecha", "dato", "tarih", "gönderme", "küldve", "elküldve", "trimis", "ημερομηνία"),
        *("נשלח", "תאריך", "التاريخ", "sent at"),
    ),
    "to": (
        *("to", "an", "à", "a", "para", "aan", "til", "till", "vastaanottaja", "do", "komu"),
        *("кому", "宛先", "收件人", "받는 사람", "받는사람", "kime", "címzett", "către", "προς"),
        *("אל", "إلى", "destinatario", "destinataire"),
    ),
    "cc": ("cc", "kopie", "copie", "kopia", "kopi", "копия", "抄送", "副本", "参照", "참조"),
    "subject": (
        *("subject", "betreff", "objet", "asunto", "oggetto", "onderwerp", "assunto", "ämne"),
        *("emne", "aihe", "temat", "předmět", "predmet", "тема", "件名", "主题", "主題", "主旨"),
        *("제목", "konu", "tárgy", "subiect", "θέμα", "נושא", "الموضوع"),
    ),
}

"""What happens on a telephone, as lines for a terminal: the same for fingers and for a transcript."""

from __future__ import annotations

from callcenter.emulator.client import ArrivedMail, ArrivedMessage, Spoken

MARKS = {"say": "🔊", "play": "🔊", "pause": "…", "tone": "♪", "voice": "👤", "joined": "↔", "error": "⚠"}


def heard_line(spoken: Spoken) -> str:
    """Something that was heard."""
    return f"{MARKS.get(spoken.kind, '·')} {spoken.text}"


def keys_line(keys: str, *, taken: bool = True) -> str:
    """Keys that were pressed; not ``taken``: nothing listened to them."""
    return f"   [{keys}]" if taken else f"   [{keys}] (rien n'écoute à ce moment)"


def mail_line(mail: ArrivedMail) -> str:
    """A mail that arrived."""
    return f"✉ Courriel de {mail.sender} : {mail.subject}"


def sent_line(to: str, body: str) -> str:
    """A text message that the telephone sends."""
    return f"✉ SMS au {to} : {body}"


def message_line(message: ArrivedMessage) -> str:
    """A text message that arrived."""
    return f"✉ SMS de {message.sender} : {message.body}"

"""Documents as TwiML: read back as a carrier reads them."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from callcenter.calls.values import Dial, Document, End, Gather, PlayAudio, Record, SayText
from callcenter.telephony.twiml import (
    LONGEST_SAY,
    LONGEST_SAY_ENCODED,
    CarrierVoice,
    CarrierVoices,
    Unrenderable,
    render,
    sayable_parts,
)
from callcenter.telephony.urls import Urls
from tests.unit.telephony.doubles import CALL, SECRET
from tests.unit.telephony.doubles import document as read

URLS = Urls.below("https://voix.example.fr")
VOICES = CarrierVoices()


def test_a_question_is_exactly_these_bytes() -> None:
    document = Document(
        CALL,
        3,
        (SayText("Rendez-vous & <soins> à 14 h."), PlayAudio(SECRET)),
        Gather((SayText("Please hold", "en"), PlayAudio("t" * 64)), max_keys=8, seconds=10),
    )
    expected = (
        '<?xml version="1.0" encoding="UTF-8"?><Response>'
        '<Say language="fr-FR" voice="Polly.Lea-Neural">Rendez-vous &amp; &lt;soins&gt; à 14 h.</Say>'
        f"<Play>https://voix.example.fr/audio/{CALL}/{SECRET}</Play>"
        f'<Gather action="https://voix.example.fr/voice/calls/{CALL}/3/next" actionOnEmptyResult="true" '
        'finishOnKey="#" input="dtmf" method="POST" numDigits="8" timeout="10">'
        '<Say language="en-GB" voice="Polly.Amy-Neural">Please hold</Say>'
        f"<Play>https://voix.example.fr/audio/{CALL}/{'t' * 64}</Play></Gather></Response>"
    )
    assert render(document, URLS, VOICES) == expected.encode()
    assert render(document, URLS, VOICES) == render(document, URLS, VOICES)


def test_a_question_without_a_number_of_keys_ends_at_the_hash_key_or_silence() -> None:
    gather = read(render(Document(CALL, 1, (), Gather((), None, 12)), URLS, VOICES))[0]
    assert "numDigits" not in gather.attrib
    assert (gather.get("finishOnKey"), gather.get("timeout"), gather.get("actionOnEmptyResult")) == ("#", "12", "true")


def test_the_end_hangs_up_after_the_words() -> None:
    root = read(render(Document(CALL, 9, (SayText("Au revoir."),), End()), URLS, VOICES))
    assert [verb.tag for verb in root] == ["Say", "Hangup"]


def test_the_carriers_voice_is_a_setting() -> None:
    voices = CarrierVoices({"fr": CarrierVoice("Google.fr-FR-Standard-A", "fr-FR")})
    root = read(render(Document(CALL, 1, (SayText("Oui."),), End()), URLS, voices))
    assert root[0].get("voice") == "Google.fr-FR-Standard-A"
    with pytest.raises(Unrenderable, match="'en'"):
        render(Document(CALL, 1, (SayText("Yes.", "en"),), End()), URLS, voices)


@pytest.mark.parametrize(
    "text",
    [
        "Une phrase assez longue pour compter. " * 200,
        "été à Noël ; " * 700,
        "mot " * 2500,
        "x" * 7000,
        "é" * 7000,
    ],
)
def test_long_texts_are_cut_into_parts_that_are_said_whole(text: str) -> None:
    parts = sayable_parts(text)
    assert len(parts) > 1
    assert all(len(part) <= LONGEST_SAY and len(quote(part)) <= LONGEST_SAY_ENCODED for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


def test_sentences_stay_whole_where_they_can() -> None:
    sentence = "Votre rendez-vous est confirmé."
    assert all(part.endswith("confirmé.") for part in sayable_parts(f"{sentence} " * 300))


def test_characters_that_xml_cannot_carry_are_left_out() -> None:
    body = render(Document(CALL, 1, (SayText("bon\x00jour\x1b\ufffe \ud800là"),), End()), URLS, VOICES)
    assert read(body)[0].text == "bon jour là"


def test_a_document_that_the_carrier_would_not_execute_is_an_error() -> None:
    with pytest.raises(Unrenderable, match="larger"):
        render(Document(CALL, 1, (SayText("mot " * 20_000),), End()), URLS, VOICES)


def test_a_message_is_recorded_after_a_tone_and_silence_goes_on_by_itself() -> None:
    document = Document(CALL, 4, (), Record((SayText("Après le bip."),), seconds=120))
    at = f"https://voix.example.fr/voice/calls/{CALL}/4"
    expected = (
        '<?xml version="1.0" encoding="UTF-8"?><Response>'
        '<Say language="fr-FR" voice="Polly.Lea-Neural">Après le bip.</Say>'
        f'<Record action="{at}/recorded" finishOnKey="#" maxLength="120" method="POST" playBeep="true" '
        f'recordingStatusCallback="https://voix.example.fr/voice/recordings/{CALL}/4" '
        'recordingStatusCallbackEvent="completed absent" recordingStatusCallbackMethod="POST" timeout="5" '
        f'trim="trim-silence" /><Redirect method="POST">{at}/next</Redirect></Response>'
    )
    assert render(document, URLS, VOICES) == expected.encode()


def test_p7_a_line_is_rung_as_a_number_of_ours_for_a_bounded_time_and_nothing_is_recorded() -> None:
    rings = Dial((SayText("Restez en ligne."),), "+33465710090", "+33465710001")
    expected = (
        '<?xml version="1.0" encoding="UTF-8"?><Response>'
        '<Say language="fr-FR" voice="Polly.Lea-Neural">Restez en ligne.</Say>'
        f'<Dial action="https://voix.example.fr/voice/calls/{CALL}/4/dialled" callerId="+33465710001" method="POST" '
        'timeLimit="3600" timeout="25"><Number>+33465710090</Number></Dial></Response>'
    )
    assert render(Document(CALL, 4, (), rings), URLS, VOICES) == expected.encode()

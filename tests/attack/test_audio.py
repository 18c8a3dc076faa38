"""What a patient is told is fetched as sound, by whoever knows its address."""

from __future__ import annotations

import asyncio
from uuid import UUID

from aiohttp import web

from callcenter.calls import audio, documents, rows
from callcenter.calls.audio import AudioShelf
from callcenter.telephony.audio import AudioFetches
from tests.attack.defence import Defence, Outcome, Sabotage, attack, gained
from tests.attack.scene import HER_WORDS, SPOKEN_BY_THE_CARRIER, House, Line


async def told(house: House, *, fetched: bool = True) -> Line:
    """A call in which Jeanne is told her appointment."""
    line = await house.line().dial()
    await line.verify()
    line.fetches = fetched
    await line.press("1")
    assert len(line.audio) == 1
    return line


async def hears(house: House, url: str) -> Outcome:
    """Whether her words are at this address."""
    answer = await house.ask("GET", url)
    assert answer.status in (200, 404)
    assert (answer.status == 200) == (HER_WORDS in answer.text)
    return gained(answer.status == 200)


def _guessable_tokens(sabotage: Sabotage) -> None:
    sabotage.replace(documents, "new_token", lambda _: "0" * 64)


RANDOM_TOKENS = Defence("256 random bits in the address", "P8: unguessable", _guessable_tokens)


@attack(stopped_by=RANDOM_TOKENS)
async def test_p8_an_address_is_guessed(house: House) -> Outcome:
    line = await told(house)
    return await hears(house, f"{house.base}/audio/{await line.id()}/{'0' * 64}")


def _tokens_in_the_clear(sabotage: Sabotage) -> None:
    sabotage.replace(documents, "token_hash", bytes.fromhex)
    sabotage.replace(audio, "token_hash", bytes.fromhex)


HASHED_TOKENS = Defence("addresses are kept as hashes", "who reads the table hears nothing", _tokens_in_the_clear)


@attack(stopped_by=HASHED_TOKENS)
async def test_p8_an_address_is_read_in_the_database(house: House) -> Outcome:
    line = await told(house)
    (row,) = await house.ground.rows("SELECT call_id, token_hash FROM audio")
    return await hears(house, f"{house.base}/audio/{await line.id()}/{row.token_hash.hex()}")


def _any_calls_audio(sabotage: Sabotage) -> None:
    sabotage.rewrite(rows, "FETCH_AUDIO", "AND call_id = :call ", "")


OWN_AUDIO = Defence("audio is its own call's", "P8: a URL of one call", _any_calls_audio)


@attack(stopped_by=OWN_AUDIO)
async def test_p8_a_token_is_used_in_another_call(house: House) -> Outcome:
    hers, theirs = await told(house), await house.line().dial()
    return await hears(house, hers.audio[0].replace(str(await hers.id()), str(await theirs.id())))


def _fetches_without_end(sabotage: Sabotage) -> None:
    sabotage.rewrite(rows, "FETCH_AUDIO", "fetches - broken_off < :complete_bound", "true")


THREE_FETCHES = Defence("three fetches", "P8: an address is worth little to who finds it", _fetches_without_end)


@attack(stopped_by=THREE_FETCHES)
async def test_p8_a_replayed_address_is_fetched_a_fourth_time(house: House) -> Outcome:
    line = await told(house)
    for _ in range(2):
        assert (await house.ask("GET", line.audio[0])).status == 200
    return await hears(house, line.audio[0])


def _audio_for_ever(sabotage: Sabotage) -> None:
    sabotage.rewrite(rows, "FETCH_AUDIO", "AND made_at > :oldest", "")


FIVE_MINUTES = Defence("five minutes", "P8: for minutes", _audio_for_ever)


@attack(stopped_by=FIVE_MINUTES)
async def test_p8_an_address_is_fetched_five_minutes_later(house: House) -> Outcome:
    line = await told(house)
    house.clock.advance(5 * 60)
    return await hears(house, line.audio[0])


def _head_is_a_fetch(sabotage: Sabotage) -> None:
    real = AudioFetches.probe

    async def begins_a_fetch(self: AudioFetches, request: web.Request) -> web.StreamResponse:
        await self._calls.audio(UUID(request.match_info["call"]), request.match_info["token"])
        return await real(self, request)

    sabotage.replace(AudioFetches, "probe", begins_a_fetch)


HEAD_IS_NONE = Defence("HEAD consumes nothing", "the caller hears what they were promised", _head_is_a_fetch)


@attack(stopped_by=HEAD_IS_NONE)
async def test_p8_heads_use_the_fetches_up_before_the_carrier_comes(house: House) -> Outcome:
    line = await told(house, fetched=False)
    for _ in range(9):
        assert (await house.ask("HEAD", line.audio[0])).status == 200
    answer = await house.ask("GET", line.audio[0])
    assert answer.status in (200, 404)
    return gained(answer.status == 404)


def _later_fetches_leave_no_trace(sabotage: Sabotage) -> None:
    async def nothing(*_: object) -> None:
        """No record."""

    sabotage.replace(AudioShelf, "_note_redelivery", nothing)


EACH_FETCH_ON_RECORD = Defence(
    "each later fetch is on record", "P1: no words without a record", _later_fetches_leave_no_trace
)


@attack(stopped_by=EACH_FETCH_ON_RECORD)
async def test_p1_words_are_fetched_twice_without_a_trace(house: House) -> Outcome:
    line = await told(house)
    assert HER_WORDS in (await house.ask("GET", line.audio[0])).text
    return gained("disclosure.redelivered" not in await line.events())


def _the_carriers_voice(sabotage: Sabotage) -> None:
    sabotage.sql(SPOKEN_BY_THE_CARRIER)


LOCAL_VOICE = Defence("our own voice", "P8: patient words stay home", _the_carriers_voice)


@attack(stopped_by=LOCAL_VOICE)
async def test_p8_the_carrier_reads_along(house: House) -> Outcome:
    """Everything that it is sent as text, but not the sound."""
    line = await house.line().dial()
    await line.verify()
    await line.press("1", "3", "*")
    messages = await house.deliver()
    seen = " ".join([*(webhook.answer.text for webhook in line.webhooks), *(message.body for message in messages)])
    assert HER_WORDS in line.all_heard
    return gained(HER_WORDS in seen or "Moreau" in seen)


@attack(stopped_by=THREE_FETCHES)
async def test_p8_an_address_is_fetched_many_times_at_once(house: House) -> Outcome:
    line = await told(house)
    answers = await asyncio.gather(*(house.ask("GET", line.audio[0]) for _ in range(8)))
    heard = [HER_WORDS in answer.text for answer in answers]
    assert heard == [answer.status == 200 for answer in answers]
    return gained(heard.count(True) > 2)

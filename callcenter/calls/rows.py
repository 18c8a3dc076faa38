"""The statements of a step, named and in one place. Few round trips: this is the path of every key that is pressed."""

from __future__ import annotations

from sqlalchemy import text

from callcenter.calls.values import NotDelivered

#: A first webhook: find whose number it is, make the call once, lock it, and enter its practice as its settings stand
#: now. A repeated one finds the row that stands.
ENTER_BY_SID = text(
    """
    WITH c AS (
        INSERT INTO call (id, practice_id, carrier_sid, status, started_at)
        SELECT :id, practice_id, :sid, :status, :now FROM directory_number WHERE number = :called
        ON CONFLICT (carrier_sid) DO UPDATE SET carrier_sid = excluded.carrier_sid
        RETURNING id, practice_id, carrier_sid, status
    )
    SELECT c.*, p.revision, set_config('app.practice', c.practice_id::text, true)
    FROM c JOIN practice p ON p.id = c.practice_id
    """
)

#: A later webhook: lock the call and enter its practice. Not against rows that refer to it: who writes them holds other
#: locks that a step comes to want (the queue).
ENTER_BY_ID = text(
    """
    WITH c AS (SELECT id, practice_id, carrier_sid, status FROM call WHERE id = :id FOR NO KEY UPDATE)
    SELECT c.*, set_config('app.practice', c.practice_id::text, true) FROM c
    """
)

#: A status callback: move forward only; a terminal status never changes. No row: there is nothing to do. Another
#: machine's clock, a little behind, ends no call before it began.
ENTER_BY_STATUS = text(
    """
    WITH c AS (
        UPDATE call SET status = :status,
            ended_at = CASE WHEN :terminal THEN greatest(:now, started_at) ELSE ended_at END
        WHERE carrier_sid = :sid AND status < :status AND ended_at IS NULL
        RETURNING id, practice_id, carrier_sid, status
    )
    SELECT c.*, set_config('app.practice', c.practice_id::text, true) FROM c
    """
)

#: The session, with the answer to this question if it was answered before.
LOAD = text(
    """
    SELECT s.document, s.state, a.fingerprint, a.body
    FROM call_session s
    LEFT JOIN step_answer a ON a.call_id = s.id AND a.document = :document AND a.slot = :slot
    WHERE s.id = :call
    """
)

#: The answer that stands now: where a late webhook is led back to. A document has one continuation that moved the call.
CURRENT_ANSWER = text(
    """
    SELECT a.document, a.slot, a.body FROM step_answer a JOIN call_session s ON s.id = a.call_id
    WHERE s.id = :call AND a.document = s.document - 1
    """
)

SAVE_FIRST = text(
    """
    WITH s AS (
        INSERT INTO call_session (id, practice_id, document, state) VALUES (:call, :practice, :number, :state)
    ), t AS (
        INSERT INTO call_trace (practice_id, call_id, document, at, flow, language, asked, typed, prompts)
        VALUES (:practice, :call, :document, :now, :flow, :language, :asked, :typed, :prompts) ON CONFLICT DO NOTHING
    )
    INSERT INTO step_answer (practice_id, call_id, document, slot, fingerprint, body, answered_at)
    VALUES (:practice, :call, :document, :slot, :fingerprint, :body, :now)
    """
)

SAVE = text(
    """
    WITH s AS (UPDATE call_session SET document = :number, state = :state WHERE id = :call),
    t AS (
        INSERT INTO call_trace (practice_id, call_id, document, at, flow, language, asked, typed, prompts)
        VALUES (:practice, :call, :document, :now, :flow, :language, :asked, :typed, :prompts) ON CONFLICT DO NOTHING
    )
    INSERT INTO step_answer (practice_id, call_id, document, slot, fingerprint, body, answered_at)
    VALUES (:practice, :call, :document, :slot, :fingerprint, :body, :now)
    """
)

#: What is only looked at: the call, in its practice, as it stands.
LOOK = text(
    """
    WITH c AS (SELECT id, practice_id, carrier_sid, status FROM call WHERE id = :id)
    SELECT c.*, set_config('app.practice', c.practice_id::text, true) FROM c
    """
)

STANDS = text("SELECT document, state FROM call_session WHERE id = :call")

SESSION = text("SELECT state FROM call_session WHERE id = :call")

#: What the end of a call finds open: its session, if it has one, the return calls that were asked for in it.
LEFT_OPEN = text(
    """
    SELECT (SELECT state FROM call_session WHERE id = :call) AS state,
        ARRAY(SELECT id FROM outreach WHERE call_id = :call AND kind = 'return_call' AND claim IS NOT NULL) AS to_ring
    """
)

SAVE_STATE = text("UPDATE call_session SET state = :state WHERE id = :call")

KEEP_AUDIO = text(
    """
    INSERT INTO audio (id, practice_id, call_id, token_hash, record_id, words, language, pace, made_at)
    VALUES (:id, :practice, :call, :token_hash, :record, :words, :language, :pace, :now)
    """
)

#: One fetch of audio takes one of its places before anything leaves, so that fetches side by side share them too. Never
#: after `:oldest`. A process that dies keeps its place: the address dies with it in minutes.
FETCH_AUDIO = text(
    """
    UPDATE audio SET fetches = fetches + 1
    WHERE token_hash = :token_hash AND call_id = :call AND made_at > :oldest
      AND fetches - broken_off < :complete_bound AND fetches < :begun_bound
    RETURNING id, record_id, words, language, pace, fetches
    """
)

COMPLETE_AUDIO = text("UPDATE audio SET completed = completed + 1 WHERE id = :id AND call_id = :call")

#: A fetch that did not deliver gives its place back. One of which nothing has left has not been.
GIVE_BACK_AUDIO = {
    NotDelivered.NO_SOUND: text("UPDATE audio SET fetches = fetches - 1 WHERE id = :id AND call_id = :call"),
    NotDelivered.BROKEN_OFF: text("UPDATE audio SET broken_off = broken_off + 1 WHERE id = :id AND call_id = :call"),
    NotDelivered.AT_THE_LAST_BYTE: text(
        "UPDATE audio SET broken_off = broken_off + 1, completed = completed - 1 WHERE id = :id AND call_id = :call"
    ),
}

FETCHED = text("SELECT id, fetches, completed FROM audio WHERE id = ANY(:ids)")

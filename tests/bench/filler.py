"""Rows that make a database as large as a télésecrétariat's, written by PostgreSQL itself: nobody reads them.

What a step reads of its own practice is real; these stand around it, so that a statement without an index is seen.
"""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

#: Practices, those of them that have rows, and rows of each: enough that PostgreSQL reads no table from end to end that
#: it can find rows in.
PRACTICES, WITH_ROWS, PATIENTS, CALLS = 1_000, 40, 100, 100

#: Constraints are not checked anew for what is made up here to fulfil them.
_FAST = "SET LOCAL session_replication_role = replica"

_FILL = (
    """
    INSERT INTO practice (id, organisation_id, slug, rescue_number, revision)
    SELECT gen_random_uuid(), (SELECT id FROM organisation LIMIT 1), 'rempli-' || n,
           '+3353649' || lpad(n::text, 4, '0'), 0
    FROM generate_series(1, :practices) n
    """,
    """
    INSERT INTO directory_number (number, practice_id)
    SELECT '+3335301' || right(rescue_number, 4), id FROM practice WHERE slug LIKE 'rempli-%'
    """,
    """
    CREATE TEMPORARY TABLE filled ON COMMIT DROP AS
    SELECT id FROM practice WHERE slug LIKE 'rempli-%' ORDER BY slug LIMIT :with_rows
    """,
    """
    INSERT INTO practitioner (id, practice_id, name, title, speciality)
    SELECT gen_random_uuid(), id, 'N ' || n, 'Dr', 'x' FROM filled, generate_series(1, 4) n
    """,
    """
    INSERT INTO patient (id, practice_id, external_id, birth_name, first_names, first_name, birth_date, sex,
                         birth_name_index)
    SELECT gen_random_uuid(), id, 'p' || n, 'x', 'x', 'x', 'x', 'x', sha256((id::text || n)::bytea)
    FROM filled, generate_series(1, :patients) n
    """,
    """
    INSERT INTO contact (id, practice_id, patient_id, phone, phone_index, birth_phone_index, entered_at, confirmed_at)
    SELECT gen_random_uuid(), p.practice_id, p.id, 'x', p.birth_name_index, p.birth_name_index, now(), now()
    FROM patient p JOIN filled ON filled.id = p.practice_id
    """,
    """
    INSERT INTO appointment (id, practice_id, external_id, patient_id, practitioner_id, starts_at, duration_minutes,
                             changed_at)
    SELECT gen_random_uuid(), p.practice_id, p.external_id || '-' || n, p.id,
           (SELECT d.id FROM practitioner d WHERE d.practice_id = p.practice_id LIMIT 1),
           now() + n * interval '3 days', 15, now()
    FROM patient p JOIN filled ON filled.id = p.practice_id, generate_series(1, 5) n
    """,
    """
    INSERT INTO call (id, practice_id, carrier_sid, status, started_at, ended_at)
    SELECT gen_random_uuid(), id, 'CA' || replace(gen_random_uuid()::text, '-', ''), 10, now() - n * interval '1 hour',
           now() - n * interval '1 hour' + interval '2 minutes'
    FROM filled, generate_series(1, :calls) n
    """,
    """
    INSERT INTO call_session (id, practice_id, document, state)
    SELECT c.id, c.practice_id, 1, 'x' FROM call c JOIN filled ON filled.id = c.practice_id
    """,
    """
    INSERT INTO step_answer (practice_id, call_id, document, slot, fingerprint, body, answered_at)
    SELECT c.practice_id, c.id, 1, 'next', sha256(c.id::text::bytea), 'x', c.started_at
    FROM call c JOIN filled ON filled.id = c.practice_id
    """,
    """
    INSERT INTO audit_record (id, practice_id, stream, seq, call_id, leaf, body)
    SELECT gen_random_uuid(), c.practice_id, c.id, n, c.id, sha256('\\x00'::bytea || 'x'::bytea), 'x'
    FROM call c JOIN filled ON filled.id = c.practice_id, generate_series(0, 4) n
    """,
    """
    INSERT INTO audit_outbox (practice_id, record_id)
    SELECT r.practice_id, r.id FROM audit_record r JOIN filled ON filled.id = r.practice_id WHERE r.seq = 0
    """,
    """
    INSERT INTO audio (id, practice_id, call_id, token_hash, record_id, words, language, made_at)
    SELECT gen_random_uuid(), r.practice_id, r.call_id, sha256(r.id::text::bytea), r.id, 'x', 'fr', now()
    FROM audit_record r JOIN filled ON filled.id = r.practice_id WHERE r.seq = 1
    """,
    """
    INSERT INTO challenge (id, practice_id, call_id, patient_id, created_at, expires_at, claim, caller)
    SELECT gen_random_uuid(), c.practice_id, c.id,
           (SELECT p.id FROM patient p WHERE p.practice_id = c.practice_id LIMIT 1), c.started_at,
           c.started_at + interval '5 minutes', sha256(c.id::text::bytea), sha256(c.id::text::bytea)
    FROM call c JOIN filled ON filled.id = c.practice_id
    """,
    """
    INSERT INTO challenge_attempt (practice_id, challenge_id, document, keyed, at)
    SELECT practice_id, id, 3, caller, created_at FROM challenge WHERE practice_id IN (SELECT id FROM filled)
    """,
)

_HISTORIES = """
    INSERT INTO setting_version (practice_id, revision, setting, value, effective_from, effective_to, made_at, made_by)
    SELECT v.practice_id, p.revision + n, v.setting, v.value, v.effective_from + n * interval '1 second', NULL, now(),
           'filler'
    FROM generate_series(1, :versions) n
    JOIN (SELECT *, row_number() OVER (PARTITION BY practice_id ORDER BY setting) AS place,
                 count(*) OVER (PARTITION BY practice_id) AS settings
          FROM setting_version WHERE revision = 1 AND setting NOT IN ('numbers', 'rescue_number', 'other_lines')) v
      ON v.place = n % v.settings + 1
    JOIN practice p ON p.id = v.practice_id
"""


async def fill(connection: AsyncConnection) -> None:
    """Put practices around those that stand, with all that a télésecrétariat's tables hold of them.

    Arguments:
        connection: as the superuser, in a transaction.
    """
    await connection.execute(text(_FAST))
    sizes = {"practices": PRACTICES, "with_rows": WITH_ROWS, "patients": PATIENTS, "calls": CALLS}
    for statement in _FILL:
        names = {name: size for name, size in sizes.items() if f":{name}" in statement}
        await connection.execute(text(statement), names)
    standing = "INSERT INTO setting_version SELECT f.id, v.revision, v.setting, v.value, v.effective_from, "
    standing += "v.effective_to, v.made_at, v.made_by FROM filled f, setting_version v "
    standing += "WHERE v.revision = 1 AND v.practice_id = (SELECT practice_id FROM setting_version LIMIT 1)"
    await connection.execute(text(standing))
    await connection.execute(text("UPDATE practice SET revision = 1 WHERE id IN (SELECT id FROM filled)"))


async def lengthen_histories(connection: AsyncConnection, versions: int) -> None:
    """Give every practice ``versions`` more versions of its settings, each as the setting was first written.

    Arguments:
        connection: as the superuser, in a transaction.
    """
    await connection.execute(text(_HISTORIES), {"versions": versions})
    await connection.execute(text("UPDATE practice SET revision = revision + :versions"), {"versions": versions})

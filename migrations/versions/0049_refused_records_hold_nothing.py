"""Records that the sealer has refused are not overdue, keep nobody linked, and put no choice out of force."""

from __future__ import annotations

from alembic import op

revision = "0049"
down_revision = "0048"


def upgrade() -> None:
    for function in (ERASE, IN_FORCE, OVERDUE):
        op.execute(function)


#: As before; a refused record, whose bytes stay, is none by which a person is still spoken of.
ERASE = """
CREATE OR REPLACE FUNCTION erase_sealed(most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    log uuid := current_setting('app.practice')::uuid;
    picked bigint[];
    these uuid[];
    named text[];
    tokens uuid[];
    gone integer;
BEGIN
    most := least(most, 2000);
    IF log = '00000000-0000-0000-0000-000000000000'::uuid THEN
        picked := ARRAY(
            SELECT e.first FROM audit_erasure e WHERE e.log_id = log AND e.erased_at IS NULL
                AND e.let_go_at < clock_timestamp() - interval '24 hours'
            ORDER BY e.first LIMIT most FOR UPDATE SKIP LOCKED
        );
        these := ARRAY(
            SELECT r.id FROM audit_erasure e JOIN audit_leaf l ON l.log_id = log AND l.idx BETWEEN e.first AND e.last
            JOIN house_record r ON r.id = l.record_id
            WHERE e.log_id = log AND e.first = ANY(picked) ORDER BY l.idx LIMIT most
        );
        DELETE FROM house_record WHERE id = ANY(these);
        GET DIAGNOSTICS gone = ROW_COUNT;
        UPDATE audit_erasure e SET erased_at = clock_timestamp() WHERE e.log_id = log AND e.first = ANY(picked)
            AND NOT EXISTS (
                SELECT FROM audit_leaf l JOIN house_record r ON r.id = l.record_id
                WHERE l.log_id = log AND l.idx BETWEEN e.first AND e.last
            );
        RETURN gone;
    END IF;
    picked := ARRAY(
        SELECT e.first FROM audit_erasure e WHERE e.log_id = log AND e.erased_at IS NULL
            AND e.let_go_at < clock_timestamp() - interval '24 hours'
            AND (
                SELECT bool_or(NOT ledger_holds(r.id, log, r.call_id, r.ref)) IS NOT FALSE
                FROM audit_leaf l JOIN audit_record r ON r.id = l.record_id AND r.practice_id = log
                WHERE l.log_id = log AND l.idx BETWEEN e.first AND e.last
            )
        ORDER BY e.first LIMIT most FOR UPDATE SKIP LOCKED
    );
    these := ARRAY(
        SELECT r.id FROM audit_erasure e JOIN audit_leaf l ON l.log_id = log AND l.idx BETWEEN e.first AND e.last
        JOIN audit_record r ON r.id = l.record_id AND r.practice_id = log
        WHERE e.log_id = log AND e.first = ANY(picked) AND NOT ledger_holds(r.id, log, r.call_id, r.ref)
        ORDER BY l.idx LIMIT most
    );
    WITH went AS (DELETE FROM audit_record WHERE practice_id = log AND id = ANY(these) RETURNING subject)
    SELECT count(*), array_agg(DISTINCT subject) FILTER (WHERE subject IS NOT NULL) INTO gone, named FROM went;
    UPDATE audit_erasure e SET erased_at = clock_timestamp() WHERE e.log_id = log AND e.first = ANY(picked)
        AND NOT EXISTS (
            SELECT FROM audit_leaf l JOIN audit_record r ON r.id = l.record_id AND r.practice_id = log
            WHERE l.log_id = log AND l.idx BETWEEN e.first AND e.last
        );
    -- Whoever was kept by a refused record alone, too.
    named := named || ARRAY(
        SELECT DISTINCT r.subject FROM audit_refused x
        JOIN audit_record r ON r.practice_id = log AND r.id = x.record_id
        WHERE x.log_id = log AND r.subject IS NOT NULL
    );
    tokens := ARRAY(
        SELECT s.token FROM audit_subject s WHERE s.practice_id = log AND s.token::text = ANY(named)
        ORDER BY s.token FOR UPDATE
    );
    -- A statement of its own, which sees what was written while the rows were waited for.
    DELETE FROM audit_subject s WHERE s.practice_id = log AND s.token = ANY(tokens)
        AND NOT EXISTS (
            SELECT FROM audit_record r WHERE r.practice_id = log AND r.subject = s.token::text
                AND NOT EXISTS (SELECT FROM audit_refused x WHERE x.log_id = log AND x.record_id = r.id)
        );
    RETURN gone;
END $$
"""

#: As before; what was refused is nobody's last word.
IN_FORCE = """
CREATE OR REPLACE FUNCTION ledger_in_force(practice uuid, what text, whose text, written text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT what = 'reminders.chosen' AND NOT EXISTS (
        SELECT FROM audit_record r WHERE r.practice_id = practice AND r.event = what AND r.subject = whose
            AND r.at > written
            AND NOT EXISTS (SELECT FROM audit_refused x WHERE x.log_id = practice AND x.record_id = r.id)
    )
$$
"""

#: As before; what no erasure may name is not late.
OVERDUE = """
CREATE OR REPLACE FUNCTION ledger_overdue(events text[], before text) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce(sum(many), 0)::bigint FROM (
        SELECT due.many FROM practice p CROSS JOIN LATERAL (
            SELECT count(*) AS many FROM (
                SELECT FROM audit_record r
                WHERE r.practice_id = p.id AND r.event = ANY(events) AND r.at < before
                    AND NOT EXISTS (SELECT FROM audit_refused x WHERE x.log_id = p.id AND x.record_id = r.id)
                    AND NOT ledger_holds(r.id, r.practice_id, r.call_id, r.ref)
                    AND NOT ledger_in_force(r.practice_id, r.event, r.subject, r.at)
                LIMIT 10000
            ) AS these
        ) AS due
        UNION ALL
        SELECT count(*) FROM (
            SELECT FROM house_record r
            WHERE body::jsonb ->> 'event' = ANY(events) AND body::jsonb ->> 'ts' < before AND NOT EXISTS (
                SELECT FROM audit_refused x
                WHERE x.log_id = '00000000-0000-0000-0000-000000000000'::uuid AND x.record_id = r.id
            )
            LIMIT 10000
        ) AS these
    ) AS counted
$$
"""

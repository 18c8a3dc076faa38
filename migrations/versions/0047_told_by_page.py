"""A practice is told by its own page only where somebody of it has said to have read what stands there."""

from __future__ import annotations

from alembic import op

revision = "0047"
down_revision = "0045"


def upgrade() -> None:
    op.execute(TOLD_BY_PAGE)
    op.execute(
        "CREATE TRIGGER incident_practice_told_by_page BEFORE INSERT OR UPDATE OF means ON incident_practice "
        "FOR EACH ROW WHEN (NEW.means = 'page') EXECUTE FUNCTION refuse_page_without_receipt()"
    )


TOLD_BY_PAGE = """
CREATE FUNCTION refuse_page_without_receipt() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM incident_receipt r JOIN incident_notice x ON x.practice_id = r.practice_id AND x.id = r.notice_id
        WHERE x.incident_id = NEW.incident_id AND x.practice_id = NEW.practice_id
    ) THEN
        RAISE EXCEPTION 'told by its page, and nobody has read it: % of %', NEW.incident_id, NEW.practice_id;
    END IF;
    RETURN NEW;
END $$
"""

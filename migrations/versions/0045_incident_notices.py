"""What practices are told of incidents: how they were told, what stands on their own page, and who has read it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from callcenter.store.schema import APP, guard_statements

revision = "0045"
down_revision = "0043"

_KINDS = (
    "kind IN ('facts', 'persons', 'consequences', 'measures', 'note', 'practice_informed', "
    "'persons_informed', 'notified', 'closed', 'held', 'hold_lifted', 'exported', 'practice_notice', 'practice_read')"
)
_WITHOUT_WORDS = (
    "words IS NOT NULL OR kind IN ('practice_informed', 'held', 'hold_lifted', 'exported', 'practice_notice', "
    "'practice_read')"
)


def upgrade() -> None:
    _means()
    _kinds_of_entries()
    _notices()
    _mails()
    for table in ("incident_notice", "incident_notice_words", "incident_receipt"):
        # Rights stop the app; these triggers stop an accident of the owner's too.
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_not_emptied BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
        op.execute(f"GRANT SELECT, INSERT ON {table} TO {APP}")


def _means() -> None:
    # Who was told before this has no means on record, and none is made up.
    op.add_column("incident_practice", sa.Column("means", sa.Text(), nullable=True))
    op.create_check_constraint(
        op.f("ck_incident_practice_means"), "incident_practice", "means IN ('telephone', 'letter', 'email', 'page')"
    )
    op.create_check_constraint(
        op.f("ck_incident_practice_informed_by_some_means"),
        "incident_practice",
        "means IS NULL OR informed_at IS NOT NULL",
    )
    op.create_index(op.f("ix_incident_practice_practice_id"), "incident_practice", ["practice_id"])
    op.execute(
        "CREATE TRIGGER incident_practice_means_stays BEFORE UPDATE ON incident_practice FOR EACH ROW "
        "WHEN (OLD.informed_at IS NOT NULL AND NEW.means IS DISTINCT FROM OLD.means) "
        "EXECUTE FUNCTION refuse_return('means')"
    )
    op.execute(f"GRANT UPDATE (means) ON incident_practice TO {APP}")


def _kinds_of_entries() -> None:
    for name, condition in (("kind", _KINDS), ("says_something", _WITHOUT_WORDS)):
        op.drop_constraint(op.f(f"ck_incident_entry_{name}"), "incident_entry", type_="check")
        op.create_check_constraint(op.f(f"ck_incident_entry_{name}"), "incident_entry", condition)


def _notices() -> None:
    op.create_table(
        "incident_notice",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id", "practice_id"],
            ["incident_practice.incident_id", "incident_practice.practice_id"],
            name=op.f("fk_incident_notice_incident_id_practice_id_incident_practice"),
        ),
        sa.ForeignKeyConstraint(
            ["made_by"], ["staff_account.id"], name=op.f("fk_incident_notice_made_by_staff_account")
        ),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_incident_notice_practice_id_practice")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_notice")),
        sa.UniqueConstraint("practice_id", "id", name=op.f("uq_incident_notice_practice_id_id")),
    )
    op.create_index(
        op.f("ix_incident_notice_incident_id_practice_id_made_at"),
        "incident_notice",
        ["incident_id", "practice_id", "made_at"],
    )
    op.create_table(
        "incident_notice_words",
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["practice_id", "notice_id"],
            ["incident_notice.practice_id", "incident_notice.id"],
            name=op.f("fk_incident_notice_words_practice_id_notice_id_incident_notice"),
        ),
        sa.ForeignKeyConstraint(
            ["practice_id"], ["practice.id"], name=op.f("fk_incident_notice_words_practice_id_practice")
        ),
        sa.PrimaryKeyConstraint("practice_id", "notice_id", name=op.f("pk_incident_notice_words")),
        comment="what a practice was told of an incident; only ever added to",
    )
    for statement in guard_statements("incident_notice_words"):
        op.execute(statement)
    op.create_table(
        "incident_receipt",
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("practice_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["practice_id", "notice_id"],
            ["incident_notice.practice_id", "incident_notice.id"],
            name=op.f("fk_incident_receipt_practice_id_notice_id_incident_notice"),
        ),
        sa.ForeignKeyConstraint(
            ["practice_id"], ["practice.id"], name=op.f("fk_incident_receipt_practice_id_practice")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_account.id"], name=op.f("fk_incident_receipt_staff_id_staff_account")
        ),
        sa.PrimaryKeyConstraint("notice_id", "staff_id", name=op.f("pk_incident_receipt")),
    )


def _mails() -> None:
    """That there is something to be read leaves as what tells of messages does."""
    op.add_column("message_notice", sa.Column("incident_notice_id", sa.Uuid(), nullable=True))
    op.drop_constraint("uq_message_notice_once", "message_notice", type_="unique")
    op.create_unique_constraint(
        "uq_message_notice_once",
        "message_notice",
        ["practice_id", "address_id", "kind", "message_id", "incident_notice_id", "slot"],
        postgresql_nulls_not_distinct=True,
    )
    op.create_foreign_key(
        op.f("fk_message_notice_practice_id_incident_notice_id_incident_notice"),
        "message_notice",
        "incident_notice",
        ["practice_id", "incident_notice_id"],
        ["practice_id", "id"],
    )
    for name in ("kind", "others_have_a_message"):
        op.drop_constraint(op.f(f"ck_message_notice_{name}"), "message_notice", type_="check")
    for name, condition in (
        ("kind", "kind IN ('urgent', 'call', 'digest', 'incident')"),
        ("others_have_a_message", "(kind IN ('urgent', 'call')) = (message_id IS NOT NULL)"),
        ("incidents_have_a_notice", "(kind = 'incident') = (incident_notice_id IS NOT NULL)"),
    ):
        op.create_check_constraint(op.f(f"ck_message_notice_{name}"), "message_notice", condition)

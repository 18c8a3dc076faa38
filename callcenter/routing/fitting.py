"""Who can take which call: the portfolio holds the practice, and the operator speaks the language."""

from __future__ import annotations

#: Somebody is there; a telephone gives no signs of life. Over ``p`` (presence), with the parameter ``:seen``.
SEEN = "(p.seen_at > :seen OR p.way = 'telephone')"


def _answering(roles: str) -> str:
    return f"""
    SELECT r.staff_id FROM portfolio_practice o JOIN staff_role r ON r.portfolio_id = o.portfolio_id
    WHERE o.practice_id = e.practice_id AND r.role {roles}
    UNION
    SELECT r.staff_id FROM portfolio f JOIN staff_role r ON r.portfolio_id = f.id
    WHERE f.whole AND f.organisation_id = c.organisation_id AND r.role {roles}
"""  # noqa: S608 - our own words alone


#: The staff who answer for a practice, as a query over ``e`` (queue_entry) and ``c`` (its practice). Foreign keys say
#: that a role is of the portfolio's organisation, and so is every practice that the portfolio lists.
ANSWER_FOR = _answering("= 'operator'")
#: Those who may be asked into a talk, besides: whoever watches over who answers.
HELP_FOR = _answering("IN ('operator', 'supervisor')")

#: The account is open, as ``staff.rights`` has it too; who has signed no undertaking answers nobody (SM-02).
#: A condition over ``a`` (staff_account), with the parameter ``:today`` (``staff.values.day_of``).
MAY_ANSWER = """
    a.locked_at IS NULL AND a.closed_at IS NULL AND (a.expires_on IS NULL OR a.expires_on >= :today)
    AND a.secrecy_signed_on <= :today
"""

#: And in the caller's language: over ``e`` too.
SPEAKS = f"e.language = ANY(a.languages) AND {MAY_ANSWER}"

#: Both, over ``p`` (presence) too.
FITS = f"{SPEAKS} AND p.staff_id IN ({ANSWER_FOR})"

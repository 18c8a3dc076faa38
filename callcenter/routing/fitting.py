"""Who can take which call: the portfolio holds the practice, and the operator speaks the language."""

from __future__ import annotations

#: A condition over ``p`` (presence), ``a`` (its staff_account), ``e`` (queue_entry) and ``c`` (its practice), with the
#: parameter ``:today``: the date in Paris.
#: A condition over ``p``, with the parameter ``:seen``: somebody is there. A telephone gives no signs of life.
SEEN = "(p.seen_at > :seen OR p.way = 'telephone')"

FITS = """
    e.language = ANY(a.languages)
    AND a.organisation_id = c.organisation_id
    AND a.locked_at IS NULL AND a.closed_at IS NULL AND (a.expires_on IS NULL OR a.expires_on >= :today)
    AND EXISTS (
        SELECT FROM staff_role r JOIN portfolio f ON f.id = r.portfolio_id
        WHERE r.staff_id = p.staff_id AND r.role = 'operator' AND f.organisation_id = c.organisation_id
            AND (f.whole OR EXISTS (
                SELECT FROM portfolio_practice o WHERE o.portfolio_id = f.id AND o.practice_id = e.practice_id
            ))
    )
"""

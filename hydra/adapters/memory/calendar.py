"""A calendar without holidays or zones."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from hydra.model.market import AssetClass
from hydra.model.snapshot import Session, Sessions


class PlainCalendar:
    """Shares and contracts trade 14:30 to 21:00 UTC every day, pairs around the clock."""

    OPENS = time(14, 30, tzinfo=UTC)
    CLOSES = time(21, 0, tzinfo=UTC)

    def sessions(self, at: datetime) -> Sessions:
        day = at.date()
        opens, closes = datetime.combine(day, self.OPENS), datetime.combine(day, self.CLOSES)
        phase = "pre" if at < opens else "regular" if at < closes else "post"
        if at >= closes:
            opens, closes = opens + timedelta(days=1), closes + timedelta(days=1)
        shares = Session(open=phase == "regular", phase=phase, opens_at=opens, closes_at=closes)
        return Sessions(
            day=day,
            minute=at.hour * 60 + at.minute,
            by_class={
                AssetClass.EQUITY: shares,
                AssetClass.OPTION: shares,
                AssetClass.CRYPTO: Session(open=True, phase="continuous"),
            },
        )

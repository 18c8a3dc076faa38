"""What the settings of a practice say now and will say later, in the form in which a page tells them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from callcenter.console.practices_ports import Afterwards
from callcenter.kernel.errors import IntegrityError
from callcenter.practice.directory import facts_of
from callcenter.practice.practice_form import Setting, as_written
from callcenter.practice.setting_versions import Snapshot


@dataclass(frozen=True, slots=True)
class SettingsInTime:
    """The settings of a practice from a moment on.

    Arguments:
        snapshot: at that moment, with every setting looked ahead at.
    """

    snapshot: Snapshot

    def afterwards(self) -> Mapping[Setting, Afterwards]:
        """What will be said by each setting that changes by itself, once it has done so."""
        return {setting: then for setting in Setting if (then := self._then(setting)) is not None}

    def just_before(self, setting: Setting, moment: datetime) -> Any:
        """What ``setting`` says just before ``moment`` (aware)."""
        lying = [self.snapshot.written, *(one.written for one in self.snapshot.ahead if one.since < moment)]
        return self._as_told(setting, lying[-1])

    def _then(self, setting: Setting) -> Afterwards | None:
        said = self.snapshot.written.get(setting)
        for one in self.snapshot.ahead:
            if one.written.get(setting) != said:
                return Afterwards(one.since, self._as_told(setting, one.written))
        return None

    def _as_told(self, setting: Setting, written: Mapping[str, Any]) -> Any:
        """In full, where it can be read: a setting of which nothing holds says what it says by default."""
        try:
            return as_written(facts_of(replace(self.snapshot, written=written, ahead=())))[setting]
        except IntegrityError:
            return written.get(setting)

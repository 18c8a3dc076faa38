"""The patient file's sealed fields: where each is sealed, and the blind indexes by which rows are found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from callcenter.practice.names import surname_key
from callcenter.store.sealed import Place, Sealer


@dataclass(frozen=True, slots=True)
class PatientFile:
    """Seals, opens and indexes the fields of one practice's patients.

    Arguments:
        sealer: with the installation's keys.
        practice: whose patients.
    """

    sealer: Sealer
    practice: UUID

    def seal(self, table: str, column: str, row: UUID, value: str) -> bytes:
        return self.sealer.seal_text(value, Place(self.practice, table, column, row))

    def open(self, table: str, column: str, row: UUID, sealed: bytes) -> str:
        return self.sealer.open_text(sealed, Place(self.practice, table, column, row))

    def open_birth_date(self, patient_id: UUID, sealed: bytes) -> date:
        return date.fromisoformat(self.open("patient", "birth_date", patient_id, sealed))

    def phone_index(self, phone: str) -> bytes:
        """HMAC(phone): ``phone`` in E.164."""
        return self.sealer.blind_index(self.practice, "phone", phone)

    def birth_phone_index(self, birth_date: date, phone: str) -> bytes:
        """HMAC(birth date + phone): what V1 looks for."""
        return self.sealer.blind_index(self.practice, "birth_phone", f"{birth_date.isoformat()}|{phone}")

    def birth_name_index(self, birth_date: date, birth_name: str) -> bytes:
        """HMAC(birth date + normalised name), equal for names that match in whole (MA-02)."""
        key = f"{birth_date.isoformat()}|{surname_key(birth_name)}"
        return self.sealer.blind_index(self.practice, "birth_name", key)

"""How one signs in to the demo's console, where nobody is real: told on its page, and never anywhere else."""

from __future__ import annotations

from dataclasses import dataclass

from callcenter.settings import Environment


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """Somebody of the demo's staff, who does not exist.

    Arguments:
        shown: what colleagues read.
        what: what the page says about the account.
        role: name as the database has it.
        training_days: from today until the training ends.
    """

    login: str
    shown: str
    what: str
    role: str
    training_days: int


@dataclass(frozen=True, slots=True)
class Demonstration:
    """What the page where one signs in tells its readers.

    Arguments:
        password: of every account.
        code_command: what to type for the code of the second step, without the login.
    """

    accounts: tuple[DemoAccount, ...]
    password: str
    code_command: str


DEMONSTRATION = Demonstration(
    accounts=(
        DemoAccount("operatrice1", "Télésecrétaire 1", "télésecrétaire", "operator", 365),
        DemoAccount("operatrice2", "Télésecrétaire 2", "télésecrétaire dont la formation va expirer", "operator", 15),
        DemoAccount("superviseur", "Superviseur", "superviseur, qui revoit les appels", "supervisor", 365),
        DemoAccount("administrateur", "Administrateur", "administrateur des comptes", "administrator", 365),
        DemoAccount("praticien", "Praticien", "praticien, qui lit les messages du Dr Moreau", "practitioner", 365),
    ),
    password="trois fauteuils dansent dehors",  # noqa: S106 - it opens nothing but what nobody owns
    code_command=".venv/bin/callcenter demo code",
)


def demonstration_of(environment: Environment) -> Demonstration | None:
    """What the page tells; nothing outside the demo."""
    return DEMONSTRATION if environment is Environment.DEMO else None

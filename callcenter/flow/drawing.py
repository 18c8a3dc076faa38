"""``callcenter flows draw``: the file of a flow as a picture, with the verdict on it."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from callcenter.flow.check import CheckReport, Verdict, check, read_flow, read_grounds
from callcenter.flow.draw import draw
from callcenter.flow.proof import prove
from callcenter.kernel.errors import CallcenterError, Problem

#: How our pictures begin: a file that does not is none, and is left as it is.
_BEGINNING = b"<svg "


class CannotWrite(CallcenterError):
    """The picture cannot be written there.

    Arguments:
        problem: why, and what to do about it.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Drawing:
    """A flow's picture, if it has one.

    Arguments:
        picture: as SVG; ``None`` where there is no flow to draw.
        text: the verdict, for people; ends with a newline.
        verdict: also the command's exit code.
    """

    picture: str | None
    text: str
    verdict: Verdict


def draw_file(path: Path, *, book_path: Path, policy_path: Path) -> Drawing:
    """Draw the flow at ``path``: proven, or refuted with the way that refutes it.

    Arguments:
        book_path: file of the prompts.
        policy_path: file of the disclosure policy.
    """
    if path.is_dir():
        return Drawing(None, f"{Problem(str(path), 0, 'a folder is no flow', 'name one file')}\n", Verdict.UNCHECKED)
    report = check([path], book_path=book_path, policy_path=policy_path)
    if report.verdict is Verdict.UNCHECKED:
        return Drawing(None, report.text, report.verdict)
    grounds = read_grounds(book_path, policy_path)
    if isinstance(grounds, CheckReport):
        return Drawing(None, report.text, Verdict.REFUSED)
    flow = read_flow(path, grounds.book)
    if isinstance(flow, CheckReport):
        return Drawing(None, report.text, Verdict.REFUSED)
    verdict = prove(flow, grounds.book, grounds.policy)
    return Drawing(draw(flow, grounds.book, grounds.policy, verdict), report.text, report.verdict)


def write_picture(picture: str, path: Path) -> None:
    """Put ``picture`` at ``path``, whole or not at all. Another picture there is replaced, and nothing else.

    Raises:
        CannotWrite: something stands there that is no picture, or the system refuses.
    """
    try:
        _leave_alone(path)
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", dir=path.parent)
        partial = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(picture)
            # As any other file that the user makes: mkstemp's is for its owner alone.
            mask = os.umask(0)
            os.umask(mask)
            partial.chmod(0o666 & ~mask)
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
    except OSError as error:
        what = f"the picture cannot be written: {error.strerror}"
        raise CannotWrite(Problem(str(path), 0, what, "name a file in a folder that you may write to")) from error


def _leave_alone(path: Path) -> None:
    """Refuse to replace what is no picture."""
    if not path.exists():
        return
    mend = "name another file, or remove it yourself"
    if not path.is_file():
        raise CannotWrite(Problem(str(path), 0, "that is no file", mend))
    with path.open("rb") as file:
        if file.read(len(_BEGINNING)) not in (_BEGINNING, b""):
            raise CannotWrite(Problem(str(path), 0, "a file stands there that is no picture of a flow", mend))

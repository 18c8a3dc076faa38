"""Whatever can be typed on pages of the console, found on the pages themselves, and typed as markup."""

from __future__ import annotations

import ast
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

from callcenter.console import paths
from callcenter.console.forms import PROOF
from callcenter.console.visits import Door
from tests.unit.console.guest import Answer, Guest

#: Kinds of fields into which somebody types (HTML 4.10.5.1); a browser sends nothing else in those of the others, but
#: whoever writes a form of their own does.
TYPED = frozenset({"", "text", "search", "tel", "email", "url", "password", "textarea"})
#: What nobody chooses.
KEPT = frozenset({"hidden", "button"})
#: What is typed into the others meanwhile, by their kind.
FITS = {"date": "2026-11-26", "datetime-local": "2026-11-26T09:30", "time": "09:30", "number": "1", "checkbox": "1"}
#: What is typed where a form is to be taken, by the names of fields; elsewhere, a few words.
PLAIN = {"naissance": "14/03/1962", "lettres": "MAR", "login": "quelquun1", "telephone": "06 39 98 00 01"}
WORDS = "Quelques mots sans plus"
#: Of one door, the pages that are looked at: others are made of the same parts.
MOST = 2
#: On the page where one signs in.
_LOGIN = f'action="{paths.LOGIN}"'


@dataclass(slots=True)
class Form:
    """A form of a page.

    Arguments:
        action: where it goes.
        sent: what it holds, by the names of its fields.
        kinds: of its fields; of a list ``select``.
        pressed: its first button is among them, which Enter presses.
    """

    action: str
    sent: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    pressed: bool = False

    @property
    def typed(self) -> Iterator[str]:
        return (name for name, kind in self.kinds.items() if kind in TYPED)


class _Reader(HTMLParser):
    """Reads forms and links out of the page at ``path``."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path
        self.forms: list[Form] = []
        self.links: list[str] = []
        self._form: Form | None = None
        self._list = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        name, form = given.get("name", ""), self._form
        if tag == "a" and given.get("href", "").startswith("/"):
            self.links.append(given["href"])
        elif tag == "form":
            self._form = Form(given.get("action") or self._path)
            if given.get("method", "") == "post":
                self.forms.append(self._form)
        elif form is not None and tag == "input" and name:
            self._input(form, name, given)
        elif form is not None and tag in ("textarea", "select"):
            form.kinds[name], form.sent[name], self._list = tag, "", name
        elif form is not None and tag == "option" and not form.sent[self._list]:
            form.sent[self._list] = given.get("value", "")
        elif form is not None and tag == "button" and given.get("type") != "button" and not form.pressed:
            form.pressed = True
            if name:
                form.sent[name], form.kinds[name] = given.get("value", ""), "button"

    @staticmethod
    def _input(form: Form, name: str, given: dict[str, str]) -> None:
        kind = given.get("type", "")
        if kind == "radio" and "checked" not in given and name in form.sent:
            return
        form.kinds[name], form.sent[name] = kind, given.get("value", "") or FITS.get(kind, "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None


@dataclass(slots=True)
class Typist:
    """Goes to every page that pages lead to, and sends every form with markup in what is typed, one field at a time.

    Arguments:
        guest: somebody signed in.
        doors: of the console.
        again: signs them in, where a form may have put them out.
        within: whether an address is looked at.
        most: of one door, the pages that are.
        sent: addresses of doors whose forms were sent.
        forms_seen: those that were sent, by door and fields: they are not sent again.
        echoed: what was typed and has come back, by door and field: whether as markup.
    """

    guest: Guest
    doors: Sequence[Door]
    again: Callable[[], Awaitable[object]]
    within: Callable[[str], bool] = lambda _: True
    most: int = MOST
    sent: set[str] = field(default_factory=set)
    echoed: dict[str, bool] = field(default_factory=dict)
    _typed: dict[str, str] = field(default_factory=dict)
    forms_seen: set[str] = field(default_factory=set)
    _visited: dict[str, int] = field(default_factory=dict)
    _pages: list[str] = field(default_factory=list)
    _session: dict[str, str] | None = None
    _proof: str = ""

    async def walks(self, starts: Iterable[str]) -> None:
        """From some pages on; what was kept of it is read on each of them in the end."""
        ahead, came = list(starts), len(self._pages)
        while ahead:
            path = ahead.pop(0)
            if path in self._pages or self._often(self.door("GET", path)):
                continue
            self._pages.append(path)
            page = await self._got(path)
            self._reads(page)
            ahead += await self._looks(page, path)
        for path in self._pages[came:]:
            self._reads(await self._got(path))

    def door(self, method: str, path: str) -> str:
        """The address of the door that a path leads to; the path itself where none does."""
        path = urlsplit(path).path
        fitting = (one.path for one in self.doors if one.method == method and _fits(one.path, path))
        return min(fitting, key=lambda one: one.count("{"), default=path)

    def _often(self, door: str) -> bool:
        self._visited[door] = self._visited.get(door, 0) + 1
        return self._visited[door] > self.most

    def _is_new(self, door: str, form: Form) -> bool:
        known = f"{door} {sorted(form.sent)}"
        new = known not in self.forms_seen
        self.forms_seen.add(known)
        return new

    async def _got(self, path: str) -> Answer:
        await self._is_in()
        return await self.guest.follow(await self.guest.get(path))

    async def _is_in(self) -> None:
        """In the session of which there is a proof: a form may have ended it, or made another of it."""
        if self._session is None or self.guest.cookies != self._session:
            await self.again()
            await self.guest.follow(await self.guest.get(paths.ACCOUNT))
            self._session, self._proof = dict(self.guest.cookies), self.guest.proof

    async def _looks(self, page: Answer, path: str) -> list[str]:
        """Send the forms of a page; where its links, and those of what came back, lead."""
        reader = _Reader(path)
        reader.feed(page.text)
        links, answers = [link for link in reader.links if self.within(link)], []
        for form in reader.forms:
            door = self.door("POST", form.action)
            if self.within(form.action) and self._is_new(door, form):
                self.sent.add(door)
                answers.append(await self._sends(door, form))
        for answer in answers:
            links += await self._looks(answer, path)
        return links

    async def _sends(self, door: str, form: Form) -> Answer:
        """With markup in one field after the other, where the first that fits is kept; in all of them with nothing else
        chosen, so that it is shown again; and without any. What came of the last."""
        fields = list(form.typed)
        plain = form.sent | {one: form.sent[one] or PLAIN.get(one, WORDS) for one in fields}
        unfit = {one: text for one, text in form.sent.items() if form.kinds.get(one) in KEPT}
        tries = [plain | {one: self._markup(f"{door} {one}")} for one in fields]
        if fields:
            tries.append(unfit | {one: self._markup(f"{door} {one}") for one in fields})
        for sent in (*tries, plain):
            await self._is_in()
            answer = await self.guest.follow(await self.guest.send(form.action, {**sent, PROOF: self._proof}))
            if _LOGIN in answer.text:
                self._session = None
            self._reads(answer)
        return answer

    def _markup(self, where: str) -> str:
        """Short enough for any field, and told from every other."""
        markup = f"<b id=x{len(self._typed)}>"
        self._typed[markup] = where
        return f"\"'>{markup}"

    def _reads(self, page: Answer) -> None:
        words = unescape(page.text)
        for markup, where in self._typed.items():
            if markup in words:
                self.echoed[where] = self.echoed.get(where, False) or markup in page.text


def _fits(door: str, path: str) -> bool:
    return re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(door)), path) is not None


def forms_in(module: Path) -> Iterator[tuple[str, Sequence[ast.AsyncFunctionDef]]]:
    """The addresses of the doors of a module that forms are sent to, each with whatever handles it there."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    known = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef)}
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Name("Door"),
                args=[ast.Constant("POST"), ast.Attribute(ast.Name("paths"), address), _, handler, *_],
            ):
                named = [one.attr for one in ast.walk(handler) if isinstance(one, ast.Attribute)]
                yield getattr(paths, address), [known[one] for one in named if one in known]

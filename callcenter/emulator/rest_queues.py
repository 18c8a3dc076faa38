"""Queues and their members over REST: create, list, fetch, update, delete; take a member out with a document."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus

from aiohttp import web

from callcenter.emulator.calls import Diverted, Fetch
from callcenter.emulator.identifiers import rfc2822
from callcenter.emulator.queues import LARGEST_SIZE, LONGEST_NAME, USUAL_SIZE, Member, Queue, Queues
from callcenter.emulator.rest import PREFIX, Form, RestError, form, http_method, not_found, page, whole

FRONT = "Front"


class QueuesResource:
    """``/Accounts/{AC}/Queues`` and ``/Accounts/{AC}/Queues/{QU}/Members``.

    Arguments:
        queues: has them.
        now: dates changes.
    """

    def __init__(self, queues: Queues, now: Callable[[], datetime]) -> None:
        self._queues = queues
        self._now = now

    def routes(self) -> list[web.RouteDef]:
        """What is served."""
        queues = PREFIX + "/Accounts/{account}/Queues"
        one = queues + "/{sid:QU[0-9a-f]{32}}"
        member = one + "/Members/{call}.json"
        return [
            web.post(queues + ".json", self.create),
            web.get(queues + ".json", self.list),
            web.get(one + ".json", self.fetch),
            web.post(one + ".json", self.update),
            web.delete(one + ".json", self.delete),
            web.get(one + "/Members.json", self.members),
            web.get(member, self.member),
            web.post(member, self.dequeue),
        ]

    async def create(self, request: web.Request) -> web.Response:
        """A queue that nobody is in yet."""
        fields = await form(request)
        queue = self._queues.create(self._name(fields), whole(fields, "MaxSize", USUAL_SIZE, LARGEST_SIZE))
        return web.json_response(body(queue, request.match_info["account"]), status=HTTPStatus.CREATED)

    async def list(self, request: web.Request) -> web.Response:
        """All queues, newest first."""
        account = request.match_info["account"]
        return page(request, "queues", [body(queue, account) for queue in reversed(self._queues.all.values())])

    async def fetch(self, request: web.Request) -> web.Response:
        """One queue."""
        return web.json_response(body(self._find(request), request.match_info["account"]))

    async def update(self, request: web.Request) -> web.Response:
        """Another name, another size; whoever is in it stays."""
        queue, fields = self._find(request), await form(request)
        name = self._name(fields, queue) if "FriendlyName" in fields else queue.name
        queue.max_size = whole(fields, "MaxSize", queue.max_size, LARGEST_SIZE)
        queue.name, queue.updated = name, self._now()
        return web.json_response(body(queue, request.match_info["account"]))

    async def delete(self, request: web.Request) -> web.Response:
        """Delete one that nobody is in; 204."""
        queue = self._find(request)
        if queue.members or queue.claims:
            raise RestError(20001, "The queue is not empty: it can be deleted once nobody is in it")
        del self._queues.all[queue.sid]
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def members(self, request: web.Request) -> web.Response:
        """Who is in a queue, the first first."""
        queue, account = self._find(request), request.match_info["account"]
        return page(request, "queue_members", [member_body(queue, member, account) for member in queue.members])

    async def member(self, request: web.Request) -> web.Response:
        """One who is in a queue, by the call's identifier or ``Front``."""
        queue = self._find(request)
        return web.json_response(member_body(queue, _member(request, queue), request.match_info["account"]))

    async def dequeue(self, request: web.Request) -> web.Response:
        """Take one out of the queue: the document at ``Url`` runs on the call."""
        queue, fields = self._find(request), await form(request)
        member, url = _member(request, queue), fields.get("Url", "")
        if "://" not in url:
            raise RestError(21205, f"Url is not a valid URL: {url}")
        method = http_method(fields, "Method")
        answer = member_body(queue, member, request.match_info["account"])
        queue.members.remove(member)  # at once: of two requests for the same member the second finds it gone
        member.call.interrupt(Diverted(Fetch(url, method)))
        return web.json_response(answer)

    def _find(self, request: web.Request) -> Queue:
        queue = self._queues.all.get(request.match_info["sid"])
        if queue is None:
            raise not_found(request)
        return queue

    def _name(self, fields: Form, renamed: Queue | None = None) -> str:
        name = fields.get("FriendlyName", "")
        if not 0 < len(name) <= LONGEST_NAME:
            raise RestError(20001, f"FriendlyName is a text of {LONGEST_NAME} characters at most")
        if self._queues.named(name) not in (None, renamed):
            raise RestError(20001, f"There is a queue {name!r} already")
        return name


def _member(request: web.Request, queue: Queue) -> Member:
    wanted = request.match_info["call"]
    found = next((one for one in queue.members if wanted in (FRONT, one.call.sid)), None)
    if found is None:
        raise not_found(request)
    return found


def body(queue: Queue, account: str) -> dict[str, object]:
    """A queue as the carrier describes it."""
    uri = f"{PREFIX}/Accounts/{account}/Queues/{queue.sid}"
    return {
        "sid": queue.sid,
        "account_sid": account,
        "friendly_name": queue.name,
        "current_size": len(queue.members),
        "max_size": queue.max_size,
        "average_wait_time": queue.average_wait,
        "date_created": rfc2822(queue.created),
        "date_updated": rfc2822(queue.updated),
        "uri": f"{uri}.json",
        "subresource_uris": {"members": f"{uri}/Members.json"},
    }


def member_body(queue: Queue, member: Member, account: str) -> dict[str, object]:
    """A member as the carrier describes it."""
    return {
        "call_sid": member.call.sid,
        "queue_sid": queue.sid,
        "date_enqueued": rfc2822(member.entered),
        "position": queue.position(member),
        "wait_time": member.seconds,
        "uri": f"{PREFIX}/Accounts/{account}/Queues/{queue.sid}/Members/{member.call.sid}.json",
    }

"""Status callbacks: telling the application how calls and messages proceed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from math import ceil

from callcenter.emulator.calls import Call, Fetch, Status
from callcenter.emulator.identifiers import rfc2822
from callcenter.emulator.verbs import Alert, Method
from callcenter.emulator.webhooks import Answered, Delivery, Parameters, Webhooks

EVENTS: dict[Status, str] = {"initiated": "initiated", "ringing": "ringing", "in-progress": "answered"}
UNREPORTED: frozenset[Status] = frozenset({"queued"})


class Reports:
    """Sends status callbacks, those of one call in their order.

    Arguments:
        webhooks: how the application is told.
        now: dates them.
    """

    def __init__(self, webhooks: Webhooks, now: Callable[[], datetime]) -> None:
        self._webhooks = webhooks
        self._now = now
        self._last: dict[str, asyncio.Task[None]] = {}
        self._sent: dict[str, int] = {}

    def call_changed(self, call: Call) -> None:
        """Tell who subscribed to what the call has just become, after what is asked for when its caller has left."""
        if call.over and call.afterwards is not None:
            self.ask(call, call.afterwards.asked, call.afterwards.done)
        subscription = call.subscription
        if subscription is None or call.status in UNREPORTED:
            return
        if EVENTS.get(call.status, "completed") not in subscription.events:
            return
        number = self._sent.get(call.sid, 0)
        self._sent[call.sid] = number + 1
        extras = [
            ("Timestamp", rfc2822(self._now())),
            ("CallbackSource", "call-progress-events"),
            ("SequenceNumber", str(number)),
        ]
        if call.status not in EVENTS:
            extras += [("CallDuration", str(call.duration)), ("Duration", str(ceil(call.duration / 60)))]
        delivery = Delivery(
            "status", subscription.url, subscription.method, call.base_parameters() + tuple(extras), call_sid=call.sid
        )
        call.callbacks_pending += 1
        self._queue(call.sid, delivery, lambda answered: self._call_told(call, delivery.url, told=answered))

    def ask(self, call: Call, asked: Fetch, done: Callable[[], None] = lambda: None) -> None:
        """Ask for a document that nobody will execute; ``done`` is called once it was asked for."""
        delivery = Delivery("webhook", asked.url, asked.method, call.base_parameters(), asked.extras, call.sid)

        def asked_for(answered: bool) -> None:
            done()
            if not answered:
                call.alert(Alert(11200, "error", "The action was not answered with 2xx", asked.url))
            self._less_pending(call)

        call.callbacks_pending += 1
        self._queue(call.sid, delivery, asked_for)

    def told(self, call: Call, sid: str, url: str, method: Method, parameters: Parameters) -> None:
        """Tell what has become of a recording or a conference, because of a call."""
        call.callbacks_pending += 1
        delivery = Delivery("status", url, method, parameters, call_sid=call.sid)
        self._queue(sid, delivery, lambda answered: self._call_told(call, url, told=answered))

    def message_changed(self, sid: str, url: str, parameters: tuple[tuple[str, str], ...]) -> None:
        """Tell what a message has become; its signature keeps the port of https URLs."""
        self._queue(sid, Delivery("status", url, parameters=parameters, keeps_https_port=True), lambda answered: None)

    async def close(self) -> None:
        """Give up what has not been delivered."""
        tasks = list(self._last.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _queue(self, sid: str, delivery: Delivery, done: Callable[[bool], None]) -> None:
        task = asyncio.ensure_future(self._deliver(self._last.get(sid), delivery, done))
        self._last[sid] = task
        task.add_done_callback(lambda _: self._forget(sid, task))

    def _forget(self, sid: str, task: asyncio.Task[None]) -> None:
        if self._last.get(sid) is task:
            del self._last[sid]

    async def _deliver(
        self, previous: asyncio.Task[None] | None, delivery: Delivery, done: Callable[[bool], None]
    ) -> None:
        if previous is not None:
            await asyncio.wait([previous])
        reply = await self._webhooks.send(delivery)
        done(isinstance(reply, Answered) and HTTPStatus.OK <= reply.status < HTTPStatus.MULTIPLE_CHOICES)

    def _call_told(self, call: Call, url: str, *, told: bool) -> None:
        if not told:
            call.alert(Alert(15003, "warning", "A status callback was not answered with 2xx", url))
        self._less_pending(call)

    def _less_pending(self, call: Call) -> None:
        call.callbacks_pending -= 1
        call.timeline.changes.notify()

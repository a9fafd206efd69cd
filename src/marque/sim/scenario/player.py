"""Plays a scenario: initial actions, then frame by frame what its storyboard says.

A frame goes from the state at t to the state at t + STEP_S: conditions are judged on the state at
t; what they start begins at t; jobs set speeds and offsets; bodies move at the new speeds. The
first frame takes no time. So does the reference player that the suites' traces come from, step by
step.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime

from marque.core.errors import MarqueError, unknown
from marque.core.xml_tree import Node
from marque.maps.formats.opendrive import Roads, read_opendrive
from marque.sim.scenario import actions as act
from marque.sim.scenario.board import Board, Change, Item
from marque.sim.scenario.conditions import ByEntity, Condition, Lasting, Trigger
from marque.sim.scenario.document import Scenario, SignalController
from marque.sim.scenario.jobs import FollowJob, Job, begin_job
from marque.sim.scenario.judge import Facts, Memory, fires, follow_off_road, follow_time
from marque.sim.scenario.parameters import Parameter, text_of, typed
from marque.sim.scenario.stage import Body, make_stage, move, put, resolve
from marque.sim.scenario.storyboard import Action

STEP_S = 0.05

Which = Callable[[Job], bool]


class Player:
    """One play of a scenario. `step` until `over`; `bodies` is who is where."""

    def __init__(
        self,
        scenario: Scenario,
        roads: Roads | None = None,
        like_reference: bool = False,
    ) -> None:
        """roads: already read. like_reference: leave out what the reference player leaves out.

        MarqueError: a road file that cannot be read, or an initial action that cannot be carried
        out.
        """
        if roads is None and scenario.network.roads is not None:
            roads = read_opendrive(scenario.network.roads)
        self.scenario = scenario
        self.stage = make_stage(roads, scenario.entities, like_reference)
        self.bodies = self.stage.bodies
        self.parameters = dict(scenario.parameters)
        self.variables = dict(scenario.variables)
        self.environment: Node | None = None
        self.frames = -1  # the one without time is yet to come
        self._signals: dict[str, str] = {}
        self._set_phase: dict[str, str] = {}
        self._clock: tuple[datetime, float] | None = None
        self._board = Board(scenario.storyboard)
        self._memories: dict[int, Memory] = {}
        self._jobs: list[tuple[Item | None, Job]] = []
        self._asks_off_road = _asks_off_road(scenario)
        for init in scenario.storyboard.init:
            self._begin(None, init.action.node, init.action.what, (init.entity,))

    @property
    def t_s(self) -> float:
        """The time of the state."""
        return max(0, self.frames) * STEP_S

    @property
    def over(self) -> bool:
        """Whether the scenario's own end has come."""
        return self._board.over

    def give(self, name: str) -> Body:
        """From now on somebody else moves this entity: sets its pose and speed after each step."""
        body = self.stage.body(name)
        body.given, body.track, body.file_mps = True, None, body.speed_mps
        self._drop(lambda job: job.body is body)
        return body

    def place(
        self, name: str, x_m: float, y_m: float, heading_rad: float, speed_mps: float
    ) -> None:
        """Where a given entity is now."""
        body = self.bodies[name]
        gone = ((x_m - body.x_m) ** 2 + (y_m - body.y_m) ** 2) ** 0.5
        body.accel_mps2 = (speed_mps - body.speed_mps) / STEP_S
        body.moved_m += gone
        body.seen_mps = gone / STEP_S
        body.speed_mps = speed_mps
        put(self.stage, body, (x_m, y_m, heading_rad), None)

    def step(self) -> None:
        """One frame; after the scenario's own end everything stands still.

        MarqueError: something in the file cannot be carried out as it stands.
        """
        if self._board.over:
            return
        dt_s = STEP_S if self.frames >= 0 else 0.0
        t_s = self.t_s
        facts = self._facts(t_s)
        changes = self._board.start(lambda trigger: fires(trigger, self._memories, facts))
        if changes is None:
            return
        for change in changes:
            self._change(change, t_s)
        before = {name: (b.x_m, b.y_m, b.speed_mps) for name, b in self.bodies.items()}
        for item, job in self._jobs:
            if not job.done:
                self._step_job(item, job, t_s, dt_s)
        for body in self.bodies.values():
            move(self.stage, body, dt_s)
        self._note(before, dt_s)
        done = {id(item) for item, job in self._jobs if not job.done}
        self._board.finish(lambda item: id(item) not in done)
        self._drop(lambda job: job.done)
        self.frames += 1

    def _facts(self, t_s: float) -> Facts:
        phases = {each.name: self._phase(each, t_s) for each in self.scenario.network.controllers}
        signals: dict[str, str] = {}
        for each in self.scenario.network.controllers:
            for phase in each.phases:
                if phase.name == phases[each.name]:
                    signals.update(phase.states)
        signals.update(self._signals)
        return Facts(
            self.stage, t_s, self.parameters, self.variables, signals, phases, self._clock,
            self._board.look,
        )  # fmt: skip

    def signals(self) -> dict[str, str]:
        """What signals show now, by their id; words as the file has them."""
        return self._facts(self.t_s).signals

    def _phase(self, controller: SignalController, t_s: float) -> str:
        """The phase by the controller's own time, unless one was set."""
        if controller.name in self._set_phase:
            return self._set_phase[controller.name]
        total = sum(phase.duration_s for phase in controller.phases)
        at = t_s - self._delay(controller)
        if total <= 0.0 or not controller.phases:
            return controller.phases[0].name if controller.phases else ""
        at %= total
        for phase in controller.phases:
            at -= phase.duration_s
            if at < 0.0:
                return phase.name
        return controller.phases[-1].name

    def _delay(self, controller: SignalController) -> float:
        names = {each.name: each for each in self.scenario.network.controllers}
        seen: list[str] = []
        delay = controller.delay_s
        while controller.reference:
            seen.append(controller.name)
            if controller.reference not in names:
                raise unknown("signal controller", controller.reference, names)
            controller = names[controller.reference]
            if controller.name in seen:
                raise MarqueError(f"signal controller '{controller.name}' refers to itself")
            delay += controller.delay_s
        return delay

    def _change(self, change: Change, t_s: float) -> None:
        item = change.item
        noun = item.noun
        assert isinstance(noun, Action)
        if change.begin:
            self._begin(item, noun.node, noun.what, item.actors)
        else:
            self._drop(lambda job: any(i is item and j is job for i, j in self._jobs))

    def _begin(
        self,
        item: Item | None,
        node: Node,
        what: act.PrivateAction | act.GlobalAction,
        actors: Iterable[str],
    ) -> None:
        try:
            if isinstance(
                what,
                act.Environment | act.SetVariable | act.SetSignal | act.SetPhase
                | act.AddEntity | act.DeleteEntity,
            ):  # fmt: skip
                self._global(node, what)
                return
            for name in actors:
                if name not in self.bodies:
                    raise unknown("entity", name, self.bodies)
                job = begin_job(self.stage, self.bodies[name], what, self.t_s)
                self._take_over(job)
                if not job.done:
                    self._jobs.append((item, job))
        except MarqueError as error:
            raise node.error(f"cannot be carried out: {error}") from error

    def _take_over(self, job: Job) -> None:
        """The newest in a domain wins: the others of this body are dropped, and end."""
        self._drop(
            lambda other: (
                other is not job and other.body is job.body and bool(other.domains & job.domains)
            ),
            keep_track=isinstance(job, FollowJob),
        )

    def _drop(self, which: Which, keep_track: bool = False) -> None:
        for _, job in self._jobs:
            if which(job):
                job.done = True
                if isinstance(job, FollowJob) and not keep_track and job.body.track is job.track:
                    job.body.track = None
        self._jobs = [pair for pair in self._jobs if not pair[1].done]

    def _step_job(self, item: Item | None, job: Job, t_s: float, dt_s: float) -> None:
        try:
            job.step(self.stage, t_s, dt_s)
        except MarqueError as error:
            if item is None or not isinstance(item.noun, Action):
                raise
            raise item.noun.node.error(f"cannot be carried out: {error}") from error

    def _note(self, before: dict[str, tuple[float, float, float]], dt_s: float) -> None:
        """What the next frame wants to know of this one."""
        if dt_s <= 0.0:
            return
        for name, body in self.bodies.items():
            x, y, speed = before[name]
            if not body.given:
                body.seen_mps = ((body.x_m - x) ** 2 + (body.y_m - y) ** 2) ** 0.5 / dt_s
                body.accel_mps2 = (body.speed_mps - speed) / dt_s
        follow_time(self.stage, dt_s)
        if self._asks_off_road:
            follow_off_road(self.stage, dt_s)

    def _global(self, node: Node, what: act.GlobalAction) -> None:
        if isinstance(what, act.Environment):
            self._set_environment(what.node)
        elif isinstance(what, act.SetVariable):
            self._set_variable(node, what)
        elif isinstance(what, act.SetSignal):
            self._signals[what.signal] = what.state
        elif isinstance(what, act.SetPhase):
            self._set_controller(what)
        elif isinstance(what, act.DeleteEntity):
            self._need(what.entity).present = False
        else:
            put(self.stage, self._need(what.entity), *resolve(self.stage, what.position))

    def _need(self, name: str) -> Body:
        if name not in self.bodies:
            raise unknown("entity", name, self.bodies)
        return self.bodies[name]

    def _set_environment(self, node: Node) -> None:
        self.environment = node
        for each in node.walk():
            if each.tag == "TimeOfDay":
                text = each.need("dateTime")
                try:
                    self._clock = (datetime.fromisoformat(text), self.t_s)
                except ValueError:
                    raise each.error(f"has dateTime='{text}', which is none") from None

    def _set_variable(self, node: Node, what: act.SetVariable) -> None:
        have = self.parameters if what.parameter else self.variables
        if what.name not in have:
            raise unknown("parameter" if what.parameter else "variable", what.name, have)
        old = have[what.name]
        have[what.name] = _changed(node, old, what)

    def _set_controller(self, what: act.SetPhase) -> None:
        controllers = {each.name: each for each in self.scenario.network.controllers}
        if what.controller not in controllers:
            raise unknown("signal controller", what.controller, controllers)
        names = [phase.name for phase in controllers[what.controller].phases]
        if what.phase not in names:
            raise unknown(f"phase of controller '{what.controller}'", what.phase, names)
        self._set_phase[what.controller] = what.phase


def _changed(node: Node, old: Parameter, what: act.SetVariable) -> Parameter:
    if what.how == "set":
        return typed(node, old.name, old.kind, what.text)
    if isinstance(old.value, bool) or not isinstance(old.value, float):
        raise MarqueError(f"'{old.name}' is a {old.kind}, which nothing can be added to")
    by = float(what.text)
    value = old.value + by if what.how == "add" else old.value * by
    return replace(old, value=value, text=text_of(value))


def _asks_off_road(scenario: Scenario) -> bool:
    return any(
        isinstance(each.test, ByEntity)
        and isinstance(each.test.test, Lasting)
        and each.test.test.what == "offroad"
        for each in _conditions(scenario)
    )


def _conditions(scenario: Scenario) -> Iterable[Condition]:
    board = scenario.storyboard
    triggers: list[Trigger | None] = [board.stop]
    for story in board.stories:
        for each in story.acts:
            triggers += [each.start, each.stop]
            triggers += [e.start for g in each.groups for m in g.maneuvers for e in m.events]
    for trigger in triggers:
        for group in trigger.groups if trigger is not None else ():
            yield from group

"""The storyboard as a machine: what stands by, runs and is complete, and why.

One frame: elements start by their triggers, top down; jobs are stepped; what is complete ends,
bottom up. Conditions on the states of elements see those at the end of the frame before.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from marque.core.errors import unknown
from marque.sim.scenario import storyboard as sb
from marque.sim.scenario.conditions import Condition, ElementState, Trigger

STANDBY, RUNNING, COMPLETE = "standbyState", "runningState", "completeState"
START, END, STOP, SKIP = "startTransition", "endTransition", "stopTransition", "skipTransition"

Fires = Callable[[Trigger], bool]


@dataclass(slots=True, eq=False)
class Item:
    """One element of the storyboard. shown: its state and transitions a frame ago."""

    kind: str
    name: str
    path: str
    children: list["Item"]
    noun: sb.Story | sb.Act | sb.Group | sb.Maneuver | sb.Event | sb.Action
    actors: tuple[str, ...] = ()
    state: str = STANDBY
    runs: int = 0
    now: set[str] = field(default_factory=set)
    shown: tuple[str, frozenset[str]] = (STANDBY, frozenset())

    def walk(self) -> Iterator["Item"]:
        """Itself and all below."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class Change:
    """What a frame asks of whoever carries actions out: begin, or stop, the actions of an item."""

    begin: bool
    item: Item


class Board:
    """The storyboard of one play."""

    def __init__(self, board: sb.Storyboard) -> None:
        self.stories = [_story(each) for each in board.stories]
        self.items = [item for story in self.stories for item in story.walk()]
        self.over = False
        self._stop = board.stop
        self._changes: list[Change] = []

    def start(self, fires: Fires) -> list[Change] | None:
        """What starts, is skipped or is stopped now. None: it is over."""
        self._changes = []
        if self._stop is not None and fires(self._stop):
            self.over = True
            return None
        for story in self.stories:
            if story.state == STANDBY:
                _enter(story)
            for act in story.children:
                self._act(act, fires)
        return self._changes

    def finish(self, done: Callable[[Item], bool]) -> None:
        """End what is complete, and show this frame's states to the next. done: of an action."""
        for story in self.stories:
            self._finish(story, done)
        for item in self.items:
            item.shown = (item.state, frozenset(item.now))
            item.now.clear()

    def look(self, test: ElementState, condition: Condition) -> bool:
        """Whether an element was in a state, or made a transition, in the frame before."""
        state, transitions = self._find(test, condition).shown
        return test.state == state or test.state in transitions

    def _find(self, test: ElementState, condition: Condition) -> Item:
        """By name, or by the end of its path `a::b::c`."""
        kind = test.kind
        found = [i for i in self.items if i.kind == kind and _named(i.path, test.ref)]
        if not found:
            names = {i.path for i in self.items if i.kind == kind}
            raise unknown(kind, test.ref, names)
        if len(found) > 1:
            paths = ", ".join(item.path for item in found)
            raise condition.node.error(f"names {kind} '{test.ref}', which may be one of [{paths}]")
        return found[0]

    def _act(self, act: Item, fires: Fires) -> None:
        noun = act.noun
        assert isinstance(noun, sb.Act)
        if act.state == STANDBY and (noun.start is None or fires(noun.start)):
            _enter(act)
        if act.state != RUNNING:
            return
        if noun.stop is not None and fires(noun.stop):
            self._stop_item(act)
            return
        for group in act.children:
            self._group(group, fires)

    def _group(self, group: Item, fires: Fires) -> None:
        if group.state == STANDBY:
            _enter(group)
        if group.state != RUNNING:
            return
        for maneuver in group.children:
            if maneuver.state == STANDBY:
                _enter(maneuver)
            if maneuver.state == RUNNING:
                for event in maneuver.children:
                    self._event(maneuver, event, fires)

    def _event(self, maneuver: Item, event: Item, fires: Fires) -> None:
        noun = event.noun
        assert isinstance(noun, sb.Event)
        if event.state != STANDBY or not (noun.start is None or fires(noun.start)):
            return
        others = [each for each in maneuver.children if each is not event and each.state == RUNNING]
        if noun.priority == "skip" and others:
            event.now.add(SKIP)
            event.runs += 1
            event.state = STANDBY if event.runs < noun.most else COMPLETE
            return
        if noun.priority in ("override", "overwrite"):
            for other in others:
                self._stop_item(other)
        _enter(event)
        for action in event.children:
            _enter(action)
            self._changes.append(Change(True, action))

    def _stop_item(self, item: Item) -> None:
        for each in item.walk():
            if each.state != COMPLETE:
                each.now.add(STOP)
            if each.kind == "action" and each.state == RUNNING:
                self._changes.append(Change(False, each))
            each.state = COMPLETE

    def _finish(self, item: Item, done: Callable[[Item], bool]) -> None:
        if item.state != RUNNING:
            return
        if item.kind == "action":
            if done(item):
                _leave(item, 1)
            return
        for child in item.children:
            self._finish(child, done)
        if any(child.state != COMPLETE for child in item.children):
            return
        noun = item.noun
        most = noun.most if isinstance(noun, sb.Event | sb.Group) else 1
        _leave(item, most)
        if item.state == STANDBY:
            for each in item.walk():
                each.state = STANDBY
                each.runs = item.runs if each is item else 0


def _named(path: str, ref: str) -> bool:
    return path == ref or path.endswith("::" + ref)


def _enter(item: Item) -> None:
    item.state = RUNNING
    item.now.add(START)


def _leave(item: Item, most: int) -> None:
    item.runs += 1
    item.now.add(END)
    item.state = STANDBY if item.runs < most else COMPLETE


def _item(
    kind: str, above: str, noun: sb.Story | sb.Act | sb.Group | sb.Maneuver | sb.Event | sb.Action
) -> Item:
    path = f"{above}::{noun.name}" if above else noun.name
    return Item(kind, noun.name, path, [], noun)


def _story(noun: sb.Story) -> Item:
    story = _item("story", "", noun)
    for each in noun.acts:
        act = _item("act", story.path, each)
        act.children = [_group_item(act.path, group) for group in each.groups]
        story.children.append(act)
    return story


def _group_item(above: str, noun: sb.Group) -> Item:
    group = _item("maneuverGroup", above, noun)
    for each in noun.maneuvers:
        maneuver = _item("maneuver", group.path, each)
        for event_noun in each.events:
            event = _item("event", maneuver.path, event_noun)
            for action_noun in event_noun.actions:
                action = _item("action", event.path, action_noun)
                action.actors = noun.actors
                event.children.append(action)
            maneuver.children.append(event)
        group.children.append(maneuver)
    return group

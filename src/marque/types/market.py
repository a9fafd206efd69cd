"""Market: the times and bounds that a market's law sets to assisted driving."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """Where one number of a market stands. `read`: somebody read it in the regulation itself;
    else it is a draft value."""

    field: str
    where: str
    read: bool


@dataclass(frozen=True, slots=True)
class Market:
    """One market profile. Every number has its `Source`."""

    name: str
    title: str
    eyes_off: bool  # the person need not watch the road
    hands_on: bool  # but has to keep the hands on the wheel (never with `eyes_off`)
    # a demand to take over
    escalates_s: float  # from its beginning
    manoeuvre_s: float  # and from it to the minimal risk manoeuvre
    planned_s: float  # before the border of the domain it begins
    # the person
    away_s: float  # out of the seat
    unavailable_s: float  # warned before it is demanded
    watched_from_mps: float  # eyes and hands, from this speed on
    eyes_request_s: float  # eyes off until the request,
    eyes_demand_s: float  # and from there to the demand
    eyes_back_s: float  # that counts as having looked
    hands_request_s: float
    hands_demand_s: float
    # the person's inputs
    wheel_light_n: float  # overrides if the person looks at the road
    wheel_firm_n: float  # overrides always
    resumes: bool  # after the accelerator is released
    # the car
    top_speed_mps: float
    manoeuvre_brake_mps2: float  # planned, in a minimal risk manoeuvre
    emergency_brake_mps2: float  # a demand above it is an emergency manoeuvre
    # locked out
    lockout_manoeuvres: int  # so many of them
    lockout_demands: int  # or so many demands for attention, 0: any number,
    lockout_window_s: float  # within this
    lockout_s: float  # lock it for so long; inf: until the next start of the car
    # lane changes
    announced_s: float  # indicated before
    others_brake_mps2: float  # nobody is made to brake harder
    # following: headway over speed, linear between, as it is below and above
    headway_mps: tuple[float, ...]
    headway_s: tuple[float, ...]
    sources: tuple[Source, ...] = ()

    @property
    def drafts(self) -> tuple[str, ...]:
        """Names of the fields that nobody has read in the regulation."""
        return tuple(one.field for one in self.sources if not one.read)

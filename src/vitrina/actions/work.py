"""A worker of the house: the kinds of jobs there are, carried out by the durable engine."""

from __future__ import annotations

from collections.abc import Callable

from vitrina.actions.batch import kinds as kinds_of_cards
from vitrina.actions.house import House
from vitrina.actions.recheck import recheck
from vitrina.actions.webhooks import kind_of_deliveries
from vitrina.jobs import Kind
from vitrina.jobs.engine import Settings, jobs_url
from vitrina.jobs.engine import work as carry_out


def kinds(house: House) -> list[Kind]:
    """Every kind of job there is in `house`."""
    return [*kinds_of_cards(house), kind_of_deliveries(house)]


def work(
    house: House,
    *,
    slot: str | None = None,
    until_idle: bool = False,
    should_stop: Callable[[], bool] = lambda: False,
    patience_s: float = 2.0,
) -> str:
    """Carry out the house's jobs until told to stop; returns the worker's slot. What rests on rules that have changed
    since goes back to draft first."""
    recheck(house, by_itself=True)
    settings = Settings(jobs_url(house.store, house.config.home), house.config.home / "workers", patience_s)
    return carry_out(house.store, kinds(house), settings, slot=slot, until_idle=until_idle, should_stop=should_stop)

"""Which job runs where: what placement promises, in words, in random floors, and in a simulated studio."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from s2edit_server.placement import LOADED, PATIENCE, Place, QueuedJob, Running, begun, choose, ended, forecast, wake

from tests.benchmarks.placement import FIRST, LOAD, Studio, measure, percentile, todays

NOW = 1_000.0
PICTURES = ("", "p", "q", "r")

_jobs = st.builds(
    QueuedJob,
    id=st.uuids().map(str),
    painter=st.sampled_from("ABC"),
    since=st.floats(NOW - 300, NOW),
    model=st.sampled_from("mn"),
    holds=st.sampled_from(PICTURES),
)
_places = st.lists(
    st.builds(
        Place,
        name=st.uuids().map(str),
        host=st.sampled_from("xy"),
        job=st.sampled_from(["", "", "busy"]),
        model=st.sampled_from(["", "m", "n"]),
        holds=st.dictionaries(st.sampled_from(PICTURES[1:]), st.floats(0, NOW), max_size=3),
        lacks=st.frozensets(st.sampled_from("mn"), max_size=1),
    ),
    max_size=6,
)


@given(st.lists(_jobs, max_size=8), _places, st.lists(_jobs, max_size=4))
def test_no_place_stays_free_while_a_job_may_start_and_no_painter_is_passed_over(
    waiting: list[QueuedJob], places: list[Place], running: list[QueuedJob]
) -> None:
    free = [place for place in places if not place.job]

    def may(job: QueuedJob) -> bool:
        able = [place for place in places if job.model not in place.lacks]
        homes = [place for place in able if job.holds and job.holds in place.holds]
        if all(place.job for place in able):
            return False
        return not homes or any(not place.job for place in homes) or NOW - job.since >= PATIENCE

    eligible = [job for job in waiting if may(job)]
    chosen = choose(waiting, places, running, NOW)
    assert (chosen is not None) == bool(free and eligible)
    if chosen is None:
        return
    job, place = chosen
    assert job in eligible
    assert place in free
    assert job.model not in place.lacks
    # The first of that painter's own that may start, at its home if that is free, and nobody with less came short.
    assert job == next(one for one in eligible if one.painter == job.painter)
    if any(job.holds and job.holds in one.holds and job.model not in one.lacks for one in free):
        assert job.holds in place.holds
    loads = {painter: sum(one.painter == painter for one in running) for painter in "ABC"}
    assert loads[job.painter] == min(loads[one.painter] for one in eligible)


@given(st.lists(_jobs, min_size=1, max_size=8, unique_by=lambda job: job.id))
def test_one_place_and_one_painter_is_the_queues_own_order(waiting: list[QueuedJob]) -> None:
    """The local user notices nothing: whatever they moved stays where they put it."""
    mine = [QueuedJob(job.id, "", job.since, job.model, job.holds) for job in waiting]
    place, order, clock = Place("cpu"), [], NOW
    while mine:
        chosen = choose(mine, [place], (), clock)
        assert chosen is not None
        order.append(chosen[0].id)
        mine.remove(chosen[0])
        clock += 1
        (place,) = ended([begun(place, chosen[0], clock)], "cpu", chosen[0], clock)
    assert order == [job.id for job in waiting]


def test_a_job_waits_for_its_busy_place_and_not_for_ever() -> None:
    busy, idle = Place("a", "x", "other", "m", {"p": NOW}), Place("b", "y")
    job = QueuedJob("1", "A", NOW, "m", "p")
    assert choose([job], [busy, idle], (), NOW) is None
    assert wake([job], NOW) == PATIENCE
    assert choose([job], [busy, idle], (), NOW + PATIENCE) == (job, idle)
    assert wake([job], NOW + PATIENCE) is None


def test_a_model_in_memory_is_used_before_it_is_changed_but_not_for_ever() -> None:
    place = Place("one", model="m")
    late, early = QueuedJob("late", "A", NOW, "m"), QueuedJob("early", "B", NOW, "n")
    for waited, first in ((0.0, late), (LOADED - 1, late), (LOADED + 1, early)):
        chosen = choose([replace(early, since=NOW - waited), late], [place], [], NOW)
        assert chosen is not None
        assert chosen[0].id == first.id


def test_what_one_card_learned_lies_on_all_cards_of_its_host() -> None:
    job = QueuedJob("1", "A", NOW, "m", "p")
    places = [begun(Place("a", "x"), job, NOW), Place("b", "x"), Place("c", "y")]
    assert ["p" in place.holds for place in places] == [True, False, False]
    after = ended(places, "a", job, NOW + 5)
    assert ["p" in place.holds for place in after] == [True, True, False]


def test_a_new_picture_goes_where_the_model_is_and_the_fewest_pictures_are_worked_on() -> None:
    job = QueuedJob("1", "A", NOW, "m", "new")
    floor = [
        Place("other model", model="n"),
        Place("busy with two", model="m", holds={"p": NOW - 9, "q": NOW - 9}),
        Place("stale", model="m", holds={"p": 0.0, "q": 1.0, "r": 2.0}),
        Place("no model"),
    ]
    assert choose([job], floor, (), NOW) == (job, floor[2])
    assert choose([job], [floor[0], floor[3]], (), NOW) == (job, floor[3])


def test_a_forecast_of_unknown_work_says_so_and_others_are_foreseen_around_it() -> None:
    waiting = [QueuedJob("1", model="m"), QueuedJob("2", model="m"), QueuedJob("3", model="m")]
    known = {"1": None, "2": 5.0, "3": 7.0}
    places = [Place("a", "x", "0"), Place("b", "x")]
    running = [Running(QueuedJob("0"), "a", 2.0)]
    found = forecast(waiting, places, running, NOW, lambda job, _: known[job.id])
    assert found == {"1": None, "2": 7.0, "3": 14.0}


def test_nobody_waits_for_ever_and_a_greedy_painter_does_not_double_the_others_waits() -> None:
    gpus = 8
    fair = measure(gpus, choose, 1, 1)
    beside = measure(gpus, choose, 1, 1, greedy=32)
    for quiet, crowded in ((fair.next_s, beside.next_s), (fair.first_s, beside.first_s)):
        assert percentile(crowded, 0.95) < 2 * percentile(quiet, 0.95)
    asked = Studio(gpus, choose, 3_600, 0).run()
    assert max(one.took for one in asked if one.done) < 20 * (FIRST + LOAD) / gpus + PATIENCE + FIRST + LOAD
    assert percentile(fair.next_s, 0.5) < 0.5 * percentile(measure(gpus, todays, 1, 1).next_s, 0.5)


def test_a_forecast_is_within_a_fifth_of_the_simulated_end() -> None:
    """A standing queue of five painters; no job takes the very seconds that the forecast knows."""
    studio = Studio(4, choose, 36_000, 1, spread=0.15, foresee=True, painters=0)
    pictures = [(painter, f"{painter}.{picture}") for picture in range(4) for painter in range(5) for _ in range(3)]
    studio.queue(pictures)
    asked = studio.run()
    off = [abs(one.foreseen - one.took) / one.took for one in asked if one.foreseen is not None]
    assert len(off) == len(pictures)
    assert max(off) < 0.2
